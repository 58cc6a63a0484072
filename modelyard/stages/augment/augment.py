"""The stage: rows of the train side, transformed, as further parts of the Dataset."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelyard.errors import BadConfig, BadInput
from modelyard.fields import FIELDS
from modelyard.run import Run
from modelyard.stages.augment.config import AugmentConfig
from modelyard.stages.augment.cropped import crop
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID, ROW_ID_TYPE, SPLIT, PartView
from modelyard.store.derived import PARENT_ID, DerivedWriter
from modelyard.store.row_id_columns import id_bytes
from modelyard.store.row_ids import HASH_BYTES, Hashes, row_hashes, row_ids

TRAIN = "train"
PART_BYTES = 32 << 20


def augment(dataset: Dataset, config: AugmentConfig, run: Run) -> Dataset:
    """Add `copies` windows of each picture of the train side, with their boxes where it has them.

    A derived row has a row_id of its own content, `parent_id`, and everything else of its parent, so that it lies on
    the parent's side. The rows that were there, and what is stored of them, stay as they are; validation and test get
    none. The same for the same rows and seed. Memory holds a part, and the hashes of all rows.
    Raises BadInput without a split and for rows that were augmented before, BadConfig where there is nothing that can
    be transformed.
    """
    run.record("rows_in", dataset.rows(), how="rows before augmenting", unit="rows")
    if not config.copies:
        run.record("rows_derived", 0, how="rows made from rows of the train side", unit="rows")
        return dataset
    pictures, boxes = _columns(dataset)
    writer = DerivedWriter(run.store, dataset, "augment")
    seen = {each.tobytes() for view in dataset.views() for each in _hashes(view)}
    derived = left_out = 0
    for view in run.progress(dataset.views(), "augment", total=len(dataset.parts)):
        for table, lost in _parts_of(view, pictures, boxes, config, seen):
            writer.write(table)
            derived += table.num_rows
            left_out += lost
    run.record("rows_derived", derived, how="rows made from rows of the train side", unit="rows")
    if boxes:
        least = f"{config.crop.least_visible:.0%}"
        run.record("boxes_left_out", left_out, how=f"less than {least} of them is in the window")
    return writer.finish()


def _hashes(view: PartView) -> Hashes:
    """Those that the row ids of a part begin with."""
    return id_bytes(view.read([ROW_ID])[ROW_ID])[:, :HASH_BYTES]


def _columns(dataset: Dataset) -> tuple[str, str | None]:
    """The pictures, and the boxes on them if there are any."""
    if not dataset.has(SPLIT):
        raise BadInput(
            "the dataset has no split: only the train side is augmented", next="run `modelyard split` on it first"
        )
    if dataset.has(PARENT_ID):
        raise BadInput(
            f"the dataset has derived rows already (column {PARENT_ID}): windows of windows are not made",
            next="augment the dataset that it was made from, or set augment.copies to 0",
        )
    inputs, targets = dataset.with_role("input"), dataset.with_role("target")
    if [column.field for column in inputs] != ["image"] or any(c.field not in ("label", "boxes") for c in targets):
        shown = ", ".join(f"{column.name} ({column.field})" for column in (*inputs, *targets))
        raise BadConfig(
            f"rows of {shown} are not augmented yet: only pictures, with labels or boxes",
            where="augment.copies",
            next="set augment.copies to 0",
        )
    return inputs[0].name, next((column.name for column in targets if column.field == "boxes"), None)


def _parts_of(
    view: PartView, pictures: str, boxes: str | None, config: AugmentConfig, seen: set[bytes]
) -> Iterator[tuple[pa.Table, int]]:
    """The rows derived from one part, in tables of about PART_BYTES, and how many boxes each lost."""
    columns = view.dataset.columns
    table = view.read([column.name for column in columns])
    table = table.filter(pc.equal(table[SPLIT], TRAIN))
    rows: list[dict[str, Any]] = []
    size = lost = 0
    for place in range(table.num_rows):
        (parent,) = table.slice(place, 1).to_pylist()
        for copy in range(config.copies):
            # Of the row and the copy alone: rows that come or go change no other.
            generator = np.random.default_rng([config.seed, copy, *parent[ROW_ID]])
            found = crop(parent[pictures], parent[boxes] if boxes else (), config.crop, generator)
            row = {
                **parent,
                pictures: found.content,
                PARENT_ID: parent[ROW_ID],
                **({boxes: found.boxes} if boxes else {}),
            }
            rows.append(row)
            size += len(found.content)
            lost += found.left_out
        if size >= PART_BYTES or place == table.num_rows - 1:
            made = _table(rows, table.schema, view.dataset, seen)
            if made.num_rows:
                yield made, lost
            rows, size, lost = [], 0, 0


def _table(rows: list[dict[str, Any]], schema: pa.Schema, dataset: Dataset, seen: set[bytes]) -> pa.Table:
    """The rows with ids of their own; one that is exactly another one is left out."""
    table = pa.Table.from_pylist(rows, schema=schema.append(pa.field(PARENT_ID, ROW_ID_TYPE)))
    hashes = row_hashes(table, dataset.columns, FIELDS)
    new = np.zeros(len(rows), dtype=np.bool_)
    for place, row_hash in enumerate(hashes):
        key = row_hash.tobytes()
        new[place] = key not in seen
        seen.add(key)
    ids = row_ids(hashes, np.zeros(len(rows), dtype=np.uint32))
    return table.set_column(table.schema.get_field_index(ROW_ID), ROW_ID, ids).filter(pa.array(new))
