"""A file a runtime: opening graphs, replaying golden sets. Export, optimize and the server use the same code."""

from __future__ import annotations

# runtime named in package.json -> module with `open_graph(files, threads, device) -> OpenGraph`
RUNTIMES = {
    "ctranslate2": "modelyard.runtimes.ctranslate2",
    "onnxruntime": "modelyard.runtimes.onnxruntime",
}
