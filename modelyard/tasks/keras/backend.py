"""Keras, brought in so that a model of it is a torch.nn.Module: our own loop trains it, ONNX is made of it."""

from __future__ import annotations

import contextlib
import os
import random
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from modelyard.errors import EnvironmentProblem

if TYPE_CHECKING:
    from types import ModuleType

BACKEND, BACKEND_KEY = "torch", "KERAS_BACKEND"
DEVICE, DEVICE_KEY = "cpu", "KERAS_TORCH_DEVICE"
INSTALL = "pip install 'modelyard[keras]'"


def hold_keras() -> None:
    """Raises EnvironmentProblem where Keras is missing, or stands on another backend in this process already."""
    loaded = sys.modules.get("keras")
    if loaded is not None:
        _hold_loaded(loaded)
    elif find_spec("keras") is None:
        raise EnvironmentProblem("Keras is not installed, which the model is written in", next=INSTALL)


def import_keras() -> Any:
    """The module, on PyTorch and the CPU whatever the environment and ~/.keras/keras.json say. It reads both once, when
    it is first imported. Raises EnvironmentProblem."""
    hold_keras()
    wanted = {BACKEND_KEY: BACKEND, DEVICE_KEY: DEVICE}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    try:
        with chance_kept():
            import keras
    except ImportError as error:
        raise EnvironmentProblem(f"Keras cannot be imported: {error}", next=INSTALL) from error
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    _hold_loaded(keras)
    return keras


@contextlib.contextmanager
def chance_kept() -> Iterator[None]:
    """Generators of chance are afterwards where they were: importing a module draws from them, the first time alone,
    and what is drawn after that would depend on what a process did before."""
    import numpy as np
    import torch

    python, numbers = random.getstate(), np.random.get_state()
    try:
        with torch.random.fork_rng(devices=[]):
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numbers)


def fresh_session(keras: Any) -> None:
    """Names of layers count from one and settings are Keras's own: the same function builds the same model, wherever
    and after whatever it is called."""
    keras.utils.clear_session(free_memory=False)
    keras.config.set_floatx("float32")
    keras.config.set_epsilon(1e-7)
    keras.config.set_image_data_format("channels_last")


def _hold_loaded(keras: ModuleType) -> None:
    """Raises EnvironmentProblem."""
    if not hasattr(keras, "config"):  # which came with Keras 3
        raise EnvironmentProblem(
            f"Keras {getattr(keras, '__version__', '')} cannot stand on {BACKEND}, Keras 3 can", next=INSTALL
        )
    backend = keras.config.backend()
    if backend != BACKEND:
        raise EnvironmentProblem(
            f"Keras stands on {backend} in this process, models are trained on {BACKEND}",
            next=f"set {BACKEND_KEY}={BACKEND} before Keras is imported, or run `modelyard` as a process of its own",
        )
    device = keras.ops.zeros(1).device.type
    if device != DEVICE:
        raise EnvironmentProblem(
            f"Keras computes on {device} in this process, models are trained on the {DEVICE}",
            next=f"set {DEVICE_KEY}={DEVICE} before Keras is imported, or run `modelyard` as a process of its own",
        )
