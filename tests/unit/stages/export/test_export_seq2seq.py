"""The package of a model that writes texts: what it holds, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from modelyard.errors import BadConfig, GateFailed
from modelyard.run import Run
from modelyard.runtimes.choose import choose_variant
from modelyard.runtimes.golden import read_golden
from modelyard.stages.export import ExportConfig, export
from modelyard.store import Store
from modelyard.tasks import load_task
from modelyard.tasks.seq2seq import beam_search, pipeline, two_graphs
from modelyard.tasks.seq2seq.training import Seq2SeqTraining
from tests.unit.tiny_bert import tiny_reviews
from tests.unit.tiny_t5 import pair_dataset


@pytest.fixture
def run(tmp_path):
    return Run(Store(tmp_path), threads=1)


def config(**keys):
    return ExportConfig(name="words", golden=6, parity_rows=16, **keys)


@pytest.fixture
def graphs_again(tiny_t5_package, monkeypatch):
    """The graphs that were made once, copied: what is refused here is refused behind them."""
    package = tiny_t5_package

    def copied(model, folder):
        for graph in package.variants[0]["graphs"].values():
            for name in graph["files"]:
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                (folder / name).write_bytes((package.path / name).read_bytes())
        return package.variants[0]["graphs"]

    monkeypatch.setattr(two_graphs, "export_two_graphs", copied)


def test_the_package_holds_two_graphs_and_how_to_search(tiny_t5_package):
    package = tiny_t5_package
    variant = package.variants[0]
    assert variant["name"] == "float"
    assert sorted(variant["graphs"]) == ["decoder", "encoder"]
    assert variant["tolerance"]["agreement"] == 0.99
    assert package.info["pipeline"]["generation"] == {"beams": 1, "max_new_tokens": 40, "length_penalty": 1.0}
    assert package.info["golden"]["agreement"] == "sequences"
    assert package.info["signature"] == load_task("seq2seq").signature([]).as_json()
    names = [tensor["name"] for tensor in package.info["tensor"]["outputs"]]
    assert names == ["output_ids", "scores"]


def test_its_golden_answers_are_those_of_transformers(tiny_t5, tiny_t5_package):
    package = tiny_t5_package
    task = load_task("seq2seq")
    opened = task.open_pipeline(package.path, package.info["pipeline"])
    golden = read_golden(package)
    assert choose_variant(package, opened, golden, count=12).replay.agreement == 1.0
    training = Seq2SeqTraining()
    network = training.load(str(tiny_t5.path), [], {})
    for item, wanted in zip(golden.inputs, golden.outputs, strict=True):
        feeds = opened.collate([opened.prepare(item)])
        with torch.inference_mode():
            written = network.generate(**{name: torch.from_numpy(values) for name, values in feeds.items()})
        ids = wanted["output_ids"][0]
        assert ids[ids >= 0].tolist() == written[0, 1:].tolist()


def test_beams_are_a_setting_of_the_package(tiny_t5, tiny_t5_package, run, graphs_again):
    package = export(tiny_t5, pair_dataset(run.store), config(generation={"beams": 3, "max_new_tokens": 20}), run)
    assert package.info["pipeline"]["generation"] == {"beams": 3, "max_new_tokens": 20, "length_penalty": 1.0}
    assert run.figures["parity_sequences"].value == 1.0
    assert "tokens are those of the model in PyTorch" in run.figures["parity_sequences"].how
    assert run.figures["parity_max_abs"].value < 1e-4
    assert "logits" in run.figures["parity_max_abs"].how
    assert run.figures["graph_chrf"].value == pytest.approx(run.figures["model_chrf"].value)
    assert read_golden(package).outputs[0]["output_ids"].shape == (1, 20)
    assert read_golden(package).outputs[0]["scores"] != read_golden(tiny_t5_package).outputs[0]["scores"]


def test_a_graph_that_answers_other_logits_is_refused(tiny_t5, run, graphs_again, monkeypatch):
    load = Seq2SeqTraining.load

    def other(self, base, labels, options):
        network = load(self, base, labels, options)
        network.lm_head.weight.data[7] += 0.1
        return network

    monkeypatch.setattr(Seq2SeqTraining, "load", other)
    with pytest.raises(GateFailed, match="does not answer as the model does"):
        export(tiny_t5, pair_dataset(run.store), config(), run)
    assert not (run.store.root / "packages").exists()


def test_a_search_that_writes_other_texts_is_refused(tiny_t5, run, graphs_again, monkeypatch):
    search = beam_search.beam_search

    def hasty(graphs, feeds, start, ends, settings):
        ids, scores = search(graphs, feeds, start, ends, settings)
        ids[:, 1:] = np.where(ids[:, 1:] >= 0, 7, ids[:, 1:])
        return ids, scores

    monkeypatch.setattr(pipeline, "beam_search", hasty)
    with pytest.raises(GateFailed, match="gives other tokens than the model on"):
        export(tiny_t5, pair_dataset(run.store), config(generation={"beams": 2}), run)


def test_what_does_not_search_takes_no_settings_of_a_search(tiny_base, run):
    from modelyard.stages.train import TrainConfig, train

    data = tiny_reviews(run.store, 16, 8)
    model = train(data, TrainConfig(base=str(tiny_base), epochs=1, max_length=16), run)
    with pytest.raises(BadConfig, match="does not search for its answers") as refused:
        export(model, data, config(generation={"beams": 2}), run)
    assert refused.value.where == "export.generation"
