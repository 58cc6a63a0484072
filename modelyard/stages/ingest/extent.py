"""How far a source was read: its files, their sizes, and whether more rows may simply follow."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from modelyard.stages.ingest.layout import data_files


@dataclass(frozen=True)
class SourceFile:
    """A file of rows as it lies there now. name: as seen from the source; modified: nanoseconds."""

    path: Path
    name: str
    size: int
    modified: int


def source_files(source: Path) -> list[SourceFile]:
    """The files that `ingest` reads, in its order."""
    files = [(file.path, file.name) for file in data_files(source, [])] if source.is_dir() else [(source, source.name)]
    stats = [(path, name, path.stat()) for path, name in files]
    return [SourceFile(path, name, stat.st_size, stat.st_mtime_ns) for path, name, stat in stats]
