from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.errors import Damaged
from modelyard.training.flat_file import FlatFile


def written(path, *pieces, **options):
    file = FlatFile(path, **options)
    for piece in pieces:
        file.append(np.asarray(piece))
    file.flush()
    return file


@given(st.lists(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=5), min_size=1, max_size=5))
@settings(max_examples=50, deadline=None)
def test_narrow_files_hold_every_whole_number(tmp_path_factory, pieces):
    file = written(tmp_path_factory.mktemp("flat") / "numbers", *(np.array(p, np.int64) for p in pieces), narrow=True)
    assert file.mapped().tolist() == [number for piece in pieces for number in piece]
    assert file.made == np.int64
    file.close()


@pytest.mark.parametrize(
    ("pieces", "size"), [(([0, 1], [1]), 1), (([0, 1], [30521]), 2), (([300], [70000], [1]), 4), (([1], [2**40]), 8)]
)
def test_whole_numbers_take_the_bytes_of_the_widest(tmp_path, pieces, size):
    file = written(tmp_path / "numbers", *pieces, narrow=True)
    assert (tmp_path / "numbers").stat().st_size == size * len(file)
    file.close()


def test_other_numbers_are_kept_bit_by_bit_with_the_shape_of_a_row(tmp_path):
    values = np.random.default_rng(0).normal(size=(7, 2, 3)).astype(np.float32)
    file = written(tmp_path / "numbers", values[:4], values[4:], narrow=True)
    mapped = file.mapped()
    file.close()
    assert type(mapped) is np.ndarray
    assert (mapped.dtype, mapped.tobytes()) == (np.float32, values.tobytes())
    with pytest.raises(ValueError, match="read-only"):
        mapped[0] = 0


def test_what_a_killed_writer_left_behind_the_state_is_cut_off(tmp_path):
    file = written(tmp_path / "numbers", [1, 2, 3], narrow=True)
    state = file.state()
    file.append(np.array([4, 5]))
    file.close()
    again = FlatFile(tmp_path / "numbers", state, narrow=True)
    again.append(np.array([700]))
    assert again.mapped().tolist() == [1, 2, 3, 700]
    again.flush()
    again.close()
    once_more = FlatFile(tmp_path / "numbers", again.state())
    assert once_more.mapped().tolist() == [1, 2, 3, 700]
    once_more.close()


@pytest.mark.parametrize("harm", ["shorter", "changed", "missing", "widened"])
def test_a_file_that_does_not_hold_what_its_state_says_is_refused(tmp_path, harm):
    path = tmp_path / "numbers"
    file = written(path, list(range(100)), narrow=True)
    state = file.state()
    if harm == "widened":  # and killed before the new state was written
        file.append(np.array([1000]))
    file.close()
    if harm == "shorter":
        path.write_bytes(path.read_bytes()[:-1])
    elif harm == "changed":
        path.write_bytes(bytes(10) + path.read_bytes()[10:])
    elif harm == "missing":
        path.unlink()
    with pytest.raises(Damaged):
        FlatFile(path, state)
