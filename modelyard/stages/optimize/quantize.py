"""Dynamic INT8: weights to eight bits with a scale an output channel, activations at run time."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path

from modelyard.environment import environment

# Instructions that multiply and add eight-bit integers without saturating in between (Arm's dot product too).
EXACT_INT8 = {"avx512_vnni", "avx_vnni", "amx_int8", "asimddp"}


def needs_reduced_range() -> bool:
    """Whether this CPU saturates when unsigned activations meet full-range signed weights (AVX2 without VNNI)."""
    return not EXACT_INT8 & set(environment()["cpu_flags"])


def quantize(source: Path, target: Path, *, reduce_range: bool) -> None:
    """Write the INT8 graph of a plain (unfused) float graph: fused Attention nodes would stay float.

    reduce_range: seven-bit weights, exact on any CPU.
    """
    import onnx_ir
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with _quiet():
        quantize_dynamic(source, target, per_channel=True, reduce_range=reduce_range, weight_type=QuantType.QInt8)
    model = onnx_ir.load(target)
    ClearMetadataAndDocStringPass()(model)
    model.metadata_props.clear()
    onnx_ir.save(model, target)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The quantiser advises a pre-processing for another exporter through the root logger."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
