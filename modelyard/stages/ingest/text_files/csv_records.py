"""Records of delimited text (RFC 4180), going on after a broken one.

Python's csv module reads the rest of a file into one field when a quote is not closed. Here the line with the broken
quote is set aside alone, and reading goes on at the next line.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator

OPEN_QUOTE = "broken quoting"
DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}


class _TooLong(Exception):
    pass


class _Feed:
    """Hands lines to csv.reader and remembers those of the record under way, so that they can be given back."""

    def __init__(self, lines: Iterator[str | None], limit: int, first_line: int) -> None:
        self._lines = lines
        self._limit = limit
        self._back: deque[str | None] = deque()
        self.record: list[str | None] = []
        self._size = 0
        self.next_line = first_line

    def begin(self) -> int:
        """Start a record; answers its line."""
        start = self.next_line
        self.record = []
        self._size = 0
        return start

    def give_back(self, start: int) -> None:
        """All lines of the record but the first are read again."""
        self._back.extendleft(reversed(self.record[1:]))
        self.next_line = start + 1

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else next(self._lines)
        self.record.append(line)
        self.next_line += 1
        if line is None:
            raise _TooLong
        self._size += len(line)
        if self._size > self._limit:
            raise _TooLong
        return line


class Records:
    """Each record with the line it starts at: its fields, or the reason why it cannot be read."""

    def __init__(
        self, lines: Iterator[str | None], delimiter: str, limit: int, width: int | None, first_line: int
    ) -> None:
        # The module's limit holds for the whole process and is only ever raised; records are bounded by the feed.
        csv.field_size_limit(max(csv.field_size_limit(), limit + 1))
        self._feed = _Feed(lines, limit, first_line)
        self._delimiter = delimiter
        self._limit = limit
        self._width = width
        self._reader = csv.reader(self._feed, delimiter=delimiter, strict=True)

    @property
    def next_line(self) -> int:
        """The line that is read next: behind the last record, or behind the first line of a broken one."""
        return self._feed.next_line

    def __iter__(self) -> Records:
        return self

    def __next__(self) -> tuple[int, list[str] | str]:
        feed = self._feed
        while True:
            start = feed.begin()
            try:
                fields = next(self._reader)
            except (csv.Error, _TooLong) as error:
                reason = _reason(error, feed.record, self._limit)
                feed.give_back(start)
                self._reader = csv.reader(feed, delimiter=self._delimiter, strict=True)
                return start, reason
            if fields:
                return start, self._of_width(fields, start)

    def _of_width(self, fields: list[str], start: int) -> list[str] | str:
        width = self._width = self._width or len(fields)
        if len(fields) == width:
            return fields
        if len(fields) > width and not any(fields[width:]):
            return fields[:width]
        if _swallowed(self._feed.record, self._delimiter, width):
            self._feed.give_back(start)
            return OPEN_QUOTE
        return f"{len(fields)} fields, {width} expected"


def read_records(
    lines: Iterator[str | None], delimiter: str, limit: int, width: int | None = None, first_line: int = 1
) -> Records:
    """Blank lines are skipped, and empty fields past the last column (trailing delimiters) dropped.

    width: the number of fields of every record; the first record's when None. first_line: the number of the first line.
    """
    return Records(lines, delimiter, limit, width, first_line)


def _reason(error: Exception, record: list[str | None], limit: int) -> str:
    if isinstance(error, _TooLong) and len(record) == 1:
        return f"longer than {limit:,} characters"
    return "carriage return inside a field without quotes" if "new-line" in str(error) else OPEN_QUOTE


def _swallowed(record: list[str | None], delimiter: str, width: int) -> bool:
    """Whether a record of several lines with a wrong number of fields looks like rows behind a quote never closed."""
    rest = [line for line in record[1:] if line]
    return bool(rest) and sum(line.count(delimiter) == width - 1 for line in rest) * 2 >= len(rest)


def find_delimiter(sample: list[str]) -> str:
    """The delimiter under which most of the sample's records have the width of the first, at least two.

    Between equals the wider one; comma when none divides the first record.
    """

    def score(delimiter: str) -> tuple[float, int]:
        records = [fields for _, fields in read_records(iter(sample), delimiter, 1 << 30)]
        whole = [fields for fields in records if isinstance(fields, list)]
        if not whole or len(whole[0]) < 2:
            return 0.0, 0
        return len(whole) / len(records), len(whole[0])

    return max(DELIMITERS, key=score)
