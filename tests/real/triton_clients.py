"""What tritonclient sends, and what the small package of texts answers."""

from __future__ import annotations

import numpy as np
import tritonclient.http as tritonhttp

# Of the first eight TEXTS.
EXPECTED = ["positive", "positive", "negative", "negative", "positive", "negative", "positive", "negative"]
PUBLIC_OUTPUTS = {"label": ("BYTES", [-1]), "score": ("FP32", [-1]), "scores": ("FP32", [-1, 2])}


def texts_for(module: object, texts: tuple[str, ...], binary: bool = True) -> object:
    tensor = module.InferInput("text", [len(texts)], "BYTES")  # type: ignore[attr-defined]
    values = np.array([text.encode() for text in texts], dtype=object)
    if module is tritonhttp:
        tensor.set_data_from_numpy(values, binary_data=binary)
    else:
        tensor.set_data_from_numpy(values)
    return tensor
