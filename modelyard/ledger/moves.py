"""Moves of an alias: each on record, the last one can be taken back, and taking back is on record too."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, insert, select

from modelyard.errors import BadInput
from modelyard.ledger.tables import alias_moves, aliases, versions


@dataclass(frozen=True)
class Move:
    """An alias went from one version (None: from nowhere) to another. undoes: the id of the move it took back."""

    name: str
    alias: str
    before: int | None
    after: int
    reason: str | None = None
    undoes: int | None = None


def standing(connection: Connection, name: str, alias: str) -> int | None:
    """The version that an alias points at."""
    return connection.execute(
        select(aliases.c.version).where(aliases.c.name == name, aliases.c.alias == alias)
    ).scalar()


def move_alias(connection: Connection, move: Move, package: str) -> Move:
    """Point the alias at `after`, whose package is given, and keep the move."""
    connection.execute(delete(aliases).where(aliases.c.name == move.name, aliases.c.alias == move.alias))
    connection.execute(insert(aliases).values(name=move.name, alias=move.alias, version=move.after, package=package))
    connection.execute(insert(alias_moves).values(**move.__dict__, moved=datetime.now(UTC)))
    return move


def undo_move(connection: Connection, name: str, alias: str) -> Move:
    """Take the last move back that has not been taken back yet. Raises BadInput when there is none."""
    found = _moves(connection, name, alias)
    if not found:
        known = sorted({f"{row.name}@{row.alias}" for row in connection.execute(select(aliases))})
        raise BadInput(
            f"{name} has no alias {alias}",
            next=f"there are: {', '.join(known[:20])}" if known else "nothing was released here yet: modelyard run",
        )
    taken_back = {move.undoes for _, move in found}
    open_moves = [(number, move) for number, move in found if move.undoes is None and number not in taken_back]
    now = found[-1][1].after
    if not open_moves or open_moves[-1][1].before is None:
        raise BadInput(
            f"nothing to undo: {alias} stood nowhere before version {now}",
            where=f"{name}@{alias}",
            next=f"modelyard models {name} lists the versions; modelyard promote {name} VERSION moves it to one",
        )
    number, last = open_moves[-1]
    assert last.before is not None
    package = connection.execute(
        select(versions.c.package).where(versions.c.name == name, versions.c.version == last.before)
    ).scalar()
    if package is None:
        raise BadInput(f"{name} has no version {last.before} any more", where=f"{name}@{alias}")
    return move_alias(connection, Move(name, alias, now, last.before, undoes=number), str(package))


def _moves(connection: Connection, name: str, alias: str) -> list[tuple[int, Move]]:
    """All moves of an alias with their ids, oldest first."""
    rows = connection.execute(
        select(alias_moves).where(alias_moves.c.name == name, alias_moves.c.alias == alias).order_by(alias_moves.c.id)
    )
    return [(row.id, Move(name, alias, row.before, row.after, row.reason, row.undoes)) for row in rows]
