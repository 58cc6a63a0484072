"""Each kind of column: its validation and its canonical bytes."""

from modelyard.fields.answers import Answerable, Filed
from modelyard.fields.boxes import Boxes
from modelyard.fields.columns import canonical_column, read_column
from modelyard.fields.field import Field
from modelyard.fields.image import Image
from modelyard.fields.label import Label
from modelyard.fields.number import Number
from modelyard.fields.text import Text
from modelyard.fields.value import Value

FIELDS: dict[str, Field] = {field.name: field for field in (Text(), Label(), Number(), Value(), Image(), Boxes())}

__all__ = ["FIELDS", "Answerable", "Field", "Filed", "Label", "canonical_column", "read_column"]
