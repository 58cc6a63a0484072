from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from modelyard.errors import BadInput, GateFailed
from modelyard.run import Run
from modelyard.runtimes.choose import choose_variant
from modelyard.runtimes.golden import read_golden
from modelyard.stages.export import ExportConfig, export
from modelyard.stages.train import TrainConfig, train
from modelyard.store import Store
from modelyard.tasks import load_task
from modelyard.tasks.text_classification.training import TextClassificationTraining
from tests.unit.tiny_bert import make_dataset, reviews, tiny_reviews


@pytest.fixture(scope="module")
def model(tiny_base, tmp_path_factory):
    run = Run(Store(tmp_path_factory.mktemp("store")), threads=1)
    config = TrainConfig(base=str(tiny_base), epochs=3, batch_size=8, base_lr=0.16, max_length=24)
    return train(tiny_reviews(run.store), config, run)


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    run = Run(Store(tmp_path_factory.mktemp("store")), threads=1)
    return export(model, tiny_reviews(run.store), ExportConfig(name="reviews", golden=16), run), run


def test_the_package_is_whole_and_passes_its_own_golden_set(exported):
    package, _ = exported
    pipeline = load_task(package.task).open_pipeline(package.path, package.info["pipeline"])
    golden = read_golden(package)
    choice = choose_variant(package, pipeline, golden, count=16)
    assert choice.variant["name"] == "float"
    assert (choice.replay.passed, choice.replay.checked) == (True, 16)
    assert choice.replay.max_abs < 1e-5
    assert package.info["golden"]["count"] == len(golden.inputs) == 16
    assert package.info["signature"] == load_task(package.task).signature(package.info["labels"]).as_json()
    assert package.info["tensor"] == {
        "inputs": [{"name": name, "datatype": "INT64", "shape": [-1, -1]} for name in ("input_ids", "attention_mask")],
        "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, 2]}],
    }


def test_the_first_golden_inputs_span_the_lengths(exported):
    package, _ = exported
    lengths = [len(item["text"]) for item in read_golden(package).inputs]
    assert min(lengths[:8]) == min(lengths)
    assert max(lengths[:8]) > 0.8 * max(lengths)


def test_parity_is_measured_at_batch_1_2_and_5_and_four_lengths(exported):
    _, run = exported
    cases = run.details["parity"]
    assert {(case["batch"], case["kind"]) for case in cases} == {
        (batch, kind) for batch in (1, 2, 5) for kind in ("shortest", "median", "longest", "truncated")
    } | {(5, "short beside long")}
    assert {case["length"] for case in cases if case["kind"] == "truncated"} == {24}
    assert len({case["length"] for case in cases}) >= 4
    assert run.figures["parity_max_abs"].value == max(case["max_abs"] for case in cases) < 1e-5
    assert [(gate.name, gate.passed) for gate in run.gates] == [("parity", True), ("parity_accuracy", True)]
    assert run.details["opset"] == 20
    assert run.details["nodes"] > 20
    json.dumps(run.details, allow_nan=False)


def test_two_exports_in_two_places_are_the_same_package(model, exported, tmp_path):
    package, _ = exported
    run = Run(Store(tmp_path / "elsewhere" / "deep"), threads=1)
    again = export(model, tiny_reviews(run.store), ExportConfig(name="reviews", golden=16), run)
    assert again.digest == package.digest
    assert again.path != package.path


def test_the_graph_holds_no_path_and_no_words_of_the_exporter(exported):
    package, _ = exported
    proto = onnx.load(package.path / "variants/float/model.onnx")
    assert b"/site-packages/" not in proto.SerializeToString()
    assert not proto.metadata_props and not proto.doc_string
    assert all(not node.metadata_props and not node.doc_string for node in proto.graph.node)
    onnx.checker.check_model(proto, full_check=True)


def spoiled(change):
    """TextClassificationTraining.export with a graph that is changed after it was made."""
    original = TextClassificationTraining.export

    def wrong_export(self, model_folder, package_folder, max_length):
        result = original(self, model_folder, package_folder, max_length)
        path = package_folder / "variants/float/model.onnx"
        proto = onnx.load(path)
        change(proto)
        onnx.save(proto, path)
        return result

    return wrong_export


def perturb(name, by):
    def change(proto):
        for initializer in proto.graph.initializer:
            if name in initializer.name:
                initializer.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(initializer) + by, initializer.name))
                return
        raise AssertionError([initializer.name for initializer in proto.graph.initializer])

    return change


def nothing_is_stored(store):
    return not list(store.root.glob("packages/*")) and not list(store.temporary.iterdir())


@pytest.mark.parametrize(
    ("by", "said"),
    [(np.float32(2e-3), "outputs differ by 0.00[12]"), (np.float32(np.nan), "not finite")],
    ids=["a little off", "nan"],
)
def test_a_wrong_graph_is_refused_and_nothing_is_stored(model, tmp_path, monkeypatch, by, said):
    monkeypatch.setattr(TextClassificationTraining, "export", spoiled(perturb("classifier.bias", by)))
    run = Run(Store(tmp_path), threads=1)
    with pytest.raises(GateFailed, match=said) as caught:
        export(model, tiny_reviews(run.store), ExportConfig(name="reviews"), run)
    assert caught.value.name == "parity"
    assert [(gate.name, gate.passed) for gate in run.gates] == [("parity", False)]
    json.dumps([gate.as_json() for gate in run.gates], allow_nan=False)
    assert nothing_is_stored(run.store)


def test_other_answers_are_refused_by_the_metric_even_where_numbers_may_differ(model, tmp_path, monkeypatch):
    monkeypatch.setattr(
        TextClassificationTraining, "export", spoiled(perturb("classifier.bias", np.array([50, 0], np.float32)))
    )
    run = Run(Store(tmp_path), threads=1)
    with pytest.raises(GateFailed) as caught:
        export(model, tiny_reviews(run.store), ExportConfig(name="reviews", parity_max_abs=100), run)
    assert caught.value.name == "parity_accuracy"
    assert nothing_is_stored(run.store)


def test_a_dataset_without_validation_rows_is_refused(model, tmp_path):
    run = Run(Store(tmp_path), threads=1)
    dataset = make_dataset(run.store, [(*row, "train") for row in reviews(8)])
    with pytest.raises(BadInput, match="no validation rows"):
        export(model, dataset, ExportConfig(), run)


def test_few_short_rows_are_enough(model, tmp_path):
    run = Run(Store(tmp_path), threads=1)
    dataset = make_dataset(run.store, [("good", "positive", "validation"), ("bad", "negative", "validation")])
    package = export(model, dataset, ExportConfig(name="few"), run)
    assert package.info["golden"]["count"] == 2
    assert {case["length"] for case in run.details["parity"] if case["kind"] == "truncated"} == {24}


@pytest.mark.parametrize("name", ["", "a b", "../x", "x" * 64, "-x"])
def test_a_name_that_cannot_stand_in_a_url_is_refused(name):
    with pytest.raises(ValueError, match="name"):
        ExportConfig(name=name)
