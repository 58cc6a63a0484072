"""A stage on plain paths that is broken off goes on where it was, and nothing else takes what it left."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.chain.alone import Alone, run_alone
from modelyard.chain.project import load_project
from modelyard.errors import BadInput, EnvironmentProblem
from modelyard.run import Cancelled
from modelyard.store.work_folder import work_folder_of
from tests.rows import Heard, StopsAt, cut_small, write_csv


@pytest.fixture
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """509 rows in 6 parts, 9 of them twins."""
    cut_small(monkeypatch, part=1, batch=100)
    rows = [(f"text {number} is  {number % 7} long", "ab"[number % 2]) for number in range(500)]
    return write_csv(tmp_path / "rows.csv", ("text", "label"), [*rows, *rows[:9]])


def alone(stage: str, given: Path, out: Path, listener: Heard | None = None, **settings: object) -> Alone:
    project = load_project(out.parent, settings={stage: settings}, read_file=False)
    return run_alone(stage, [given], out, project, listener, threads=1)


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


BREAKS = [
    ("clean", "clean", 2, ["2 of 6 parts are clean already"]),
    ("clean", "duplicates", 2, ["6 of 6 parts are clean already"]),
    ("clean", "write", 2, ["clean was done when a try before this one broke off"]),
    ("split", "ties", 2, ["no group column: near duplicates are kept on one side   (change: split.group)"]),
    ("split", "split", 3, ["the sides of 3 of 6 parts are there already"]),
    ("split", "write", 1, ["split was done when a try before this one broke off"]),
    ("ingest", "write", 1, ["ingest was done when a try before this one broke off"]),
]


@pytest.mark.parametrize(("stage", "label", "done", "said"), BREAKS)
def test_a_stage_that_was_broken_off_goes_on_and_writes_what_an_unbroken_one_writes(
    source: Path, tmp_path: Path, stage: str, label: str, done: int, said: list[str]
) -> None:
    unbroken = alone(stage, source, tmp_path / "unbroken")
    with pytest.raises(Cancelled):
        alone(stage, source, tmp_path / "out", StopsAt(label, done))
    assert not (tmp_path / "out").exists()
    heard = Heard()
    again = alone(stage, source, tmp_path / "out", heard)
    assert set(said) <= set(heard.said)
    assert "label: label (by name)" not in " ".join(heard.said)  # the input is not read a second time
    assert contents(tmp_path / "out") == contents(tmp_path / "unbroken")
    assert again.evidence.info["figures"] == unbroken.evidence.info["figures"]
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["out", "out.report.json", "rows.csv", "unbroken", "unbroken.report.json"]


def test_another_setting_or_input_begins_anew(source: Path, tmp_path: Path) -> None:
    expected = alone("split", source, tmp_path / "expected", seed=4).made.digest
    with pytest.raises(Cancelled):
        alone("split", source, tmp_path / "out", StopsAt("write", 1))
    heard = Heard()
    assert alone("split", source, tmp_path / "out", heard, seed=4).made.digest == expected
    assert ".out.work held an unfinished try with other settings or inputs: begun anew" in heard.said
    with pytest.raises(Cancelled):
        alone("clean", source, tmp_path / "grown", StopsAt("write", 1))
    with source.open("a") as file:
        file.write("one more text,a\n")
    assert alone("clean", source, tmp_path / "grown").evidence.info["figures"]["rows_in"]["value"] == 510


def test_a_path_that_is_mistyped_leaves_what_was_done(source: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        alone("clean", source, tmp_path / "out", StopsAt("clean", 2))
    with pytest.raises(BadInput, match=r"row\.csv does not exist"):
        alone("clean", tmp_path / "row.csv", tmp_path / "out")
    heard = Heard()
    alone("clean", source, tmp_path / "out", heard)
    assert "2 of 6 parts are clean already" in heard.said


class Meanwhile(Heard):
    """Runs another command with the same output in the middle of the first."""

    def __init__(self, source: Path, out: Path) -> None:
        super().__init__()
        self._given = (source, out)
        self.caught: EnvironmentProblem | None = None

    def progress(self, label: str, done: int, total: int | None, note: str = "") -> None:
        if (label, done) == ("clean", 2):
            with pytest.raises(EnvironmentProblem) as caught:
                alone("clean", *self._given)
            self.caught = caught.value


def test_two_commands_with_one_output_do_not_mix(source: Path, tmp_path: Path) -> None:
    expected = alone("clean", source, tmp_path / "expected").made.digest
    meanwhile = Meanwhile(source, tmp_path / "out")
    assert alone("clean", source, tmp_path / "out", meanwhile).made.digest == expected
    assert meanwhile.caught is not None
    assert meanwhile.caught.message.endswith(" is working at the same output")
    assert meanwhile.caught.exit_code == 3


def test_what_an_unfinished_try_left_is_named_where_the_output_is_there(source: Path, tmp_path: Path) -> None:
    with pytest.raises(Cancelled):
        alone("clean", source, tmp_path / "out", StopsAt("clean", 2))
    assert work_folder_of(tmp_path / "out").is_dir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    with pytest.raises(BadInput) as caught:
        alone("clean", source, tmp_path / "out")
    assert caught.value.next == (
        "give another --out, or remove it, and .out.work beside it, which an unfinished try left"
    )
