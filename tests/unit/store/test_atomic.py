"""Atomic writes: what was there before stays until the new is whole."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.errors import EnvironmentProblem
from modelyard.store.atomic import hold, new_directory, publish_directory, remove_unheld, write_bytes


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    write_bytes(path, b"old")

    def fail(handle: int) -> None:
        raise OSError(errno.EIO, "broken disk")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="broken disk"):
        write_bytes(path, b"new")
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]


def test_a_full_disk_says_so_and_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"

    def fail(handle: int) -> None:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(EnvironmentProblem, match="the disk is full") as error:
        write_bytes(path, b"new")
    assert "free some space" in (error.value.next or "")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_in_a_directory_under_way_removes_it(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem), new_directory(tmp_path) as folder:
        (folder / "half").write_text("x")
        raise OSError(errno.ENOSPC, "no space")
    assert not list(tmp_path.iterdir())


def test_a_published_directory_appears_whole(tmp_path: Path) -> None:
    with new_directory(tmp_path / "temporary") as folder:
        (folder / "a").write_text("x")
        publish_directory(folder, tmp_path / "deep" / "target")
    assert (tmp_path / "deep" / "target" / "a").read_text() == "x"
    assert not list((tmp_path / "temporary").iterdir())


KILLED = """
import os, signal, sys
from pathlib import Path
from modelyard.store.atomic import new_directory, write_bytes
folder = Path(sys.argv[1])
def die(handle):
    os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "directory":
    with new_directory(folder) as new:
        (new / "half").write_text("x")
        die(0)
os.fsync = die
write_bytes(folder / "a.json", b"new")
"""


@pytest.mark.parametrize("kind", ["directory", "file"])
def test_what_a_killed_writer_left_is_removed_by_the_next_and_what_a_living_one_writes_is_not(
    tmp_path: Path, kind: str
) -> None:
    write_bytes(tmp_path / "a.json", b"old")
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), kind], check=False)
    left = [path for path in tmp_path.iterdir() if path.name != "a.json"]
    assert len(left) == 1
    assert (tmp_path / "a.json").read_bytes() == b"old"
    with new_directory(tmp_path) as living:
        write_bytes(tmp_path / "a.json", b"newer")
        with new_directory(tmp_path) as other:
            assert living.is_dir()
            assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "a.json", living, other])
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_users_folder_that_looks_alike_is_left(tmp_path: Path) -> None:
    (tmp_path / ".modelyard-old").mkdir()
    with new_directory(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [".modelyard-old"]


def test_what_is_held_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "package").mkdir()
    handle = hold(tmp_path / "package")
    assert not remove_unheld(tmp_path / "package")
    os.close(handle)
    assert remove_unheld(tmp_path / "package")
    assert not list(tmp_path.iterdir())
