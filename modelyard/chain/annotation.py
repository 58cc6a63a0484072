"""Annotation in a project: its data and files brought to the board in the ledger, and the labels that stand there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from modelyard.annotate.board import Board, Item
from modelyard.annotate.config import AnnotateConfig
from modelyard.annotate.guideline import UNUSABLE, Guideline, read_guideline
from modelyard.annotate.opening import Opening, progress
from modelyard.annotate.present import Present, answerable, kind_of, look_at
from modelyard.annotate.records import add_guideline, add_import, load, said_by, show_again
from modelyard.annotate.taking import Taken, take
from modelyard.annotate.work_files import file_of, write_missing
from modelyard.chain.filled_files import read_filled
from modelyard.chain.project import Project
from modelyard.chain.workspace import Workspace
from modelyard.errors import BadConfig, BadInput, Waiting
from modelyard.run import Run
from modelyard.stages.annotate import Labels
from modelyard.stages.ingest import ColumnNames, IngestConfig, ingest
from modelyard.store import Dataset
from modelyard.tasks import load_task

SHOWN_REFUSED = 10
SHOWN_FILES = 6


@dataclass
class Annotation:
    """One project's annotation, at hand: its settings, guideline and data."""

    project: Project
    workspace: Workspace
    config: AnnotateConfig
    guideline: Guideline
    present: Present

    @property
    def folder(self) -> Path:
        return self.project.beside(self.config.folder)

    def board(self) -> Board:
        with self.workspace.ledger.reading() as connection:
            return load(connection, self.guideline.name)

    def sync(self, run: Run) -> Board:
        """Open what is to be opened, take in what was filled in, open what follows from it, write what is missing.

        Every step is a transaction, and doing all of it again changes nothing: a run that was killed goes on.
        """
        self._open(run)
        self.take_in(run)
        board, _ = self.open(run)
        return board

    def open(self, run: Run) -> tuple[Board, list[Path]]:
        """Open what is to be opened, and write the files that are missing."""
        board = self._open(run)
        kinds = load_task(self.project.task).kinds
        return board, write_missing(self.folder, board, self.present, self.guideline, kinds)

    def take_in(self, run: Run) -> None:
        """What was filled in in the files that lie in the folder; rows that cannot be taken are warned of.

        Raises BadInput for a file that cannot be read, once all the others were.
        """
        wrong: list[BadInput] = []
        news: list[Taken] = []
        for path in run.progress(self._files(self.board()), "labels"):
            try:
                taken = take_file(self.workspace, self.guideline.name, path, self.project)
            except BadInput as error:
                wrong.append(error)
                continue
            news += [taken] if taken.new else []
            for refused in taken.refused[:SHOWN_REFUSED]:
                run.warn(f"{refused.file}, line {refused.line}: not taken: {refused.reason}")
            if len(taken.refused) > SHOWN_REFUSED:
                run.warn(f"{taken.file}: {len(taken.refused) - SHOWN_REFUSED:,} more rows were not taken")
        for taken in news if len(news) <= SHOWN_FILES else ():
            run.say(f"{taken.file}: {taken.new:,} labels taken")
        if len(news) > SHOWN_FILES:
            run.say(f"{sum(taken.new for taken in news):,} labels taken from {len(news)} files")
        if wrong:
            raise wrong[0]

    def _open(self, run: Run) -> Board:
        with self.workspace.ledger.writing() as connection:
            board = load(connection, self.guideline.name)
            add_guideline(connection, board, self.guideline)
            self._hold_labels(board)
            Opening(connection, board, self.present, self.config, run.say).all()
            for work in board.works.values():
                # Not written yet, or lost: it will show the rows as they are now, which clean may have changed since.
                if not file_of(self.folder, work).exists():
                    items = [item for item in board.tasks[work.name] if item in self.present.cells]
                    show_again(connection, board, work.name, self.present.shown(items))
            return board

    def _files(self, board: Board) -> list[Path]:
        paths = [file_of(self.folder, work) for work in board.works.values()]
        return [path for path in paths if path.is_file()]

    def _hold_labels(self, board: Board) -> None:
        """Raises BadInput where the guideline no longer has a label that counts somewhere."""
        for item in board.answered(self.present.cells):
            for vote in (*item.votes, *([item.arbiter] if item.arbiter else [])):
                if vote.label not in (*self.guideline.labels, UNUSABLE):
                    raise BadInput(
                        f"{vote.annotator} gave the label {vote.label!r}, which the guideline does not have any more",
                        where=f"batch {item.batch}, item {item.item}",
                        next="put it back; or give the guideline another name: then all is labelled anew",
                    )

    def hold_done(self, board: Board) -> None:
        """Raises Waiting while somebody has something to do."""
        people = list(progress(board, self.present))
        left = [(name, done, total) for name, done, total in people if done < total]
        if not left:
            return
        named = ", ".join(f"{name} ({done:,} of {total:,})" for name, done, total in left)
        shown = Path(self.config.folder)
        files = ", ".join(str(shown / name / "*.csv") for name, _, _ in left)
        raise Waiting(
            "labels",
            named,
            sum(done for _, done, _ in people),
            sum(total for _, _, total in people),
            next=f"fill in the column label of {files}, then: modelyard run",
        )

    def labels(self, board: Board) -> Labels:
        """What the stage is handed: the decided items."""
        return self.labels_of(board, [item for item in board.answered(self.present.cells) if item.label is not None])

    def labels_of(self, board: Board, items: Sequence[Item]) -> Labels:
        """The same of any of them."""
        task = load_task(self.project.task)
        kind = answerable(kind_of(task))
        seen = {item.item for item in items}
        gold = {item: label for item, label in self.present.gold.items() if item in seen}
        return Labels(self.guideline, board.version, items, gold, task.target, task.target_field, kind)


