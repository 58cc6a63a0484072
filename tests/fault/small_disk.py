"""A real file system of a chosen size, mounted for a test."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest


class SmallDisk:
    """A tmpfs at `path`; `resize` makes it larger or smaller."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def resize(self, size: int) -> None:
        """bytes: rounded up to whole pages by the kernel."""
        subprocess.run(["mount", "-o", f"remount,size={size}", str(self.path)], check=True)

    def fill(self, leave: int) -> Path:
        """Fill it with one file until so many bytes are free."""
        usage = os.statvfs(self.path)
        filler = self.path / "filler"
        filler.write_bytes(bytes(max(0, usage.f_bavail * usage.f_frsize - leave)))
        return filler


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Half a megabyte to begin with."""
    path = tmp_path / "disk"
    path.mkdir()
    mounted = os.geteuid() == 0 and (
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(path)], capture_output=True, check=False
        ).returncode
        == 0
    )
    if not mounted:
        pytest.skip("needs the right to mount a file system (root)")
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)
