"""A package whose only variant is an engine: a T5 of random weights that writes on and on, in bytes."""

from __future__ import annotations

from pathlib import Path

from modelyard.runtimes.ctranslate2 import open_graph
from modelyard.runtimes.golden_writing import write_golden
from modelyard.store.artifacts import Package, write_index
from modelyard.tasks import load_task
from modelyard.tasks.seq2seq.engine import engine_variant
from modelyard.tasks.sequences import GENERATOR
from tests.echo_package import END, PAD, echo_package
from tests.random_t5 import random_t5

ASCII = 96  # tokens up to there are whole characters


def engine_package(folder: Path, *, max_new_tokens: int = 4096) -> Package:
    from transformers import T5ForConditionalGeneration

    package = echo_package(folder / "package", max_new_tokens=max_new_tokens, texts=("ab",))
    base = random_t5(folder / "model", vocabulary=ASCII)
    model = T5ForConditionalGeneration.from_pretrained(base, local_files_only=True)
    variant = engine_variant(model, package.path, PAD, [END])
    files = [package.path / file for file in variant["graphs"][GENERATOR]["files"]]
    pipeline = load_task("seq2seq").open_pipeline(package.path, package.info["pipeline"])
    item = {"text": "ab"}
    golden = write_golden(package.path, pipeline, {GENERATOR: open_graph(files, 1)}, [item], [pipeline.prepare(item)])
    info = {
        **package.info,
        "variants": [{**variant, "tolerance": {"max_abs": 0.001, "agreement": 1.0}}],
        "golden": {**golden, "agreement": "sequences"},
    }
    write_index(Package, package.path, info)
    return Package.open(package.path)
