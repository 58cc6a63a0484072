"""optimize and evaluate against real servers: `modelyard serve` and the eager handler, as processes."""

from __future__ import annotations

import json
import math

import pytest

from modelyard.errors import EnvironmentProblem
from modelyard.measure.load import run_load
from modelyard.measure.server import served
from modelyard.run import Run
from modelyard.stages.evaluate import EvaluateConfig, evaluate
from modelyard.stages.optimize import OptimizeConfig, optimize
from modelyard.store import Dataset, Model, Package, Store
from modelyard.store.artifacts import write_index
from modelyard.tasks import load_task
from tests.packages import LABELS, TEXTS, break_variant, tiny_package
from tests.real.wide_package import wide_package
from tests.unit.tiny_bert import make_base, make_dataset

pytestmark = pytest.mark.e2e


def reviews(store: Store, copies: int = 12) -> Dataset:
    """Each text of the tiny package on each side, in several wordings, with its true class."""
    rows = []
    for side in ("train", "validation", "test"):
        for copy in range(copies):
            for text in TEXTS:
                label = LABELS[not any(word in text for word in ("bad", "awful", "poor", "boring"))]
                rows.append((" the".join([text, *[""] * copy]) + f" {side}", label, side))
    return make_dataset(store, rows)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return Run(Store(tmp_path_factory.mktemp("store")), threads=1)


@pytest.fixture(scope="module")
def optimized(run, tmp_path_factory) -> Package:
    package = wide_package(tmp_path_factory.mktemp("wide") / "package")
    return optimize(package, reviews(run.store), OptimizeConfig(requests=200, load_seconds=20), run)


@pytest.fixture(scope="module")
def eager_model(run, tmp_path_factory) -> Model:
    """A classifier of random weights that knows the labels: what matters is that it answers."""
    training = load_task("text_classification").training()
    base = str(make_base(tmp_path_factory.mktemp("base")))
    with run.store.new_directory() as folder:
        training.save(training.load(base, LABELS, {}), base, folder, LABELS, 32)
        return run.store.add(Model, folder)


def test_int8_that_is_faster_and_still_right_is_served_first_and_float_stays(optimized, run):
    float_row, fused_row, int8_row = run.details["variants"]
    assert [variant["name"] for variant in optimized.variants] == ["int8", "float"]
    assert run.details["chosen"] == "int8"
    assert int8_row["kept"]
    assert int8_row["chosen"]
    assert int8_row["speedup_interval"][0] > 1.0
    assert int8_row["p50_ms"] < float_row["p50_ms"]
    assert int8_row["accuracy_lost"] == 0.0
    assert int8_row["accuracy"] == float_row["accuracy"] == 1.0
    assert fused_row["reason"] == "dropped: no pattern of the graph can be fused"
    assert run.figures["size_ratio"].value > 3.0
    assert [(gate.name, gate.passed) for gate in run.gates] == [("accuracy_lost", True)]
    assert not (optimized.path / "variants" / "fused").exists()


def test_the_optimized_package_is_served_by_the_chosen_variant(optimized):
    with served(optimized, "int8") as target:
        load = run_load(target, TEXTS, 4)
    assert load.failures == ()
    assert load.answers == len(TEXTS)


def test_no_measured_time_is_inside_the_package(optimized, run):
    told = json.dumps([optimized.info, optimized.provenance])
    assert "p50" not in told
    assert "speedup" not in told
    assert optimized.provenance["stage"] == "optimize"


def test_only_what_was_measured_faster_stays_and_the_rest_goes_with_its_reason_and_its_files(tmp_path):
    own = Run(Store(tmp_path / "store"), threads=1)
    package = tiny_package(tmp_path / "package")
    made = optimize(package, reviews(own.store), OptimizeConfig(requests=60, load_seconds=10), own)
    # On so small a graph either may come out, by the noise of the machine: what was decided must follow from it.
    rows = {row["name"]: row for row in own.details["variants"]}
    names = [variant["name"] for variant in made.variants]
    assert names[-1] == "float"
    assert own.details["chosen"] == names[0]
    for name in ("fused", "int8"):
        faster = bool(rows[name]["speedup_interval"]) and rows[name]["speedup_interval"][0] > 1.0
        assert rows[name]["kept"] == (name in names) == faster
        assert (made.path / "variants" / name).is_dir() == faster
        assert faster or rows[name]["reason"].startswith("dropped: ")


