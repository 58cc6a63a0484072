"""Row ids, a whole column at a time: their bytes, their halves, and as text what `show_row_id` says of one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelyard.store.row_ids import HASH_BYTES

BYTES = HASH_BYTES + 4
_DIGITS = np.frombuffer(b"".join(f"{byte:02x}".encode() for byte in range(256)), dtype=np.uint16)


def id_bytes(ids: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """row_ids as uint8 [rows, 20]; one that is null is all zeros."""
    joined = pa.concat_arrays(ids.chunks) if ids.num_chunks else pa.array([], ids.type)
    filled = joined.fill_null(bytes(BYTES)) if joined.null_count else joined
    if not len(filled):
        return np.zeros((0, BYTES), dtype=np.uint8)
    content = np.frombuffer(filled.buffers()[1], dtype=np.uint8)
    return content[filled.offset * BYTES : (filled.offset + len(filled)) * BYTES].reshape(-1, BYTES)


def id_keys(ids: np.ndarray[Any, np.dtype[np.uint8]]) -> tuple[np.ndarray[Any, Any], ...]:
    """low and high (the two halves of the row hash, uint64) and ordinal (uint32) of row_ids, each [rows]."""
    halves = np.ascontiguousarray(ids[:, :HASH_BYTES]).view(np.uint64)
    ordinal = np.ascontiguousarray(ids[:, HASH_BYTES:]).view(np.uint32)[:, 0]
    return halves[:, 0].copy(), halves[:, 1].copy(), ordinal.copy()


def show_row_ids(ids: pa.ChunkedArray) -> pa.Array:
    """32 hexadecimal characters, `.n` for the n-th further twin, null where there is no id: string [rows]."""
    content = id_bytes(ids)
    digits = _DIGITS[content[:, :HASH_BYTES]]  # two characters a byte
    starts = np.arange(len(content) + 1, dtype=np.int32) * (2 * HASH_BYTES)
    shown = pa.StringArray.from_buffers(len(content), pa.py_buffer(starts), pa.py_buffer(digits))
    ordinals = np.ascontiguousarray(content[:, HASH_BYTES:]).view(">u4")[:, 0].astype(np.uint32)
    if ordinals.any():
        with_ordinal = pc.binary_join_element_wise(shown, pa.array(ordinals).cast(pa.string()), ".")
        shown = pc.if_else(pa.array(ordinals > 0), with_ordinal, shown)
    return pc.if_else(ids.is_valid().combine_chunks(), shown, None) if ids.null_count else shown
