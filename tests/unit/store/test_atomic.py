"""Atomic writes: what was there before stays until the new is whole."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from modelyard.errors import EnvironmentProblem
from modelyard.store.atomic import new_directory, publish_directory, write_bytes


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
