"""A chain that trains on augmented pictures: killed and gone on with, and taken from the cache."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelyard.tasks.detection.recipes import Detector, config_of
from tests.fault.project import half_written, killed, run, wrong_objects
from tests.pictures import box, write, write_coco

STAGES = ("ingest", "clean", "split", "augment", "train")
TO_TRAIN = ("--to", "train")


@pytest.mark.e2e
def test_a_chain_with_augment_goes_on_after_a_kill_and_comes_from_the_cache(tmp_path: Path) -> None:
    project = tmp_path / "project"
    write_coco(project / "data", {f"{n}.png": [box("yes" if n % 2 else "no")] if n % 5 else [] for n in range(40)})
    tiny = config_of(Detector(image_size=96, widths=(4, 4, 8, 8, 8), neck=8))
    write(project / "base" / "config.json", json.dumps(tiny))
    yaml = "task: detection\ndata: data\naugment: {copies: 2}\ntrain: {base: ./base, epochs: 2}\n"
    write(project / "modelyard.yaml", yaml)
    unbroken = run(project, tmp_path / "one", *TO_TRAIN)
    assert unbroken.code == 0, unbroken.stderr
    assert tuple(unbroken.digests(STAGES)) == STAGES
    workspace = tmp_path / "two"
    assert killed(project, workspace, 0.1, after="augment", arguments=TO_TRAIN) is None
    assert wrong_objects(workspace) == []
    for outcome in ("done", "cached"):
        ended = run(project, workspace, *TO_TRAIN)
        assert ended.code == 0, ended.stderr
        assert ended.digests(STAGES) == unbroken.digests(STAGES)
        assert ended.outcomes()["train"] == outcome
    assert set(ended.outcomes().values()) == {"cached"}
    assert half_written(workspace) == []
    other = run(project, workspace, "--to", "augment", "--set", "augment.copies=1")
    assert other.outcomes() == {"ingest": "cached", "clean": "cached", "split": "cached", "augment": "done"}
