"""docs/architecture.md and its picture say what the import contract says."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text()
PICTURE = (ROOT / "docs" / "pictures" / "house.svg").read_text()
NOT_SHOWN = {"__main__", "full_disk"}


def floors_of_the_contract() -> list[set[str]]:
    """Names by floor, the top one first; those in parentheses may not be there yet."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["id"] == "floors")
    named = [{name for name in re.findall(r"\w+", layer) if exists(name)} - NOT_SHOWN for layer in layers]
    return [names for names in named if names]


def exists(name: str) -> bool:
    return (ROOT / "modelyard" / name).is_dir() or (ROOT / "modelyard" / f"{name}.py").is_file()


def shown() -> dict[str, int]:
    """Name of a package in the picture -> how far down its box lies."""
    return {name: int(y) for y, name in re.findall(r'<text class="name" x="\d+" y="(\d+)">(\w+)</text>', PICTURE)}


def test_the_picture_shows_every_package_and_no_other() -> None:
    assert set(shown()) == set.union(*floors_of_the_contract())


def test_the_floors_of_the_picture_stand_as_the_contract_has_them() -> None:
    heights = shown()
    for upper, lower in pairwise(floors_of_the_contract()):
        assert max(heights[name] for name in upper) < min(heights[name] for name in lower), (upper, lower)


def test_every_place_that_the_page_names_is_there() -> None:
    of_the_code = re.findall(r"`(modelyard/[\w/.]+)`", PAGE)
    of_the_guide = [f"docs/{name}" for name in re.findall(r"\]\(([\w./-]+)\)", PAGE)]
    places = of_the_code + of_the_guide
    assert len(places) > 8
    assert [place for place in places if not (ROOT / place).exists()] == []
