"""row_id: what a row is called for ever: a hash of its input fields, and which of its exact twins it is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from modelyard.fields import Field
from modelyard.store.dataset import ROW_ID_TYPE


def row_hash(values: Sequence[bytes]) -> bytes:
    """BLAKE2b-128 over the canonical bytes of the input fields, each behind its length (8 bytes, big-endian)."""
    digest = hashlib.blake2b(digest_size=16)
    for value in values:
        digest.update(len(value).to_bytes(8, "big"))
        digest.update(value)
    return digest.digest()


class RowIds:
    """Mints ids in order of appearance. One 16-byte key a distinct row is kept in memory."""

    def __init__(self, fields: Sequence[Field]) -> None:
        """The input fields, in the order of their column names; the names themselves are not hashed."""
        self._fields = fields
        self._twins: dict[bytes, int] = {}

    def mint(self, columns: Sequence[Sequence[Any]]) -> pa.Array:
        """row_id of each row: hash, then the 4-byte big-endian ordinal among exact twins."""
        canonical = [
            [field.canonical(value) for value in column] for field, column in zip(self._fields, columns, strict=True)
        ]
        ids = []
        for values in zip(*canonical, strict=True):
            key = row_hash(values)
            ordinal = self._twins.get(key, 0)
            self._twins[key] = ordinal + 1
            ids.append(key + ordinal.to_bytes(4, "big"))
        return pa.array(ids, type=ROW_ID_TYPE)
