"""Rows to judge a finished model by: those that variants are chosen on, and those that the figures stand for.

A split is for training; here nothing is trained, so that a column `split` counts for what it says and a hash does the
rest.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any

import numpy as np
import pyarrow as pa
from pydantic import Field

from modelyard.config import Share, StageConfig
from modelyard.run import Run
from modelyard.store import Column, Dataset
from modelyard.store.dataset import ROW_ID, SPLIT

CHOOSING, JUDGING, TRAIN = "validation", "test", "train"
KEY = b"modelyard sides"

Places = np.ndarray[Any, np.dtype[np.uint64]]


class SidesConfig(StageConfig):
    """How many rows variants are chosen on; the others are what the figures stand for."""

    share: Share = 0.25
    most: Annotated[int, Field(ge=1)] = 1000  # they tell a variant that loses one point in a hundred
    least: Annotated[int, Field(ge=2)] = 40  # of all rows; with fewer, both sides are all of them


def two_sides(dataset: Dataset, config: SidesConfig, run: Run) -> Dataset:
    """The Dataset with validation (to choose by) and test (to judge by); train rows that it names stay what they are.

    Its own column `split` decides where it names both. Else `share` of the rows that are not train go to validation,
    told by a hash of the row, so that twins lie on one side and the same file gives the same sides.
    """
    given: list[str | None] = (
        dataset.read([SPLIT])[SPLIT].to_pylist() if dataset.has(SPLIT) else [None] * dataset.read([ROW_ID]).num_rows
    )
    there = set(given)
    if {CHOOSING, JUDGING} <= there:
        how = "as the column split of the data says"
        sides = [str(side) for side in given]
        made = dataset
    else:
        free = [place for place, side in enumerate(given) if side != TRAIN]
        if len(free) < config.least:
            return _both(dataset, free, run)
        how = f"{config.share:.0%} of the rows, at most {config.most:,}, for choosing, by a hash of the row"
        places = _places(dataset)
        bar = np.sort(places[free])[min(config.most, round(config.share * len(free)), len(free) - 1)]
        hashed = [CHOOSING if place < bar else JUDGING for place in places]
        sides = [TRAIN if side == TRAIN else other for side, other in zip(given, hashed, strict=True)]
        made = _written(dataset, sides, run)
    _record({side: sides.count(side) for side in (TRAIN, CHOOSING, JUDGING)}, how, run)
    return made


def _places(dataset: Dataset) -> Places:
    """A number for each row, by BLAKE2b of the hash of its input: uint64 [rows]."""
    ids = dataset.read([ROW_ID])[ROW_ID].to_pylist()
    numbers = [int.from_bytes(hashlib.blake2b(each[:16], digest_size=8, key=KEY).digest()) for each in ids]
    return np.array(numbers, dtype=np.uint64)


def _written(dataset: Dataset, sides: list[str], run: Run) -> Dataset:
    """A layer with the sides."""
    column = Column(SPLIT, "value", "system")
    layer = run.store.layer(dataset, "sides", [column])
    done = 0
    for view in dataset.views():
        selected = view.selection()
        values = np.full(view.rows, None, dtype=object)
        values[selected] = sides[done : done + int(selected.sum())]
        layer.write(view, {SPLIT: pa.array(values, pa.large_string())})
        done += int(selected.sum())
    return layer.finish()


def _both(dataset: Dataset, free: list[int], run: Run) -> Dataset:
    """Every row on either side."""
    run.warn(
        f"{len(free)} rows: too few to part, so that variants are chosen on the same rows that the figures stand for"
    )
    columns = [column for column in dataset.columns if column.name != SPLIT]
    table = dataset.read([column.name for column in columns]).take(free)
    writer = run.store.new_dataset([*columns, Column(SPLIT, "value", "system")])
    for side in (CHOOSING, JUDGING):
        writer.write(table.append_column(SPLIT, pa.array([side] * len(free), pa.large_string())).combine_chunks())
    _record({TRAIN: 0, CHOOSING: len(free), JUDGING: len(free)}, "all rows on either side", run)
    return writer.finish()


def _record(counts: dict[str, int], how: str, run: Run) -> None:
    for side, count in counts.items():
        run.record(f"rows_{side}", count, how=how, unit="rows")
    run.details["how"] = how
