"""From what stands on the command line to packages: a directory, or NAME@ALIAS and NAME@VERSION through the ledger.

The ledger is read with the DBAPI alone, read-only: a server never migrates it and loads no SQLAlchemy.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from modelyard.errors import BadInput, Damaged, EnvironmentProblem
from modelyard.store.artifacts import Package
from modelyard.store.digests import digest_tree

LEDGER = "ledger.db"


@dataclass(frozen=True)
class Target:
    """A package under the name and version that it is served as; intact: its content matches its recorded digest."""

    name: str
    version: str
    labels: tuple[str, ...]
    package: Package
    intact: bool = True


def resolve(target: str, workspace: Path) -> Target:
    """Raises BadInput for what does not exist, EnvironmentProblem for a ledger that cannot be read."""
    path = Path(target)
    if path.is_dir():
        package = Package.open(path)
        name = package.info.get("name")
        if not isinstance(name, str) or not name:
            raise Damaged("the package has no name", where=str(path / package.index))
        return Target(name, "1", (), package)
    name, at, wanted = target.rpartition("@")
    if not at or not name or not wanted:
        raise BadInput(
            f"{target} is neither a directory nor NAME@ALIAS",
            where=target,
            next="give the directory of a package, or for example reviews@champion",
        )
    return _from_ledger(name, wanted, workspace)


def _from_ledger(name: str, wanted: str, workspace: Path) -> Target:
    database = workspace / LEDGER
    if not database.is_file():
        raise BadInput(
            f"{name}@{wanted}: there is no workspace at {workspace}",
            where=str(workspace),
            next="run `modelyard run` here first, or name the workspace with --workspace DIR",
        )
    by_version = wanted.isdecimal()
    query = (
        "SELECT version, package FROM versions WHERE name = ? AND version = ?"
        if by_version
        else "SELECT version, package FROM aliases WHERE name = ? AND alias = ?"
    )
    try:
        with closing(sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
            row = connection.execute(query, (name, int(wanted) if by_version else wanted)).fetchone()
            known = connection.execute(
                "SELECT name, alias FROM aliases UNION SELECT name, CAST(version AS TEXT) FROM versions ORDER BY 1, 2"
            ).fetchall()
    except sqlite3.Error as error:
        raise EnvironmentProblem(
            f"the ledger cannot be read: {error}",
            where=str(database),
            next="check the file's permissions, or whether another program holds it",
        ) from None
    if row is None:
        there = ", ".join(f"{one}@{alias}" for one, alias in known[:20])
        raise BadInput(
            f"there is no {name}@{wanted} in this workspace",
            where=str(database),
            next=f"there are: {there}" if there else "release a model first: modelyard run",
        )
    version, digest = str(row[0]), str(row[1])
    path = workspace / "store" / "packages" / digest
    if not (path / Package.index).is_file():
        raise Damaged(
            f"the package of {name}:{version} is not in the store",
            where=str(path),
            next="run the chain again, or copy the whole workspace",
        )
    labels = () if by_version else (wanted,)
    return Target(name, version, labels, Package(digest, path), intact=digest_tree(path) == digest)
