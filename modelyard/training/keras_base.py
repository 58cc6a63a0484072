"""What a Keras model is trained from: a function of the user's, or a directory with a Keras model to go on with."""

from __future__ import annotations

import shutil
from pathlib import Path

from modelyard.errors import BadInput
from modelyard.store.atomic import new_directory, publish_directory
from modelyard.tasks.keras.backend import hold_keras
from modelyard.tasks.keras.model_file import FILE
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
    if not function.lies_in(target):
        from modelyard.tasks.keras.trial import hold_builds

        hold_builds(function)
        shutil.rmtree(target, ignore_errors=True)  # one that somebody changed
        with new_directory(cache_folder()) as made:
            function.write(made)
            try:
                publish_directory(made, target)
            except OSError:
                if not function.lies_in(target):  # another process was faster
                    raise
    return target
