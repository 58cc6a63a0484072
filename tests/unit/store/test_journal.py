"""The journal: what is whole counts, and nothing of other work."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.store.journal import Journal


def test_the_next_run_finds_what_was_done(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    first = Journal(path, ["clean", 1])
    assert first.entries == []
    first.add({"part": 0, "file": "a"})
    first.add({"part": 1, "file": "ü\n"})
    second = Journal(path, ["clean", 1])
    assert second.entries == [{"part": 0, "file": "a"}, {"part": 1, "file": "ü\n"}]
    second.keep(1)
    second.add({"part": 1, "file": "b"})
    assert Journal(path, ["clean", 1]).entries == [{"part": 0, "file": "a"}, {"part": 1, "file": "b"}]


def test_other_work_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    Journal(path, {"rules": ["nfc"]}).add({"part": 0})
    assert Journal(path, {"rules": ["nfkc"]}).entries == []
    assert Journal(path, {"rules": ["nfc"]}).entries == []


@settings(max_examples=40, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5)), max_size=4), st.data())
def test_a_torn_journal_keeps_its_whole_lines_and_goes_on(
    tmp_path_factory: object, entries: list[dict[str, object]], data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("torn") / "journal"  # type: ignore[attr-defined]
    journal = Journal(path, "work")
    for entry in entries:
        journal.add(entry)
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    again = Journal(path, "work")
    lines = whole[:cut].count(b"\n")
    assert again.entries == entries[: max(0, lines - 1)]
    again.add({"more": 1})
    assert Journal(path, "work").entries == [*entries[: max(0, lines - 1)], {"more": 1}]
