"""Calibration: whether a score of 0.8 is right in 80 of 100 cases."""

from __future__ import annotations

from typing import Any

import numpy as np

Values = np.ndarray[Any, np.dtype[Any]]


def calibration_bins(confidence: Values, right: Values, bins: int) -> list[dict[str, Any]]:
    """Equal-width bins (low, high] of the score of the answer given; empty bins have no confidence and accuracy."""
    place = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    found = []
    for index in range(bins):
        inside = place == index
        count = int(inside.sum())
        found.append(
            {
                "low": index / bins,
                "high": (index + 1) / bins,
                "confidence": float(confidence[inside].mean()) if count else None,
                "accuracy": float(right[inside].mean()) if count else None,
                "count": count,
            }
        )
    return found


def expected_calibration_error(bins: list[dict[str, Any]]) -> float:
    """Mean |accuracy - confidence| of the bins, weighed by their rows (Guo et al., ICML 2017, equation 3)."""
    total = sum(one["count"] for one in bins)
    gaps = (one["count"] * abs(one["accuracy"] - one["confidence"]) for one in bins if one["count"])
    return float(sum(gaps) / total)
