"""Files of somebody else: only those that are asked for by name, inside their folder, no larger than they may be."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from modelyard.errors import BadInput

# A tokenizer with 250,000 tokens is 17 MB; a configuration is a few KB.
MAX_JSON = 64 << 20
MAX_CONFIG = 4 << 20
PICKLES = ("*.bin", "*.pt", "*.pth", "*.pkl", "*.pickle", "*.ckpt", "*.joblib", "*.h5")


def root_of(folder: Path) -> Path:
    """The folder that a link may lead to: its own, or the whole repository in the local cache of the hub, which keeps
    each file once and links to it."""
    real = folder.resolve()
    return real.parent.parent if real.parent.name == "snapshots" and real.parent.parent.name.count("--") else real


def held(folder: Path, names: Iterable[str]) -> list[Path]:
    """Those of the named files that are there. Raises BadInput for one that is no plain file or leads elsewhere."""
    root = root_of(folder)
    found = []
    for name in names:
        path = folder / name
        if not path.exists() and not path.is_symlink():
            continue
        if not path.resolve().is_relative_to(root):
            raise BadInput(
                f"{name} is a link that leads out of its folder",
                where=str(path),
                next="put the file itself there, if you trust it",
            )
        if not path.is_file():
            raise BadInput(f"{name} is no plain file", where=str(path), next="copy the whole directory")
        found.append(path)
    return found


def hold_size(files: Iterable[Path], most: int) -> int:
    """Bytes of all files. Raises BadInput for more than `most`."""
    size = sum(path.stat().st_size for path in files)
    if size > most:
        raise BadInput(
            f"the model has {size / 1e9:.1f} GB, at most {most / 1e9:.1f} GB are taken over",
            next=f"if that is right: --set adopt.max_bytes={size}",
        )
    return size


def read_json(path: Path, most: int = MAX_CONFIG) -> Any:
    """What is in a JSON file. Raises BadInput for another thing, or a file that is too large for what it is."""
    size = path.stat().st_size
    if size > most:
        raise BadInput(f"{path.name} has {size / 1e6:.0f} MB, which no such file needs", where=str(path))
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path.name} is not JSON: {error}", where=str(path)) from None


def read_object(path: Path, most: int = MAX_CONFIG) -> dict[str, Any]:
    """The object in a JSON file. Raises BadInput as `read_json` does."""
    loaded = read_json(path, most)
    if not isinstance(loaded, dict):
        raise BadInput(f"{path.name} is not a JSON object", where=str(path))
    return loaded


def pickles_in(folder: Path) -> list[str]:
    """Names of files at the top of a folder that would run code when they are opened."""
    return sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
