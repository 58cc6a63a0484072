"""Work beside its output: found again by the same work, by nobody else, and by one process at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.errors import BadInput, EnvironmentProblem, GateFailed
from modelyard.store.work_folder import work_folder, work_folder_of

BREAKS = [KeyboardInterrupt(), OSError("broken disk"), EnvironmentProblem("no room")]
FAILS = [BadInput("no rows"), GateFailed("dropped", 1.0, 0.2, "too many")]


def broken_off(out: Path, identity: object, error: BaseException) -> None:
    with pytest.raises(type(error)), work_folder(out, identity) as work:
        (work / "deep").mkdir()
        (work / "deep" / "part").write_text("half")
        raise error


@pytest.mark.parametrize("error", BREAKS)
def test_the_same_work_finds_what_it_left_and_nothing_is_left_at_its_end(tmp_path: Path, error: BaseException) -> None:
    out = tmp_path / "out"
    broken_off(out, {"seed": 1}, error)
    with work_folder(out, {"seed": 1}) as work:
        assert work == work_folder_of(out) == tmp_path / ".out.work"
        assert (work / "deep" / "part").read_text() == "half"
    assert list(tmp_path.iterdir()) == []


def test_other_work_begins_with_nothing(tmp_path: Path) -> None:
    broken_off(tmp_path / "out", {"seed": 1}, KeyboardInterrupt())
    with work_folder(tmp_path / "out", {"seed": 2}) as work:
        assert not (work / "deep").exists()


@pytest.mark.parametrize("error", FAILS)
def test_what_would_only_fail_again_is_not_kept(tmp_path: Path, error: BaseException) -> None:
    broken_off(tmp_path / "out", 1, error)
    assert list(tmp_path.iterdir()) == []


def test_a_second_process_is_told_who_works_there_until_that_one_dies(tmp_path: Path) -> None:
    out = tmp_path / "out"
    code = (
        "import sys, time; from pathlib import Path; from modelyard.store.work_folder import work_folder\n"
        f"with work_folder(Path({str(out)!r}), 1) as work:\n"
        "    (work / 'part').touch(); print('there', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "there\n"
        with pytest.raises(EnvironmentProblem) as caught, work_folder(out, 1):
            pass
        assert caught.value.message == f"process {process.pid} is working at the same output"
        process.kill()
    with work_folder(out, 1) as work:
        assert sorted(path.name for path in work.iterdir()) == ["lock", "part", "work"]
