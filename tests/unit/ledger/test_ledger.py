"""The ledger keeps versions, aliases and results, and its schema is what the migrations make."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from modelyard.errors import BadInput, EnvironmentProblem
from modelyard.ledger import Ledger, Result, StageEntry
from modelyard.ledger.tables import metadata


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    opened = Ledger(tmp_path / "ledger.db")
    yield opened
    opened.close()


def test_versions_count_from_one_and_a_package_keeps_its_version_with_the_newest_evidence(ledger: Ledger) -> None:
    first = ledger.mint("reviews", "a" * 64, "r" * 64, True)
    again = ledger.mint("reviews", "a" * 64, "s" * 64, True)
    assert ledger.version_of("reviews", "b" * 64) == 2
    second = ledger.mint("reviews", "b" * 64, "r" * 64, True)
    other = ledger.mint("tweets", "a" * 64, "r" * 64, True)
    assert [first.version, again.version, second.version, other.version] == [1, 1, 2, 1]
    assert [(minted.version, minted.report) for minted in ledger.versions("reviews")] == [(1, "s" * 64), (2, "r" * 64)]


def test_an_alias_moves_and_every_move_is_on_record(ledger: Ledger, tmp_path: Path) -> None:
    for package in "ab":
        ledger.mint("reviews", package * 64, "r" * 64, True)
    ledger.point("reviews", "champion", 1)
    ledger.point("reviews", "champion", 2)
    ledger.point("reviews", "champion", 2)
    assert ledger.alias("reviews", "champion") == 2
    database = sqlite3.connect(tmp_path / "ledger.db")
    moves = database.execute("SELECT before, after FROM alias_moves ORDER BY id").fetchall()
    pointed = database.execute("SELECT version, package FROM aliases").fetchall()
    database.close()
    assert moves == [(None, 1), (1, 2)]
    assert pointed == [(2, "b" * 64)]


def test_an_alias_cannot_point_at_a_version_that_is_not_there(ledger: Ledger) -> None:
    ledger.mint("reviews", "a" * 64, "r" * 64, True)
    with pytest.raises(BadInput, match="no version 7") as caught:
        ledger.point("reviews", "champion", 7)
    assert caught.value.next == "its versions: 1"


def test_a_result_is_found_by_its_key_and_replaced_when_made_again(ledger: Ledger) -> None:
    assert ledger.result("k" * 64) is None
    for output in "xy":
        ledger.keep_result(Result("k" * 64, "clean", "Dataset", output * 64, "r" * 64, {"ingest": "i" * 64}, 1.5))
    found = ledger.result("k" * 64)
    assert found is not None
    assert (found.output, found.inputs) == ("y" * 64, {"ingest": "i" * 64})


def test_the_last_run_is_remembered_stage_by_stage(ledger: Ledger) -> None:
    ledger.finish_run(ledger.start_run("old.csv"), "done")
    run = ledger.start_run("new.csv")
    ledger.note_stage(run, 0, StageEntry("ingest", "done", 0.5, "k" * 64, "o" * 64, "r" * 64, None))
    ledger.note_stage(run, 1, StageEntry("clean", "failed", 0.1, "l" * 64, None, None, "too many rows dropped"))
    ledger.finish_run(run, "failed")
    last = ledger.last_run()
    assert last is not None
    assert (last[0]["source"], last[0]["outcome"]) == ("new.csv", "failed")
    assert [(entry.stage, entry.outcome, entry.message) for entry in last[1]] == [
        ("ingest", "done", None),
        ("clean", "failed", "too many rows dropped"),
    ]


def test_the_migrations_make_exactly_the_tables_of_the_code(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_a_ledger_of_a_newer_version_is_refused_in_plain_words(tmp_path: Path) -> None:
    Ledger(tmp_path / "ledger.db").close()
    database = sqlite3.connect(tmp_path / "ledger.db")
    with database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()
    with pytest.raises(EnvironmentProblem, match="newer Modelyard") as caught:
        Ledger(tmp_path / "ledger.db")
    assert "upgrade modelyard" in str(caught.value.next)


def test_a_killed_writer_leaves_what_was_acknowledged(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.db")
    ledger.mint("reviews", "a" * 64, "r" * 64, True)
    # No close: the second opener finds the write-ahead log as a killed process leaves it.
    second = Ledger(tmp_path / "ledger.db")
    assert second.version_of("reviews", "b" * 64) == 2
    second.close()
    ledger.close()
