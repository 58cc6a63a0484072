"""ING: real reports about reading data (ids as in the list of cases)."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.errors import BadInput
from modelyard.stages.ingest import ColumnNames, IngestConfig, ingest
from tests.rows import Heard, classes, column, described, new_run

CHINESE = "id,文本,标签\n1,物流很快，包装也好,好\n2,屏幕碎了，不推荐,坏\n3,性价比高，会再来,好\n"


def test_ing_01_a_gbk_file_gives_the_same_rows_as_a_utf_8_one(tmp_path: Path) -> None:
    gbk, utf8 = tmp_path / "gbk.csv", tmp_path / "utf8.csv"
    gbk.write_bytes(CHINESE.encode("gbk"))
    utf8.write_bytes(CHINESE.encode("utf-8"))
    assert gbk.read_bytes().startswith(bytes.fromhex("69642CCEC4B1BE2CB1EAC7A9"))
    runs = [new_run(tmp_path), new_run(tmp_path)]
    from_gbk, from_utf8 = (ingest(path, IngestConfig(), run) for path, run in zip((gbk, utf8), runs, strict=True))
    names = ["id", "文本", "标签", "row_id"]
    assert from_gbk.read(names) == from_utf8.read(names)
    assert from_gbk.digest == from_utf8.digest
    assert column(from_gbk, "文本") == ["物流很快，包装也好", "屏幕碎了，不推荐", "性价比高，会再来"]
    assert described(from_gbk) == {"id": ("value", "meta"), "文本": ("text", "input"), "标签": ("label", "target")}
    assert [run.details["encoding"] for run in runs] == ["gb18030", "utf-8"]


def test_ing_01_utf_8_is_never_taken_for_gb18030(tmp_path: Path) -> None:
    path = tmp_path / "even.csv"
    path.write_text("text,label\n中文文本很好,a\n也是中文文本,b\n", encoding="utf-8")
    path.read_bytes().decode("gb18030", "ignore")  # most of it would decode, to nonsense
    assert column(ingest(path, IngestConfig(), new_run(tmp_path)), "text") == ["中文文本很好", "也是中文文本"]


def test_ing_01_bytes_that_fit_neither_name_line_and_byte(tmp_path: Path) -> None:
    path = tmp_path / "broken.csv"
    start = "text,label\n很好,a\n".encode()
    path.write_bytes(start + b"bad \xff here,b\n")
    with pytest.raises(BadInput) as error:
        ingest(path, IngestConfig(), new_run(tmp_path))
    offset = len(start) + 4
    assert error.value.where == f"{path}, line 3, byte offset {offset}"
    assert "line 3" in error.value.message and f"byte {offset}" in error.value.message
    assert "ingest.encoding" in (error.value.next or "")


def test_ing_01_the_reader_is_told_that_it_was_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "gbk.csv"
    path.write_bytes(CHINESE.encode("gbk"))
    run = new_run(tmp_path)
    run.listener = heard = Heard()
    ingest(path, IngestConfig(), run)
    assert any("GB18030" in line for line in heard.said)


def test_ing_03_values_stay_as_they_were_written(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    path.write_bytes(b"\xef\xbb\xbf" + b"id,region,zip\n1234567890123456789,NA,0210\n,EU,0043\n")
    config = IngestConfig(columns=ColumnNames(text="zip", label="region"))
    dataset = ingest(path, config, new_run(tmp_path))
    assert [c.name for c in dataset.columns if c.role != "system"] == ["id", "region", "zip"]
    assert column(dataset, "id") == ["1234567890123456789", None]
    assert column(dataset, "region") == ["NA", "EU"]
    assert classes(dataset) == ("EU", "NA")
    assert column(dataset, "zip") == ["0210", "0043"]


def test_ing_05_a_line_separator_in_a_string_ends_no_line(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"t":"A\u2028B"}\n{"t":"C"}\n'.replace("}", ',"label":"x"}'), encoding="utf-8")
    dataset = ingest(path, IngestConfig(columns=ColumnNames(text="t")), new_run(tmp_path))
    assert column(dataset, "t") == ["A\u2028B", "C"]
    assert column(dataset, "source_line") == [1, 2]


def test_ing_05_line_numbers_count_newlines_only(tmp_path: Path) -> None:
    path = tmp_path / "lines.jsonl"
    good = '{"text":"A\u2028B\u0085C\u2029D","label":"x"}\r\n'
    path.write_bytes((good * 20 + '{"text":"E"\n' + good).encode())
    run = new_run(tmp_path)
    dataset = ingest(path, IngestConfig(), run)
    assert dataset.rows() == 21
    (bad,) = run.details["set_aside"]
    assert (bad["file"], bad["line"]) == ("lines.jsonl", 21)
    assert bad["reason"].startswith("not JSON")
