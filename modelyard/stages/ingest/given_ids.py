"""Row ids that the rows came with: read from their text, and none of them twice, told out of core."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from modelyard.store.dataset import ROW_ID_TYPE, parse_row_id
from modelyard.store.row_id_columns import id_bytes, id_keys
from modelyard.store.row_ids import HASH_BYTES, row_ids
from modelyard.store.spill import Spill, partitions_for

PLAIN = r"^[0-9a-f]{32}(\.[0-9]{1,9})?$"  # as `show_row_id` writes them


def parse_row_ids(shown: pa.Array) -> pa.Array:
    """The inverse of `show_row_id` on a whole column, null where there is none. Raises BadInput."""
    import polars as pl

    text = pl.Series("shown", shown.cast(pa.large_string()), dtype=pl.String)
    if not len(text):
        return pa.array([], type=ROW_ID_TYPE)
    if not text.str.contains(PLAIN).fill_null(False).all():
        return pa.array([None if each is None else parse_row_id(each) for each in text], type=ROW_ID_TYPE)
    hashes = b"".join(text.str.head(2 * HASH_BYTES).str.decode("hex"))
    ordinals = text.str.slice(2 * HASH_BYTES + 1).replace("", "0").cast(pl.UInt32)
    return row_ids(np.frombuffer(hashes, dtype=np.uint8).reshape(-1, HASH_BYTES), ordinals.to_numpy())


class GivenIds:
    """The ids of all rows, on disk."""

    def __init__(self, folder: Path, rows: int) -> None:
        """folder: empty. rows: how many there will be."""
        self._spill = Spill(folder, partitions=partitions_for(rows))
        self._parts = 0
        self.rows = 0

    def add(self, ids: pa.ChunkedArray) -> None:
        """The next rows in their order; none is null."""
        import polars as pl

        low, high, ordinals = id_keys(id_bytes(ids))
        rows = np.arange(self.rows, self.rows + len(low))
        self._spill.write(self._parts, pl.DataFrame({"low": low, "high": high, "ordinal": ordinals, "row": rows}))
        self._parts += 1
        self.rows += len(low)

    def twice(self) -> int | None:
        """The number of the first row whose id an earlier row has, None when there is none."""
        import polars as pl

        repeated = ~pl.struct("low", "high", "ordinal").is_first_distinct()
        found = [keys.filter(repeated)["row"].to_numpy() for keys in self._spill.each()]
        return min((int(rows.min()) for rows in found if len(rows)), default=None)
