"""Logits to label, score and scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelyard.errors import Fault
from modelyard.tasks.pipeline import Array, Tensors

LOGITS = "logits"


def softmax(logits: Array) -> Array:
    """Probabilities over the last axis, float32; the maximum is taken away first, so that nothing overflows.

    A row that holds a NaN or an infinity becomes NaN throughout: a broken graph must not look sure of itself.
    """
    wide = np.asarray(logits, dtype=np.float64)
    broken: Array = np.asarray(~np.isfinite(wide).all(axis=-1))
    safe = np.where(broken[..., None], 0.0, wide)
    powers = np.exp(safe - safe.max(axis=-1, keepdims=True))
    shares: Array = (powers / powers.sum(axis=-1, keepdims=True)).astype(np.float32)
    shares[broken] = np.nan
    return shares


def decode(outputs: Tensors, labels: Sequence[str]) -> Tensors:
    """logits [n, labels] to label (object array of str) [n], score float32 [n], scores float32 [n, labels].

    A row with a logit that is not finite has NaN scores and an empty label: whoever answers must refuse it.
    """
    logits = outputs[LOGITS]
    if logits.ndim != 2 or logits.shape[1] != len(labels):
        raise Fault(f"the graph answers logits of shape {list(logits.shape)}, there are {len(labels)} labels")
    scores = softmax(logits)
    broken = np.isnan(scores[:, 0])
    best = np.argmax(np.where(broken[:, None], 0.0, scores), axis=1)
    names = np.array(list(labels), dtype=object)[best]
    names[broken] = ""
    return {"label": names, "score": scores[np.arange(len(best)), best], "scores": scores}
