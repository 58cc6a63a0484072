"""Dynamic INT8: weights to eight bits with a scale an output channel, activations at run time."""

from __future__ import annotations

import contextlib
import io
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path

from modelyard.environment import EXACT_INT8, environment


def needs_reduced_range() -> bool:
    """Whether this CPU saturates when unsigned activations meet full-range signed weights (AVX2 without VNNI)."""
    return not EXACT_INT8 & set(environment()["cpu_flags"])


def quantize(source: Path, target: Path, *, reduce_range: bool, weights: str | None = None) -> None:
    """Write the INT8 graph of a plain (unfused) float graph: fused Attention nodes would stay float.

    reduce_range: seven-bit weights, exact on any CPU.
    weights: the name of a file beside the graph for what does not fit into it (more than 2 GiB).
    """
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        draft = Path(folder) / "draft.onnx"
        with quiet():
            quantize_dynamic(
                source,
                draft,
                per_channel=True,
                reduce_range=reduce_range,
                weight_type=QuantType.QInt8,
                use_external_data_format=weights is not None,
            )
        write_bare(draft, target, weights)


def write_bare(draft: Path, target: Path, weights: str | None) -> None:
    """The graph of a quantiser without what it says of where it was made."""
    import onnx_ir
    from onnx_ir.passes.common import ClearMetadataAndDocStringPass

    model = onnx_ir.load(draft)
    ClearMetadataAndDocStringPass()(model)
    model.metadata_props.clear()
    onnx_ir.save(model, target, external_data=weights)


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """The quantiser advises a pre-processing for another exporter through the root logger, and prints."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            yield
    finally:
        root.setLevel(level)
