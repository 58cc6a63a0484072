"""A repaired text beside what it was."""

from __future__ import annotations

from pathlib import Path

from modelyard.stages.clean import CleanConfig, clean
from modelyard.stages.clean.changes import around_change, visible
from tests.rows import labelled, new_run


def test_what_cannot_be_seen_is_written_out() -> None:
    assert visible("a\u00a0b\tc\u200bd") == "a\\xa0b\\tc\\u200bd"
    assert visible(" a  b ") == "␣a ␣b␣"
    assert visible("plain, and café") == "plain, and café"


def test_a_long_text_is_shown_from_shortly_before_the_change() -> None:
    before, after = around_change("x" * 200 + "cafÃ©" + "y" * 200, "x" * 200 + "café" + "y" * 200)
    assert before.startswith("…" + "x" * 21 + "cafÃ©y")
    assert after.startswith("…" + "x" * 21 + "caféy")
    assert before.endswith("y…")


def test_a_text_that_only_lost_its_end_is_shown_with_the_end() -> None:
    assert around_change("fine \n", "fine") == ("fine \\n", "fine")


def test_repaired_rows_are_kept_as_examples_with_what_was_there(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    clean(labelled(run, [("cafÃ©", "x"), ("plain", "y"), ("a  b", "y")]), CleanConfig(), run)
    shown = [(row["before"], row["after"]) for row in run.details["repaired_examples"]]
    assert shown == [("cafÃ©", "café"), ("a ␣b", "a b")]
    assert all(len(row["row_id"]) >= 32 for row in run.details["repaired_examples"])
