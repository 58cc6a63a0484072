"""Raw rows, read and cut into pieces of the size of a part; what is not a row of the Dataset is counted."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelyard.fields import Field
from modelyard.stages.ingest.assemble import assemble
from modelyard.stages.ingest.batch import RawBatch
from modelyard.stages.ingest.tally import Tally
from modelyard.store import Column
from modelyard.store.row_ids import Hashes, row_hashes


@dataclass(frozen=True)
class Piece:
    """The rows of one part without row_id, and the hash of each."""

    table: pa.Table
    hashes: Hashes


def pieces(
    batches: Iterator[RawBatch],
    columns: Sequence[Column],
    kinds: Mapping[str, Field],
    needed: Collection[str],
    tally: Tally,
    size: int,
) -> Iterator[Piece]:
    """The good rows of whole batches, at least `size` bytes of them in each piece but the last.

    needed: roles of columns in which a row must have a value. tally: counted on, so that with each piece it says what
    was counted up to its end.
    """
    known = {column.name for column in columns}
    label = label_of(columns)
    tables: list[pa.Table] = []
    hashes: list[Hashes] = []

    def piece() -> Piece:
        return Piece(pa.concat_tables(tables).combine_chunks(), np.concatenate(hashes))

    for batch in batches:
        table, bad = assemble(batch, columns, kinds, needed)
        tally.count(batch, known)
        tally.set_aside(sorted([*batch.bad, *bad], key=lambda row: row.line))
        if table.num_rows:
            tally.rows += table.num_rows
            if label is not None:
                counted = class_names(table[label.name]).drop_null().value_counts()
                tally.classes.update(dict(zip(*(each.to_pylist() for each in counted.flatten()), strict=True)))
            tables.append(table)
            hashes.append(row_hashes(table, columns, kinds))
        if sum(each.nbytes for each in tables) >= size:
            yield piece()
            tables, hashes = [], []
    if tables:
        yield piece()


def label_of(columns: Sequence[Column]) -> Column | None:
    """The column whose classes are counted: the target, when it holds any."""
    return next((column for column in columns if column.role == "target" and column.field in ("label", "boxes")), None)


def class_names(values: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    """The class of each row; where a row holds several things, of each of them."""
    if not pa.types.is_list(values.type):
        return values
    return pc.struct_field(pc.list_flatten(values), "label")
