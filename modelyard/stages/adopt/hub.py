"""A repository of the hub, brought to a folder: data files alone, and no more of them than may be taken over."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

from modelyard.errors import BadInput, ModelyardError
from modelyard.training.base import PATTERNS, from_hub


def fetch(name: str, most: int) -> Path:
    """The folder in the local cache. Raises BadInput, or EnvironmentProblem when the hub cannot be reached."""
    size = _size(name)
    if size is not None and size > most:
        raise BadInput(
            f"{name} has {size / 1e9:.1f} GB, at most {most / 1e9:.1f} GB are taken over: nothing was fetched",
            where=name,
            next=f"if that is right: --set adopt.max_bytes={size}",
        )
    try:
        return from_hub(name)
    except ModelyardError as error:
        advice = "check the name; or give a directory; or run once where the hub can be reached"
        raise type(error)(error.message, where=name, next=advice) from error


def _size(name: str) -> int | None:
    """Bytes of the files that would be fetched; None where the hub does not say."""
    from huggingface_hub import HfApi

    try:
        files = HfApi().model_info(name, files_metadata=True).siblings or []
    except Exception:  # offline, an unknown name, a server that fails: fetching meets the same, and says it
        return None
    return sum(file.size or 0 for file in files if any(fnmatch(file.rfilename, pattern) for pattern in PATTERNS))
