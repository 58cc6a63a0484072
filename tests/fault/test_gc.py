"""`modelyard gc` frees what nothing needs; what is released is still served, what is recent is still cached."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.fault.conftest import Unbroken
from tests.fault.project import modelyard, run, wrong_objects
from tests.real.servers import serving

pytestmark = pytest.mark.e2e


def test_after_gc_a_released_version_serves_and_its_run_and_the_last_one_are_cached(
    unbroken: Unbroken, tmp_path: Path
) -> None:
    project, workspace = unbroken.project, shutil.copytree(unbroken.workspace, tmp_path / "workspace")
    forgotten = ("--to", "train", "--set", "train.seed=1")
    recent = ("--to", "train", "--set", "train.seed=2")
    models = [run(project, workspace, *arguments).digests()["train"] for arguments in (forgotten, recent)]
    before = sum(path.stat().st_size for path in (workspace / "store").rglob("*") if path.is_file())

    told = modelyard(project, workspace, "gc", "--keep-runs", "1", "--dry-run").json
    assert (workspace / "store" / "models" / models[0]).is_dir()
    freed = modelyard(project, workspace, "gc", "--keep-runs", "1")
    assert freed.code == 0, freed.stderr
    assert (freed.json["bytes"], freed.json["freed"]) == (told["bytes"], told["freed"])
    assert freed.json["freed"]["models"]["count"] == 1
    after = sum(path.stat().st_size for path in (workspace / "store").rglob("*") if path.is_file())
    assert before - after == freed.json["bytes"] > 0
    assert not (workspace / "store" / "models" / models[0]).exists()
    assert wrong_objects(workspace) == []

    assert set(run(project, workspace).outcomes().values()) == {"cached"}
    assert set(run(project, workspace, *recent).outcomes().values()) == {"cached"}
    assert run(project, workspace, *forgotten).outcomes()["train"] == "done"
    with serving(tmp_path, "reviews@champion", "--workspace", str(workspace)) as server:
        assert server.infer("the film number 7 was superb").status == 200
