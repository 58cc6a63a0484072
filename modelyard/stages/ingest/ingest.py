"""The stage: open the source, find its columns, write parts, set bad rows aside."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from modelyard.run import Run
from modelyard.stages.ingest.config import ColumnNames, IngestConfig
from modelyard.stages.ingest.extent import Earlier, SourceFile, extent_of, source_files, what_follows
from modelyard.stages.ingest.opening import Opened, hold_bad_rows, is_ours, open_source
from modelyard.stages.ingest.pieces import label_of, pieces
from modelyard.stages.ingest.restore import restore
from modelyard.stages.ingest.under_way import UnderWay
from modelyard.store import Column, Dataset
from modelyard.store.dataset import SPLIT
from modelyard.store.materialize import DATASET_FILE
from modelyard.tasks import load_task

PART_CHARACTERS = 32 << 20
SHOWN_REASONS = 20


def ingest(source: Path, config: IngestConfig, run: Run, earlier: Earlier | None = None) -> Dataset:
    """Read a CSV, TSV, JSON Lines or Parquet file, a directory in the Hugging Face layout, or one of pictures:
    COCO, YOLO, folders of classes, a metadata file.

    Every value is kept as it was written; a row that cannot be used is set aside with file, line and reason.
    A killed run goes on behind the parts that it wrote. Memory does not grow with the rows.
    earlier: what the same settings made of a source that has grown since. Its parts are kept as they are, its rows keep
    their ids, and only what follows is read; a source that did more than grow is read from its beginning.
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
    return _write(opened, source, config, run, earlier)


def _say_guesses(opened: Opened, run: Run) -> None:
    """What was guessed is said, with the key that changes it."""
    guessed = {public: f"{each.column} ({each.how})" for public, each in opened.found.items() if each.how != "named"}
    run.details["guessed"] = guessed
    for public, shown in guessed.items():
        run.say(f"{public}: {shown}   (change: ingest.columns.{public})")
    if any(column.name == SPLIT for column in opened.columns):
        run.say("the split of the source is kept   (change: split.keep_split)")


def _write(opened: Opened, source: Path, config: IngestConfig, run: Run, earlier: Earlier | None) -> Dataset:
    """Part by part, then the row ids, which only all rows together can tell. A killed run goes on behind its parts."""
    columns = opened.columns
    label = label_of(columns)
    files = source_files(source, config.format)
    left = what_follows(source, config, opened, earlier) if earlier else None
    if earlier and left is None:
        earlier = None
        run.say(f"{source.name} did not only grow since it was read before: it is read from its beginning")
    identity = _identity(files, opened, source, config)
    work = UnderWay(identity, columns, sum(file.size for file in files), run, earlier)
    tally, before = work.tally, earlier.tally.rows if earlier else 0
    if earlier:
        run.say(f"{source.name} has grown: the {before:,} rows that were there are kept, what follows is read")
    left = left or opened.source
    batches = left.batches
    if work.start is not None:
        at = f"{work.start.file}, line {work.start.line:,}"
        run.say(f"goes on behind {tally.rows:,} rows that a run before this one read: at {at}")
        batches = left.read_from(work.start)
    kinds = load_task(config.task).kinds
    with work:
        for piece in pieces(run.progress(batches, "ingest"), columns, kinds, config.needed, tally, PART_CHARACTERS):
            work.add(piece)
    run.details["extent"] = extent_of(source, files, opened.source.details, tally, config)
    if earlier:
        run.record("rows_new", tally.rows - before, how="rows that came since the source was read before", unit="rows")
    run.details["set_aside"] = [row.as_json() for row in tally.shown]
    run.details["set_aside_count"] = tally.aside
    run.details["set_aside_reasons"] = dict(tally.reasons.most_common(SHOWN_REASONS))
    run.record("rows_in", tally.rows + tally.aside, how="rows of the source, bad ones included", unit="rows")
    run.record("rows_out", tally.rows, how="rows of the Dataset", unit="rows")
    hold_bad_rows(tally.rows, tally.aside, tally.shown, source, config)
    run.details["left_out"] = dict(tally.left_out)
    for reason, count in tally.left_out.items():
        run.warn(f"{source.name}: {count:,} {reason} are left out")
    if tally.unknown:
        names = ", ".join(tally.unknown)
        run.warn(f"{source.name}: keys that appear only after the first rows are left out: {names}")
    described = [replace(c, classes=tuple(sorted(tally.classes))) if c == label else c for c in columns]
    run.details["columns"] = _shown(described)
    run.details["class_counts"] = dict(sorted(tally.classes.items()))
    return work.finish(described)


def _identity(files: list[SourceFile], opened: Opened, source: Path, config: IngestConfig) -> dict[str, Any]:
    """What the parts depend on. Files go by size and time, not by content: a large one is not read for this."""
    return {
        "source": str(source.resolve()),
        "files": [[file.name, file.size, file.modified] for file in files],
        "read_as": opened.source.details,
        "config": config.model_dump(mode="json", exclude={"max_set_aside"}),
        "task": load_task(config.task).code,
        "part": PART_CHARACTERS,
    }


def _shown(columns: list[Column] | tuple[Column, ...]) -> list[dict[str, str]]:
    return [{"name": column.name, "field": column.field, "role": column.role} for column in columns]
