"""The stage: open the source, find its columns, write parts, set bad rows aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pyarrow as pa

from modelyard.errors import BadInput
from modelyard.fields import FIELDS
from modelyard.run import Run
from modelyard.stages.ingest.assemble import SOURCE_FILE, SOURCE_LINE, assemble, system_columns
from modelyard.stages.ingest.batch import BadRow, RawBatch, Source
from modelyard.stages.ingest.config import ColumnNames, Format, IngestConfig
from modelyard.stages.ingest.delimited import open_delimited
from modelyard.stages.ingest.guess import existing, find_columns
from modelyard.stages.ingest.jsonl import open_jsonl
from modelyard.stages.ingest.layout import DataFile, data_files, find_format
from modelyard.stages.ingest.parquet import open_parquet
from modelyard.stages.ingest.restore import restore
from modelyard.stages.ingest.row_ids import RowIds
from modelyard.store import Column, Dataset
from modelyard.store.dataset import KEEP, ROW_ID, SPLIT
from modelyard.store.materialize import DATASET_FILE

PART_CHARACTERS = 32 << 20
SHOWN_BAD_ROWS = 100
RESERVED = (ROW_ID, SOURCE_LINE, SOURCE_FILE, KEEP, "clean_reason", "group_head")


def ingest(source: Path, config: IngestConfig, run: Run) -> Dataset:
    """Read a CSV, TSV, JSON Lines or Parquet file, or a directory in the Hugging Face layout.

    Every value is kept as it was written; a row that cannot be used is set aside with file, line and reason.
    Raises BadInput when the source cannot be read, its columns are not clear, or more than
    `max_set_aside` of its rows are bad.
    """
    kind = find_format(source, config.format)
    if kind == "huggingface" and (source / DATASET_FILE).is_file():
        run.details.update({"format": "modelyard", "set_aside": [], "set_aside_count": 0})
        if config.columns != ColumnNames():
            run.warn(f"{source.name} has a {DATASET_FILE}: the roles in it are kept, ingest.columns is not used")
        dataset = restore(source, run)
        run.details["columns"] = _shown(dataset.columns)
        return dataset
    opened = _open(source, kind, config)
    run.details.update(opened.details)
    for note in opened.notes:
        run.warn(note)
    if opened.details.get("encoding") == "gb18030" and config.encoding is None:
        run.say(f"{source.name} is not UTF-8 and was read as GB18030 (GBK); another one: ingest.encoding")
    first = next(opened.batches, None)
    if first is None:
        raise BadInput(f"{source.name} has no rows", where=str(source), next="give a file with rows")
    if not first.lines:
        _hold(0, len(first.bad), list(first.bad), source, config)
    columns = _columns(first, opened, source, config, run)
    return _write(chain([first], opened.batches), columns, source, config, run)


def _open(source: Path, kind: Format, config: IngestConfig) -> Source:
    if kind == "csv":
        return open_delimited(source, config, config.delimiter)
    if kind == "tsv":
        return open_delimited(source, config, config.delimiter or "\t")
    if kind == "jsonl":
        return open_jsonl(source, config)
    if kind == "parquet":
        return open_parquet([DataFile(source, source.name)], config, "parquet")
    notes: list[str] = []
    opened = open_parquet(data_files(source, notes), config, "huggingface")
    opened.notes.extend(notes)
    return opened


def _columns(first: RawBatch, opened: Source, source: Path, config: IngestConfig, run: Run) -> list[Column]:
    """The columns of the Dataset, in the order of the source, ours last. What was guessed is said."""
    for name in RESERVED:
        if name in first.columns:
            raise BadInput(
                f"{source.name} has a column {name}, a name that Modelyard uses itself",
                where=str(source),
                next="rename it",
            )
    groups = [existing(name, list(first.columns), str(source)) for name in config.columns.group]
    named = {"text": config.columns.text, "label": config.columns.label}
    found = find_columns(first.columns, named, [*groups, SPLIT], str(source))
    roles = {found["text"].column: ("text", "input"), found["label"].column: ("label", "target")}
    if len(roles) == 1:
        raise BadInput(f"column {found['text'].column} is both text and label", where=str(source), next="name two")
    guessed = {public: f"{each.column} ({each.how})" for public, each in found.items() if each.how != "named"}
    run.details["guessed"] = guessed
    for public, shown in guessed.items():
        run.say(f"{public}: {shown}   (change: ingest.columns.{public})")
    columns = []
    for name in first.columns:
        if name == SPLIT:
            run.say("the split of the source is kept   (change: split.keep_split)")
            continue
        kind, role = roles.get(name, ("value", "group" if name in groups else "meta"))
        columns.append(Column(name, kind, role))
    return columns + system_columns(SPLIT in first.columns, opened.several_files)


def _write(batches: Iterator[RawBatch], columns: list[Column], source: Path, config: IngestConfig, run: Run) -> Dataset:
    ids = RowIds([FIELDS[name.field] for name in sorted(columns, key=lambda c: c.name) if name.role == "input"])
    label = next(column.name for column in columns if column.role == "target")
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
        table, bad = assemble(batch, columns, ids)
        bad = sorted([*batch.bad, *bad], key=lambda row: row.line)
        aside += len(bad)
        reasons.update(row.reason for row in bad)
        shown.extend(bad[: SHOWN_BAD_ROWS - len(shown)])
        if table.num_rows:
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
    _hold(rows, aside, shown, source, config)
    if unknown:
        run.warn(f"{source.name}: keys that appear only after the first rows are left out: {', '.join(unknown)}")
    described = [Column(c.name, c.field, c.role, tuple(sorted(counts))) if c.role == "target" else c for c in columns]
    run.details["columns"] = _shown(described)
    run.details["class_counts"] = dict(sorted(counts.items()))
    run.say(_summary(source, described, counts, rows, run.details))
    return writer.finish(described)


def _summary(source: Path, columns: list[Column], counts: Counter[str], rows: int, details: dict[str, Any]) -> str:
    """One line: what the file is, how many rows it gave, and what its text and label are."""
    how = [str(details[key]) for key in ("format", "encoding", "delimiter") if details.get(key)]
    text = next(column.name for column in columns if column.role == "input")
    label = next(column.name for column in columns if column.role == "target")
    classes = ", ".join(f"{name} {count / rows:.0%}" for name, count in counts.most_common(4))
    more = ", ..." if len(counts) > 4 else ""
    return (
        f"{source.name}: {', '.join(how)}, {rows:,} rows: {text} (text), {label} "
        f"(label, {len(counts)} classes: {classes}{more})"
    )


def _hold(rows: int, aside: int, shown: list[BadRow], source: Path, config: IngestConfig) -> None:
    """Raises BadInput when too many rows are bad, or none is good."""
    if rows and aside <= config.max_set_aside * (rows + aside):
        return
    if not aside:
        raise BadInput(f"{source.name} has no rows", where=str(source), next="give a file with rows")
    first = shown[0]
    raise BadInput(
        f"{aside:,} of {rows + aside:,} rows cannot be used ({aside / (rows + aside):.0%}, "
        f"the bar is {config.max_set_aside:.0%}); the first: {first.reason}",
        where=f"{first.file}, line {first.line}",
        next="check delimiter, encoding and columns; if the rest is right, raise ingest.max_set_aside",
    )


def _shown(columns: list[Column] | tuple[Column, ...]) -> list[dict[str, str]]:
    return [{"name": column.name, "field": column.field, "role": column.role} for column in columns]
