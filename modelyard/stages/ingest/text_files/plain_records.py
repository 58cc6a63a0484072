"""Records of delimited text in whole columns, as far as they are plainly written.

Many times as fast as `csv_records`, which reads one record after the other, and equal to it where it reads: it stops
before the first record that is not plain and leaves that one to the other. A record is plain when

- each quote in it opens a field, closes one or is one of a doubled pair inside one; before the first quoted field of a
  text quotes inside a field are content;
- a carriage return outside quotes stands only before the line feed;
- it takes no more bytes than a record may have characters;
- it has as many fields as the header, or lies on one line: then it is wrong, and nothing but its width can be.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LINE_FEED, CARRIAGE_RETURN, QUOTE = 10, 13, 34

Bytes = np.ndarray[Any, np.dtype[np.uint8]]
Places = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class PlainRecords:
    """The plain records at the start of a text, whose lines and bytes are counted from 0.

    fields: where the values of each column of the good records begin and end, quotes included, and `quotes` all that
    stand in or around them. lines: where each of the good records starts; next_lines, next_bytes: what stands behind
    each, and at the end what stands behind all records and blank lines. Of the records of another width: wrong_lines,
    wrong_widths, and wrong_before, the good ones before each. stopped: at a record that is not plain, and not for want
    of text.
    """

    text: bytes | memoryview
    quotes: Places
    fields: list[tuple[Places, Places]]
    lines: Places
    next_lines: Places
    next_bytes: Places
    wrong_lines: Places
    wrong_widths: Places
    wrong_before: Places
    stopped: bool

    @cached_property
    def columns(self) -> list[pa.LargeStringArray]:
        """The values of the good records, made when they are asked for: half of what reading costs."""
        return [_values(self.text, self.quotes, starts, ends) for starts, ends in self.fields]

    def behind(self, count: int) -> tuple[int, int]:
        """The byte and the line behind so many good records; behind everything when there are not so many."""
        place = min(count - 1, len(self.lines))
        return int(self.next_bytes[place]), int(self.next_lines[place])

    def wrong_between(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Line and number of fields of the wrong records from behind good record `begin` on, to that before `end`."""
        here = (begin <= self.wrong_before) & (self.wrong_before < end)
        return list(zip(self.wrong_lines[here].tolist(), self.wrong_widths[here].tolist(), strict=True))


def read_plain(text: bytes | memoryview, delimiter: bytes, width: int, limit: int) -> PlainRecords:
    """text: UTF-8 from the start of a record to the end of a line, or of the file. limit: the most bytes of a record.

    Blank lines are skipped, and empty fields past the last column dropped, as `read_records` does.
    """
    data: Bytes = np.frombuffer(text, dtype=np.uint8)
    line_ends = np.flatnonzero(data == LINE_FEED)
    if len(data) and data[-1] != LINE_FEED:
        line_ends = np.append(line_ends, len(data))
    delimiters = np.flatnonzero(data == ord(delimiter))
    quotes = _structural_quotes(data, delimiter)
    stop = min(_broken_quote(data, quotes, delimiter), _lone_return(data, quotes))

    ends = line_ends[_outside(line_ends, quotes) & (line_ends < stop)]
    starts = np.concatenate([[0], ends + 1])[: len(ends)]
    content_ends = ends - ((ends > starts) & (data[ends - 1] == CARRIAGE_RETURN))
    delimiters = delimiters[_outside(delimiters, quotes)]
    first = np.searchsorted(delimiters, starts)
    widths = np.searchsorted(delimiters, content_ends) - first + 1
    lines, last_lines = np.searchsorted(line_ends, starts), np.searchsorted(line_ends, ends)

    # Where the last column ends: at its delimiter when fields stand behind it.
    wider = widths > width
    column_ends = content_ends.copy()
    column_ends[wider] = delimiters[first[wider] + width - 1]
    padded = wider & (content_ends - column_ends == widths - width)
    blank = content_ends == starts
    good = ~blank & ((widths == width) | padded)
    wrong = ~blank & ~good
    # A field past the last column that is written "" is empty too.
    quoted_behind = wider & (np.searchsorted(quotes, content_ends) > np.searchsorted(quotes, column_ends))
    strange = (wrong & ((last_lines > lines) | quoted_behind)) | (ends - starts >= limit)
    count = int(np.argmax(strange)) if strange.any() else len(ends)

    next_bytes, next_lines = np.minimum(ends + 1, len(data)), last_lines + 1
    kept = np.flatnonzero(good[:count])
    bad = np.flatnonzero(wrong[:count])
    return PlainRecords(
        text,
        quotes,
        _fields(starts[kept], column_ends[kept], delimiters, first[kept], width),
        lines[kept],
        np.append(next_lines[kept], next_lines[count - 1] if count else 0),
        np.append(next_bytes[kept], next_bytes[count - 1] if count else 0),
        lines[bad],
        widths[bad],
        np.searchsorted(kept, bad),
        count < len(ends) or stop <= len(data),
    )


