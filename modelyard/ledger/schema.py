"""Bringing a database to the newest schema, and refusing one that is newer than this program."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DatabaseError

from modelyard.errors import Damaged, EnvironmentProblem

HEAD = "0003"
MIGRATIONS = Path(__file__).parent / "migrations"


def current_revision(engine: Engine) -> str | None:
    """The schema revision of the database, None when it is empty. Raises Damaged for a file that is no database."""
    try:
        with engine.execution_options(writes=False).connect() as connection:
            return _revision(connection)
    except DatabaseError as error:
        if "not a database" not in str(error.orig):
            raise
        raise Damaged(
            "the ledger is not a database",
            where=str(engine.url.database),
            next="put back a copy of this file, or use another workspace with --workspace DIR",
        ) from None


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if revision is None else str(revision)


def migrate(engine: Engine) -> None:
    """Upgrade forward, in one transaction: whole or not at all.

    Raises EnvironmentProblem for a ledger of a newer Modelyard.
    """
    revision = current_revision(engine)
    if revision == HEAD:
        return
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise EnvironmentProblem(
            f"this workspace was written by a newer Modelyard (ledger {revision}, this one knows up to {HEAD})",
            where=str(engine.url),
            next="upgrade modelyard, or use another workspace with --workspace DIR",
        )
    with engine.begin() as connection:
        # Another process may have done it while this one waited for the lock.
        if _revision(connection) != HEAD:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
