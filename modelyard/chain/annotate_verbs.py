"""What the verbs of `modelyard annotate` do, in a project or on plain files."""

from __future__ import annotations

import csv
import io
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from modelyard.annotate.board import Item, Vote
from modelyard.annotate.config import AnnotateConfig
from modelyard.annotate.guideline import UNUSABLE, Guideline
from modelyard.annotate.opening import Opening
from modelyard.annotate.quality import quality
from modelyard.annotate.records import comments, load
from modelyard.annotate.taking import UNUSABLE_AS_TYPED
from modelyard.annotate.work_files import MARK
from modelyard.chain.annotation import Annotation, open_annotation
from modelyard.chain.filled_files import read_filled
from modelyard.chain.project import Project
from modelyard.chain.runner import made_before
from modelyard.chain.workspace import Workspace
from modelyard.config import validate
from modelyard.errors import BadInput
from modelyard.fields import Label
from modelyard.run import Run
from modelyard.stages.annotate import Labels
from modelyard.stages.annotate.evidence import record
from modelyard.store import Dataset, Store
from modelyard.store.atomic import write_bytes


def opened(project: Project, workspace: Workspace) -> Annotation:
    """The annotation of a project whose data were cleaned by an earlier run. Raises BadInput where none was."""
    return open_annotation(project, workspace, cast(Dataset, made_before(project, workspace, "clean")["clean"]))


@dataclass(frozen=True)
class Assigned:
    """What one person has of one batch: in its present round, as `blind` or `arbiter`; how much of it is done."""

    batch: int
    round: int
    annotator: str
    role: str
    done: int
    of: int


def assigned(annotation: Annotation) -> list[Assigned]:
    """Who has what, in the present round of each batch."""
    board, present = annotation.board(), annotation.present.cells
    rounds, undone, found = board.rounds(), board.undone(present), []
    for name, work in sorted(board.works.items()):
        items = [item for item in board.tasks[name] if item in present]
        if work.round == rounds[work.batch] and items:
            done = len(items) - len(undone.get(name, ()))
            found.append(Assigned(work.batch, work.round, work.annotator, work.role, done, len(items)))
    return found


def move(annotation: Annotation, batch: int, one: str, other: str, run: Run) -> tuple[int, list[Path]]:
    """Give what one person has not answered yet to another one. Answers how many items, and the files written."""
    people = [*(name for name in annotation.config.annotators if name != other), other]
    settings = {**annotation.config.model_dump(), "annotators": people}
    validate(AnnotateConfig, settings, "--to")
    annotation.take_in(run)  # what stands in a file is answered, taken or not
    with annotation.workspace.ledger.writing() as connection:
        board = load(connection, annotation.guideline.name)
        count = Opening(connection, board, annotation.present, annotation.config, run.say).move(batch, one, other)
    return count, annotation.open(run)[1]


def reopen(annotation: Annotation, batch: int, run: Run) -> list[Path]:
    """The next round of a batch, whatever its figures are."""
    annotation.take_in(run)
    with annotation.workspace.ledger.writing() as connection:
        board = load(connection, annotation.guideline.name)
        Opening(connection, board, annotation.present, annotation.config, run.say).again(batch)
    return annotation.open(run)[1]


def disagreements(annotation: Annotation, batch: int | None = None) -> list[dict[str, Any]]:
    """The items that two people answered differently, with who said what; no longer blind: for who leads the work."""
    found: list[dict[str, Any]] = []
    said: dict[str, dict[str, str]] = defaultdict(dict)
    with annotation.workspace.ledger.reading() as connection:
        board = load(connection, annotation.guideline.name)
        for (work, item), comment in comments(connection, annotation.guideline.name).items():
            said[item][board.works[work].annotator] = comment
    for each in board.answered(annotation.present.cells):
        if each.complete and not each.agreed and batch in (None, each.batch):
            found.append(
                {
                    "item": each.item,
                    "batch": each.batch,
                    "shown": list(annotation.present.cells[each.item]),
                    "votes": {vote.annotator: vote.label for vote in each.votes},
                    "arbiter": each.arbiter.label if each.arbiter else None,
                    "gold": annotation.present.gold.get(each.item),
                    "comments": said.get(each.item, {}),
                }
            )
    return found


