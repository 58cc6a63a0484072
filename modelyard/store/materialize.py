"""A Dataset as a plain directory in the Hugging Face layout: `datasets.load_dataset(folder)` opens it.

data/train-00000-of-00002.parquet ..., README.md (which files are which side) and dataset.json (roles, classes, digest),
from which `ingest` restores row ids, roles and split.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from modelyard.errors import BadInput
from modelyard.fields import FIELDS
from modelyard.store.atomic import ensure_directory, new_directory, publish_directory, sync_directory
from modelyard.store.dataset import ROW_ID_TYPE, SPLIT, Dataset, PartView
from modelyard.store.digests import canonical_json
from modelyard.store.journal import Journal
from modelyard.store.row_id_columns import show_row_ids
from modelyard.store.work_folder import work_folder
from modelyard.store.writers import write_parquet

DATASET_FILE = "dataset.json"
OF = "-of-"
SIDES = ("train", "validation", "test")
# How the columns of a Dataset are stored; a row id is shown as text, because other tools do not read 20 raw bytes, and
# a picture as `datasets` keeps one (its class Image), whose path is not known any more.
TYPES: dict[str, pa.DataType] = {
    "text": pa.large_string(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "row_id": ROW_ID_TYPE,
    "image": FIELDS["image"].arrow_type(),
    "boxes": FIELDS["boxes"].arrow_type(),
}
SHOWN_IMAGE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])


def materialize(
    dataset: Dataset,
    folder: Path,
    work: Path | None = None,
    passed_on: Callable[[Iterable[PartView]], Iterable[PartView]] = lambda views: views,
) -> Path:
    """Write the selected rows of all parts; without a split (or where a row has none) they are train.

    The directory appears whole or not at all; one that Modelyard wrote before is replaced. A killed one goes on behind
    the parts that it had written. Memory holds two parts.
    work: where it is made, on the same disk; beside the folder when none is given. passed_on: tells how far it is.
    Raises BadInput when the folder holds something else.
    """
    _check_target(folder)
    if work is None:
        with work_folder(folder.resolve(), {"written": dataset.digest}) as beside:
            return materialize(dataset, folder, beside, passed_on)
    building, journal = work / "folder", Journal(work / "files.jsonl", dataset.digest)
    if not journal.entries:
        shutil.rmtree(building, ignore_errors=True)
    ensure_directory(building / "data")
    kinds, rows = _write_data(dataset, building / "data", journal, passed_on)
    described = [{**column.as_json(), "type": kinds[column.name]} for column in dataset.columns]
    (building / DATASET_FILE).write_bytes(
        canonical_json({"format": 1, "digest": dataset.digest, "columns": described, "rows": rows}) + b"\n"
    )
    (building / "README.md").write_text(_card(rows), encoding="utf-8")
    _replace(building, folder.resolve())
    return folder


def _check_target(folder: Path) -> None:
    replaceable = folder.is_dir() and (not any(folder.iterdir()) or _is_ours(folder))
    if folder.exists() and not replaceable:
        raise BadInput(
            f"{folder} holds something that Modelyard did not write; nothing was changed",
            where=str(folder),
            next="name an empty or a new directory",
        )


def _is_ours(folder: Path) -> bool:
    try:
        value = json.loads((folder / DATASET_FILE).read_bytes())
        return isinstance(value, dict) and "columns" in value and "digest" in value
    except (OSError, ValueError):
        return False


def _write_data(
    dataset: Dataset,
    folder: Path,
    journal: Journal,
    passed_on: Callable[[Iterable[PartView]], Iterable[PartView]],
) -> tuple[dict[str, str], dict[str, int]]:
    """One file a part and side. Answers the kind of storage of each column, and the rows of each side.

    While a part is written the next one is read: reading, compressing and writing let go of the interpreter.
    """
    _take_up(folder, journal)
    done = len(journal.entries)
    with ThreadPoolExecutor(max_workers=1) as writer:
        under_way: Future[None] | None = None
        for view in passed_on(dataset.views()):
            if view.index < done:
                continue
            part = _read_part(view)
            if under_way is not None:
                under_way.result()
            under_way = writer.submit(_write_part, part, folder, journal)
        if under_way is not None:
            under_way.result()
    files, rows = _files(journal), _rows(journal)
    if not rows:
        raise BadInput("the dataset has no rows to write")
    for side, count in files.items():
        for number in range(count):
            (folder / _name(side, number)).rename(folder / f"{side}-{number:05d}{OF}{count:05d}.parquet")
    return journal.entries[-1]["kinds"], {side: rows[side] for side in SIDES if rows[side]}


def _take_up(folder: Path, journal: Journal) -> None:
    """Files of whole parts as they are called until all are there; a part one of whose files is gone is not whole."""
    for path in folder.glob(f"*{OF}*.parquet"):
        path.rename(folder / f"{path.name.partition(OF)[0]}.parquet")
    files: Counter[str] = Counter()
    for place, entry in enumerate(journal.entries):
        if not all((folder / _name(side, files[side])).is_file() for side in entry["rows"]):
            journal.keep(place)
            return
        files.update(entry["rows"].keys())


def _name(side: str, number: int) -> str:
    return f"{side}-{number:05d}.parquet"


def _files(journal: Journal) -> Counter[str]:
    return Counter(side for entry in journal.entries for side in entry["rows"])


def _rows(journal: Journal) -> Counter[str]:
    return sum((Counter(entry["rows"]) for entry in journal.entries), Counter())


@dataclass(frozen=True)
class _Part:
    """The selected rows as they are shown, the kind of storage of each column, and the side of each row, if any."""

    table: pa.Table
    kinds: dict[str, str]
    sides: pa.ChunkedArray | None


def _read_part(view: PartView) -> _Part:
    dataset = view.dataset
    table = view.read([column.name for column in dataset.columns])
    kinds = {name: _kind(table.schema.field(name).type) for name in table.column_names}
    sides = pc.fill_null(table[SPLIT], SIDES[0]) if dataset.has(SPLIT) else None
    return _Part(pa.table({name: _shown(table[name], kind) for name, kind in kinds.items()}), kinds, sides)


def _write_part(part: _Part, folder: Path, journal: Journal) -> None:
    """Its files, safe on the disk, then what the journal says of them."""
    files, rows = _files(journal), {}
    for side in SIDES:
        if part.sides is None:
            chosen = part.table.slice(0, part.table.num_rows if side == SIDES[0] else 0)
        else:
            chosen = part.table.filter(pc.equal(part.sides, side))
        if chosen.num_rows:
            path = folder / _name(side, files[side])
            write_parquet(chosen, path, _features(part.kinds))
            with path.open("rb") as file:
                os.fsync(file.fileno())
            rows[side] = chosen.num_rows
    sync_directory(folder)
    journal.add({"rows": rows, "kinds": part.kinds})


def _features(kinds: dict[str, str]) -> dict[str, str] | None:
    """What `datasets` cannot tell from the Arrow types, where it looks for it."""
    images = {name: {"_type": "Image"} for name, kind in kinds.items() if kind == "image"}
    return {"huggingface": json.dumps({"info": {"features": images}})} if images else None


def _kind(stored: pa.DataType) -> str:
    for kind in ("row_id", "image", "boxes"):
        if stored == TYPES[kind]:
            return kind
    if pa.types.is_floating(stored):
        return "float64"
    return "int64" if pa.types.is_integer(stored) else "text"


def _shown(values: pa.ChunkedArray, kind: str) -> pa.Array | pa.ChunkedArray:
    if kind == "row_id":
        return show_row_ids(values)
    if kind == "image":
        return pa.chunked_array([_shown_images(chunk) for chunk in values.chunks], SHOWN_IMAGE)
    return values.cast(pa.string() if kind == "text" else TYPES[kind])


def _shown_images(files: pa.LargeBinaryArray) -> pa.StructArray:
    paths = pa.nulls(len(files), pa.string())
    return pa.StructArray.from_arrays([files.cast(pa.binary()), paths], fields=list(SHOWN_IMAGE), mask=files.is_null())


def _card(rows: dict[str, int]) -> str:
    """README.md: the front matter by which `datasets` finds the sides."""
    lines: list[Any] = ["---", "configs:", "- config_name: default", "  data_files:"]
    for side in rows:
        lines += [f"  - split: {side}", f"    path: data/{side}-*.parquet"]
    lines += ["---", "", "# Dataset", "", "Written by Modelyard; `dataset.json` holds the roles of the columns.", ""]
    lines += [f"- {side}: {count:,} rows" for side, count in rows.items()]
    return "\n".join(lines) + "\n"


def _replace(building: Path, folder: Path) -> None:
    if not folder.is_dir():
        publish_directory(building, folder)
        return
    with new_directory(folder.parent) as old:
        folder.rename(old / "replaced")
        try:
            publish_directory(building, folder)
        except BaseException:
            if not folder.exists():
                (old / "replaced").rename(folder)
            raise
        shutil.rmtree(old / "replaced")
