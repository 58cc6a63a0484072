"""A Keras model as our loop sees it: weights, statistics and seeds in its state, the flag of training, the pixels."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from modelyard.errors import BadInput
from modelyard.tasks.keras.classifier import KerasClassifier, checked
from modelyard.tasks.keras.user_function import UserFunction
from tests.unit.tasks.keras.networks import STATEFUL, plain

SHAPE = (8, 8, 3)


def built(source: str = STATEFUL, shape: tuple[int, int, int] = SHAPE, classes: int = 2) -> KerasClassifier:
    torch.manual_seed(0)
    function = UserFunction.of_source("model.py", "build_model", source.encode())
    return checked(function.build(shape, classes), shape, classes, "build_model")


def pixels(count: int = 6, seed: int = 0) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).integers(0, 256, (count, 3, 8, 8), dtype=np.uint8))


def test_its_state_is_every_variable_once_and_no_more():
    model = built()
    names = [name.partition(":")[2].rpartition("/")[2] for name in model.state_dict()]
    assert sorted(names) == sorted(
        ["kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance", "kernel", "bias"]
        + ["seed_generator_state"] * 2
    )
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    assert len(trained) == 6
    assert sum(parameter.numel() for parameter in trained) == (3 * 3 * 3 * 4 + 4) + (4 + 4) + (4 * 2 + 2)


def test_training_moves_the_statistics_as_keras_says_and_evaluation_moves_nothing():
    model = built()
    name = next(name for name in model.state_dict() if name.endswith("moving_mean"))
    seen = []
    model.network.layers[2].register_forward_hook(lambda layer, given, made: seen.append(made.detach()))
    model.train()
    model(pixels())
    wanted = 0.1 * seen[-1].mean(dim=(0, 1, 2))  # momentum 0.9, from 0
    assert torch.allclose(model.state_dict()[name], wanted, atol=1e-6)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.eval()
    with torch.inference_mode():
        one, other = model(pixels()), model(pixels())
    assert torch.equal(one, other)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_state_put_back_goes_on_bit_by_bit():
    """Seeds of layers are in the state, what dropout draws comes from PyTorch's generator, which checkpoints keep."""
    model = built()
    model.train()
    model(pixels())
    state = {name: value.detach().clone() for name, value in model.state_dict().items()}
    generator = torch.get_rng_state()
    first = model(pixels(seed=1))
    model(pixels(seed=2))
    again = built()
    again.load_state_dict(state)
    again.train()
    torch.set_rng_state(generator)
    assert torch.equal(again(pixels(seed=1)), first)
    assert not torch.equal(again(pixels(seed=1)), first)  # chance went on


def test_the_penalty_is_what_the_regularizer_says():
    model = built()
    model.train()
    model(pixels())
    kernel = model.network.layers[-1].kernel.value
    assert float(model.penalty.detach()) == pytest.approx(1e-3 * float((kernel.detach() ** 2).sum()), rel=1e-5)
    assert built(plain("pass")).penalty is None


def test_grey_models_see_what_pillow_makes_grey():
    from PIL import Image

    model = built(plain("pass"), (8, 8, 1))
    given = []
    model.network.register_forward_pre_hook(lambda layer, inputs: given.append(inputs[0]))
    model.eval()(pixels())
    for row, picture in enumerate(pixels().numpy()):
        grey = np.asarray(Image.fromarray(picture.transpose(1, 2, 0)).convert("L"), dtype=np.float32)
        assert np.abs(given[0][row, :, :, 0].numpy() - grey).max() < 1.0


@pytest.mark.parametrize(
    ("source", "message", "advice"),
    [
        (STATEFUL.replace("Dense(classes, ", "Dense(7, "), r"answers numbers of shape \[2, 7\] .* there are 2 classes",
         "Dense(classes)"),
        (plain("pass").replace("(classes)(", "(classes, activation='softmax')("), "ends with softmax",
         "take the softmax"),
        (plain("pass").replace("layers.Dense(classes)(layers.Flatten()(x))",
                               "layers.Softmax()(layers.Dense(classes)(layers.Flatten()(x)))"),
         "ends with softmax", "take the softmax"),
        (plain("pass").replace("(classes)(", "(classes, activation='sigmoid')("), "ends with sigmoid",
         "take the sigmoid"),
        (plain("return keras.Model(inputs, keras.ops.sigmoid(layers.Dense(classes)(layers.Flatten()(x))))"),
         "ends with sigmoid", "take the sigmoid"),
        (plain("return layers.Dense(classes)"), "a Dense, not a keras.Model", "return model"),
        (plain("return None"), "answers nothing, not a keras.Model", "return model"),
        (plain("model = keras.Model(inputs, layers.Flatten()(x)); model.compile(loss='mse'); return model"),
         "compiles its model", "take model.compile"),
        (plain("x = layers.Dense(3, trainable=False)(x)").replace("Dense(classes)", "Dense(classes, trainable=False)"),
         "nothing of the model", "trainable = True"),
        (plain("x = inputs = keras.Input((5, 5, 3))"), "does not take pictures of 8 x 8 pixels and 3 channels",
         "keras.Input(input_shape)"),
        (plain("class Mine(keras.Model):\n        def call(self, y): return y[:, 0, 0, :classes]\n    return Mine()"),
         "of the class Mine", "compose it"),
        (plain("pass").replace("(classes)(", "(classes, dtype='float64')("), "answers float64", "policy"),
    ],
    ids=["wrong width", "softmax", "softmax layer", "sigmoid", "sigmoid of keras.ops", "a layer", "nothing", "compiled",
         "frozen", "other size",
         "own class", "float64"],
)  # fmt: skip
def test_a_model_that_cannot_be_trained_rightly_is_refused_with_what_to_do(source, message, advice):
    with pytest.raises(BadInput, match=message) as refused:
        built(source)
    assert advice in str(refused.value.next)


def test_a_model_without_an_input_is_built_by_the_first_pictures():
    model = built("import keras\ndef build_model(input_shape=(8, 8, 3), classes=2):\n"
                  "    return keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(classes)])\n")  # fmt: skip
    assert model(pixels()).shape == (6, 2)
    assert model.channels == 3


def test_what_a_function_draws_follows_from_the_seed_and_not_from_what_its_file_draws_first():
    import random

    def weights(ahead: str) -> list[torch.Tensor]:
        random.seed(0)
        return list(built(ahead + STATEFUL).state_dict().values())

    plainly, drawing = weights(""), weights("import random, torch\nrandom.random(), torch.rand(3)\n")
    assert all(torch.equal(one, other) for one, other in zip(plainly, drawing, strict=True))


def test_names_of_layers_do_not_depend_on_what_was_built_before():
    assert list(built().state_dict()) == list(built().state_dict())


def test_the_function_of_the_guide_and_that_of_the_template_are_taken():
    root = Path(__file__).resolve().parents[4]
    (guide,) = re.findall(r"```python\n(.*?)```", (root / "docs" / "keras.md").read_text("utf-8"), re.DOTALL)
    template = root / "modelyard" / "chain" / "templates" / "image_classification_keras" / "model.py"
    for source in (guide, template.read_text("utf-8")):
        assert built(source, (64, 64, 3), 10)(torch.zeros((1, 3, 64, 64), dtype=torch.uint8)).shape == (1, 10)
