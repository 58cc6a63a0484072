"""A first look: what `ingest` would make of a source, from its first megabytes and without storing anything."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from modelyard.stages.ingest.assemble import assemble
from modelyard.stages.ingest.batch import BATCH_BAD_ROWS
from modelyard.stages.ingest.config import IngestConfig
from modelyard.stages.ingest.guess import Found
from modelyard.stages.ingest.opening import Opened, hold_bad_rows, is_ours, open_rows, open_source
from modelyard.stages.ingest.restore import described_columns
from modelyard.stages.ingest.tally import Tally
from modelyard.store import Column
from modelyard.store.dataset import SPLIT
from modelyard.store.materialize import DATASET_FILE
from modelyard.tasks import load_task

ENOUGH_BYTES = 32 << 20


@dataclass(frozen=True)
class Peek:
    """The usable rows that were read; whole: that is all of them. tally: those that were set aside."""

    details: dict[str, Any]
    columns: list[Column]
    found: dict[str, Found]
    table: pa.Table
    whole: bool
    notes: list[str]
    tally: Tally


def peek(source: Path, config: IngestConfig, enough: int = ENOUGH_BYTES) -> Peek:
    """Read until `enough` bytes of rows, or very many that cannot be used.

    Raises BadInput wherever `ingest` would at once.
    """
    opened = _ours(source, config) if is_ours(source, config) else open_source(source, config)
    kinds = load_task(config.task).kinds
    tables: list[pa.Table] = []
    tally, size, whole = Tally(), 0, True
    for batch in opened.source.batches:
        table, bad = assemble(batch, opened.columns, kinds, config.needed)
        tables.append(table)
        tally.set_aside(sorted([*batch.bad, *bad], key=lambda row: row.line))
        size += table.nbytes
        if size >= enough or tally.aside >= BATCH_BAD_ROWS:
            whole = next(opened.source.batches, None) is None
            break
    table = pa.concat_tables(tables)
    if whole or not table.num_rows:
        hold_bad_rows(table.num_rows, tally.aside, tally.shown, source, config)
    return Peek(
        opened.source.details,
        opened.columns,
        opened.found,
        table,
        whole,
        opened.source.notes,
        tally,
    )


def _ours(source: Path, config: IngestConfig) -> Opened:
    """A directory that Modelyard wrote: the roles of its dataset.json; of its own columns only the split."""
    described, _ = described_columns(source / DATASET_FILE)
    columns = [column for column in described if column.role != "system" or column.name == SPLIT]
    rows = open_rows(source, "huggingface", config)
    found = {column.public: Found(column.name, "named") for column in columns if column.public}
    return Opened(replace(rows, details={"format": "modelyard"}), columns, found)
