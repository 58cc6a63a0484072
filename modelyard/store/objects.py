"""Content-addressed files, and the folders that they are made in."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from modelyard.errors import Damaged
from modelyard.store.atomic import ensure_directory, new_directory, sync_directory
from modelyard.store.digests import digest_file


class Objects:
    """objects/ (Parquet files) and temporary/ of a store."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.temporary = self.root / "temporary"
        self.temporary.mkdir(parents=True, exist_ok=True)

    def object(self, digest: str, suffix: str) -> Path:
        """The path of a content-addressed file. Raises Damaged when it is missing."""
        path = self._object_path(digest, suffix)
        if not path.is_file():
            raise Damaged(
                f"{path.name} is missing from the store",
                where=str(path.parent),
                next="run the chain again: the stage that made it will make it again",
            )
        return path

    def has_object(self, digest: str, suffix: str) -> bool:
        return self._object_path(digest, suffix).is_file()

    def _object_path(self, digest: str, suffix: str) -> Path:
        return self.root / "objects" / digest[:2] / f"{digest}.{suffix}"

    def add_object(self, path: Path, suffix: str) -> str:
        """Move a finished file (on the same disk) into the store; answers its digest. A damaged twin is replaced."""
        digest = digest_file(path)
        target = self._object_path(digest, suffix)
        if target.is_file() and digest_file(target) == digest:
            path.unlink()
            return digest
        ensure_directory(target.parent)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.replace(target)
        sync_directory(target.parent)
        return digest

    @contextlib.contextmanager
    def new_directory(self) -> Iterator[Path]:
        """A folder to build an artifact in; it disappears unless `add` took it."""
        with new_directory(self.temporary) as folder:
            yield folder
