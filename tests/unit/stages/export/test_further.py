from __future__ import annotations

import shutil

import pytest

from modelyard.run import Run
from modelyard.stages.export.further import add_further
from modelyard.store import Package, Store
from modelyard.tasks import task_of
from tests.echo_package import TEXTS, echo_package


class Hearing:
    def __init__(self):
        self.said = []

    def say(self, message):
        self.said.append(message)


def offered(folder, **changes):
    """The graphs of float once more, under another name."""
    shutil.copytree(folder / "variants" / "float", folder / "variants" / "engine")
    graphs = {role: {"format": "onnx", "files": [f"variants/engine/{role}.onnx"]} for role in ("encoder", "decoder")}
    requires = {"onnxruntime": "1.20"}
    return {"name": "engine", "runtime": "onnxruntime", "requires": requires, "graphs": graphs, **changes}


def added(package, variant, tmp_path, max_abs=1e-3):
    run = Run(Store(tmp_path / "store"), listener=Hearing(), threads=1)
    pipeline = task_of(package).open_pipeline(package.path, package.info["pipeline"])
    add_further(package.path, [variant], pipeline, max_abs, run)
    return [each["name"] for each in Package.open(package.path).variants], run


def test_one_that_answers_as_the_model_stands_behind_float_with_a_tolerance(tmp_path):
    package = echo_package(tmp_path / "p")
    names, run = added(package, offered(package.path), tmp_path)
    assert names == ["float", "engine"]
    assert Package.open(package.path).variants[1]["tolerance"] == {"max_abs": 0.001, "agreement": 0.95}
    assert run.figures["agreement_engine"].value == 1.0
    assert f"{len(TEXTS)} golden inputs" in run.figures["agreement_engine"].how


@pytest.mark.parametrize(
    ("changes", "max_abs", "reason"),
    [
        ({"runtime": "some_engine"}, 1e-3, "variant engine needs the runtime 'some_engine'"),
        ({"requires": {"some_engine": "1.0"}}, 1e-3, "needs some_engine >= 1.0, which is not installed"),
        ({}, -1.0, "it differs from the model by 0, the bar is -1"),
    ],
)
def test_one_that_does_not_is_left_out_with_its_files_and_the_reason_is_said(tmp_path, changes, max_abs, reason):
    package = echo_package(tmp_path / "p")
    names, run = added(package, offered(package.path, **changes), tmp_path, max_abs)
    assert names == ["float"]
    assert not (package.path / "variants" / "engine").exists()
    (said,) = run.listener.said
    assert said.startswith("variant engine is left out: ")
    assert reason in said


def test_one_that_writes_other_texts_is_left_out(tmp_path):
    package = echo_package(tmp_path / "p")
    variant = offered(package.path)
    # A search of one step writes one letter of each text.
    info = {**package.info["pipeline"], "generation": {"beams": 1, "max_new_tokens": 1, "length_penalty": 1.0}}
    run = Run(Store(tmp_path / "store"), listener=Hearing(), threads=1)
    add_further(package.path, [variant], task_of(package).open_pipeline(package.path, info), 1e-3, run)
    assert run.listener.said == ["variant engine is left out: 100% of its golden answers are not the model's"]
