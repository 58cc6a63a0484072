"""Finding the encoding, and the place of the first bytes that fit none."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.errors import BadInput
from modelyard.stages.ingest.text_files import encoding
from modelyard.stages.ingest.text_files.encoding import find_encoding, first_undecodable

CHINESE = "中文文本，情感分析\n" * 50


@pytest.mark.parametrize(
    ("written", "found"),
    [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("utf-16", "utf-16"), ("gbk", "gb18030"), ("gb2312", "gb18030")],
)
def test_each_encoding_is_found(tmp_path: Path, written: str, found: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(CHINESE, encoding=written)
    assert find_encoding(path, None) == found
    assert path.read_text(encoding=found) == CHINESE


def test_a_four_byte_character_of_gb18030_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(CHINESE + "𠮷", encoding="gb18030")
    assert find_encoding(path, None) == "gb18030"


def test_a_western_code_page_is_not_taken_for_chinese(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes("cafés,naïvetés\n".encode("latin-1"))
    with pytest.raises(BadInput, match="Western"):
        find_encoding(path, None)
    assert find_encoding(path, "cp1252") == "cp1252"


@pytest.mark.parametrize("before", [0, 1, 5, 6, 7, 8, 9, 17])
def test_the_place_is_right_across_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: int) -> None:
    monkeypatch.setattr(encoding, "CHUNK", 8)
    path = tmp_path / "a.txt"
    start = ("é\n" * before).encode()
    path.write_bytes(start + b"x\xff\n")
    found = first_undecodable(path, "utf-8")
    assert found is not None
    assert (found.offset, found.line) == (len(start) + 1, before + 1)


def test_a_character_cut_off_at_the_end_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a\n" + "中".encode()[:2])
    found = first_undecodable(path, "utf-8")
    assert found is not None
    assert (found.offset, found.line) == (2, 2)


def test_an_encoding_that_was_asked_for_is_held_to(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(CHINESE.encode("gbk"))
    with pytest.raises(BadInput, match="not utf-8 at line 1: byte 0"):
        find_encoding(path, "utf-8")


BYTES = st.lists(
    st.one_of(st.binary(max_size=3), st.text(max_size=3).map(lambda text: text.encode("utf-8", "surrogatepass"))),
    max_size=12,
).map(b"".join)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(BYTES, st.integers(1, 9))
def test_utf_8_is_what_python_decodes_as_it(tmp_path: Path, content: bytes, chunk: int) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    try:
        content.decode()
        decodes = True
    except UnicodeDecodeError:
        decodes = False
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(encoding, "CHUNK", chunk)
        assert (first_undecodable(path, "utf-8") is None) is decodes
