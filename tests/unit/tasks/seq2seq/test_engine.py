"""The engine beside the two graphs in one package: written by export, answering as they do."""

from __future__ import annotations

import sys

from modelyard.runtimes.golden import read_golden, replay
from modelyard.runtimes.variants import open_variant
from modelyard.stages.optimize.candidates import add_brought, add_candidate, brought, start_draft
from modelyard.stages.optimize.config import OptimizeConfig
from modelyard.store import Package
from modelyard.tasks import load_task

TEXTS = ("one two three", "seven", "nine nine four")


def pipeline_of(package):
    return load_task(package.task).open_pipeline(package.path, package.info["pipeline"])


def test_export_brings_the_engine_behind_float(tiny_t5_package):
    package = tiny_t5_package
    assert [variant["name"] for variant in package.variants] == ["float", "ctranslate2"]
    engine = package.variants[1]
    assert engine["requires"].keys() == {"ctranslate2"}
    assert list(engine["graphs"]) == ["generator"]
    graphs = open_variant(package, engine)
    assert replay(pipeline_of(package), graphs, read_golden(package), engine["tolerance"], 12).passed


def test_both_variants_write_the_same_texts_whole_and_piece_by_piece(tiny_t5_package):
    package = tiny_t5_package
    pipeline = pipeline_of(package)
    for text in TEXTS:
        feeds = pipeline.collate([pipeline.prepare({"text": text})])
        answers = set()
        for variant in package.variants:
            graphs = open_variant(package, variant)
            answers.add(pipeline.decode(pipeline.run(graphs, feeds))["text"][0])
            answers.add("".join(pipeline.stream(graphs, feeds)))
        assert len(answers) == 1


def test_optimize_takes_the_engine_as_a_candidate_beside_int8_of_both_graphs(tiny_t5_package, tmp_path):
    package = tiny_t5_package
    start_draft(package, tmp_path)
    pipeline = pipeline_of(package)
    rows = pipeline.prepare_batch([{"text": text} for text in TEXTS])
    (engine,) = brought(package)
    measured = [
        add_candidate(tmp_path, "int8", pipeline, rows, OptimizeConfig(), threads=1),
        add_brought(tmp_path, engine, pipeline, threads=1),
    ]
    assert [each.broken for each in measured] == ["", ""]
    assert [each.runtime for each in measured] == ["onnxruntime", "ctranslate2"]
    assert measured[0].size_bytes < 0.5 * package.variant_size(package.variants[0])
    assert measured[1].max_abs < 1e-3
    assert {variant["name"] for variant in Package.open(tmp_path).variants} == {"float", "int8", "ctranslate2"}


def test_without_the_engine_the_package_goes_without_and_says_how_to_get_it(tiny_t5, tmp_path, monkeypatch):
    from modelyard.tasks.seq2seq import two_graphs

    monkeypatch.setattr(two_graphs, "export_two_graphs", lambda model, package: {})  # takes seconds, and is not asked
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    answered = load_task("seq2seq").training().export(tiny_t5.path, tmp_path, 40)
    assert answered["variants"] == []
    assert "pip install 'modelyard[ctranslate2]'" in answered["left_out"][0]
    assert not (tmp_path / "variants").exists()
