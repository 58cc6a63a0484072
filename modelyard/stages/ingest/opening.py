"""From a path to raw rows and the columns they stand in: what `ingest` and a first look at a source share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

from modelyard.errors import BadInput
from modelyard.stages.ingest.assemble import SOURCE_FILE, SOURCE_LINE, system_columns
from modelyard.stages.ingest.batch import BadRow, RawBatch, Source
from modelyard.stages.ingest.config import Format, IngestConfig
from modelyard.stages.ingest.guess import SAMPLE, Found, existing, find_columns, reads_like_text
from modelyard.stages.ingest.layout import DataFile, data_files, find_format
from modelyard.stages.ingest.parquet import open_parquet
from modelyard.stages.ingest.picture_folders.coco import open_coco
from modelyard.stages.ingest.picture_folders.image_folder import open_image_folder
from modelyard.stages.ingest.picture_folders.yolo import open_yolo
from modelyard.stages.ingest.text_files.delimited import open_delimited
from modelyard.stages.ingest.text_files.jsonl import open_jsonl
from modelyard.store import Column
from modelyard.store.dataset import KEEP, ROW_ID, SPLIT
from modelyard.store.materialize import DATASET_FILE
from modelyard.tasks import load_task, tasks_that_read

SAMPLE_BATCHES = 4  # the most whose rows columns are found by, however few rows these are
RESERVED = (ROW_ID, SOURCE_LINE, SOURCE_FILE, KEEP, "clean_reason", "group_head")


@dataclass(frozen=True)
class Opened:
    """A source whose columns are known. found: the column of each of the task's public names, and how it was found."""

    source: Source
    columns: list[Column]
    found: dict[str, Found]


def is_ours(source: Path, config: IngestConfig) -> bool:
    """Whether the source is a directory that Modelyard wrote, which says itself what its columns are."""
    return (source / DATASET_FILE).is_file() and find_format(source, config.format) == "huggingface"


def open_source(source: Path, config: IngestConfig) -> Opened:
    """All rows, and the columns that they are found to stand in at the beginning of the source.

    Raises BadInput when the source cannot be read, has no row, or its columns are not clear.
    """
    opened = open_rows(source, find_format(source, config.format), config)
    first = _beginning(opened.batches)
    if not first:
        raise BadInput(f"{source.name} has no rows", where=str(source), next="give a file with rows below the header")
    if not any(batch.lines for batch in first):
        bad = [row for batch in first for row in batch.bad]
        hold_bad_rows(0, len(bad), bad, source, config)
    sample = _sample(first)
    found = _find(sample, source, config)
    columns = _columns(list(sample), found, config, opened.several_files)
    return Opened(replace(opened, batches=chain(first, opened.batches)), columns, found)


def open_rows(source: Path, kind: Format, config: IngestConfig) -> Source:
    """The raw rows of a file or directory of a known kind."""
    if kind == "csv":
        return open_delimited(source, config, config.delimiter)
    if kind == "tsv":
        return open_delimited(source, config, config.delimiter or "\t")
    if kind == "jsonl":
        return open_jsonl(source, config)
    if kind == "parquet":
        return open_parquet([DataFile(source, source.name)], config, "parquet")
    if kind == "imagefolder":
        return open_image_folder(source, config)
    if kind == "coco":
        return open_coco(source)
    if kind == "yolo":
        return open_yolo(source, config)
    notes: list[str] = []
    opened = open_parquet(data_files(source, notes), config, "huggingface")
    opened.notes.extend(notes)
    return opened


def _beginning(batches: Iterator[RawBatch]) -> list[RawBatch]:
    """The batches whose rows the columns are found by: one, unless the first ones are short."""
    taken: list[RawBatch] = []
    rows = 0
    for batch in islice(batches, SAMPLE_BATCHES):
        taken.append(batch)
        rows += len(batch.lines)
        if rows >= SAMPLE:
            break
    return taken


def _sample(batches: list[RawBatch]) -> dict[str, list[Any]]:
    """The values of each column of the first batch that holds a row; keys that come later are no columns."""
    values = [batch.values() for batch in batches if batch.lines]
    return {name: [each for held in values for each in held.get(name, ())] for name in values[0]}


def _find(sample: Mapping[str, Sequence[Any]], source: Path, config: IngestConfig) -> dict[str, Found]:
    for name in RESERVED:
        if name in sample:
            raise BadInput(
                f"{source.name} has a column {name}, a name that Modelyard uses itself",
                where=str(source),
                next="rename it",
            )
    groups = [existing(name, list(sample), str(source)) for name in config.columns.group]
    task = load_task(config.task)
    wanted = dict(task.columns)
    # Where annotate makes the target, nothing is guessed to be one.
    if not config.unlabelled or task.target in sample or task.target in config.columns.named:
        wanted[task.target] = task.target_field
    try:
        return find_columns(sample, wanted, config.columns.named, [*groups, SPLIT], str(source))
    except BadInput as error:
        if others := [name for name in _tasks_of(sample) if name != task.name]:
            error.next = f"its columns are those of the task {others[0]}: --set task={others[0]}"
        elif task.target_field == "label" and error.message.startswith(f"no column looks like the {task.target};"):
            error.next = f"{error.next}; where people are to give the labels: an `annotate:` block (docs/annotate.md)"
        raise


def task_of_source(source: Path, config: IngestConfig) -> str | None:
    """The one task whose columns all stand in the source under their public names; None where none or several do."""
    opened = open_rows(source, find_format(source, config.format), config)
    first = [batch for batch in _beginning(opened.batches) if batch.lines]
    found = _tasks_of(_sample(first)) if first else []
    return found[0] if len(found) == 1 else None


def _tasks_of(sample: Mapping[str, Sequence[Any]]) -> list[str]:
    """The tasks whose columns these are; of one that writes texts only where the target's values are texts: `target` is
    what many call a class or a number, too."""
    found = [load_task(name) for name in tasks_that_read(sample)]
    return [task.name for task in found if task.target_field != "text" or reads_like_text(sample[task.target])]


def _columns(names: Sequence[str], found: dict[str, Found], config: IngestConfig, several_files: bool) -> list[Column]:
    """The columns of the Dataset, in the order of the source, ours last."""
    task = load_task(config.task)
    roles = {found[public].column: (kind, "input", public) for public, kind in task.columns.items()}
    if task.target in found:
        roles[found[task.target].column] = (task.target_field, "target", task.target)
    columns = []
    for name in names:
        if name == SPLIT:
            continue
        kind, role, public = roles.get(name, ("value", "group" if name in config.columns.group else "meta", ""))
        columns.append(Column(name, kind, role, public=public))
    return columns + system_columns(SPLIT in names, several_files)


def hold_bad_rows(rows: int, aside: int, shown: Sequence[BadRow], source: Path, config: IngestConfig) -> None:
    """Raises BadInput when too many rows are bad, or none is good. rows: the good ones; shown: the first bad ones."""
    if rows and aside <= config.max_set_aside * (rows + aside):
        return
    if not aside:
        raise BadInput(f"{source.name} has no rows", where=str(source), next="give a file with rows below the header")
    first = shown[0]
    raise BadInput(
        f"{aside:,} of {rows + aside:,} rows cannot be used ({aside / (rows + aside):.0%}, "
        f"the bar is {config.max_set_aside:.0%}); the first: {first.reason}",
        where=f"{first.file}, line {first.line}",
        next="each row needs one class: fill it in, or take such rows out (--set ingest.max_set_aside=1)"
        if "label" in first.reason
        else "check delimiter, encoding and columns; if the rest is right, raise ingest.max_set_aside",
    )
