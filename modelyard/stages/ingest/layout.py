"""What a source is: one file of a known kind, or a directory in the Hugging Face layout."""

from __future__ import annotations

import re
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from modelyard.errors import BadInput
from modelyard.stages.ingest.config import DirectoryFormat, Format
from modelyard.stages.ingest.picture_folders.coco import coco_files, is_coco
from modelyard.stages.ingest.picture_folders.picture_files import files_under, is_picture
from modelyard.stages.ingest.picture_folders.yolo import yolo_file
from modelyard.stages.ingest.sides import SIDES
from modelyard.store.digests import digest_file, digest_json
from modelyard.store.materialize import DATASET_FILE

ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".txt": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
# What a file is by its first bytes, whatever it is called, and what to do with it. {file}: its name.
SIGNATURES = (
    (b"\x1f\x8b", "compressed by gzip", "unpack it: gunzip -k {file}"),
    (b"BZh", "compressed by bzip2", "unpack it: bunzip2 -k {file}"),
    (b"\xfd7zXZ", "compressed by xz", "unpack it: unxz -k {file}"),
    (b"\x28\xb5\x2f\xfd", "compressed by zstd", "unpack it: unzstd {file}"),
    (b"\xd0\xcf\x11\xe0", "an Office file (an .xls workbook?)", "open it and save the sheet as CSV (UTF-8)"),
    (b"%PDF", "a PDF", "give the rows as CSV, JSON Lines or Parquet"),
    (b"SQLite format 3", "an SQLite database", 'write the rows to CSV: sqlite3 -csv -header {file} "SELECT ..."'),
    (b"ARROW1", "an Arrow file", "save it as Parquet"),
)
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
        if asked not in (None, *get_args(DirectoryFormat)):
            raise BadInput(f"{source} is a directory, not a {asked} file", where=str(source), next="give one file")
        return asked or _directory_kind(source)
    if asked in get_args(DirectoryFormat):
        raise BadInput(f"{source} is a file, not a directory", where=str(source), next="leave ingest.format out")
    found = asked or ENDINGS.get(source.suffix.lower())
    _refuse_disguised(source, found)
    if asked is None and found == "jsonl" and is_coco(source):
        raise BadInput(
            f"{source.name} is a COCO document: its pictures lie elsewhere",
            where=str(source),
            next="give the folder that holds it and the pictures",
        )
    if found is None:
        advice = "save the sheet as CSV (UTF-8)" if source.suffix.lower() in (".xlsx", ".xls", ".ods") else None
        raise BadInput(
            f"{source.name} has no ending that is known",
            where=str(source),
            next=advice or f"name it {', '.join(ENDINGS)}, or set ingest.format",
        )
    return found


def _directory_kind(folder: Path) -> DirectoryFormat:
    """Parquet files come first: so Modelyard and `datasets` write. What holds nothing that is known is taken for them
    too, so that what is missing is said."""
    if any(parquet_files(folder)):
        return "huggingface"
    if yolo_file(folder) is not None:
        return "yolo"
    if coco_files(folder):
        return "coco"
    return "imagefolder" if any(map(is_picture, files_under(folder))) else "huggingface"


def _refuse_disguised(source: Path, found: Format | None) -> None:
    """Raises BadInput for a file whose first bytes say that it is no text, and what to do with it."""
    try:
        with source.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise BadInput(
            f"{source.name} cannot be read: {error.strerror}", where=str(source), next="check its permissions"
        ) from error
    for signature, what, advice in SIGNATURES:
        if start.startswith(signature):
            raise BadInput(f"{source.name} is {what}", where=str(source), next=advice.format(file=source.name))
    if start.startswith(b"PK\x03\x04"):
        workbook = _is_workbook(source)
        raise BadInput(
            f"{source.name} is {'an Excel workbook' if workbook else 'a ZIP archive'}, whatever it is called",
            where=str(source),
            next="open it and save the sheet as CSV (UTF-8)" if workbook else f"unpack it: unzip {source.name}",
        )
    if start.startswith(b"PAR1") and found != "parquet":
        raise BadInput(
            f"{source.name} is a Parquet file, whatever it is called",
            where=str(source),
            next="name it .parquet, or set ingest.format to parquet",
        )


def _is_workbook(source: Path) -> bool:
    try:
        with zipfile.ZipFile(source) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except zipfile.BadZipFile:
        return False


def parquet_files(folder: Path) -> list[Path]:
    """Those of a directory, in data/ or at its top."""
    return sorted(path for place in (folder / "data", folder) for path in place.glob("*.parquet") if path.is_file())


def content_files(source: Path, asked: Format | None) -> list[DataFile]:
    """Every file that `ingest` reads of a source, in its order. asked: `ingest.format`."""
    if not source.is_dir():
        return [DataFile(source, source.name)]
    if find_format(source, asked) == "huggingface":
        return data_files(source, [])
    return [DataFile(source / name, name) for name in files_under(source)]


def data_files(folder: Path, notes: list[str]) -> list[DataFile]:
    """The Parquet files of a directory (in data/ or at its top), sorted by side and name.

    Files named after a side (`train-00000-of-00002.parquet`, `test.parquet`) belong to it; where no file is, there is
    no split. Raises BadInput when there is none, or only some are named after a side.
    """
    found = parquet_files(folder)
    if not found:
        others = sorted(path for path in folder.glob("*") if path.suffix.lower() in ENDINGS and path.is_file())
        shown = ", ".join(path.name for path in others[:5]) + (", ..." if len(others) > 5 else "")
        raise BadInput(
            f"{folder.name} is a directory without Parquet files" + (f"; it holds {shown}" if others else ""),
            where=str(folder),
            next=f"give one file, as {others[0]}; what belongs to test or validation can be said in a column `split`"
            if others
            else "a directory holds data/train-*.parquet, data/test-*.parquet (Hugging Face layout), or pictures "
            "(COCO, YOLO, folders of classes)",
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


def source_digest(source: Path, asked: Format | None = None) -> str:
    """The digest of what `ingest` would read: the kind and the bytes of the data files, no place or time. asked:
    `ingest.format`, which says whose files are the data where there are several kinds."""
    kind = find_format(source, asked) if source.is_dir() else source.suffix.lower()
    if not source.is_dir():
        return digest_json({"kind": kind, "content": digest_file(source)})
    files = {file.name: digest_file(file.path) for file in content_files(source, asked)}
    manifest = source / DATASET_FILE
    if manifest.is_file():
        files[DATASET_FILE] = digest_file(manifest)
    return digest_json({"kind": kind, "content": files})
