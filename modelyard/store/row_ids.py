"""row_id: what a row is called for ever: a hash of its input fields, and which of its exact twins it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelyard.fields import Field, canonical_column
from modelyard.store.dataset import ROW_ID_TYPE, Column

HASH_BYTES = 16

# uint8 [rows, 16]
Hashes = np.ndarray[Any, np.dtype[np.uint8]]


def row_hash(values: Sequence[bytes]) -> bytes:
    """BLAKE2b-128 over the canonical bytes of the input fields, each behind its length (8 bytes, big-endian)."""
    digest = blake2b(digest_size=HASH_BYTES)
    for value in values:
        digest.update(len(value).to_bytes(8, "big"))
        digest.update(value)
    return digest.digest()


def row_hashes(table: pa.Table, columns: Sequence[Column], kinds: Mapping[str, Field]) -> Hashes:
    """The hash of each row. The inputs are taken in the order of their column names; the names are not hashed."""
    inputs = sorted((column for column in columns if column.role == "input"), key=lambda column: column.name)
    hashed: list[pa.Array] = []
    for column in inputs:
        canonical = canonical_column(kinds[column.field], table[column.name].combine_chunks())
        hashed += [_lengths(canonical), canonical]
    rows = pc.binary_join_element_wise(*hashed, pa.scalar(b"", pa.large_binary()))
    _, offsets, content = rows.buffers()
    ends = np.frombuffer(offsets, dtype=np.int64)[rows.offset : rows.offset + len(rows) + 1].tolist()
    view = memoryview(content)
    joined = b"".join([blake2b(view[a:b], digest_size=HASH_BYTES).digest() for a, b in pairwise(ends)])
    return np.frombuffer(joined, dtype=np.uint8).reshape(-1, HASH_BYTES)


def _lengths(values: pa.LargeBinaryArray) -> pa.LargeBinaryArray:
    """The length of each value in 8 bytes, big-endian."""
    lengths = pc.binary_length(values).to_numpy().astype(">u8")
    ends = np.arange(0, 8 * len(lengths) + 1, 8)
    return pa.LargeBinaryArray.from_buffers(
        pa.large_binary(), len(lengths), [None, pa.py_buffer(ends.tobytes()), pa.py_buffer(lengths.tobytes())]
    )


def row_ids(hashes: Hashes, ordinals: np.ndarray[Any, np.dtype[np.uint32]]) -> pa.Array:
    """Each hash, then the 4-byte big-endian ordinal among exact twins: 0 for the first of them."""
    ids = np.concatenate([hashes, ordinals.astype(">u4").view(np.uint8).reshape(-1, 4)], axis=1)
    return pa.FixedSizeBinaryArray.from_buffers(ROW_ID_TYPE, len(ids), [None, pa.py_buffer(ids.tobytes())])