def open_annotation(project: Project, workspace: Workspace, dataset: Dataset) -> Annotation:
    """Read guideline and gold items, and look at the rows. Raises BadConfig for settings that do not go together."""
    if project.annotate is None:
        raise BadConfig(
            "this project has no `annotate:` block",
            where="modelyard.yaml",
            next="write one: `annotate: {guideline: guideline.yaml, annotators: [anna, ben], arbiter: chen}`",
        )
    guideline = the_guideline_of(project)
    task = load_task(project.task)
    gold = None if project.annotate.gold is None else _gold(project, workspace, project.beside(project.annotate.gold))
    present = look_at(dataset, gold, task, list(guideline.labels))
    return Annotation(project, workspace, project.annotate, guideline, present)


def the_guideline_of(project: Project) -> Guideline:
    """Raises BadConfig that names the line of the project, or of the guideline."""
    assert project.annotate is not None
    try:
        kind = kind_of(load_task(project.task))
    except BadConfig as error:
        raise BadConfig(error.message, where=project.place("annotate"), next=error.next) from None
    path = project.beside(project.annotate.guideline)
    if not path.is_file():
        raise BadConfig(
            f"the guideline {project.annotate.guideline} does not exist",
            where=project.place("annotate.guideline"),
            next="write it: `name: NAME` and `labels: [ONE, ANOTHER]` are enough to begin with",
        )
    return read_guideline(path, kind)


def _gold(project: Project, workspace: Workspace, path: Path) -> Dataset:
    """Gold items are read as the data are, each with its label."""
    if not path.exists():
        raise BadConfig(f"the gold items {path.name} do not exist", where=project.place("annotate.gold"))
    run = Run(workspace.store, key=f"gold-{os.getpid()}")
    try:
        columns = ColumnNames.model_validate(project.ingest.columns.named)
        return ingest(path, IngestConfig(task=project.ingest.task, columns=columns, max_set_aside=0.0), run)
    finally:
        workspace.store.drop_scratch(run.key)


def take_file(workspace: Workspace, guideline: str, path: Path, project: Project) -> Taken:
    """Take in one file, in one transaction: when it ends well, every answer that it counts is safe."""
    filled = read_filled(path)
    works = {work for work, _ in filled.places}
    kind = answerable(kind_of(load_task(project.task)))
    with workspace.ledger.writing() as connection:
        board = load(connection, guideline, works)
        place = _place(path, project)
        taken = take(board, filled, kind, said_by(connection, board, place, works))
        if taken.said:
            add_import(connection, board, place, filled.digest, taken.said, len(taken.refused))
    return taken


def _place(path: Path, project: Project) -> str:
    """What a file is known by when it is read again: seen from the project where it lies in it, which may move. Its
    name alone is not enough: a corrected file that comes back by mail is called as the one in the folder is."""
    found, folder = path.resolve(), project.beside(".").resolve()
    return found.relative_to(folder).as_posix() if found.is_relative_to(folder) else str(found)
