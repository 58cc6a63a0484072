"""A Keras model through our own loop: the same Model for the same code, and a graph that answers as Keras does."""

from __future__ import annotations

import shutil
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from modelyard.chain.preflight import preflight
from modelyard.chain.project import load_project
from modelyard.errors import BadConfig, BadInput, Damaged, EnvironmentProblem
from modelyard.run import Run
from modelyard.stages.export import ExportConfig, export
from modelyard.stages.train import TrainConfig, train
from modelyard.store import Store
from modelyard.tasks import load_task
from modelyard.tasks.keras import backend
from modelyard.tasks.keras.backend import hold_keras
from modelyard.tasks.keras.model_file import input_shape_of, write_keras
from modelyard.tasks.keras.user_function import UserFunction
from modelyard.training.base import base_digest, resolve_base
from tests.unit.stages.train.striped_pictures import striped
from tests.unit.tasks.keras.networks import STATEFUL, write_function

TRAINING = load_task("image_classification").training("keras")
FAST = {"task": "image_classification", "framework": "keras", "epochs": 6, "batch_size": 8, "base_lr": 0.5}


@pytest.fixture(scope="module", autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Functions that are built are kept in a cache of these tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def run_in(folder: Path) -> Run:
    return Run(Store(folder), threads=1)


def config(base: str, **keys: object) -> TrainConfig:
    return TrainConfig.model_validate({**FAST, "base": base, **keys})


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("keras")
    run = run_in(folder / "store")
    data = striped(run.store)
    return train(data, config(write_function(folder)), run), data, run


def test_it_learns_and_keras_opens_what_is_kept(trained):
    import keras

    model, _, run = trained
    assert run.figures["validation_accuracy"].value > 0.9
    assert (model.task, model.labels) == ("image_classification", ["across", "down"])
    assert (model.info["framework"], model.info["loader"], model.info["architecture"]) == (
        "keras",
        "keras",
        "Sequential",
    )
    assert sorted(path.name for path in model.path.iterdir()) == ["model.json", "model.keras", "provenance.json"]
    opened = keras.saving.load_model(model.path / "model.keras", safe_mode=True)
    assert opened.input_shape == (None, 8, 8, 3)
    assert run.details["recipe"]["base"] == model.provenance["base"]["name"] == "model.py:build_model"


def test_the_graph_takes_any_number_of_pictures_and_answers_as_keras_does(trained, tmp_path):
    import keras

    model, data, run = trained
    package = export(model, data, ExportConfig(name="stripes", golden=4), run)
    assert run.figures["parity_max_abs"].value < 1e-5
    session = onnxruntime.InferenceSession(package.path / "variants/float/model.onnx")
    assert [(each.name, each.type, each.shape[1:]) for each in session.get_inputs()] == [
        ("pixels", "tensor(uint8)", [3, 8, 8])
    ]
    opened = keras.saving.load_model(model.path / "model.keras", safe_mode=True)
    for count in (1, 3, 7):
        pixels = np.random.default_rng(count).integers(0, 256, (count, 3, 8, 8), dtype=np.uint8)
        with torch.inference_mode():
            wanted = opened(torch.from_numpy(pixels.transpose(0, 2, 3, 1).astype(np.float32)), training=False).numpy()
        found = session.run(["logits"], {"pixels": pixels})[0]
        assert np.abs(found - wanted).max() < 1e-5
    assert package.info["pipeline"]["image_size"] == 8


def test_the_same_code_and_seed_give_the_same_model_and_other_code_another(trained, tmp_path):
    model, _, _ = trained
    run = run_in(tmp_path / "store")
    assert train(striped(run.store), config(write_function(tmp_path / "a")), run).digest == model.digest
    changed = write_function(tmp_path / "b", STATEFUL.replace("0.25", "0.5"))
    other = train(striped(run.store), config(changed), run_in(tmp_path / "store"))
    assert other.digest != model.digest
    assert other.provenance["base"]["digest"] != model.provenance["base"]["digest"]


def test_a_model_goes_on_from_where_another_ended(trained, tmp_path):
    model, _, first = trained
    run = run_in(tmp_path / "store")
    again = train(striped(run.store), config(str(model.path), epochs=1, base_lr=1e-4), run)
    assert run.figures["validation_accuracy"].value >= first.figures["validation_accuracy"].value - 0.05
    assert again.digest != model.digest
    with pytest.raises(BadConfig, match="takes pictures of 8 pixels, not 16"):
        train(striped(run.store), config(str(model.path), image_size=16), run_in(tmp_path / "store"))


@pytest.mark.parametrize("kept", [["model.json", "model.keras"], ["model.json"]], ids=["whole", "without its file"])
def test_code_that_lies_in_the_directory_of_a_model_is_not_run(trained, tmp_path, kept):
    model, _, _ = trained
    folder = tmp_path / "foreign"
    folder.mkdir()
    UserFunction.of_source("model.py", "build_model", STATEFUL.encode() + b"raise SystemExit\n").write(folder)
    for name in kept:
        shutil.copyfile(model.path / name, folder / name)
    if "model.keras" in kept:
        pixels = torch.arange(3 * 8 * 8).to(torch.uint8).reshape(1, 3, 8, 8)
        models = [TRAINING.load(str(path), model.labels, {}).eval() for path in (model.path, folder)]
        assert torch.equal(*(each(pixels) for each in models))
    else:
        with pytest.raises(Damaged):
            TRAINING.load(str(folder), model.labels, {})


def test_a_model_for_pictures_that_are_no_squares_is_refused_before_a_row_is_read(tmp_path):
    wide = UserFunction.of_source("model.py", "build_model", STATEFUL.encode()).build((8, 16, 3), 2)
    write_keras(wide, tmp_path / "model.keras")
    with pytest.raises(BadInput, match=r"of the shape \(8, 16, 3\)"):
        TRAINING.pipeline(str(tmp_path), ["a", "b"], 0)


def test_pictures_are_made_as_large_as_is_asked(tmp_path):
    run = run_in(tmp_path / "store")
    model = train(striped(run.store), config(write_function(tmp_path), image_size=12, epochs=1), run)
    assert input_shape_of(model.path / "model.keras") == (12, 12, 3)
    assert TRAINING.pipeline(str(model.path), model.labels, 0).framing.image_size == 12


@pytest.mark.parametrize(
    ("keys", "error", "message", "advice"),
    [
        ({"dropout": 0.1}, BadConfig, "train.dropout is not put into a Keras model", "layers.Dropout"),
        ({"base": "resnet"}, BadInput, "resnet names no Keras model", "model.py:build_model"),
        ({"base": "nowhere/model.py"}, BadInput, "there is no file nowhere/model.py", "check the path"),
        ({"framework": "torch"}, BadInput, "is a function that builds a Keras model", "train.framework: keras"),
        ({"task": "detection"}, BadConfig, "detection are not written in keras", "train.framework: torch"),
    ],
    ids=["dropout", "a recipe of torch", "no file", "framework torch", "another task"],
)
def test_settings_that_do_not_go_together_are_refused(tmp_path, keys, error, message, advice):
    run = run_in(tmp_path / "store")
    with pytest.raises(error, match=message) as refused:
        train(striped(run.store), config(**{"base": write_function(tmp_path), **keys}), run)
    assert advice in str(refused.value.next)


def test_what_is_trained_from_is_told_by_the_code_and_not_by_where_it_lies_or_is_kept(tmp_path, monkeypatch):
    one = base_digest(resolve_base(write_function(tmp_path / "a"), TRAINING, "keras"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "another"))
    assert base_digest(resolve_base(write_function(tmp_path / "b"), TRAINING, "keras")) == one
    (tmp_path / "b" / "model.py").write_text(STATEFUL.replace("0.25", "0.5"))
    assert base_digest(resolve_base(f"{tmp_path}/b/model.py", TRAINING, "keras")) != one


def test_a_copy_that_somebody_changed_is_not_run(tmp_path):
    base = write_function(tmp_path)
    kept = resolve_base(base, TRAINING, "keras")
    (kept / "function.py").write_text("raise SystemExit\n")
    assert (resolve_base(base, TRAINING, "keras") / "function.py").read_text() == STATEFUL


def test_a_function_that_cannot_work_is_told_before_a_row_is_read(tmp_path):
    write_function(tmp_path, STATEFUL.replace("Dense(classes,", "Dense(classes, activation='softmax',"))
    (tmp_path / "modelyard.yaml").write_text(
        "task: image_classification\ndata: nowhere\ntrain: {framework: keras, base: 'model.py:build_model'}\n"
    )
    with pytest.raises(BadInput, match="ends with softmax"):
        preflight(load_project(tmp_path))
    (tmp_path / "modelyard.yaml").write_text("task: detection\ndata: nowhere\ntrain:\n  framework: keras\n")
    with pytest.raises(BadConfig, match="are not written in keras") as refused:
        preflight(load_project(tmp_path))
    assert refused.value.where == "modelyard.yaml, line 4, key train.framework"


def test_another_backend_in_the_process_is_named_with_what_to_do(monkeypatch):
    stands = types.ModuleType("keras")
    stands.config = types.SimpleNamespace(backend=lambda: "tensorflow")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keras", stands)
    with pytest.raises(EnvironmentProblem, match="Keras stands on tensorflow in this process") as refused:
        hold_keras()
    assert str(refused.value.next).startswith("set KERAS_BACKEND=torch before")


def test_an_older_keras_is_named_with_what_to_do(monkeypatch):
    older = types.ModuleType("keras")
    older.__version__ = "2.15.0"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "keras", older)
    with pytest.raises(EnvironmentProblem, match=r"Keras 2\.15\.0 cannot stand on torch") as refused:
        hold_keras()
    assert refused.value.next == "pip install 'modelyard[keras]'"


def test_without_keras_the_extra_is_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setattr(backend, "find_spec", lambda name: None)
    with pytest.raises(EnvironmentProblem, match="Keras is not installed") as refused:
        hold_keras()
    assert refused.value.next == "pip install 'modelyard[keras]'"
