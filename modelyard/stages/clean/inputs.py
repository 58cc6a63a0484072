"""Which columns are cleaned, and which make two rows the same."""

from __future__ import annotations

from dataclasses import dataclass

from modelyard.errors import BadInput
from modelyard.store import Column, Dataset


@dataclass(frozen=True)
class Inputs:
    """texts: input columns that the rules repair. others: the rest of the inputs, compared as they are.

    Without a text nothing is repaired, and the row_id tells which rows are the same (pictures: by their pixels): then
    others is empty, and no picture is read.
    targets: what a row says of its inputs; classes: they are names of classes.
    """

    texts: tuple[Column, ...]
    others: tuple[str, ...]
    targets: tuple[str, ...]
    classes: bool


def inputs_of(dataset: Dataset) -> Inputs:
    """Raises BadInput when there is no input column."""
    inputs, targets = dataset.with_role("input"), dataset.with_role("target")
    if not inputs:
        raise BadInput("the dataset has no input column", next="name it: `ingest: {columns: {text: NAME}}`")
    texts = tuple(column for column in inputs if column.field == "text")
    return Inputs(
        texts,
        tuple(column.name for column in inputs if column.field != "text") if texts else (),
        tuple(column.name for column in targets),
        all(column.field == "label" for column in targets),
    )
