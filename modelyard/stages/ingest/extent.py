"""How far a source was read, and whether it has only grown since: then the rows that were there are kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.stages.ingest.batch import Source
from modelyard.stages.ingest.config import Format, IngestConfig
from modelyard.stages.ingest.layout import content_files, data_files
from modelyard.stages.ingest.opening import Opened
from modelyard.stages.ingest.parquet import open_parquet
from modelyard.stages.ingest.tally import Tally
from modelyard.stages.ingest.text_files.lines import character_unit, line_ending
from modelyard.store import Dataset
from modelyard.store.digests import CHUNK, digest_file

MOST_BYTES_A_CHARACTER = 4
HEAD = 1 << 16
DIRECTORY: Format = "huggingface"  # a directory that grows by whole files


@dataclass(frozen=True)
class SourceFile:
    """A file of rows as it lies there now. name: as seen from the source; modified: nanoseconds."""

    path: Path
    name: str
    size: int
    modified: int


@dataclass(frozen=True)
class Earlier:
    """What ingest made of a source before more rows came. extent: what its Report says under that name."""

    dataset: Dataset
    extent: Mapping[str, Any]

    @property
    def tally(self) -> Tally:
        return Tally.from_json(self.extent["tally"])


def source_files(source: Path, asked: Format | None) -> list[SourceFile]:
    """The files that `ingest` reads, in its order. asked: `ingest.format`."""
    stats = [(file, file.path.stat()) for file in content_files(source, asked)]
    return [SourceFile(file.path, file.name, stat.st_size, stat.st_mtime_ns) for file, stat in stats]


def extent_of(
    source: Path, files: list[SourceFile], read_as: Mapping[str, Any], tally: Tally, config: IngestConfig
) -> dict[str, Any] | None:
    """What to keep of a source that was read to its end; None when rows that come later cannot simply follow.

    files: as they were before.
    """
    grows = read_as["format"] == DIRECTORY if source.is_dir() else _closed(files[0], read_as, tally, config)
    if not grows or source_files(source, config.format) != files:
        return None
    return {
        "files": [
            {
                "name": file.name,
                "bytes": file.size,
                "head": _digest_up_to(file.path, min(HEAD, file.size)),
                "digest": digest_file(file.path),
            }
            for file in files
        ],
        "read_as": dict(read_as),
        "tally": tally.as_json(),
    }


def _closed(file: SourceFile, read_as: Mapping[str, Any], tally: Tally, config: IngestConfig) -> bool:
    """Whether lines that are appended to a file of text are new rows and change none before them.

    No quote was found to be open so near its end that it might close now. The last line may lack its end, when that is
    what comes first.
    """
    encoding, after = read_as.get("encoding"), tally.after
    if after is None or encoding is None or character_unit(encoding) != np.uint8:
        return False
    last = _bytes(file.path, file.size - 1, file.size)
    if line_ending(file.path, encoding) != "\n" or last == b"\r" or (last != b"\n" and after.offset < file.size):
        return False
    far = MOST_BYTES_A_CHARACTER * config.max_row_characters
    return tally.open_quote is None or file.size - tally.open_quote.offset > far


def _bytes(path: Path, start: int, end: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(end - start)


def _line_end(path: Path, size: int) -> int | None:
    """How many bytes behind the first `size` end their last line: 0 when it has ended, None when it goes on."""
    last, behind = _bytes(path, size - 1, size), _bytes(path, size, size + 2)
    if last == b"\n":
        return 0
    return next((len(end) for end in (b"\n", b"\r\n") if behind.startswith(end)), None)


def what_follows(source: Path, config: IngestConfig, opened: Opened, earlier: Earlier) -> Source | None:
    """The rows behind those of `earlier`; None when the source did more than grow, or is read in another way now."""
    extent = earlier.extent
    plain = [replace(column, classes=()) for column in earlier.dataset.columns]
    if extent["read_as"] != opened.source.details or plain != opened.columns or not has_grown(source, extent):
        return None
    if source.is_dir():
        were = {file["name"] for file in extent["files"]}
        further = [file for file in data_files(source, []) if file.name not in were]
        return open_parquet(further, config, DIRECTORY)
    after, rest = earlier.tally.after, _line_end(source, extent["files"][0]["bytes"])
    if after is None or rest is None:
        return None
    start = replace(after, file=source.name, offset=after.offset + rest)
    return replace(opened.source, batches=opened.source.read_from(start))


def has_grown(source: Path, extent: Mapping[str, Any]) -> bool:
    """Whether the source holds the same bytes as far as it was read, and more lines behind them, or further files."""
    was = extent["files"]
    if source.is_dir() != (extent["read_as"]["format"] == DIRECTORY):
        return False
    if source.is_dir():
        now = {file.name: file for file in source_files(source, DIRECTORY)}
        sizes = {name: file.size for name, file in now.items()}
        if len(now) <= len(was) or any(sizes.get(file["name"]) != file["bytes"] for file in was):
            return False
        return all(digest_file(now[file["name"]].path) == file["digest"] for file in was)
    (file,) = was
    end: int = file["bytes"]
    if source.stat().st_size <= end or _line_end(source, end) is None:
        return False
    # The first bytes refute another file without a look at all of it.
    return all(_digest_up_to(source, size) == file[name] for name, size in (("head", min(HEAD, end)), ("digest", end)))


def _digest_up_to(path: Path, end: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while end and (chunk := file.read(min(CHUNK, end))):
            digest.update(chunk)
            end -= len(chunk)
    return digest.hexdigest()
