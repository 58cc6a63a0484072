"""The ledger keeps versions, aliases and results, and its schema is what the migrations make."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from modelyard.annotate.tables import metadata as annotation
from modelyard.errors import BadInput, Damaged, EnvironmentProblem
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
    assert first.created == again.created.replace(tzinfo=first.created.tzinfo)
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


def test_a_run_without_an_end_is_noted_as_interrupted_when_the_next_one_starts(ledger: Ledger) -> None:
    killed = ledger.start_run("a.csv")
    last = ledger.last_run()
    assert last is not None
    assert last[0]["outcome"] is None
    ledger.start_run("b.csv")
    with ledger.engine.connect() as connection:
        outcome = connection.execute(text("SELECT outcome FROM runs WHERE id = :id"), {"id": killed}).scalar()
    assert outcome == "interrupted"


def test_the_stages_of_recent_runs_reach_back_to_the_last_good_ones(ledger: Ledger) -> None:
    for number, outcome in enumerate(("done", "done", "failed", "done", "failed")):
        run = ledger.start_run("a.csv")
        ledger.note_stage(run, 0, StageEntry("ingest", "done", 0.5, str(number), "o" * 64, "r" * 64, None))
        ledger.finish_run(run, outcome)
    assert [stage.key for stage in ledger.stages_since(1)] == ["3", "4"]
    assert [stage.key for stage in ledger.stages_since(2)] == ["1", "2", "3", "4"]
    assert len(ledger.stages_since(9)) == 5
    assert ledger.stages_since(0) == []


OPENER = """
import sys
from pathlib import Path
from modelyard.ledger import Ledger
ledger = Ledger(Path(sys.argv[1]))
ledger.start_run("a.csv")
ledger.close()
"""


def test_those_that_open_a_new_ledger_at_once_all_succeed(tmp_path: Path) -> None:
    openers = [
        subprocess.Popen([sys.executable, "-c", OPENER, str(tmp_path / "ledger.db")], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    assert [(opener.communicate()[1], opener.returncode) for opener in openers] == [(b"", 0)] * 3


def test_a_migration_that_is_broken_off_leaves_nothing_and_is_done_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []

    def broken_off(name: str, *columns: Any, **options: Any) -> None:
        made.append(name)
        if len(made) > 2:
            raise KeyboardInterrupt
        create_table(name, *columns, **options)

    create_table = op.create_table
    monkeypatch.setattr(op, "create_table", broken_off)
    with pytest.raises(KeyboardInterrupt):
        Ledger(tmp_path / "ledger.db")
    monkeypatch.undo()
    database = sqlite3.connect(tmp_path / "ledger.db")
    assert database.execute("SELECT name FROM sqlite_master").fetchall() == []
    database.close()
    ledger = Ledger(tmp_path / "ledger.db")
    assert ledger.versions() == []
    ledger.close()


def test_a_reader_is_not_kept_waiting_by_a_writer(ledger: Ledger, tmp_path: Path) -> None:
    ledger.finish_run(ledger.start_run("a.csv"), "done")
    writer = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE runs SET outcome = 'failed'")
    started = time.monotonic()
    reader = Ledger(tmp_path / "ledger.db")
    last = reader.last_run()
    reader.close()
    writer.execute("ROLLBACK")
    writer.close()
    assert last is not None
    assert last[0]["outcome"] == "done"
    assert time.monotonic() - started < 5


def test_the_migrations_make_exactly_the_tables_of_the_code(ledger: Ledger) -> None:
    with ledger.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), [metadata, annotation]) == []


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


def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "ledger.db").write_bytes(b"these are my notes" * 100)
    with pytest.raises(Damaged, match="not a database"):
        Ledger(tmp_path / "ledger.db")
    assert (tmp_path / "ledger.db").read_bytes() == b"these are my notes" * 100


@pytest.mark.parametrize("folder", ["what?x=1", "100%41", "a b#c", "工作"])
def test_a_ledger_lies_where_it_was_asked_for_whatever_the_path_holds(tmp_path: Path, folder: str) -> None:
    ledger = Ledger(tmp_path / folder / "ledger.db")
    ledger.mint("reviews", "a" * 64, "r" * 64, True)
    ledger.close()
    assert (tmp_path / folder / "ledger.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [folder]
