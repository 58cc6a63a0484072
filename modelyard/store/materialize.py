"""A Dataset as a plain directory in the Hugging Face layout: `datasets.load_dataset(folder)` opens it.

data/train-00000-of-00002.parquet ..., README.md (which files are which side) and dataset.json (roles, classes, digest),
from which `ingest` restores row ids, roles and split.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from modelyard.errors import BadInput
from modelyard.store.atomic import new_directory, publish_directory
from modelyard.store.dataset import ROW_ID_TYPE, SPLIT, Dataset, show_row_id
from modelyard.store.digests import canonical_json
from modelyard.store.writers import write_parquet

DATASET_FILE = "dataset.json"
SIDES = ("train", "validation", "test")
# How the columns of a Dataset are stored; a row id is shown as text, because other tools do not read 20 raw bytes.
TYPES: dict[str, pa.DataType] = {
    "text": pa.large_string(),
    "int64": pa.int64(),
    "float64": pa.float64(),
    "row_id": ROW_ID_TYPE,
}


def materialize(dataset: Dataset, folder: Path) -> Path:
    """Write the selected rows of all parts; without a split (or where a row has none) they are train.

    The directory appears whole or not at all; one that Modelyard wrote before is replaced.
    Raises BadInput when the folder holds something else.
    """
    _check_target(folder)
    with new_directory(folder.resolve().parent) as building:
        kinds, rows = _write_data(dataset, building / "data")
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


def _write_data(dataset: Dataset, folder: Path) -> tuple[dict[str, str], dict[str, int]]:
    """One file a part and side. Answers the kind of storage of each column, and the rows of each side."""
    folder.mkdir()
    names = [column.name for column in dataset.columns]
    split = dataset.has(SPLIT)
    written: Counter[str] = Counter()
    rows: Counter[str] = Counter()
    kinds: dict[str, str] = {}
    for view in dataset.views():
        table = view.read(names)
        kinds = {name: _kind(table.schema.field(name).type) for name in names}
        shown = pa.table({name: _shown(table[name], kind) for name, kind in kinds.items()})
        sides = pc.fill_null(table[SPLIT], "train") if split else pa.array(["train"] * table.num_rows, pa.string())
        for side in SIDES:
            chosen = shown.filter(pc.equal(sides, side))
            if chosen.num_rows:
                write_parquet(chosen, folder / f"{side}-{written[side]:05d}.parquet")
                written[side] += 1
                rows[side] += chosen.num_rows
    if not rows:
        raise BadInput("the dataset has no rows to write")
    for side, count in written.items():
        for number in range(count):
            path = folder / f"{side}-{number:05d}.parquet"
            path.rename(folder / f"{side}-{number:05d}-of-{count:05d}.parquet")
    return kinds, {side: rows[side] for side in SIDES if rows[side]}


def _kind(stored: pa.DataType) -> str:
    if stored == ROW_ID_TYPE:
        return "row_id"
    if pa.types.is_floating(stored):
        return "float64"
    return "int64" if pa.types.is_integer(stored) else "text"


def _shown(values: pa.ChunkedArray, kind: str) -> pa.Array | pa.ChunkedArray:
    if kind == "row_id":
        ids = values.to_pylist()
        return pa.array([None if each is None else show_row_id(each) for each in ids], type=pa.string())
    return values.cast(pa.string() if kind == "text" else TYPES[kind])


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
