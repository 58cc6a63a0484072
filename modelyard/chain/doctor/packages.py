"""Packages by the extra that needs them, as the distribution's own metadata names them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec

from modelyard.chain.doctor.check import Check, State

EXTRAS = {
    "core": "every verb",
    "serve": "modelyard serve",
    "train": "train, export, optimize, evaluate",
    "vision": "pictures, which not everybody has",
    "keras": "models written in Keras, which not everybody has",
    "ctranslate2": "a faster variant of models that write texts, which not everybody has",
}
OPTIONAL = frozenset({"vision", "keras", "ctranslate2"})  # what lacks of them stands in the way of some tasks only
# They fail beside this torch, or make transformers fail (docs of the set-up say how).
FORBIDDEN = ("torchvision", "torchaudio", "torchao")
_REQUIREMENT = re.compile(r"^(?P<name>[A-Za-z0-9._-]+)(?:\[[^]]*\])?\s*(?:>=\s*(?P<least>[0-9.]+))?")


@dataclass(frozen=True)
class Needed:
    """A package and the least version of it that will do."""

    name: str
    least: str

    def as_requirement(self) -> str:
        return f"{self.name}>={self.least}" if self.least else self.name


def needed(extra: str) -> list[Needed]:
    """What an extra asks for by itself; `core` is what is asked for without one."""
    found = []
    for line in requires("modelyard") or []:
        requirement, _, marker = line.partition(";")
        of_extra = re.search(r"extra\s*==\s*['\"]([\w-]+)['\"]", marker)
        windows_only = "sys_platform == 'win32'" in marker.replace('"', "'") and sys.platform != "win32"
        match = _REQUIREMENT.match(requirement.strip())
        if match is None or match["name"] == "modelyard" or windows_only:
            continue
        if (of_extra[1] if of_extra else "core") == extra:
            found.append(Needed(match["name"], match["least"] or ""))
    return found


def packages(extras: tuple[str, ...]) -> Iterator[Check]:
    """One line an extra, then one for what must not be there."""
    try:
        wanted = {extra: needed(extra) for extra in extras}
    except PackageNotFoundError:
        yield Check("packages", "missing", "modelyard itself is not installed here", f"{_pip()} install -e .")
        return
    said: set[Needed] = set()
    for extra, names in wanted.items():
        # `train` takes in `serve`: each package is told once.
        versions = {each: _version(each.name) for each in names if each not in said}
        said |= versions.keys()
        lacking = [each for each, found in versions.items() if found is None or _older(found, each.least)]
        shown = ", ".join(f"{each.name} {found}" for each, found in versions.items() if found is not None)
        if lacking:
            missing = ", ".join(
                each.name if versions[each] is None else f"{each.name} {versions[each]} (older than {each.least})"
                for each in lacking
            )
            command = " ".join(f"'{each.as_requirement()}'" for each in lacking)
            state: State = "warn" if extra in OPTIONAL else "missing"
            yield Check(f"packages: {extra}", state, f"{EXTRAS[extra]}: {missing}", f"{_pip()} install {command}")
        else:
            yield Check(f"packages: {extra}", "ok", shown)
    there = [name for name in FORBIDDEN if find_spec(name) is not None]
    if there and "train" in extras:
        yield Check(
            "packages: conflicts",
            "missing",
            f"{', '.join(there)} does not work beside this torch and must not be installed",
            f"{_pip()} uninstall -y {' '.join(there)}",
        )


def _pip() -> str:
    return f"{sys.executable} -m pip"


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _older(found: str, least: str) -> bool:
    return bool(least) and _release(found) < _release(least)


def _release(shown: str) -> tuple[int, ...]:
    """The numbers at the start of a version: 2.13.0+cpu is (2, 13, 0)."""
    numbers = re.match(r"[0-9]+(?:\.[0-9]+)*", shown)
    return tuple(int(part) for part in numbers[0].split(".")) if numbers else ()
