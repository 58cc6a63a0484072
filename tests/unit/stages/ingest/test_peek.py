"""A first look at a source holds little of it, whatever the source is like."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from modelyard.errors import BadInput
from modelyard.stages.ingest import IngestConfig, peek
from modelyard.stages.ingest.tally import SHOWN_BAD_ROWS

MOST = 150
GOOD = "".join(json.dumps({"text": f"a {label} text", "label": label}) + "\n" for label in ("good", "bad"))


@pytest.fixture(autouse=True)
def few_bad_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[peek.__module__], "BATCH_BAD_ROWS", MOST)
    monkeypatch.setattr("modelyard.stages.ingest.text_files.jsonl.BATCH_BAD_ROWS", MOST)


def test_rows_that_cannot_be_used_are_read_up_to_a_number_and_the_first_are_held(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(GOOD + "[]\n" * 10 * MOST + GOOD)
    seen = peek(path, IngestConfig())
    assert (seen.whole, seen.table.num_rows, seen.tally.aside) == (False, 2, MOST)
    assert seen.tally.reasons == {"a JSON list, not an object": MOST}
    assert [bad.line for bad in seen.tally.shown] == list(range(3, 3 + SHOWN_BAD_ROWS))


def test_a_source_without_one_row_that_can_be_used_there_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "no label", "label": ""}\n' + "[]\n" * 10 * MOST + GOOD)
    with pytest.raises(BadInput, match="151 of 151 rows cannot be used") as error:
        peek(path, IngestConfig())
    assert error.value.where == "a.jsonl, line 1"
