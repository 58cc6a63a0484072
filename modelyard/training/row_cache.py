"""The cache that training reads: prepared rows in flat files of a scratch folder, opened by memory mapping.

A token takes 3 bytes on disk (a vocabulary up to 32,768) and none in memory: the kernel pages in what a batch reads and
drops it when memory is short.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.errors import BadInput, Damaged
from modelyard.store.atomic import write_bytes
from modelyard.store.digests import canonical_json
from modelyard.tasks.pipeline import Array, Prepared
from modelyard.training.flat_file import FlatFile
from modelyard.training.rows import Rows, Targets

FORMAT = 2
INDEX = "index.json"
STARTS, SIZES, TARGETS, TARGET_STARTS = "starts", "sizes", "targets", "target-starts"


class RowCache:
    """The rows of one side. `index.json` is written last and says how much of the files counts, so a killed run goes
    on behind the last part it finished, and a torn file is found out and all of it made again.

    identity: what the rows were made from; a cache of something else is made anew.
    done: the parts of the Dataset that are in it.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], say: Callable[[str], None]) -> None:
        self._folder = folder
        self._identity = {"format": FORMAT, **identity}
        self._files: dict[str, FlatFile] = {}
        self._features: list[str] = []
        self._shaped: list[str] = []  # those of the features that have one shape in all rows
        self._rows = self._tokens = self._truncated = 0
        self.done = 0
        self.finished = False
        try:
            self._resume()
        except (Damaged, OSError, ValueError, KeyError, TypeError) as error:
            if (folder / INDEX).exists():
                say(f"the prepared rows in {folder.name} cannot be used and are made again: {error}")
            self._start()

    def __len__(self) -> int:
        return self._rows

    def append(self, prepared: Sequence[Prepared], targets: Targets) -> None:
        """Rows and their targets; not safe before `commit`. Raises BadInput for features unlike the rows before.

        A feature is as long as the size of its row, or has one shape in all rows.
        """
        sizes = np.fromiter((item.size for item in prepared), dtype=np.int64, count=len(prepared))
        names = sorted(prepared[0].features)
        if not self._features:
            self._features = names
            self._shaped = [name for name in names if not _as_long_as_rows(prepared, name)]
        if names != self._features or len(targets) != len(sizes):
            raise BadInput(
                f"the task prepares {', '.join(names)} and {len(targets)} targets for {len(sizes)} rows, "
                f"and {', '.join(self._features)} for the rows before",
                next="prepare must give every row the same features, targets one a row",
            )
        for place, name in enumerate(names):
            try:
                join = np.stack if name in self._shaped else np.concatenate
                values: Array = join([item.features[name] for item in prepared])
                if name not in self._shaped and len(values) != sizes.sum():
                    raise ValueError(f"{len(values)} values of {name} for rows of {sizes.sum()} in all")
                self._file(f"feature-{place}", narrow=True).append(values)
            except ValueError as error:
                raise BadInput(
                    f"the task prepares {name} otherwise than for other rows: {error}",
                    next="a feature must be as long as the size of its row, or have one shape in all rows",
                ) from None
        if not self._rows:
            self._file(STARTS).append(np.zeros(1, dtype=np.int64))
        self._file(STARTS).append(self._tokens + np.cumsum(sizes))
        self._file(SIZES).append(sizes)
        self._append_targets(targets)
        self._rows += len(sizes)
        self._tokens += int(sizes.sum())
        self._truncated += sum(item.truncated for item in prepared)

    def _append_targets(self, targets: Targets) -> None:
        """Those of a row that has several lie behind those of the row before."""
        if isinstance(targets, np.ndarray):
            self._file(TARGETS).append(targets)
            return
        before = len(self._file(TARGETS))
        if not self._rows:
            self._file(TARGET_STARTS).append(np.zeros(1, dtype=np.int64))
        self._file(TARGET_STARTS).append(before + np.cumsum([len(each) for each in targets], dtype=np.int64))
        self._file(TARGETS).append(np.concatenate(targets))

    def commit(self, done: int) -> None:
        """All that was appended, the first `done` parts of the Dataset, will be there after a crash."""
        self.done = done
        for file in self._files.values():
            file.flush()
        index = {
            "identity": self._identity,
            "done": done,
            "finished": self.finished,
            "rows": self._rows,
            "tokens": self._tokens,
            "truncated": self._truncated,
            "features": self._features,
            "shaped": self._shaped,
            "files": {name: file.state() for name, file in self._files.items()},
        }
        write_bytes(self._folder / INDEX, canonical_json(index))

    def finish(self) -> None:
        """No part comes any more."""
        self.finished = True
        self.commit(self.done)

    def rows(self) -> Rows:
        """All rows, memory-mapped. Nothing may be appended after that."""
        files = {name: self._files[f"feature-{place}"] for place, name in enumerate(self._features)}
        return Rows(
            {name: file.mapped() for name, file in files.items() if name not in self._shaped},
            self._files[STARTS].mapped(),
            self._files[SIZES].mapped(),
            self._files[TARGETS].mapped(),
            self._truncated,
            {name: file.made for name, file in files.items()},
            {name: files[name].mapped() for name in self._shaped},
            self._files[TARGET_STARTS].mapped() if TARGET_STARTS in self._files else None,
        )

    def close(self) -> None:
        for file in self._files.values():
            file.close()

    def _file(self, name: str, *, narrow: bool = False) -> FlatFile:
        if name not in self._files:
            self._files[name] = FlatFile(self._folder / f"{name}.bin", narrow=narrow)
        return self._files[name]

    def _resume(self) -> None:
        """Raises Damaged, or what reading JSON raises, when there is nothing to go on from."""
        index = json.loads((self._folder / INDEX).read_bytes())
        if index["identity"] != json.loads(canonical_json(self._identity)):
            raise Damaged("they belong to other data or settings")
        for name, state in index["files"].items():
            self._files[name] = FlatFile(self._folder / f"{name}.bin", state, narrow=name.startswith("feature-"))
        self._features, self._shaped = index["features"], index["shaped"]
        self._rows, self._tokens = index["rows"], index["tokens"]
        self._truncated, self.done, self.finished = index["truncated"], index["done"], index["finished"]

    def _start(self) -> None:
        """Files of an older cache are removed and not overwritten: somebody may still have them mapped."""
        self.close()
        self._files = {}
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)


def _as_long_as_rows(prepared: Sequence[Prepared], name: str) -> bool:
    return all(item.features[name].shape[:1] == (item.size,) for item in prepared)
