"""An array on disk that grows along its first axis: raw values without a header, read through a memory map."""

from __future__ import annotations

import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.errors import Damaged
from modelyard.tasks.pipeline import Array

PIECE = 1 << 22  # bytes that are read at once when a file is checked or widened
WHOLE_NUMBERS = tuple(np.dtype(name) for name in ("int8", "int16", "int32", "int64"))


class FlatFile:
    """narrow: whole numbers take the narrowest type that holds all of them so far: a token id 2 or 4 bytes, a mask one.

    `state()` after `flush()` names what lies safely on disk; `FlatFile(path, state)` goes on from there and cuts off
    what a killed writer left behind it.
    """

    def __init__(self, path: Path, state: Mapping[str, Any] | None = None, *, narrow: bool = False) -> None:
        """Raises Damaged when the file does not hold what the state says."""
        self.path = path
        self._narrow = narrow
        self._dtype: np.dtype[Any] | None = None
        self._made: np.dtype[Any] | None = None
        self._tail: tuple[int, ...] = ()
        self._length = self._checksum = 0
        if state is not None:
            self._dtype, self._made = np.dtype(state["dtype"]), np.dtype(state["made"])
            self._tail, self._length, self._checksum = tuple(state["tail"]), state["length"], state["crc32"]
            self._verify()
        self._file = path.open("ab")

    def __len__(self) -> int:
        return self._length

    @property
    def made(self) -> np.dtype[Any]:
        """The type that the values had when they were given."""
        assert self._made is not None, "nothing was appended"
        return self._made

    def append(self, values: Array) -> None:
        """values: [n, *tail], the tail the same every time."""
        kind = _narrowest(values) if self._narrow else values.dtype
        if self._dtype is None or self._made is None:
            self._dtype, self._made, self._tail = kind, values.dtype, values.shape[1:]
        if values.shape[1:] != self._tail:
            raise ValueError(f"values of shape {values.shape[1:]} after values of shape {self._tail}")
        self._made = np.promote_types(self._made, values.dtype)
        wide = np.promote_types(self._dtype, kind)
        if wide != self._dtype:
            self._widen(wide)
        content = np.ascontiguousarray(values, dtype=wide).tobytes()
        self._file.write(content)
        self._checksum = zlib.crc32(content, self._checksum)
        self._length += len(values)

    def flush(self) -> None:
        """Bring what was appended to the disk itself."""
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        self._file.close()

    def state(self) -> dict[str, Any]:
        """As JSON."""
        assert self._dtype is not None, "nothing was appended"
        return {
            "dtype": self._dtype.str,
            "made": self.made.str,
            "tail": list(self._tail),
            "length": self._length,
            "crc32": self._checksum,
        }

    def mapped(self) -> Array:
        """The values, read from the disk when they are looked at; a plain array that cannot be written to."""
        assert self._dtype is not None, "nothing was appended"
        self._file.flush()
        # A view of the base class: slicing np.memmap itself costs ten times as much.
        return np.asarray(np.memmap(self.path, self._dtype, mode="r", shape=(self._length, *self._tail)))

    def _bytes(self) -> int:
        assert self._dtype is not None
        return self._length * self._dtype.itemsize * int(np.prod(self._tail, dtype=np.int64))

    def _verify(self) -> None:
        left, checksum = self._bytes(), 0
        try:
            with self.path.open("r+b") as file:
                while left and (piece := file.read(min(PIECE, left))):
                    checksum, left = zlib.crc32(piece, checksum), left - len(piece)
                if left or checksum != self._checksum:
                    raise Damaged(f"{self.path.name} is torn", where=str(self.path.parent))
                if file.read(1):
                    file.truncate(self._bytes())
        except FileNotFoundError:
            raise Damaged(f"{self.path.name} is missing", where=str(self.path.parent)) from None

    def _widen(self, dtype: np.dtype[Any]) -> None:
        """Rewrite what is there in a wider type. Killed in between, the state on disk no longer fits: `Damaged`."""
        self._file.close()
        wide, checksum = self.path.with_name(f"{self.path.name}.wide"), 0
        with self.path.open("rb") as narrow_file, wide.open("wb") as file:
            while piece := narrow_file.read(PIECE):
                content = np.frombuffer(piece, self._dtype).astype(dtype).tobytes()
                file.write(content)
                checksum = zlib.crc32(content, checksum)
        wide.replace(self.path)
        self._dtype, self._checksum = dtype, checksum
        self._file = self.path.open("ab")


def _narrowest(values: Array) -> np.dtype[Any]:
    """The narrowest signed type that holds the whole numbers; any other type as it is."""
    if values.dtype not in WHOLE_NUMBERS:
        return values.dtype
    least, most = int(values.min(initial=0)), int(values.max(initial=0))
    return next(kind for kind in WHOLE_NUMBERS if np.iinfo(kind).min <= least and most <= np.iinfo(kind).max)
