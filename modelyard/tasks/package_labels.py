"""The classes of a package in their order."""

from __future__ import annotations

import json
from pathlib import Path

from modelyard.errors import BadInput


def package_labels(folder: Path) -> list[str]:
    """Those of the folder's package.json: class order is a property of the whole package. Raises BadInput."""
    index = folder / "package.json"
    try:
        return [str(label) for label in json.loads(index.read_bytes())["labels"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{index} names no labels: {error}", where=str(index)) from None
