"""Whether pairs that people find more alike have vectors that are more alike: Spearman's rank correlation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from modelyard.tasks.cosine import cosines
from modelyard.tasks.metric import Metric
from modelyard.tasks.pipeline import Array, Tensors
from modelyard.tasks.ranks import spearman
from modelyard.tasks.text_embedding.pipeline import EMBEDDING


class SimilarityRanks(Metric):
    """Spearman of the cosine of two vectors with the score of the pair, as the STS tasks have it (Cer et al.,
    SemEval-2017, task 1, by ranks). Evidence: float64 [rows, 2], cosine and score."""

    name = "spearman"

    def evidence(self, decoded: Tensors, targets: Sequence[Any]) -> Array:
        vectors = np.asarray(decoded[EMBEDDING])
        alike = cosines(vectors[0::2], vectors[1::2])
        found: Array = np.stack([alike, np.asarray(targets, dtype=np.float64)], axis=1)
        return found

    def value(self, evidence: Array) -> float:
        return spearman(evidence[:, 0], evidence[:, 1])

    def pairs(self, evidence: Array) -> Array | None:
        return evidence
