"""A user's function that builds a Keras model: `build_model(input_shape, classes)` in a file of theirs.

What can be said of it without running it is read from the source; what it answers is checked before a row is prepared.
"""

from __future__ import annotations

import ast
import contextlib
import difflib
import json
import sys
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from modelyard.errors import BadInput
from modelyard.store.digests import canonical_json, digest_bytes
from modelyard.tasks.keras.backend import chance_kept, fresh_session, import_keras

# The files of a base that is a function: which one, and the user's file as it was read.
INDEX, SOURCE = "function.json", "function.py"
SHAPE, CLASSES = "input_shape", "classes"
EXAMPLE = "def build_model(input_shape=(64, 64, 3), classes=10)"
PREFIX = "modelyard_model_"  # of the names that such files are imported under
CHANNELS = (1, 3)
MOST_SIDE = 2048  # pixels; train.image_size goes no further either


@dataclass(frozen=True)
class UserFunction:
    """file: how the user calls it; input_shape: its default, height, width and channels of a picture."""

    file: str
    name: str
    source: bytes
    input_shape: tuple[int, int, int]

    @classmethod
    def read(cls, path: Path, name: str) -> UserFunction:
        """Raises BadInput for a file that does not parse or has no such function."""
        try:
            source = path.read_bytes()
        except OSError as error:
            raise BadInput(f"{path.name} cannot be read: {error.strerror}", where=str(path)) from None
        return cls.of_source(path.name, name, source)

    @classmethod
    def of_source(cls, file: str, name: str, source: bytes) -> UserFunction:
        definition = _definition(file, name, source)
        return cls(file, name, source, _input_shape(file, definition))

    @classmethod
    def open(cls, folder: Path) -> UserFunction:
        """What `write` wrote."""
        index = json.loads((folder / INDEX).read_bytes())
        return cls.of_source(index["file"], index["function"], (folder / SOURCE).read_bytes())

    @property
    def index(self) -> bytes:
        return canonical_json({"file": self.file, "function": self.name}) + b"\n"

    @property
    def digest(self) -> str:
        """Of the code and of which function of it."""
        return digest_bytes(self.index + self.source)

    def write(self, folder: Path) -> None:
        (folder / INDEX).write_bytes(self.index)
        (folder / SOURCE).write_bytes(self.source)

    def lies_in(self, folder: Path) -> bool:
        """Whether the folder holds what `write` would write."""
        files = {folder / INDEX: self.index, folder / SOURCE: self.source}
        return all(path.is_file() and path.read_bytes() == content for path, content in files.items())

    def build(self, input_shape: tuple[int, int, int], classes: int) -> Any:
        """What the function answers, in a session of its own. Raises BadInput with the line where it fails."""
        fresh_session(import_keras())
        module = ModuleType(f"{PREFIX}{self.digest[:16]}")
        module.__file__ = self.file
        # Keras looks up the module of a class that is registered; pickles and dataclasses do.
        sys.modules[module.__name__] = module
        with _no_neighbours():
            with self._said(f"{self.file} cannot be run"), chance_kept():
                exec(self._code(), vars(module))  # noqa: S102 - the user's own file, named by the user
            function = getattr(module, self.name)
            with self._said(f"{self.name}({SHAPE}={input_shape}, {CLASSES}={classes}) fails"):
                return function(**{SHAPE: input_shape, CLASSES: classes})

    def _code(self) -> CodeType:
        return compile(self.source, self.file, "exec")

    @contextlib.contextmanager
    def _said(self, what: str) -> Iterator[None]:
        """What the user's code raises, as an error that names the line of the file."""
        try:
            # What it prints is for people: standard output may carry an answer in JSON.
            with contextlib.redirect_stdout(sys.stderr):
                yield
        except (Exception, SystemExit) as error:  # whatever a user's code raises
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == self.file]
            missing = isinstance(error, ModuleNotFoundError)
            raise BadInput(
                f"{what}: {type(error).__name__}: {' '.join(str(error).split())[:500]}",
                where=f"{self.file}, line {lines[-1]}" if lines else self.file,
                next="keep what the model needs in this one file, or in an installed package"
                if missing
                else "call the function in a Python shell to see the whole traceback",
            ) from error


@contextlib.contextmanager
def _no_neighbours() -> Iterator[None]:
    """What lies beside the file is not imported: a change of it would go unseen, and an old result be taken for new."""
    before = list(sys.path)
    sys.path[:] = [path for path in before if path and Path(path).resolve() != Path.cwd()]
    try:
        yield
    finally:
        sys.path[:] = before


def _definition(file: str, name: str, source: bytes) -> ast.FunctionDef:
    """Raises BadInput."""
    try:
        tree = ast.parse(source, file)
    except (SyntaxError, ValueError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise BadInput(f"{file} is no Python: {getattr(error, 'msg', error)}", where=f"{file}{line}") from None
    there = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    if name not in there:
        close = difflib.get_close_matches(name, there, n=1) or sorted(there)[:1]
        raise BadInput(
            f"{file} has no function {name}",
            where="train.base",
            next=f"did you mean {file}:{close[0]}?" if close else f"write one: {EXAMPLE}",
        )
    return there[name]


def _input_shape(file: str, definition: ast.FunctionDef) -> tuple[int, int, int]:
    """The default of the parameter `input_shape`: how large the pictures are that the model is made for.

    Raises BadInput."""
    where, arguments = f"{file}, line {definition.lineno}", definition.args
    named = [*arguments.args, *arguments.kwonlyargs]
    missing = [name for name in (SHAPE, CLASSES) if name not in {each.arg for each in named}]
    if missing and arguments.kwarg is None:
        raise BadInput(f"{definition.name} takes no {missing[0]}", where=where, next=f"write {EXAMPLE}")
    by_place = [*arguments.posonlyargs, *arguments.args]
    placed = by_place[len(by_place) - len(arguments.defaults) :]
    defaults: dict[str, ast.expr | None] = {
        each.arg: value for each, value in zip(placed, arguments.defaults, strict=True)
    }
    defaults |= {each.arg: value for each, value in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)}
    given = defaults.get(SHAPE)
    try:
        shape = ast.literal_eval(given) if given is not None else None
    except ValueError:
        shape = None
    if not (isinstance(shape, tuple | list) and len(shape) == 3 and all(type(each) is int for each in shape)):
        raise BadInput(
            f"{definition.name} does not say how large its pictures are",
            where=where,
            next=f"give {SHAPE} a default of three numbers, height, width, channels: {EXAMPLE}",
        )
    height, width, channels = shape
    if height != width or not 1 <= height <= MOST_SIDE or channels not in CHANNELS:
        raise BadInput(
            f"{SHAPE} is {tuple(shape)}: pictures are squares of {MOST_SIDE} pixels at most, of 3 channels, or of 1 "
            "for grey",
            where=where,
            next=f"write {EXAMPLE}",
        )
    return height, width, channels