def agreement(annotation: Annotation) -> Run:
    """The figures of R6 as they stand, also while people are at work: `figures` and `details` of the answer."""
    board = annotation.board()
    labels = annotation.labels_of(board, list(board.answered(annotation.present.cells)))
    return _figures(labels, annotation.config, annotation.workspace.store)


def agreement_of_files(paths: Sequence[Path], arbiter: Path | None, gold: Path | None) -> Run:
    """The same of plain files with columns `id` and `label`, one for each person."""
    if len(paths) < 2:
        raise BadInput("agreement needs the files of two people", next="modelyard annotate agreement ONE.csv TWO.csv")
    people = [path.stem for path in paths]
    if len(set(people)) < len(people):
        raise BadInput("two files have one name", next="a file is called after the person whose labels it holds")
    given = [_labels_of(path) for path in paths]
    decided, known = (_labels_of(path) if path is not None else {} for path in (arbiter, gold))
    both = [item for item in given[0] if all(item in own for own in given)]
    if not both:
        raise BadInput("the files have no id in common that all gave a label", where=", ".join(map(str, paths)))
    labels = sorted({label for own in (*given, decided, known) for label in own.values()} - {UNUSABLE})
    if len(labels) < 2:
        raise BadInput("all labels are one and the same: there is nothing to agree on", where=str(paths[0]))
    items = []
    for item in both:
        votes = tuple(Vote(name, own[item], 1) for name, own in sorted(zip(people, given, strict=True)))
        by = Vote(arbiter.stem, decided[item], 1) if arbiter is not None and item in decided else None
        items.append(Item(item, 1, 1, len(votes), votes, by))
    there = set(both)
    known = {item: label for item, label in known.items() if item in there}
    guideline = Guideline.model_validate({"name": "files", "labels": labels})
    config = AnnotateConfig(guideline="-", annotators=("one", "two"), arbiter="arbiter", gate="none")
    with tempfile.TemporaryDirectory() as folder:
        return _figures(Labels(guideline, 1, items, known, "label", "label", Label()), config, Store(Path(folder)))


def _labels_of(path: Path) -> dict[str, str]:
    filled = read_filled(path, ("id", "label"))
    if filled.bad:
        line, reason = filled.bad[0]
        raise BadInput(f"{path.name}: {reason}", where=f"{path}, line {line}")
    found: dict[str, str] = {}
    for line, row in filled.rows:
        label = Label().read(row["label"])
        if label is not None and row["id"] in found:
            raise BadInput(f"the id {row['id']} stands twice", where=f"{path}, line {line}", next="keep one of them")
        if label is not None:
            found[row["id"]] = UNUSABLE if label in UNUSABLE_AS_TYPED else label
    return found


def _figures(labels: Labels, config: AnnotateConfig, store: Store) -> Run:
    run = Run(store)
    record(quality(labels.items, labels.gold), labels, config, run)
    return run


def write_labels(annotation: Annotation, path: Path) -> int:
    """Every decided item as a CSV file: what it is, the label, who said what. Answers how many."""
    labels = annotation.labels(annotation.board())
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(["id", *annotation.present.columns, labels.target, "decided_by", "batch", "round", "votes"])
    for row in _rows(labels, annotation.present.cells):
        writer.writerow(row)
    write_bytes(path, MARK + text.getvalue().encode())
    return len(labels.items)


def _rows(labels: Labels, cells: Mapping[str, Sequence[str]]) -> Iterator[list[object]]:
    for item in labels.items:
        by = "gold" if item.item in labels.gold else "agreed" if item.agreed else "arbiter"
        votes = "; ".join(f"{vote.annotator}: {vote.label}" for vote in (*item.votes, *filter(None, (item.arbiter,))))
        label = labels.decision(item.item) or UNUSABLE
        yield [item.item, *cells[item.item], label, by, item.batch, item.round, votes]
