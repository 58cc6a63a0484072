"""The eager baseline of models that write texts answers what their package does."""

from __future__ import annotations

import json
import shutil

import pytest

from modelyard.measure.eager_handler import KINDS
from modelyard.runtimes.variants import open_variant
from modelyard.tasks import load_task
from tests.unit.tiny_t5 import pairs


@pytest.mark.parametrize("beams", [1, 3])
def test_it_writes_the_texts_of_the_package_with_its_settings(tiny_t5, tiny_t5_package, beams, tmp_path):
    model = tmp_path / "model"
    shutil.copytree(tiny_t5.path, model)
    # What the package does not follow, the baseline does not follow either.
    said = {**json.loads((model / "generation_config.json").read_bytes()), "no_repeat_ngram_size": 1}
    (model / "generation_config.json").write_text(json.dumps(said))
    package = tiny_t5_package
    pipeline = load_task("seq2seq").open_pipeline(package.path, package.info["pipeline"]).generating({"beams": beams})
    graphs = open_variant(package, package.variants[0])
    texts = [source for source, _ in pairs(10)]
    items = pipeline.prepare_batch([{"text": text} for text in texts])
    wanted = pipeline.decode(pipeline.run(graphs, pipeline.collate(items)))["text"].tolist()
    settings = {**package.info["pipeline"]["generation"], "beams": beams}
    assert KINDS[load_task("seq2seq").eager](model, 40, settings)(texts) == [
        {"name": "text", "datatype": "BYTES", "shape": [10], "data": wanted}
    ]
    assert len(set(wanted)) > 1
