"""The board in the ledger: read at one moment, added to in one transaction; no answer is ever changed or removed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select, update

from modelyard.annotate.board import Board, Work
from modelyard.annotate.guideline import Guideline
from modelyard.annotate.tables import guidelines, imports, items, tasks, votes, works
from modelyard.errors import BadInput
from modelyard.store.digests import canonical_json


def load(connection: Connection, guideline: str, only: Collection[str] | None = None) -> Board:
    """What stands under that name; an empty board when nothing does.

    only: works whose rows and answers are read, which is all that taking in a file of them needs.
    """
    board = Board(guideline)
    newest = connection.execute(
        select(guidelines).where(guidelines.c.guideline == guideline).order_by(guidelines.c.version.desc()).limit(1)
    ).first()
    if newest is not None:
        board.version, board.digest = newest.version, newest.digest
        board.labels = tuple(Guideline.model_validate(json.loads(newest.content)).labels)
    for row in connection.execute(select(works).where(works.c.guideline == guideline).order_by(works.c.work)):
        board.works[row.work] = Work(
            row.work, row.batch, row.round, row.annotator, row.role, row.version, tuple(json.loads(row.columns))
        )
        board.tasks[row.work] = {}
    if only is None:
        chosen = select(items.c.item, items.c.batch).where(items.c.guideline == guideline)
        board.items = {row.item: row.batch for row in connection.execute(chosen)}
    of_tasks, of_votes = tasks.c.guideline == guideline, votes.c.guideline == guideline
    if only is not None:
        # Those that there are: a file may name more works that there are not than a statement may have values.
        there = board.works.keys() & only
        of_tasks, of_votes = of_tasks & tasks.c.work.in_(there), of_votes & votes.c.work.in_(there)
    for row in connection.execute(select(tasks).where(of_tasks)):
        board.tasks[row.work][row.item] = row.shown
    for row in connection.execute(select(votes).where(of_votes).order_by(votes.c.id)):
        board.votes[row.work, row.item] = row.label
    return board


def comments(connection: Connection, guideline: str) -> dict[tuple[str, str], str]:
    """What people wrote beside their last labels, by work and item."""
    chosen = select(votes.c.work, votes.c.item, votes.c.comment).where(votes.c.guideline == guideline)
    rows = connection.execute(chosen.where(votes.c.comment.is_not(None)).order_by(votes.c.id))
    return {(row.work, row.item): row.comment for row in rows}


def names(connection: Connection) -> list[str]:
    """Every guideline that labels are kept under."""
    return list(
        connection.execute(select(guidelines.c.guideline).distinct().order_by(guidelines.c.guideline)).scalars()
    )


def the_guideline(connection: Connection, asked: str | None) -> str:
    """The one that was asked for, or the only one. Raises BadInput with those that there are."""
    there = names(connection)
    if asked in there:
        return str(asked)
    if asked is None and len(there) == 1:
        return there[0]
    shown = ", ".join(there)
    raise BadInput(
        f"nothing is labelled by a guideline {asked} here"
        if asked
        else "nothing is labelled here yet"
        if not there
        else f"several guidelines are in use here: {shown}",
        next=f"name one with --guideline: {shown}" if there else "modelyard run, with an `annotate:` block",
    )


def add_guideline(connection: Connection, board: Board, guideline: Guideline) -> None:
    """A content that differs from the newest one becomes the next version."""
    if guideline.digest == board.digest:
        return
    board.version, board.digest, board.labels = board.version + 1, guideline.digest, tuple(guideline.labels)
    content = canonical_json(guideline.model_dump(mode="json")).decode()
    connection.execute(
        insert(guidelines).values(
            guideline=board.guideline, version=board.version, digest=guideline.digest, content=content,
            created=datetime.now(UTC),
        )
    )  # fmt: skip


def add_items(connection: Connection, board: Board, batch: int, added: Iterable[str]) -> None:
    rows = [{"guideline": board.guideline, "item": item, "batch": batch} for item in added]
    if rows:
        connection.execute(insert(items), rows)
    board.items |= {str(row["item"]): batch for row in rows}


def add_work(connection: Connection, board: Board, work: Work, shown: Mapping[str, str]) -> None:
    """A file to be written, and its rows: item to the digest of what is shown of it."""
    connection.execute(
        insert(works).values(
            guideline=board.guideline, work=work.name, batch=work.batch, round=work.round, annotator=work.annotator,
            role=work.role, version=work.version, columns=json.dumps(work.columns, ensure_ascii=False),
            created=datetime.now(UTC),
        )
    )  # fmt: skip
    rows = [{"guideline": board.guideline, "work": work.name, "item": item, "shown": d} for item, d in shown.items()]
    if rows:
        connection.execute(insert(tasks), rows)
    board.works[work.name], board.tasks[work.name] = work, dict(shown)


def show_again(connection: Connection, board: Board, work: str, shown: Mapping[str, str]) -> None:
    """What a person sees of the items of a file that is written anew, where it is not what was shown before."""
    for item, digest in shown.items():
        if board.tasks[work][item] != digest:
            of_task = (tasks.c.guideline == board.guideline) & (tasks.c.work == work) & (tasks.c.item == item)
            connection.execute(update(tasks).where(of_task).values(shown=digest))
            board.tasks[work][item] = digest


def take_from(connection: Connection, board: Board, work: str, taken: Iterable[str]) -> None:
    """Items that somebody else gets; only those without an answer, so that none is lost."""
    for item in taken:
        if (work, item) not in board.votes:
            of_task = (tasks.c.guideline == board.guideline) & (tasks.c.work == work) & (tasks.c.item == item)
            connection.execute(delete(tasks).where(of_task))
            del board.tasks[work][item]


def said_by(
    connection: Connection, board: Board, file: str, works: Collection[str]
) -> dict[tuple[str, str], tuple[str, str | None]]:
    """What the file at that place said when it was read before: the last label and comment, by work and item."""
    chosen = select(votes.c.work, votes.c.item, votes.c.label, votes.c.comment)
    of_file = (imports.c.guideline == board.guideline) & (imports.c.file == file)
    rows = chosen.join(imports, imports.c.id == votes.c.import_id).where(of_file).order_by(votes.c.id)
    there = board.works.keys() & works
    return {
        (row.work, row.item): (row.label, row.comment)
        for row in connection.execute(rows.where(votes.c.work.in_(there)))
    }


def add_import(
    connection: Connection,
    board: Board,
    file: str,
    digest: str,
    answers: Mapping[tuple[str, str], tuple[str, str | None]],
    refused: int,
) -> None:
    """answers: (work, item) to label and comment; those that the file did not say before."""
    made = insert(imports).values(
        guideline=board.guideline, file=file, digest=digest, taken=len(answers), refused=refused,
        imported=datetime.now(UTC),
    ).returning(imports.c.id)  # fmt: skip
    number = int(connection.execute(made).scalar_one())
    rows = [
        {"guideline": board.guideline, "work": work, "item": item, "label": label, "comment": said, "import_id": number}
        for (work, item), (label, said) in answers.items()
    ]
    if rows:
        connection.execute(insert(votes), rows)
    board.votes |= {place: label for place, (label, _) in answers.items()}
