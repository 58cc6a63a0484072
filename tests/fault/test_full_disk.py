"""A full disk: every writer says so in the same words, what was there stays, and the next run finishes."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from modelyard.chain.workspace import Workspace
from modelyard.errors import EnvironmentProblem
from modelyard.ledger import Ledger, Result
from modelyard.run import Run
from modelyard.store import Column, Package, Report, Store
from modelyard.store.artifacts import write_index
from modelyard.store.atomic import write_bytes
from modelyard.store.materialize import materialize
from tests.fault.conftest import Unbroken
from tests.fault.project import half_written, run, wrong_objects
from tests.fault.small_disk import SmallDisk

BIG = os.urandom(2 << 20)
TEXT = [Column("text", "text", "input")]


def an_object(disk: Path) -> None:
    writer = Store(disk / "store").new_dataset(TEXT)
    writer.write(pa.table({"text": pa.array([os.urandom(1 << 10).hex() for _ in range(2000)], pa.large_string())}))


def an_artifact_of_safetensors(disk: Path) -> None:
    import torch
    from safetensors.torch import save_file

    with Store(disk / "store").new_directory() as folder:
        save_file({"weight": torch.zeros(1 << 19)}, folder / "model.safetensors")


def an_artifact_of_torch(disk: Path) -> None:
    import torch

    with Store(disk / "store").new_directory() as folder:
        torch.save(torch.zeros(1 << 19), folder / "model.pt")


def an_onnx_graph(disk: Path) -> None:
    import onnx

    from tests.packages import graph

    model = graph()
    model.doc_string = BIG.hex()
    with Store(disk / "store").new_directory() as folder:
        onnx.save(model, str(folder / "model.onnx"))


def a_tokenizer(disk: Path) -> None:
    from tests.packages import tokenizer

    with Store(disk / "store").new_directory() as folder:
        tokenizer([f"word{number}" for number in range(100_000)]).save(str(folder / "tokenizer.json"))


def a_checkpoint(disk: Path) -> None:
    import torch

    from modelyard.training.checkpoint import Checkpoints, Progress

    model = torch.nn.Linear(1024, 1024)
    (disk / "scratch").mkdir()
    Checkpoints(disk / "scratch", {}, print).save(model, torch.optim.AdamW(model.parameters()), Progress(), None)


def a_report(disk: Path) -> None:
    run = Run(Store(disk / "store"))
    run.details["much"] = BIG.hex()
    run.report("clean")


def a_file(disk: Path) -> None:
    write_bytes(disk / "sentiment.csv", BIG)


def a_row_of_the_ledger(disk: Path) -> None:
    ledger = Ledger(disk / "ledger.db")
    try:
        for number in range(2000):
            ledger.keep_result(Result(f"{number:064}", "clean", "Dataset", "o", "r", {"a": "b" * 2000}, 1.0))
    finally:
        ledger.close()


def a_plain_directory(disk: Path) -> None:
    writer = Store(disk.parent / "elsewhere").new_dataset(TEXT)
    writer.write(pa.table({"text": pa.array([os.urandom(1 << 10).hex() for _ in range(2000)], pa.large_string())}))
    materialize(writer.finish(), disk / "out")


WRITERS = (
    an_object,
    an_artifact_of_safetensors,
    an_artifact_of_torch,
    an_onnx_graph,
    a_tokenizer,
    a_checkpoint,
    a_report,
    a_file,
    a_row_of_the_ledger,
    a_plain_directory,
)


@pytest.mark.parametrize("write", WRITERS, ids=lambda write: write.__name__)
def test_every_writer_says_that_the_disk_is_full_and_leaves_nothing_half_written(
    small_disk: SmallDisk, write: Callable[[Path], None]
) -> None:
    with pytest.raises(EnvironmentProblem, match=r"the disk is full: .* was not written") as caught:
        write(small_disk.path)
    assert caught.value.exit_code == 3
    assert "MB free of 0.5 MB" in str(caught.value.where)
    assert "free some space" in str(caught.value.next)
    # What is whole of a folder lies beside it until the same command is run again.
    files = [path for path in small_disk.path.rglob("*") if path.is_file() and ".work" not in str(path)]
    assert [path.name for path in files if not path.name.startswith("ledger.db")] == []


def test_a_full_ledger_keeps_all_that_it_acknowledged(small_disk: SmallDisk) -> None:
    with pytest.raises(EnvironmentProblem):
        a_row_of_the_ledger(small_disk.path)
    small_disk.resize(8 << 20)
    ledger = Ledger(small_disk.path / "ledger.db")
    kept = [int(result.key) for result in ledger.results()]
    ledger.close()
    assert kept == list(range(len(kept)))
    assert len(kept) > 20


def test_a_workspace_on_a_disk_without_any_space_is_refused_in_the_same_words(small_disk: SmallDisk) -> None:
    small_disk.fill(leave=0)
    with pytest.raises(EnvironmentProblem, match="the disk is full"):
        Workspace(small_disk.path / "workspace")


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_at_the_last_flush_is_a_full_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Without a mount: what the kernel says when it comes to writing is put in its mouth."""

    def fail(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    store = Store(tmp_path / "store")
    with store.new_directory() as folder:
        write_index(Package, folder, {"name": "a"})
        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(EnvironmentProblem, match="the disk is full"), store.new_directory() as other:
            write_index(Report, other, {})
            store.add(Report, other)
    assert not list(tmp_path.glob("store/reports/*"))


@pytest.mark.e2e
def test_a_run_on_a_disk_that_fills_at_every_stage_loses_nothing_and_finishes_when_there_is_space(
    unbroken: Unbroken, small_disk: SmallDisk
) -> None:
    project, workspace = unbroken.project, small_disk.path / "workspace"
    needed = sum(path.stat().st_size for path in unbroken.workspace.rglob("*") if path.is_file())
    failed_in = []
    for share in (0.1, 0.25, 0.5, 0.8, 4.0):
        small_disk.resize(int(share * needed))
        ended = run(project, workspace, "--to", "export")
        if ended.code == 0:
            break
        assert ended.code == 3, ended.stderr
        assert "the disk is full" in ended.json["error"]["message"]
        assert "Traceback" not in ended.stderr
        assert "free some space" in ended.stderr
        failed_in.append(ended.json["stage"])
        if (workspace / "store").is_dir():
            assert wrong_objects(workspace) == []
    assert ended.code == 0, ended.stderr
    assert len(set(failed_in)) > 1, f"it must fail in more than one stage: {failed_in}"
    assert ended.digests() == unbroken.digests
    assert half_written(workspace) == []
