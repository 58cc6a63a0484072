"""A user's own task: a folder outside the package that exports TASK and, if it brings kinds of field, FIELDS.

Its code runs in this process, so it is loaded from where a user named it, or from an artifact whose code digest the
user allowed, and from nowhere else.
"""

from __future__ import annotations

import copy
import importlib.abc
import importlib.machinery
import importlib.util
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from types import CodeType, MappingProxyType, ModuleType

from modelyard.errors import BadConfig, BadInput
from modelyard.store.digests import digest_file, digest_json
from modelyard.tasks.task import Task

ENTRY = "__init__.py"
PREFIX = "modelyard_task_"  # of the names that such tasks are imported under
MAX_FILES, MAX_BYTES = 200, 16 << 20


def code_files(folder: Path) -> list[Path]:
    """What a task's folder is made of, sorted: every file but caches and what is hidden.

    Raises BadInput for a folder that is no small package of code, or a link that leads out of it.
    """
    found = []
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if any(part.startswith(".") or part == "__pycache__" for part in parts) or not path.is_file():
            continue
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BadInput(f"{'/'.join(parts)} is a link that leads out of the task's folder", where=str(path))
        found.append(path)
    size = sum(path.stat().st_size for path in found)
    if len(found) > MAX_FILES or size > MAX_BYTES:
        raise BadInput(
            f"the task's folder holds {len(found)} files, {size / 1e6:.0f} MB: it goes into every package whole",
            where=str(folder),
            next=f"keep code there ({MAX_FILES} files, {MAX_BYTES >> 20} MiB at most), and data and models elsewhere",
        )
    return found


def code_digest(folder: Path) -> str:
    """Digest of a task's code: SHA-256 of {relative path: file digest}."""
    return digest_json({path.relative_to(folder).as_posix(): digest_file(path) for path in code_files(folder)})


def copy_code(folder: Path, into: Path) -> None:
    """The files that `code_digest` covers, under `into`."""
    for path in code_files(folder):
        target = into / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def load_folder(folder: Path) -> Task:
    """The TASK of a folder, its FIELDS with it. Raises BadConfig that says what the folder lacks."""
    if not (folder / ENTRY).is_file():
        raise BadConfig(
            f"{folder} is no task: it has no {ENTRY}",
            where=str(folder),
            next=f"a task is a folder whose {ENTRY} exports TASK (docs/own-task.md)",
        )
    digest = code_digest(folder)
    module = _imported(folder.resolve(), digest)
    task = getattr(module, "TASK", None)
    if not isinstance(task, Task):
        raise BadConfig(
            f"{folder.name} exports no TASK that is a modelyard.tasks.Task",
            where=str(folder / ENTRY),
            next="end the file with `TASK = MyTask()` (docs/own-task.md)",
        )
    fields = getattr(module, "FIELDS", {})
    if not isinstance(fields, dict):
        raise BadConfig(f"FIELDS of {folder.name} is no dict of name to field", where=str(folder / ENTRY))
    # A copy: what the folder exports may be another's task, one of ours too.
    own = copy.copy(task)
    own.fields, own.folder, own.code = MappingProxyType(dict(fields)), folder.resolve(), digest
    return own


def _imported(folder: Path, digest: str) -> ModuleType:
    """The folder as a package of its own name, once a process: two versions of one task live side by side."""
    name = f"{PREFIX}{digest[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    if not any(isinstance(finder, _OwnTasks) for finder in sys.meta_path):
        sys.meta_path.insert(0, _OwnTasks())
    spec = _spec(name, folder)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever a user's module raises while it is imported
        del sys.modules[name]
        raise BadConfig(
            f"the task {folder.name} cannot be imported: {type(error).__name__}: {error}",
            where=str(folder / ENTRY),
            next="import it in a Python shell to see the whole traceback",
        ) from error
    return module


class _FromSource(importlib.machinery.SourceFileLoader):
    """Neither reads nor writes bytecode: a cached file is no part of the digest that was allowed."""

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _OwnTasks(importlib.abc.MetaPathFinder):
    """Finds the modules inside a task's folder."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if not fullname.startswith(PREFIX) or not path:
            return None
        return _spec(fullname, Path(next(iter(path))) / fullname.rpartition(".")[2])


def _spec(name: str, place: Path) -> importlib.machinery.ModuleSpec | None:
    """Of a folder with an __init__.py, or of the module beside it."""
    if (place / ENTRY).is_file():
        entry, inside = place / ENTRY, [str(place)]
    elif place.with_suffix(".py").is_file():
        entry, inside = place.with_suffix(".py"), None
    else:
        return None
    loader = _FromSource(name, str(entry))
    return importlib.util.spec_from_file_location(name, entry, loader=loader, submodule_search_locations=inside)
