"""Paths named inside a package: relative, and staying inside it after every link is followed."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from modelyard.errors import Damaged


def inside(package: Path, relative: str) -> Path:
    """The file of that name in the package. Raises Damaged for a path that leads out of it or to nothing."""
    named = PurePosixPath(relative)
    if named.is_absolute() or ".." in named.parts or "\\" in relative or "\0" in relative or not named.parts:
        raise Damaged(
            f"the package names {relative!r}: paths in a package are relative and stay inside it",
            where=str(package / "package.json"),
            next="do not serve a package that you did not make; make it again with modelyard",
        )
    path = package / named
    if not path.resolve().is_relative_to(package.resolve()):
        raise Damaged(f"{relative} is a link that leads out of the package", where=str(path))
    if not path.exists():
        raise Damaged(f"{relative} is missing from the package", where=str(path), next="copy the whole directory")
    return path
