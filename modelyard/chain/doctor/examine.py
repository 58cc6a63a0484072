"""All checks in the order in which they are read."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from modelyard.chain.doctor import machine
from modelyard.chain.doctor.check import Check
from modelyard.chain.doctor.packages import packages
from modelyard.chain.workspace import holder
from modelyard.ledger.schema import HEAD

# What a machine is for, and the extras that this takes.
PURPOSES = {
    "run": ("core", "serve", "train", "vision", "keras", "ctranslate2"),
    "serve": ("core", "serve", "vision", "ctranslate2"),
}


def examine(root: Path, purpose: str = "run") -> list[Check]:
    """Changes nothing, and makes no workspace where there is none."""
    place = next(path for path in (root, *root.absolute().parents) if path.exists())
    checks = [
        machine.python(),
        *packages(PURPOSES[purpose]),
        machine.processor(),
        machine.memory(),
        machine.disk(place),
    ]
    checks += [workspace(root), *machine.ports()]
    if purpose == "run":
        checks += [machine.hub(), machine.cache()]
    return checks


def workspace(root: Path) -> Check:
    """Whether it can be written, who works in it, and whether this program reads its ledger."""
    ledger = root / "ledger.db"
    if not ledger.is_file():
        return Check("workspace", "ok", f"none at {root} yet: modelyard run makes one")
    if not os.access(root, os.W_OK):
        return Check("workspace", "missing", f"{root} cannot be written", "--workspace DIR, or MODELYARD_WORKSPACE")
    try:
        with closing(sqlite3.connect(f"{ledger.resolve().as_uri()}?mode=ro", uri=True, timeout=10)) as connection:
            revision = str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])
    except (sqlite3.Error, TypeError) as error:
        return Check("workspace", "missing", f"the ledger cannot be read: {error}", f"restore {ledger} from a copy")
    if revision > HEAD:
        return Check("workspace", "missing", f"written by a newer Modelyard (ledger {revision})", "upgrade modelyard")
    state = f"{root}, ledger {revision}" + ("" if revision == HEAD else f" (the next run brings it to {HEAD})")
    working = holder(root)
    if working is not None:
        return Check("workspace", "warn", f"{state}; {working} is working in it", "wait for it before another run")
    return Check("workspace", "ok", f"{state}, free")
