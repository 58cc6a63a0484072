"""The stage: open the source, find its columns, write parts, set bad rows aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from modelyard.run import Run
from modelyard.stages.ingest.assemble import assemble
from modelyard.stages.ingest.batch import BadRow, RawBatch
from modelyard.stages.ingest.config import ColumnNames, IngestConfig
from modelyard.stages.ingest.opening import Opened, hold_bad_rows, is_ours, open_source
from modelyard.stages.ingest.restore import restore
from modelyard.stages.ingest.row_ids import RowIds
from modelyard.store import Column, Dataset
from modelyard.store.dataset import SPLIT
from modelyard.store.materialize import DATASET_FILE
from modelyard.tasks import load_task

PART_CHARACTERS = 32 << 20
SHOWN_BAD_ROWS = 100


def ingest(source: Path, config: IngestConfig, run: Run) -> Dataset:
    """Read a CSV, TSV, JSON Lines or Parquet file, or a directory in the Hugging Face layout.

    Every value is kept as it was written; a row that cannot be used is set aside with file, line and reason.
    Raises BadInput when the source cannot be read, its columns are not clear, or more than
    `max_set_aside` of its rows are bad.
    """
    if is_ours(source, config):
        run.details.update({"format": "modelyard", "set_aside": [], "set_aside_count": 0})
        if config.columns != ColumnNames():
            run.warn(f"{source.name} has a {DATASET_FILE}: the roles in it are kept, ingest.columns is not used")
        dataset = restore(source, run)
        run.details["columns"] = _shown(dataset.columns)
        return dataset
    opened = open_source(source, config)
    run.details.update(opened.source.details)
    for note in opened.source.notes:
        run.warn(note)
    if opened.source.details.get("encoding") == "gb18030" and config.encoding is None:
        run.say(f"{source.name} is not UTF-8 and was read as GB18030 (GBK); another one: ingest.encoding")
    _say_guesses(opened, run)
    return _write(opened.source.batches, opened.columns, source, config, run)


def _say_guesses(opened: Opened, run: Run) -> None:
    """What was guessed is said, with the key that changes it."""
    guessed = {public: f"{each.column} ({each.how})" for public, each in opened.found.items() if each.how != "named"}
    run.details["guessed"] = guessed
    for public, shown in guessed.items():
        run.say(f"{public}: {shown}   (change: ingest.columns.{public})")
    if any(column.name == SPLIT for column in opened.columns):
        run.say("the split of the source is kept   (change: split.keep_split)")


def _write(batches: Iterator[RawBatch], columns: list[Column], source: Path, config: IngestConfig, run: Run) -> Dataset:
    kinds = load_task(config.task).kinds
    ids = RowIds([kinds[name.field] for name in sorted(columns, key=lambda c: c.name) if name.role == "input"])
    label = next((column.name for column in columns if column.role == "target" and column.field == "label"), None)
    writer = run.store.new_dataset(columns)
    waiting: list[pa.Table] = []
    size = rows = aside = 0
    shown: list[BadRow] = []
    reasons: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    unknown: dict[str, None] = {}
    known = {column.name for column in columns}
    for batch in run.progress(batches, "ingest"):
        unknown.update(dict.fromkeys(name for name in batch.columns if name not in known))
        table, bad = assemble(batch, columns, kinds, ids)
        bad = sorted([*batch.bad, *bad], key=lambda row: row.line)
        aside += len(bad)
        reasons.update(row.reason for row in bad)
        shown.extend(bad[: SHOWN_BAD_ROWS - len(shown)])
        if table.num_rows:
            if label is not None:
                counts.update(table[label].to_pylist())
            rows += table.num_rows
            size += table.nbytes
            waiting.append(table)
        if size >= PART_CHARACTERS:
            writer.write(pa.concat_tables(waiting).combine_chunks())
            waiting, size = [], 0
    if waiting:
        writer.write(pa.concat_tables(waiting).combine_chunks())
    run.details["set_aside"] = [row.as_json() for row in shown]
    run.details["set_aside_count"] = aside
    run.details["set_aside_reasons"] = dict(reasons.most_common(20))
    run.record("rows_in", rows + aside, how="rows of the source, bad ones included", unit="rows")
    run.record("rows_out", rows, how="rows of the Dataset", unit="rows")
    hold_bad_rows(rows, aside, shown, source, config)
    if unknown:
        run.warn(f"{source.name}: keys that appear only after the first rows are left out: {', '.join(unknown)}")
    described = [replace(c, classes=tuple(sorted(counts))) if c.name == label else c for c in columns]
    run.details["columns"] = _shown(described)
    run.details["class_counts"] = dict(sorted(counts.items()))
    return writer.finish(described)


def _shown(columns: list[Column] | tuple[Column, ...]) -> list[dict[str, str]]:
    return [{"name": column.name, "field": column.field, "role": column.role} for column in columns]
