"""Files as people send them through `modelyard run FILE`: understood, or refused in words; never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.chain.project import load_project
from tests.cases.people.files import SENT, Sent
from tests.cases.people.table import attempt, rows_of_page


@pytest.mark.parametrize("sent", SENT, ids=lambda sent: sent.name)
def test_a_file_is_understood_or_refused_in_words(tmp_path: Path, sent: Sent) -> None:
    tried = attempt(sent, tmp_path)
    assert tried.code == sent.exit_code, tried.stderr
    assert "Traceback" not in tried.stderr
    written = tmp_path / "modelyard.yaml"
    if tried.code == 0:
        assert [stage["outcome"] for stage in tried.answer["stages"]] == ["done"] * 3
        # What was written is read back as what was found.
        project = load_project(tmp_path)
        assert project.source() == tmp_path / sent.name
        assert project.ingest.columns.named["text"] == tried.answer["look"]["text"]["column"]
        assert project.ingest.columns.named["label"] == tried.answer["look"]["label"]["column"]
    else:
        assert tried.answer["error"]["kind"] == "bad_input"
        assert tried.answer["error"]["next"]
        assert not written.exists()
        assert not (tmp_path / ".modelyard").exists()
    assert rows_of_page().get(sent.name) == tried.row(), "docs/files-we-accept.md: python -m tests.cases.people"


def test_the_page_lists_these_files_and_no_others() -> None:
    assert list(rows_of_page()) == [sent.name for sent in SENT]
