"""Fuse: patterns of a transformer graph (attention, skip + layer norm, bias + GELU) become single kernels."""

from __future__ import annotations

from pathlib import Path


def fuse(source: Path, target: Path, weights: str | None = None) -> dict[str, int]:
    """Write the fused graph; answers how often each fusion was applied (none that was not).

    weights: the name of a file beside the graph for what does not fit into it (more than 2 GiB).

    onnxscript's rewriter, for onnxruntime.transformers finds no attention in graphs of the torch.export exporter.
    """
    import onnx_ir
    from onnxscript.rewriter.ort_fusions import optimize_for_ort

    model = onnx_ir.load(source)
    model, counts = optimize_for_ort(model, clear_metadata=True)
    model.metadata_props.clear()
    onnx_ir.save(model, target, external_data=weights)
    return {name: count for name, count in counts.items() if count}
