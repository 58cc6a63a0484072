"""What quantisation did to each output channel: one scale a tensor destroys the small channels, one a channel does not.

The error of a channel is max |w - w'| / max |w| over its weights: 1 means that the channel is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

CONVOLUTION = 4  # axes of a kernel: outputs, inputs, rows, columns

Weights = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class ChannelErrors:
    """The worst channel of all quantised weight matrices, as stored and as one scale a tensor would have left it."""

    weights: int
    per_channel: float
    per_tensor: float

    def as_json(self) -> dict[str, Any]:
        return {
            "weights": self.weights,
            "worst_channel_per_channel": round(self.per_channel, 5),
            "worst_channel_per_tensor": round(self.per_tensor, 5),
        }


def channel_errors(weights: Weights, restored: Weights) -> Weights:
    """Errors [channels] of matrices [inputs, channels], kernels laid out as such; 0 for zeros that stayed zero."""
    largest = np.abs(weights).max(axis=0)
    difference = np.abs(weights - restored).max(axis=0)
    lost = np.where(difference > 0, 1.0, 0.0)
    errors: Weights = np.divide(difference, largest, out=lost, where=largest > 0)
    return errors


def symmetric(weights: Weights, levels: int, axis: int | None) -> Weights:
    """Weights after symmetric rounding to -levels ... levels, one scale for all (axis None) or a channel (axis 0)."""
    scale = np.abs(weights).max(axis=axis, keepdims=axis is not None) / levels
    scale = np.where(scale > 0, scale, 1.0)
    rounded: Weights = np.clip(np.round(weights / scale), -levels, levels) * scale
    return rounded


def compare_channels(source: Path, quantized: Path, *, levels: int) -> ChannelErrors:
    """Every matrix that the quantised file holds with a scale a channel, against the float file.

    levels: largest integer of a weight, 127, or 64 with a reduced range.
    """
    import onnx
    from onnx import numpy_helper

    floats = {value.name: value for value in onnx.load(source).graph.initializer}
    stored = {value.name: value for value in onnx.load(quantized).graph.initializer}
    found, worst, plain = 0, 0.0, 0.0
    for name, value in stored.items():
        base = name.removesuffix("_quantized")
        scale = stored.get(f"{base}_scale")
        if base == name or scale is None or len(scale.dims) != 1 or len(value.dims) not in (2, CONVOLUTION):
            continue
        # The quantiser transposes the weights of a Gemm and says so in the name.
        original = base.removesuffix("_Transposed")
        if original not in floats:
            continue
        weights = numpy_helper.to_array(floats[original]).astype(np.float64)
        if original != base:
            weights = weights.T
        whole = numpy_helper.to_array(value).astype(np.float64)
        if len(value.dims) == CONVOLUTION:  # output channels come first there
            weights, whole = (array.reshape(len(array), -1).T for array in (weights, whole))
        zero = numpy_helper.to_array(stored[f"{base}_zero_point"]).astype(np.float64)
        restored = (whole - zero) * numpy_helper.to_array(scale)
        found += 1
        worst = max(worst, float(channel_errors(weights, restored).max()))
        plain = max(plain, float(channel_errors(weights, symmetric(weights, levels, None)).max()))
    return ChannelErrors(found, worst, plain)
