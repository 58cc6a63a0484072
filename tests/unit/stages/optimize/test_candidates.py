from __future__ import annotations

import onnx
import pytest

from modelyard.errors import BadInput, Damaged
from modelyard.stages.optimize.candidates import add_candidate, finish, reference_variant, start_draft
from modelyard.stages.optimize.config import OptimizeConfig
from modelyard.store import Package
from modelyard.store.artifacts import write_index
from modelyard.tasks import task_of
from tests.packages import tiny_package


@pytest.fixture
def draft(tmp_path):
    package = tiny_package(tmp_path / "package", variants=("float", "fused"))
    folder = tmp_path / "draft"
    folder.mkdir()
    start_draft(package, folder)
    return folder


def added(draft, name):
    package = Package.open(draft)
    pipeline = task_of(package).open_pipeline(draft, package.info["pipeline"])
    rows = pipeline.prepare_batch([{"text": "a good film"}])
    return add_candidate(draft, name, pipeline, rows, OptimizeConfig(), threads=1)


def test_a_draft_starts_from_plain_float_alone(draft):
    package = Package.open(draft)
    assert [variant["name"] for variant in package.variants] == ["float"]
    assert sorted(path.name for path in (draft / "variants").glob("*/*")) == ["model.onnx"]


def test_int8_enters_the_draft_with_a_tolerance_measured_on_the_golden_set(draft):
    measured = added(draft, "int8")
    assert measured.broken == ""
    assert measured.max_abs is not None
    assert 0 < measured.max_abs < 0.5
    assert measured.made_by["quantization"]["per_channel"] is True
    variant = Package.open(draft).variants[1]
    assert variant["name"] == "int8"
    assert variant["tolerance"]["max_abs"] >= 1.5 * measured.max_abs
    assert variant["graphs"]["model"]["files"] == ["variants/int8/model.onnx"]
    assert measured.size_bytes == (draft / "variants/int8/model.onnx").stat().st_size


def test_a_graph_with_its_weights_in_a_file_beside_it_is_quantised_with_both_files_named(draft):
    graph = draft / "variants" / "float" / "model.onnx"
    onnx.save_model(onnx.load(graph), graph, save_as_external_data=True, location="model.onnx.data", size_threshold=0)
    info = Package.open(draft).info
    info["variants"][0]["graphs"]["model"]["files"].append("variants/float/model.onnx.data")
    write_index(Package, draft, info)
    measured = added(draft, "int8")
    assert measured.broken == ""
    files = Package.open(draft).variants[1]["graphs"]["model"]["files"]
    assert files == ["variants/int8/model.onnx", "variants/int8/model.onnx.data"]
    assert all((draft / file).is_file() for file in files)


def test_a_graph_without_a_pattern_is_not_fused_and_leaves_no_file(draft):
    measured = added(draft, "fused")
    assert measured.broken == "dropped: no pattern of the graph can be fused"
    assert not (draft / "variants" / "fused").exists()
    assert len(Package.open(draft).variants) == 1


def test_a_graph_that_the_quantiser_cannot_read_is_dropped_with_its_reason(draft):
    (draft / "variants" / "float" / "model.onnx").write_bytes(b"no graph")
    measured = added(draft, "int8")
    assert measured.broken.startswith("dropped: it could not be made: ")
    assert not (draft / "variants" / "int8").exists()


def test_what_was_dropped_leaves_the_package(draft):
    added(draft, "int8")
    finish(draft, ["float"])
    assert [variant["name"] for variant in Package.open(draft).variants] == ["float"]
    assert not (draft / "variants" / "int8").exists()


def test_what_is_kept_stands_in_the_order_given(draft):
    added(draft, "int8")
    finish(draft, ["int8", "float"])
    assert [variant["name"] for variant in Package.open(draft).variants] == ["int8", "float"]


def test_a_package_without_a_float_graph_is_refused_with_the_names_it_has(tmp_path):
    package = tiny_package(tmp_path / "package", variants=("int8",))
    with pytest.raises(BadInput) as caught:
        reference_variant(package)
    assert "its variants are int8" in (caught.value.where or "")


@pytest.mark.parametrize("escape", ["../../victim.txt", "absolute"])
def test_a_package_that_names_a_file_outside_it_is_refused_and_the_file_stays(tmp_path, escape):
    package = tiny_package(tmp_path / "package", variants=("float", "fast"))
    victim = tmp_path / "victim.txt"
    victim.write_text("mine")
    info = package.info
    info["variants"][1]["graphs"]["model"]["files"].append(str(victim) if escape == "absolute" else escape)
    write_index(Package, package.path, info)
    (tmp_path / "work" / "draft").mkdir(parents=True)
    with pytest.raises(Damaged, match="stay inside it"):
        start_draft(Package.open(package.path), tmp_path / "work" / "draft")
    assert victim.read_text() == "mine"


def test_a_package_whose_reference_is_int8_starts_from_it(tmp_path):
    package = tiny_package(tmp_path / "package", variants=("int8",), reference="int8")
    assert reference_variant(package)["name"] == "int8"
    folder = tmp_path / "draft"
    folder.mkdir()
    start_draft(package, folder)
    assert [variant["name"] for variant in Package.open(folder).variants] == ["int8"]
