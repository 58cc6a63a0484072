"""What a Keras model is trained from: a function of the user's, or a directory with a Keras model to go on with."""

from __future__ import annotations

import tempfile
from pathlib import Path

from modelyard.errors import BadInput
from modelyard.store.atomic import new_directory, publish_directory
from modelyard.tasks.keras.backend import hold_keras
from modelyard.tasks.keras.model_file import FILE, open_keras, write_keras
from modelyard.tasks.keras.user_function import EXAMPLE, UserFunction
from modelyard.training.downloads import cache_folder

KERAS = "keras"
ENDING, FUNCTION = ".py", "build_model"


def is_function(base: str) -> bool:
    """Whether it is FILE.py or FILE.py:FUNCTION, as against a directory or another name."""
    return base.endswith(ENDING) or base.rpartition(":")[0].endswith(ENDING)


def function_of(base: str) -> tuple[Path, str]:
    """The file and the name of the function."""
    file, name = (base, FUNCTION) if base.endswith(ENDING) else (base.rpartition(":")[0], base.rpartition(":")[2])
    return Path(file).expanduser(), name


def place_of(base: str) -> Path:
    """Where it lies, if it is a directory or a function in a file."""
    return function_of(base)[0] if is_function(base) else Path(base).expanduser()


def keras_base(base: str) -> Path:
    """A directory. A function is kept in the user's cache, file and all, under its digest, once it has built a model:
    what runs is what was read.

    Raises BadInput, or EnvironmentProblem when Keras cannot be used here.
    """
    hold_keras()
    folder = Path(base).expanduser()
    if (folder / FILE).is_file():
        return folder
    if not is_function(base):
        raise BadInput(
            f"{base} is no Keras model: it is no directory with a {FILE}"
            if folder.exists()
            else f"{base} names no Keras model",
            where="train.base",
            next=f"name the function that builds it, train.base: model.py:{FUNCTION} ({EXAMPLE}: ...)",
        )
    path, name = function_of(base)
    if not path.is_file():
        raise BadInput(
            f"there is no file {path}",
            where="train.base",
            next="check the path: it is seen from modelyard.yaml, or from where you stand",
        )
    function = UserFunction.read(path, name)
    target = cache_folder() / f"keras-{function.digest[:16]}"
    if not target.is_dir():
        _hold_builds(function)
        with new_directory(cache_folder()) as made:
            function.write(made)
            publish_directory(made, target)
    return target


def _hold_builds(function: UserFunction) -> None:
    """Raises BadInput for a function that fails, or builds something else than a classifier that can be kept: told
    before the data are read, and not after."""
    from modelyard.tasks.keras.classifier import checked

    classes = 3
    model = checked(function.build(function.input_shape, classes), function.input_shape, classes, function.name)
    with tempfile.TemporaryDirectory() as folder:
        write_keras(model.network, Path(folder) / FILE)
        open_keras(Path(folder) / FILE)
