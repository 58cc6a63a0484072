"""Runs, cached results, versions and aliases, each write one transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    ExceptionContext,
    RowMapping,
    create_engine,
    delete,
    event,
    func,
    insert,
    select,
    update,
)

from modelyard.errors import BadInput
from modelyard.full_disk import full_disk
from modelyard.ledger.moves import Move, move_alias, standing, undo_move
from modelyard.ledger.schema import migrate
from modelyard.ledger.tables import aliases, results, run_stages, runs, versions

INTERRUPTED = "interrupted"


@dataclass(frozen=True)
class Result:
    """What a pure stage made for a key: kind and digest of its output, its Report, what went in."""

    key: str
    stage: str
    kind: str
    output: str
    report: str
    inputs: dict[str, str]
    seconds: float


@dataclass(frozen=True)
class StageEntry:
    """One stage of one run, as `status` shows it."""

    stage: str
    outcome: str
    seconds: float
    key: str
    output: str | None
    report: str | None
    message: str | None


@dataclass(frozen=True)
class Minted:
    """A released version of a name."""

    name: str
    version: int
    package: str
    report: str
    passed: bool
    override: str | None
    created: datetime


def _connected(connection: Any, _: Any) -> None:
    """Write-ahead log and full sync: what was acknowledged survives a power cut.

    The driver begins no transaction by itself: left alone, it would commit every step of a migration on its own, and a
    kill between two of them would leave half a schema.
    """
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA busy_timeout=30000")
    if cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begun(connection: Connection) -> None:
    """A writer takes its lock at once, so that two wait for each other rather than one fail half-way."""
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _translator(database: Path) -> Callable[[ExceptionContext], BaseException | None]:
    """A full disk is said in the same words as anywhere else."""

    def failed(context: ExceptionContext) -> BaseException | None:
        return full_disk(context.original_exception, database)

    return failed


class Ledger:
    """Opens a database by path (SQLite) or SQLAlchemy URL and brings its schema up to date."""

    def __init__(self, location: Path | str) -> None:
        url = URL.create("sqlite", database=str(location)) if isinstance(location, Path) else location
        if isinstance(location, Path):
            location.parent.mkdir(parents=True, exist_ok=True)
        self.engine = create_engine(url)
        if self.engine.dialect.name == "sqlite":
            event.listen(self.engine, "connect", _connected)
            event.listen(self.engine, "begin", _begun)
            event.listen(self.engine, "handle_error", _translator(Path(self.engine.url.database or "ledger.db")))
        self._writing = self.engine.execution_options(writes=True)
        migrate(self._writing)

    def close(self) -> None:
        self.engine.dispose()

    def reading(self) -> AbstractContextManager[Connection]:
        """For tables that others own: what is read in it is of one moment."""
        return self.engine.begin()

    def writing(self) -> AbstractContextManager[Connection]:
        """The same, to write: one transaction, whole or not at all."""
        return self._writing.begin()

    def start_run(self, source: str) -> int:
        """A new run. The caller holds the workspace: an earlier run without an end was killed, and is noted so."""
        with self._writing.begin() as connection:
            connection.execute(update(runs).where(runs.c.outcome.is_(None)).values(outcome=INTERRUPTED))
            statement = insert(runs).values(started=datetime.now(UTC), source=source).returning(runs.c.id)
            return int(connection.execute(statement).scalar_one())

    def finish_run(self, run: int, outcome: str) -> None:
        with self._writing.begin() as connection:
            connection.execute(update(runs).where(runs.c.id == run).values(finished=datetime.now(UTC), outcome=outcome))

    def note_stage(self, run: int, position: int, entry: StageEntry) -> None:
        with self._writing.begin() as connection:
            connection.execute(
                insert(run_stages).values(
                    run=run,
                    position=position,
                    stage=entry.stage,
                    outcome=entry.outcome,
                    seconds=entry.seconds,
                    result_key=entry.key,
                    output=entry.output,
                    report=entry.report,
                    message=entry.message,
                )
            )

    def last_run(self) -> tuple[dict[str, Any], list[StageEntry]] | None:
        """The newest run and its stages, or None."""
        with self.engine.connect() as connection:
            row = connection.execute(select(runs).order_by(runs.c.id.desc()).limit(1)).mappings().first()
            if row is None:
                return None
            stages = connection.execute(
                select(run_stages).where(run_stages.c.run == row["id"]).order_by(run_stages.c.position)
            ).mappings()
            return dict(row), [_stage_entry(stage) for stage in stages]

    def stages_since(self, done: int) -> list[StageEntry]:
        """The stages of the newest runs, back to the `done`-th that ended well (of all, while there are fewer)."""
        if done < 1:
            return []
        with self.engine.connect() as connection:
            chosen = select(run_stages).order_by(run_stages.c.run, run_stages.c.position)
            well = select(runs.c.id).where(runs.c.outcome == "done").order_by(runs.c.id.desc())
            oldest = connection.execute(well.offset(done - 1).limit(1)).scalar()
            if oldest is not None:
                chosen = chosen.where(run_stages.c.run >= oldest)
            return [_stage_entry(stage) for stage in connection.execute(chosen).mappings()]

    def results(self) -> list[Result]:
        """Every cached result, oldest first."""
        with self.engine.connect() as connection:
            rows = connection.execute(select(results).order_by(results.c.created)).mappings()
            return [_result(row) for row in rows]

    def forget_results(self, keys: Collection[str]) -> None:
        """Drop cached results: their stages run again when they are asked for."""
        with self._writing.begin() as connection:
            for key in keys:
                connection.execute(delete(results).where(results.c.result_key == key))

    def result(self, key: str) -> Result | None:
        """The cached result of a key."""
        with self.engine.connect() as connection:
            row = connection.execute(select(results).where(results.c.result_key == key)).mappings().first()
        return None if row is None else _result(row)

    def keep_result(self, result: Result) -> None:
        """Write a result, replacing an older one of the same key (a measurement made again)."""
        with self._writing.begin() as connection:
            connection.execute(delete(results).where(results.c.result_key == result.key))
            connection.execute(
                insert(results).values(
                    result_key=result.key,
                    stage=result.stage,
                    kind=result.kind,
                    output=result.output,
                    report=result.report,
                    inputs=json.dumps(result.inputs, sort_keys=True),
                    seconds=result.seconds,
                    created=datetime.now(UTC),
                )
            )

    def version_of(self, name: str, package: str) -> int:
        """The version that this package has under the name, or would have if it were minted now."""
        with self.engine.connect() as connection:
            return _version_of(connection, name, package)

    def mint(
        self, name: str, package: str, report: str, passed: bool, override: str | None = None, alias: str | None = None
    ) -> Minted:
        """A version for the package: the next one, or the one it already has, with the newest evidence.

        A new version takes the alias over. One that was there before does not: where the alias stands now, a person
        may have put it.
        """
        with self._writing.begin() as connection:
            version = _version_of(connection, name, package)
            place = (versions.c.name == name) & (versions.c.version == version)
            created = connection.execute(select(versions.c.created).where(place)).scalar()
            reason = None if passed else override
            minted = Minted(name, version, package, report, passed, reason, created or datetime.now(UTC))
            connection.execute(delete(versions).where(place))
            connection.execute(insert(versions).values(**minted.__dict__))
            if alias is not None:
                before = standing(connection, name, alias)
                if before is None or (created is None and before != version):
                    move_alias(connection, Move(name, alias, before, version, reason=reason), package)
            return minted

    def versions(self, name: str | None = None) -> list[Minted]:
        """All versions of a name, or of every name, oldest first."""
        chosen = select(versions).order_by(versions.c.name, versions.c.version)
        if name is not None:
            chosen = chosen.where(versions.c.name == name)
        with self.engine.connect() as connection:
            return [Minted(**row) for row in connection.execute(chosen).mappings()]

    def pointed_at(self) -> set[tuple[str, int]]:
        """Name and version of everything that an alias points at."""
        with self.engine.connect() as connection:
            return {(row.name, row.version) for row in connection.execute(select(aliases.c.name, aliases.c.version))}

    def aliases(self, name: str) -> dict[str, int]:
        """The aliases of a name and the versions they point at."""
        with self.engine.connect() as connection:
            rows = connection.execute(
                select(aliases.c.alias, aliases.c.version).where(aliases.c.name == name).order_by(aliases.c.alias)
            )
            return {row.alias: row.version for row in rows}

    def version(self, name: str, version: int) -> Minted:
        """Raises BadInput with the versions there are."""
        found = self.versions(name)
        for minted in found:
            if minted.version == version:
                return minted
        known = ", ".join(str(minted.version) for minted in found) or "none"
        raise BadInput(f"{name} has no version {version}", next=f"its versions: {known}")

    def point(self, name: str, alias: str, version: int, reason: str | None = None) -> Move | None:
        """Move an alias to a version; a move to where it already stands is no move. reason: kept with the move."""
        package = self.version(name, version).package
        with self._writing.begin() as connection:
            before = standing(connection, name, alias)
            if before == version:
                return None
            return move_alias(connection, Move(name, alias, before, version, reason=reason), package)

    def undo(self, name: str, alias: str) -> Move:
        """Move an alias back to where it stood before its last move; undoing again goes one further back.

        Raises BadInput when there is no such alias, or no move that can be taken back.
        """
        with self._writing.begin() as connection:
            return undo_move(connection, name, alias)

    def alias(self, name: str, alias: str) -> int | None:
        with self.engine.connect() as connection:
            return standing(connection, name, alias)


def _stage_entry(row: RowMapping) -> StageEntry:
    return StageEntry(
        row["stage"],
        row["outcome"],
        row["seconds"],
        row["result_key"],
        row["output"],
        row["report"],
        row["message"],
    )


def _result(row: RowMapping) -> Result:
    return Result(
        row["result_key"],
        row["stage"],
        row["kind"],
        row["output"],
        row["report"],
        json.loads(row["inputs"]),
        row["seconds"],
    )


def _version_of(connection: Connection, name: str, package: str) -> int:
    of_name = versions.c.name == name
    same = connection.execute(select(versions.c.version).where(of_name, versions.c.package == package)).scalar()
    newest = connection.execute(select(func.max(versions.c.version)).where(of_name)).scalar()
    return int(same if same is not None else (newest or 0) + 1)
