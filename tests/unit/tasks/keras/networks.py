"""Functions as users write them, small, as the text of a file."""

from __future__ import annotations

from pathlib import Path

# Everything that has a state: statistics that move, dropout, a layer with a seed of its own, a regularizer.
STATEFUL = """\
import keras
from keras import layers

def build_model(input_shape=(8, 8, 3), classes=2):
    return keras.Sequential([
        keras.Input(input_shape),
        layers.Rescaling(1 / 255),
        layers.RandomTranslation(0.1, 0.1),
        layers.Conv2D(4, 3, padding="same"),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
        layers.GlobalAveragePooling2D(),
        layers.Dropout(0.25),
        layers.Dense(classes, kernel_regularizer=keras.regularizers.L2(1e-3)),
    ])
"""
PLAIN = """\
import keras
from keras import layers

def build_model(input_shape=(8, 8, 3), classes=2):
    x = inputs = keras.Input(input_shape)
    BODY
    return keras.Model(inputs, layers.Dense(classes)(layers.Flatten()(x)))
"""


def plain(body: str) -> str:
    """A model of layers put together as calls, with `body` on the way from the input to the last layer."""
    return PLAIN.replace("BODY", body)


def write_function(folder: Path, source: str = STATEFUL) -> str:
    """The file, and its name as `train.base` has it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.py").write_text(source)
    return f"{folder / 'model.py'}:build_model"
