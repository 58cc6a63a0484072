"""Files as people send them, made here: encodings, delimiters, layouts, spreadsheets, and what went wrong."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

THINGS = ("film", "book", "meal", "song", "play")
GOOD, BAD = ("superb", "lovely", "fine"), ("dreadful", "dull", "poor")
CHINESE_GOOD, CHINESE_BAD = ("很好", "不错", "值得再来"), ("很差", "失望", "不会再买")
FACES = "😀😁😂🤣😃😄😅😆😉😊😋😎😍😘🥰😗"
COUNT = 300
LONG_LINE = 100 << 20


@dataclass(frozen=True)
class Sent:
    """A file that somebody sent: its name, what is in it, the exit code of `modelyard run FILE --to split`."""

    name: str
    what: str
    exit_code: int
    write: Callable[[Path], None]


def rows(count: int = COUNT) -> list[tuple[str, str]]:
    """(text, label), the classes in turn, every text different and with a comma in it."""
    words = (BAD, GOOD)
    return [
        (f"The {THINGS[n % 5]} number {n} was {words[n % 2][n % 3]}, and we said so.", ("negative", "positive")[n % 2])
        for n in range(count)
    ]


def chinese_rows() -> list[tuple[str, str]]:
    words = (CHINESE_BAD, CHINESE_GOOD)
    return [(f"第{n}次购买，{words[n % 2][n % 3]}，包装{n}", ("差评", "好评")[n % 2]) for n in range(COUNT)]


def table(content: Iterable[Sequence[str]], delimiter: str = ",", ending: str = "\n") -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=ending).writerows(content)
    return buffer.getvalue()


def text(
    content: Iterable[Sequence[str]], encoding: str = "utf-8", delimiter: str = ",", ending: str = "\n"
) -> Callable[[Path], None]:
    """Writes delimited text."""
    return lambda path: write(path, table(content, delimiter, ending).encode(encoding))


def raw(content: str | bytes) -> Callable[[Path], None]:
    return lambda path: write(path, content.encode() if isinstance(content, str) else content)


def write(path: Path, data: bytes) -> None:
    path.write_bytes(data)


def lines(values: Iterable[object]) -> Callable[[Path], None]:
    """Writes JSON Lines."""
    return raw("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values))


def labelled(labels: Sequence[str]) -> list[tuple[str, str]]:
    """The rows with other labels, in turn."""
    return [(each, labels[n % len(labels)]) for n, (each, _) in enumerate(rows())]


def with_header(content: Iterable[Sequence[str]], *names: str) -> list[Sequence[str]]:
    return [names or ("text", "label"), *content]


def broken_quoting(path: Path) -> None:
    content = table(with_header(rows())).splitlines(keepends=True)
    content[10:10] = ['"this quote is never closed,positive\n']
    content[50:50] = ['he said "fine", and more,positive\n']
    write(path, "".join(content).encode())


def mixed_encodings(path: Path) -> None:
    content = table(with_header([("Café crème, très bon", "positive"), *rows()])).encode()
    write(path, content + "Le garçon était désolé,negative\n".encode("cp1252"))


def nul_bytes(path: Path) -> None:
    content = with_header(rows())
    content[5] = (f"{content[5][0]}\x00\x00", content[5][1])
    content[6] = (content[6][0], "positive\x00")
    write(path, table(content).encode())


def long_line(path: Path) -> None:
    with path.open("wb") as file:
        file.write(table(with_header(rows())).encode())
        piece = b"x" * (1 << 20)
        for _ in range(LONG_LINE >> 20):
            file.write(piece)
        file.write(b",positive\n")


def big_cells(path: Path) -> None:
    big = [(f"{n} " + "long and fine " * 60_000, ("negative", "positive")[n % 2]) for n in range(4)]
    too_big = [("more than is read " * 70_000, "positive")]
    write(path, table(with_header([*rows(), *big, *too_big])).encode())


def workbook(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")


def categories(path: Path) -> None:
    texts, labels = zip(*rows(), strict=True)
    pq.write_table(pa.table({"text": texts, "label": pa.array(labels).dictionary_encode()}), path)


def hugging_face(path: Path) -> None:
    """As `datasets` pushes it: class numbers, their names in the schema, a file a side."""
    (path / "data").mkdir(parents=True)
    features = {
        "text": {"dtype": "string", "_type": "Value"},
        "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
    }
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    for side, part in (("train", rows()[:200]), ("validation", rows()[200:250]), ("test", rows()[250:])):
        made = pa.table({"text": [t for t, _ in part], "label": pa.array([int(b == "positive") for _, b in part])})
        pq.write_table(made.replace_schema_metadata(metadata), path / "data" / f"{side}-00000-of-00001.parquet")


def folder_of_csv(path: Path) -> None:
    path.mkdir()
    for name in ("train.csv", "test.csv"):
        write(path / name, table(with_header(rows())).encode())


def wide(columns: int) -> Callable[[Path], None]:
    names = ["text", "label", *(f"feature_{n}" for n in range(columns - 2))]
    return text([names, *([*row, *(str(n % 7) for n in range(columns - 2))] for row in rows())])


EXCEL = "\ufeffsep=;\r\n" + table([["text", "label", "", ""], *([*row, "", ""] for row in rows())], ";", "\r\n")
NESTED = [
    {"text": t, "label": b, "meta": {"source": {"shop": n % 3}, "tags": ["a"]}} for n, (t, b) in enumerate(rows())
]
TASKS = [{"id": n, "data": {"text": t}, "annotations": [{"result": [b]}]} for n, (t, b) in enumerate(rows())]
USERS = [(*row, f"u{n * 7 % 40}") for n, row in enumerate(rows())]

SENT = (
    Sent("plain.csv", "text and label, UTF-8", 0, text(with_header(rows()))),
    Sent("bom.csv", "UTF-8 with a byte order mark", 0, text(with_header(rows()), "utf-8-sig")),
    Sent("utf16.csv", "UTF-16 with a mark", 0, text(with_header(rows()), "utf-16")),
    Sent("unicode.txt", "UTF-16 without a mark, tabs", 0, text(with_header(rows()), "utf-16-le", "\t", "\r\n")),
    Sent("gbk.csv", "GBK, Chinese names of columns", 0, text(with_header(chinese_rows(), "评论", "标签"), "gbk")),
    Sent("cp1252.csv", "a Western code page", 2, text(with_header([("Très bon café, à côté", "x")] * 9), "cp1252")),
    Sent("mixed.csv", "UTF-8 with one line in another encoding", 2, mixed_encodings),
    Sent("semicolon.csv", "semicolons, as Excel writes in much of Europe", 0, text(with_header(rows()), delimiter=";")),
    Sent("tabs.csv", "tabs in a .csv", 0, text(with_header(rows()), delimiter="\t")),
    Sent("bars.txt", "bars in a .txt", 0, text(with_header(rows()), delimiter="|")),
    Sent("excel.csv", "mark, `sep=;`, CRLF, empty columns at the end", 0, raw(EXCEL)),
    Sent("trailing.csv", "a comma too many in every row", 0, text(with_header([(*row, "") for row in rows()]))),
    Sent("crlf.csv", "CRLF line ends", 0, text(with_header(rows()), ending="\r\n")),
    Sent("cr.csv", "CR line ends, from a very old spreadsheet", 0, text(with_header(rows()), ending="\r")),
    Sent("no-header.csv", "no header, the label first", 0, text([(b, t) for t, b in rows()])),
    Sent(
        "twice.csv",
        "two columns of one name",
        2,
        text(with_header([(*row, "x") for row in rows()], "text", "label", "text")),
    ),
    Sent(
        "index.csv",
        "an index column without a name, as pandas writes it",
        0,
        text(with_header([(str(n), *row) for n, row in enumerate(rows())], "", "text", "label")),
    ),
    Sent("names.csv", "other names for text and label", 0, text(with_header(rows(), "Review Text", "Sentiment"))),
    Sent(
        "two-texts.csv",
        "two columns that may be the text",
        2,
        text(with_header([(t, t, b) for t, b in rows()], "review", "content", "label")),
    ),
    Sent("no-text.csv", "numbers only", 2, text(with_header([(str(n), str(n % 2)) for n in range(COUNT)], "a", "b"))),
    Sent("users.csv", "a column user_id that comes back", 0, text(with_header(USERS, "text", "label", "user_id"))),
    Sent(
        "split.csv",
        "a column split",
        0,
        text(
            with_header(
                [(*row, ("train", "train", "train", "dev", "test")[n // 2 % 5]) for n, row in enumerate(rows())],
                "text",
                "label",
                "split",
            )
        ),
    ),
    Sent("quotes.csv", "broken quoting in two rows", 0, broken_quoting),
    Sent("nul.csv", "NUL bytes in a text and in a label", 0, nul_bytes),
    Sent("long-line.csv", "a line of 100 MB", 0, long_line),
    Sent("big-cells.csv", "texts of 0.8 MB, and one of more than 1 MiB", 0, big_cells),
    Sent("wide.csv", "300 columns", 0, wide(300)),
    Sent("too-wide.csv", "1,200 columns", 2, wide(1200)),
    Sent("empty.csv", "nothing", 2, raw(b"")),
    Sent("header-only.csv", "a header and no row", 2, raw("text,label\n")),
    Sent("one-class.csv", "one class only", 2, text(with_header(labelled(["positive"])))),
    Sent(
        "small-class.csv",
        "a class of two rows",
        2,
        text(with_header([*rows(), ("A strange one.", "odd"), ("Another.", "odd")])),
    ),
    Sent(
        "few-labels.csv",
        "five rows without a label",
        0,
        text(with_header([*rows(), *((f"unlabelled {n}", "") for n in range(5))])),
    ),
    Sent(
        "half-labels.csv",
        "every second label missing",
        2,
        text(with_header(labelled(["positive", "", "negative", ""]))),
    ),
    Sent("numbers.csv", "labels 0 and 1", 0, text(with_header(labelled(["0", "1"])))),
    Sent("floats.csv", "labels 0.0 and 1.0", 0, text(with_header(labelled(["0.0", "1.0"])))),
    Sent("booleans.csv", "labels TRUE and FALSE", 0, text(with_header(labelled(["TRUE", "FALSE"])))),
    Sent(
        "ratings.csv",
        "a measured number as the label",
        2,
        text(with_header(labelled([f"{n / 7:.3f}" for n in range(COUNT)]))),
    ),
    Sent("case.csv", "classes that differ only in case", 0, text(with_header(labelled(["Good", "good", "bad"])))),
    Sent(
        "emoji.csv",
        "texts of emoji only",
        0,
        text(
            with_header([(FACES[n % 16] + FACES[n // 16 % 16] + FACES[n // 256], b) for n, (_, b) in enumerate(rows())])
        ),
    ),
    Sent("array.json", "one JSON array", 2, raw(json.dumps([{"text": t, "label": b} for t, b in rows()]))),
    Sent("nested.jsonl", "JSON Lines with objects beside the text", 0, lines(NESTED)),
    Sent("tasks.jsonl", "JSON Lines with the text inside an object", 2, lines(TASKS)),
    Sent(
        "multi-label.jsonl",
        "a list of labels in every row",
        2,
        lines({"text": t, "label": [b, "x"]} for t, b in rows()),
    ),
    Sent("categories.parquet", "Parquet with a categorical label", 0, categories),
    Sent("hugging-face", "a folder in the Hugging Face layout", 0, hugging_face),
    Sent("csv-folder", "a folder of CSV files", 2, folder_of_csv),
    Sent(
        "reviews.csv.gz",
        "CSV compressed by gzip",
        2,
        lambda path: write(path, gzip.compress(table(with_header(rows())).encode())),
    ),
    Sent("workbook.csv", "an .xlsx that was renamed", 2, workbook),
)
