"""What a source is: one file of a known kind, or a directory in the Hugging Face layout."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from modelyard.errors import BadInput
from modelyard.stages.ingest.config import Format
from modelyard.store.digests import digest_file, digest_json
from modelyard.store.materialize import DATASET_FILE

ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
SIDES = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
_SPLIT_NAME = re.compile(r"^(?P<split>[A-Za-z0-9_]+?)(?:-\d+-of-\d+)?$")


@dataclass(frozen=True)
class DataFile:
    """One file of rows: its name seen from the source, and the side that its name gives it."""

    path: Path
    name: str
    split: str | None = None


def find_format(source: Path, asked: Format | None) -> Format:
    """Raises BadInput with the kinds there are."""
    if not source.exists():
        raise BadInput(f"{source} does not exist", where=str(source), next="check the path")
    if source.is_dir():
        if asked not in (None, "huggingface"):
            raise BadInput(f"{source} is a directory, not a {asked} file", where=str(source), next="give one file")
        return "huggingface"
    if asked == "huggingface":
        raise BadInput(f"{source} is a file, not a directory", where=str(source), next="leave ingest.format out")
    found = asked or ENDINGS.get(source.suffix.lower())
    if found is None:
        advice = "save the sheet as CSV (UTF-8)" if source.suffix.lower() in (".xlsx", ".xls", ".ods") else None
        raise BadInput(
            f"{source.name} has no ending that is known",
            where=str(source),
            next=advice or f"name it {', '.join(ENDINGS)}, or set ingest.format",
        )
    return found


def data_files(folder: Path, notes: list[str]) -> list[DataFile]:
    """The Parquet files of a directory (in data/ or at its top), sorted by side and name.

    Files named after a side (`train-00000-of-00002.parquet`, `test.parquet`) belong to it; where no file is, there is
    no split. Raises BadInput when there is none, or only some are named after a side.
    """
    found = sorted(path for place in (folder / "data", folder) for path in place.glob("*.parquet") if path.is_file())
    if not found:
        raise BadInput(
            f"{folder} holds no Parquet files",
            where=str(folder),
            next="the Hugging Face layout is data/train-*.parquet, data/test-*.parquet; for other data give one file",
        )
    files = [DataFile(path, path.relative_to(folder).as_posix(), _side(path.stem)) for path in found]
    named = [file for file in files if file.split is not None]
    if named and len(named) < len(files):
        other = [file.name for file in files if file.split is None]
        notes.append(f"files of no known side (train, validation, test) are left out: {', '.join(other)}")
        files = named
    return sorted(files, key=lambda file: (list(SIDES.values()).index(file.split) if file.split else 0, file.name))


def _side(stem: str) -> str | None:
    match = _SPLIT_NAME.match(stem)
    return SIDES.get(match["split"].lower()) if match else None


def source_digest(source: Path) -> str:
    """The digest of what `ingest` would read: the kind and the bytes of the data files, no place or time."""
    kind = find_format(source, None) if source.is_dir() else source.suffix.lower()
    if not source.is_dir():
        return digest_json({"kind": kind, "content": digest_file(source)})
    files = {file.name: digest_file(file.path) for file in data_files(source, [])}
    manifest = source / DATASET_FILE
    if manifest.is_file():
        files[DATASET_FILE] = digest_file(manifest)
    return digest_json({"kind": kind, "content": files})
