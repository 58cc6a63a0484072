"""A journal: one line of JSON for each piece of work that is done, on the disk before the next piece is begun."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from modelyard.store.atomic import write_bytes
from modelyard.store.digests import canonical_json, digest_json


class Journal:
    """What killed runs of the same work had finished, in order; the next run goes on behind it.

    Write an entry when all that it speaks of lies safely on the disk. A line that a killed run left torn does not
    count.
    """

    def __init__(self, path: Path, identity: Any) -> None:
        """identity: JSON of all that the work depends on; a journal of other work is begun anew."""
        self._path = path
        self.entries: list[dict[str, Any]] = []
        first = canonical_json({"work": digest_json(identity)}) + b"\n"
        lines = path.read_bytes().splitlines(keepends=True) if path.is_file() else []
        if not lines or lines[0] != first:
            write_bytes(path, first)
            self._ends = [len(first)]
            return
        self._ends = [len(first)]
        for line in lines[1:]:
            try:
                entry = json.loads(line) if line.endswith(b"\n") else None
            except ValueError:
                entry = None
            if not isinstance(entry, dict):
                break
            self.entries.append(entry)
            self._ends.append(self._ends[-1] + len(line))
        self.keep(len(self.entries))

    def add(self, entry: dict[str, Any]) -> None:
        """A piece is done."""
        line = canonical_json(entry) + b"\n"
        with self._path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self.entries.append(entry)
        self._ends.append(self._ends[-1] + len(line))

    def keep(self, count: int) -> None:
        """Only the first entries count: what those behind them speak of is gone."""
        del self.entries[count:], self._ends[count + 1 :]
        os.truncate(self._path, self._ends[-1])
