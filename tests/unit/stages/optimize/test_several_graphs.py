from __future__ import annotations

import pytest

from modelyard.runtimes.golden import read_golden, replay
from modelyard.runtimes.variants import open_variant
from modelyard.stages.optimize.candidates import add_brought, add_candidate, brought, finish, start_draft
from modelyard.stages.optimize.config import OptimizeConfig
from modelyard.store import Package
from modelyard.tasks import task_of
from tests.echo_package import echo_package


def draft_of(tmp_path, *variants):
    package = echo_package(tmp_path / "package", variants=variants)
    folder = tmp_path / "draft"
    folder.mkdir()
    start_draft(package, folder)
    return folder


def pipeline_of(folder):
    package = Package.open(folder)
    return task_of(package).open_pipeline(folder, package.info["pipeline"])


def added(folder, name):
    pipeline = pipeline_of(folder)
    return add_candidate(folder, name, pipeline, pipeline.prepare_batch([{"text": "ab"}]), OptimizeConfig(), threads=1)


def test_int8_is_made_of_every_graph_and_answers_with_the_same_texts(tmp_path):
    folder = draft_of(tmp_path, "float")
    measured = added(folder, "int8")
    assert measured.broken == ""
    variant = Package.open(folder).variants[1]
    assert {role: graph["files"] for role, graph in variant["graphs"].items()} == {
        "encoder": ["variants/int8/encoder.onnx"],
        "decoder": ["variants/int8/decoder.onnx"],
    }
    assert measured.made_by["quantization"]["weights"] == 2  # a matrix in each
    files = [folder / "variants" / "int8" / f"{role}.onnx" for role in ("encoder", "decoder")]
    assert measured.size_bytes == sum(file.stat().st_size for file in files)
    assert measured.size_bytes < 0.5 * Package.open(folder).variant_size(Package.open(folder).variants[0])
    pipeline, graphs = pipeline_of(folder), open_variant(Package.open(folder), variant)
    assert replay(pipeline, graphs, read_golden(Package.open(folder)), variant["tolerance"]).agreement == 1.0


def test_graphs_without_a_pattern_are_not_fused(tmp_path):
    folder = draft_of(tmp_path, "float")
    measured = added(folder, "fused")
    assert measured.broken == "dropped: no pattern of the package's graphs together can be fused"
    assert not (folder / "variants" / "fused").exists()


def test_a_variant_that_came_with_the_package_is_a_candidate_and_what_was_made_before_is_not(tmp_path):
    folder = draft_of(tmp_path, "int8", "float", "engine")
    package = Package.open(folder)
    assert [variant["name"] for variant in package.variants] == ["float", "engine"]
    assert not (folder / "variants" / "int8").exists()
    (engine,) = brought(package)
    measured = add_brought(folder, engine, pipeline_of(folder), threads=1)
    assert (measured.name, measured.broken, measured.max_abs) == ("engine", "", 0.0)
    assert measured.size_bytes == package.variant_size(engine)
    assert Package.open(folder).variants[1]["tolerance"] == {"max_abs": 0.001, "agreement": 0.95}
    finish(folder, ["engine", "float"])
    assert [variant["name"] for variant in Package.open(folder).variants] == ["engine", "float"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            {"graphs": {"encoder": {"files": ["variants/engine/encoder.onnx"]}}},
            "the golden set fails: golden input 0: KeyError: 'decoder'",
        ),
        ({"runtime": "some_engine"}, "it does not run here: variant engine needs the runtime 'some_engine'"),
        ({"requires": {"some_engine": "1.0"}}, "the variant needs some_engine >= 1.0, which is not installed"),
    ],
)
def test_one_that_does_not_run_here_goes_with_its_files_and_the_reason_is_kept(tmp_path, change, reason):
    folder = draft_of(tmp_path, "float", "engine")
    (engine,) = brought(Package.open(folder))
    measured = add_brought(folder, {**engine, **change}, pipeline_of(folder), threads=1)
    assert measured.broken.startswith("dropped: ")
    assert reason in measured.broken
    assert [variant["name"] for variant in Package.open(folder).variants] == ["float"]
    assert not (folder / "variants" / "engine").exists()


def test_graphs_of_convolutions_are_quantised_by_what_each_is_fed(tmp_path, monkeypatch):
    """Every graph counts as one of convolutions here: what matters is whose feeds its scales are set by."""
    from modelyard.stages.optimize import make

    fed = {}

    def quantize_static(source, target, rows, *, reduce_range, weights=None):
        fed[source.stem] = [sorted(row) for row in rows]
        make.quantize(source, target, reduce_range=reduce_range, weights=weights)

    monkeypatch.setattr(make, "convolves", lambda source: True)
    monkeypatch.setattr(make, "quantize_static", quantize_static)
    folder = draft_of(tmp_path, "float")
    assert added(folder, "int8").made_by["quantization"]["static"] is True
    assert fed["encoder"] == [["attention_mask", "input_ids"]]
    assert [name for name in fed["decoder"][0] if "past" in name] == ["past.0.key", "past.0.value"]
