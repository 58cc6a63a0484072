"""The `.keras` file: opened by Keras alone, without code, and the same bytes for the same model."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
import torch

from modelyard.errors import BadInput, Damaged
from modelyard.tasks.keras.model_file import input_shape_of, open_keras, write_keras
from modelyard.tasks.keras.trial import hold_builds
from modelyard.tasks.keras.user_function import UserFunction
from tests.unit.tasks.keras.networks import STATEFUL, plain


def built(source: str, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return UserFunction.of_source("model.py", "build_model", source.encode()).build((8, 8, 3), 2)


def test_the_same_model_gives_the_same_bytes_and_answers_as_before(tmp_path):
    model = built(STATEFUL)
    write_keras(model, tmp_path / "one.keras")
    write_keras(model, tmp_path / "other.keras")
    assert (tmp_path / "one.keras").read_bytes() == (tmp_path / "other.keras").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.keras") as archive:
        assert sorted(archive.namelist()) == ["config.json", "metadata.json", "model.weights.h5"]
        assert list(json.loads(archive.read("metadata.json"))) == ["keras_version"]
        assert {each.date_time[0] for each in archive.infolist()} == {1980}
    opened = open_keras(tmp_path / "one.keras")
    pictures = torch.rand(3, 8, 8, 3) * 255
    assert torch.equal(model(pictures, training=False), opened(pictures, training=False))
    assert input_shape_of(tmp_path / "one.keras") == (8, 8, 3)


def test_keras_opens_it_without_us(tmp_path):
    import keras

    write_keras(built(STATEFUL), tmp_path / "model.keras")
    assert isinstance(keras.saving.load_model(tmp_path / "model.keras", safe_mode=True), keras.Model)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("x = layers.Lambda(lambda y: y * 2, name='twice')(x)", "holds a Lambda twice"),
        ("x = layers.Dense(3, activation=lambda y: y * 2)(x)", "Keras cannot write the model"),
        ("def twice(y): return y * 2\n    x = layers.Dense(3, activation=twice)(x)", "holds the function twice"),
        ("class Mine(layers.Layer):\n        def call(self, y): return y\n    x = Mine()(x)", "holds the class Mine"),
        ("@keras.saving.register_keras_serializable('mine')\n    class Known(layers.Layer):\n        def call(self, y):"
         " return y\n    x = Known()(x)", "holds the class Known"),
    ],
    ids=["lambda layer", "lambda", "function", "class", "registered class"],
)  # fmt: skip
def test_a_model_that_only_its_authors_code_could_open_is_not_written(tmp_path, body, message):
    with pytest.raises(BadInput, match=message) as refused:
        write_keras(built(plain(body)), tmp_path / "model.keras")
    assert "keras" in str(refused.value.next).lower()


def test_a_model_of_another_framework_in_it_is_refused(tmp_path):
    source = (
        "import keras, torch\nfrom keras import layers\ndef build_model(input_shape=(8, 8, 3), classes=2):\n"
        "    return keras.Sequential([layers.TorchModuleWrapper(torch.nn.ReLU()), layers.Flatten(), layers.Dense(2)])\n"
    )
    model = built(source)
    model(torch.zeros(1, 8, 8, 3))
    with pytest.raises(BadInput, match="holds a TorchModuleWrapper"):
        write_keras(model, tmp_path / "model.keras")


def test_a_function_that_keras_writes_by_the_name_of_another_is_found_out(tmp_path):
    """keras.ops.gelu is by default another function than keras.activations.gelu, and is written by the same name."""
    other = plain("x = layers.Activation(keras.ops.gelu)(x / 255 - 0.5)")
    with pytest.raises(BadInput, match="comes back from its file as another one") as refused:
        hold_builds(UserFunction.of_source("model.py", "build_model", other.encode()))
    assert "activation='gelu'" in str(refused.value.next)
    same = plain("x = layers.Activation('gelu')(x / 255 - 0.5)")
    hold_builds(UserFunction.of_source("model.py", "build_model", same.encode()))


def test_functions_of_keras_are_no_code(tmp_path):
    model = built(
        plain("x = keras.ops.relu(x * 2 + 1)[:, 1:]; x = layers.Dense(3, activation=keras.activations.gelu)(x)")
    )
    write_keras(model, tmp_path / "model.keras")
    pictures = torch.rand(2, 8, 8, 3)
    opened = open_keras(tmp_path / "model.keras")
    assert torch.equal(model(pictures, training=False), opened(pictures, training=False))


def test_a_file_that_brings_code_is_refused_before_keras_reads_it(tmp_path):
    import keras

    place = tmp_path / "model.keras"
    built(STATEFUL)
    keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Lambda(lambda y: y)]).save(place)
    with pytest.raises(BadInput, match="holds a Lambda") as refused:
        open_keras(place)
    assert refused.value.where == str(place)


def test_a_torn_file_is_said_to_be_damaged(tmp_path):
    write_keras(built(STATEFUL), tmp_path / "whole.keras")
    content = (tmp_path / "whole.keras").read_bytes()
    torn: Path = tmp_path / "torn.keras"
    torn.write_bytes(content[: len(content) // 2])
    with pytest.raises(Damaged, match=r"torn\.keras"):
        open_keras(torn)
    with pytest.raises(Damaged, match=r"torn\.keras"):
        input_shape_of(torn)
