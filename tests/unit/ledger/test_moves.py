"""An alias goes back the way it came, and every step of it stays on record."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine

from modelyard.errors import BadInput
from modelyard.ledger import Ledger
from modelyard.ledger.schema import HEAD, MIGRATIONS


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db")
    for package in "abc":
        opened.mint("reviews", package * 64, "r" * 64, True)
    yield opened
    opened.close()


def test_undoing_goes_back_step_by_step_and_stops_at_the_first_version(ledger: Ledger) -> None:
    for version in (1, 2, 3):
        ledger.point("reviews", "champion", version)
    assert [ledger.undo("reviews", "champion").after for _ in range(2)] == [2, 1]
    assert ledger.alias("reviews", "champion") == 1
    with pytest.raises(BadInput, match="nothing to undo: champion stood nowhere before version 1"):
        ledger.undo("reviews", "champion")
    assert ledger.alias("reviews", "champion") == 1


def test_what_came_before_an_undo_is_not_undone_twice(ledger: Ledger) -> None:
    ledger.point("reviews", "champion", 1)
    ledger.point("reviews", "champion", 2)
    ledger.undo("reviews", "champion")
    ledger.point("reviews", "champion", 3)
    assert ledger.undo("reviews", "champion").after == 1
    with pytest.raises(BadInput, match="nothing to undo"):
        ledger.undo("reviews", "champion")


def test_undoing_is_on_record_with_the_move_it_took_back(ledger: Ledger, tmp_path: Path) -> None:
    ledger.point("reviews", "champion", 1)
    ledger.point("reviews", "champion", 2, "a reason")
    ledger.undo("reviews", "champion")
    database = sqlite3.connect(tmp_path / "ledger.db")
    moves = database.execute("SELECT before, after, undoes, reason FROM alias_moves ORDER BY id").fetchall()
    pointed = database.execute("SELECT version, package FROM aliases").fetchall()
    database.close()
    assert moves == [(None, 1, None, None), (1, 2, None, "a reason"), (2, 1, 2, None)]
    assert pointed == [(1, "a" * 64)]


def test_aliases_do_not_disturb_each_other(ledger: Ledger) -> None:
    for alias in ("champion", "beta"):
        ledger.point("reviews", alias, 1)
        ledger.point("reviews", alias, 2)
    ledger.undo("reviews", "beta")
    assert ledger.aliases("reviews") == {"beta": 1, "champion": 2}
    with pytest.raises(BadInput, match="has no alias gamma") as caught:
        ledger.undo("reviews", "gamma")
    assert "reviews@beta, reviews@champion" in str(caught.value.next)


def test_a_ledger_of_the_first_revision_is_brought_forward_with_its_moves(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    database = sqlite3.connect(path)
    with database:
        database.execute(
            "INSERT INTO versions VALUES ('r', 1, 'a', 'x', 1, NULL, '2026-01-01'), "
            "('r', 2, 'b', 'x', 1, NULL, '2026-01-01')"
        )
        database.execute("INSERT INTO aliases VALUES ('r', 'champion', 2, 'b')")
        database.execute(
            "INSERT INTO alias_moves (name, alias, before, after, moved) VALUES "
            "('r', 'champion', NULL, 1, '2026-01-01'), ('r', 'champion', 1, 2, '2026-01-02')"
        )
    database.close()
    ledger = Ledger(path)
    assert ledger.undo("r", "champion").after == 1
    ledger.close()
    database = sqlite3.connect(path)
    assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(HEAD,)]
    database.close()