def test_a_server_that_cannot_start_is_reported_with_its_last_words(tmp_path):
    package = tiny_package(tmp_path / "package")
    break_variant(package, "float", "nan")
    with pytest.raises(EnvironmentProblem) as caught, served(package, "float"):
        pass
    assert "before it was ready" in caught.value.message
    assert "golden" in (caught.value.where or "")


def test_evaluate_reports_worth_speed_and_the_eager_model_beside_it(optimized, eager_model, tmp_path):
    own = Run(Store(tmp_path / "store"), threads=1)
    data = reviews(own.store)
    report = evaluate(optimized, data, EvaluateConfig(requests=100, load_seconds=20), own, model=eager_model)
    figures = {name: figure["value"] for name, figure in report.info["figures"].items()}
    details = report.info["details"]
    assert report.info["stage"] == "evaluate"
    assert figures["accuracy"] == 1.0
    assert figures["macro_f1"] == 1.0
    assert 0.0 <= figures["baseline_accuracy"] <= 1.0
    assert 0.0 < figures["latency_p50_ms"] <= figures["latency_p90_ms"] <= figures["latency_p99_ms"]
    assert 0.0 < figures["start_s"] < 20
    assert 20 < figures["memory_mb"] < 1000
    assert details["variant"] == "int8"
    assert set(details["latency"]) == {"served", "eager", "float"}
    for server in ("served", "eager", "float"):
        assert details["latency"][server]["8"]["cpu_ms"] > 0
        assert details["latency"][server]["1"]["failures"] == 0
    one = details["latency"]
    # The P50s of the details are rounded to a microsecond.
    cut = 1 - one["served"]["1"]["p50_ms"] / one["eager"]["1"]["p50_ms"]
    assert figures["latency_cut"] == pytest.approx(cut, abs=1e-3)
    assert figures["cost_cut"] == pytest.approx(
        1 - one["served"]["8"]["cpu_ms"] / one["eager"]["8"]["cpu_ms"], abs=1e-3
    )
    assert figures["latency_cut_float"] > 0
    assert figures["eager_accuracy"] is not None
    assert math.isclose(sum(map(sum, details["confusion"]["counts"])), details["rows_test"])
    assert details["latency_samples_ms"] == sorted(details["latency_samples_ms"])
    assert {one["column"] for one in details["slices"]} == {"length in tokens"}
    assert all(figure["how"] for figure in report.info["figures"].values())


def test_without_a_model_the_cuts_are_not_measured(tmp_path):
    own = Run(Store(tmp_path / "store"), threads=1)
    package = tiny_package(tmp_path / "package")
    report = evaluate(package, reviews(own.store), EvaluateConfig(requests=20, load_seconds=5), own)
    assert report.info["figures"]["latency_cut"]["value"] is None
    assert "no eager model" in report.info["figures"]["cost_cut"]["how"]
    assert "no eager model" in report.info["figures"]["eager_accuracy"]["how"]


def test_an_eager_model_that_does_not_start_is_a_warning_and_the_package_is_evaluated(tmp_path):
    own = Run(Store(tmp_path / "store"), threads=1)
    package = tiny_package(tmp_path / "package")
    with own.store.new_directory() as folder:
        write_index(Model, folder, {"format": 1, "task": package.task, "framework": "torch", "loader": "transformers"})
        empty = own.store.add(Model, folder)
    report = evaluate(package, reviews(own.store), EvaluateConfig(requests=20, load_seconds=5), own, model=empty)
    assert report.info["figures"]["latency_p50_ms"]["value"] > 0
    assert report.info["figures"]["latency_cut"]["value"] is None
    assert "exit status 1" in report.info["figures"]["latency_cut"]["how"]
    (warning,) = report.info["details"]["warnings"]
    assert warning.startswith("the eager model is not measured: ")