def _structural_quotes(data: Bytes, delimiter: bytes) -> Places:
    """The quotes from the first that begins a field on: those before are content, and divide nothing."""
    quotes = np.flatnonzero(data == QUOTE)
    opening = _behind_a_boundary(data, quotes, delimiter)
    return quotes[int(np.argmax(opening)) :] if opening.any() else quotes[:0]


def _behind_a_boundary(data: Bytes, places: Places, delimiter: bytes) -> Flags:
    before = data[places - 1]
    flags: Flags = (before == ord(delimiter)) | (before == LINE_FEED) | (places == 0)
    return flags


def _broken_quote(data: Bytes, quotes: Places, delimiter: bytes) -> int:
    """The first quote that is none of a quoted field's, or the length of the data.

    The quotes of well-formed fields open and close in turn; a doubled pair closes and opens again at once.
    """
    paired = np.diff(quotes) == 1
    opening, closing = quotes[0::2], quotes[1::2]
    opens = _behind_a_boundary(data, opening, delimiter)
    opens[1:] |= paired[1::2]
    behind = data[np.minimum(closing + 1, len(data) - 1)]
    closes = (behind == ord(delimiter)) | (behind == LINE_FEED) | (behind == CARRIAGE_RETURN)
    closes |= closing == len(data) - 1
    closes[: len(paired[1::2])] |= paired[1::2]
    broken = [places[~fine][0] for places, fine in ((opening, opens), (closing, closes)) if not fine.all()]
    return int(min(broken, default=len(data) + 1))


def _lone_return(data: Bytes, quotes: Places) -> int:
    """The first carriage return outside quotes that is not followed by a line feed or the end, or the length."""
    returns = np.flatnonzero(data == CARRIAGE_RETURN)
    if not len(returns):
        return len(data) + 1
    returns = returns[_outside(returns, quotes)]
    alone = returns[(data[np.minimum(returns + 1, len(data) - 1)] != LINE_FEED) & (returns < len(data) - 1)]
    return int(alone[0]) if len(alone) else len(data) + 1


def _outside(places: Places, quotes: Places) -> Flags:
    """Which of the places have an even number of quotes before them."""
    runs = np.diff(np.searchsorted(places, quotes), prepend=0, append=len(places))
    return np.repeat(np.arange(len(quotes) + 1) % 2 == 0, runs)


def _fields(
    starts: Places, column_ends: Places, delimiters: Places, first: Places, width: int
) -> list[tuple[Places, Places]]:
    """Where the values of each column begin and end."""
    inner = [delimiters[first + place] for place in range(width - 1)]
    return list(zip([starts, *(place + 1 for place in inner)], [*inner, column_ends], strict=True))


def _values(text: bytes | memoryview, quotes: Places, starts: Places, ends: Places) -> pa.LargeStringArray:
    data: Bytes = np.frombuffer(text, dtype=np.uint8)
    quoted = (ends > starts) & (data[np.minimum(starts, len(data) - 1)] == QUOTE)
    starts, ends = starts + quoted, ends - quoted
    values = _strings(pa.py_buffer(text), starts, ends)
    doubled = quoted & (np.searchsorted(quotes, ends) > np.searchsorted(quotes, starts))
    if not doubled.any():
        return values
    single = pc.replace_substring(values.filter(pa.array(doubled)), '""', '"')
    return pc.replace_with_mask(values, pa.array(doubled), single)


def _strings(buffer: pa.Buffer, starts: Places, ends: Places) -> pa.LargeStringArray:
    """The pieces of the buffer as strings: every second one of those that lie between all the places."""
    if not len(starts):
        return pa.array([], type=pa.large_string())
    offsets = np.stack([starts, ends], axis=1)
    between = pa.LargeStringArray.from_buffers(offsets.size - 1, pa.py_buffer(offsets.tobytes()), buffer)
    return between.take(pa.array(np.arange(0, offsets.size, 2)))
