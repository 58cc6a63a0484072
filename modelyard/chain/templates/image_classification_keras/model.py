"""The network of this project, in Keras. Training calls `build_model`: change what you like, then `modelyard run`.

Pictures come as Keras has them, [n, height, width, channels] with values from 0 to 255; what is answered are logits,
one a class: no softmax at the end. Loss, optimizer and schedule are those of the block `train` in modelyard.yaml.
"""

import keras
from keras import layers


def build_model(input_shape: tuple[int, int, int] = (64, 64, 3), classes: int = 10) -> keras.Model:
    """The default of `input_shape` says how large pictures are made; (64, 64, 1) gives grey ones."""
    model = keras.Sequential([keras.Input(input_shape), layers.Rescaling(1 / 255)])
    model.add(layers.RandomTranslation(0.08, 0.08, fill_mode="nearest"))  # while training alone
    for width in (32, 64, 128):
        model.add(layers.Conv2D(width, 3, padding="same", use_bias=False))
        # Keras's own momentum, 0.99, needs thousands of steps before validation shows what was learned.
        model.add(layers.BatchNormalization(momentum=0.9))
        model.add(layers.ReLU())
        model.add(layers.MaxPooling2D())
    model.add(layers.GlobalAveragePooling2D())
    model.add(layers.Dropout(0.2))
    model.add(layers.Dense(classes))
    return model
