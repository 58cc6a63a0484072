"""Fuse: patterns of a transformer graph (attention, skip + layer norm, bias + GELU) become single kernels."""

from __future__ import annotations

from pathlib import Path


def fuse(source: Path, target: Path) -> dict[str, int]:
    """Write the fused graph; answers how often each fusion was applied (none that was not).

    onnxscript's rewriter, for onnxruntime.transformers finds no attention in graphs of the torch.export exporter.
    """
    import onnx_ir
    from onnxscript.rewriter.ort_fusions import optimize_for_ort

    model = onnx_ir.load(source)
    model, counts = optimize_for_ort(model, clear_metadata=True)
    model.metadata_props.clear()
    onnx_ir.save(model, target)
    return {name: count for name, count in counts.items() if count}
