"""Digits in class folders: what lies where, and that a seed draws the same again."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from modelyard.demo import digit_folders
from modelyard.demo.digit_folders import write_digit_folders
from modelyard.media.pixels import decode_image


@pytest.fixture(autouse=True)
def forty_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four of each class; the ink of digit n is n."""
    ink = np.repeat(np.arange(40, dtype=np.uint8), 28 * 28).reshape(40, 28, 28)
    monkeypatch.setattr(digit_folders, "mnist_digits", lambda: (ink, np.arange(40, dtype=np.uint8) // 4))
    monkeypatch.setattr(digit_folders, "DIGITS", 40)


def files(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.png")}


def test_a_digit_lies_in_the_folder_of_its_class_as_ink_on_white_paper(tmp_path: Path) -> None:
    assert write_digit_folders(tmp_path, 40) == 40
    written = files(tmp_path)
    assert Counter(name.split("/")[0] for name in written) == {str(digit): 4 for digit in range(10)}
    picture = decode_image(written["7/00030.png"])
    assert picture.shape == (28, 28, 3)
    assert (picture == 255 - 29).all()
    assert "MNIST" in (tmp_path / "README.md").read_text()


def test_fewer_are_drawn_by_the_seed_and_a_longer_series_holds_a_shorter_one(tmp_path: Path) -> None:
    for name, count, seed in (("a", 12, 0), ("b", 12, 0), ("c", 20, 0), ("d", 12, 1)):
        assert write_digit_folders(tmp_path / name, count, seed) == count
    a, b, c, d = (files(tmp_path / name) for name in "abcd")
    assert a == b
    assert a.keys() < c.keys()
    assert a.keys() != d.keys()
    (tmp_path / "c" / "mine.png").write_bytes(b"")
    write_digit_folders(tmp_path / "c", 12, 0)
    assert files(tmp_path / "c").keys() == a.keys() | {"mine.png"}
