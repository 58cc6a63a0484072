"""Digests of content: of bytes, files, JSON values and directories. No time, host or path enters one."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path
from typing import Any

CHUNK = 1 << 20

# Lies beside the content of a Model, Package or Report and is never part of its digest.
PROVENANCE = "provenance.json"


def finite(value: Any) -> Any:
    """The same value for JSON, which knows no NaN and no infinity: they become null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return value


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces, so that equal values have equal bytes (in the spirit of RFC 8785)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def digest_bytes(data: bytes) -> str:
    """SHA-256, 64 hexadecimal characters."""
    return hashlib.sha256(data).hexdigest()


def digest_json(value: Any) -> str:
    return digest_bytes(canonical_json(value))


def digest_file(path: Path) -> str:
    """SHA-256 of a file, read in 1 MiB pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest_tree(root: Path) -> str:
    """Digest of a directory: the SHA-256 of its sorted {relative path: file digest}, provenance left out."""
    files = {
        path.relative_to(root).as_posix(): digest_file(path)
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.relative_to(root).as_posix() != PROVENANCE
    }
    return digest_json(files)
