"""The whole chain as a user types it, on a tiny model: from a CSV to a served version, cached, stopped by gates."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.real.command import modelyard
from tests.real.servers import serving
from tests.rows import write_csv
from tests.unit.tiny_bert import make_base, reviews

pytestmark = pytest.mark.e2e

STAGES = ["ingest", "clean", "split", "train", "export", "optimize", "evaluate", "release"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project on which the whole chain has run once."""
    folder = tmp_path_factory.mktemp("shop")
    base = make_base(folder / "base")
    rows = [(text, label, f"shop {place % 3}") for place, (text, label) in enumerate(reviews(400))]
    write_csv(folder / "reviews.csv", ("text", "label", "shop"), rows)
    (folder / "modelyard.yaml").write_text(
        f"data: reviews.csv\n"
        f"train: {{base: '{base}', epochs: 6, base_lr: 0.04, max_length: 32}}\n"
        f"optimize: {{requests: 40, load_seconds: 4}}\n"
        f"evaluate: {{requests: 120, load_seconds: 6}}\n"
    )
    code, answer, stderr = modelyard(folder, "run", "--threads", "1")
    assert code == 0, stderr
    assert [stage["name"] for stage in answer["stages"]] == STAGES
    assert {stage["outcome"] for stage in answer["stages"]} == {"done"}
    return folder


def test_a_second_run_comes_from_the_cache_with_the_same_digests(shop: Path) -> None:
    code, answer, _ = modelyard(shop, "run", "--threads", "1")
    assert code == 0
    assert [stage["outcome"] for stage in answer["stages"]] == ["cached"] * 8
    assert all(stage["digest"] for stage in answer["stages"])
    assert Path(answer["report"]).is_file()
    assert all(gate["passed"] for gate in answer["gates"])


def test_the_released_version_is_served_by_its_alias(shop: Path, tmp_path: Path) -> None:
    with serving(tmp_path, "reviews@champion", "--workspace", str(shop / ".modelyard")) as server:
        answer = server.infer("the film number 7 was superb", "the meal number 8 was dreadful")
    assert answer.status == 200
    assert answer.headers["x-modelyard-version"] == "1"
    outputs = {output["name"]: output["data"] for output in answer.json["outputs"]}
    assert outputs["label"] == ["positive", "negative"]


def test_status_and_dry_run_tell_without_doing(shop: Path) -> None:
    code, answer, _ = modelyard(shop, "status")
    assert (code, answer["outcome"]) == (0, "done")
    assert [stage["name"] for stage in answer["stages"]] == STAGES
    code, answer, _ = modelyard(shop, "run", "--dry-run", "--set", "train.epochs=4")
    assert [stage["outcome"] for stage in answer["stages"]] == ["cached"] * 3 + ["run"] * 5


def test_a_bar_that_is_missed_keeps_the_version_back_and_an_override_is_on_record(shop: Path) -> None:
    code, answer, stderr = modelyard(shop, "run", "--set", "release.gates.p99_ms=0.001")
    assert code == 1
    assert answer["outcome"] == "failed"
    assert answer["error"]["kind"] == "gate"
    assert "Not released" in stderr
    assert Path(answer["report"]).is_file()
    code, answer, stderr = modelyard(
        shop, "run", "--set", "release.gates.p99_ms=0.001", "--set", "release.override=a tiny bar for a test"
    )
    assert code == 0, stderr
    assert "a tiny bar for a test" in Path(answer["report"]).read_text()


def test_each_stage_works_alone_on_plain_paths(shop: Path, tmp_path: Path) -> None:
    steps: list[tuple[str, ...]] = [
        ("ingest", str(shop / "reviews.csv"), "--out", "a"),
        ("clean", "a", "--out", "b"),
        ("split", "b", "--out", "c"),
        ("train", "c", "--out", "m", "--set", f"base={shop / 'base'}", "--set", "epochs=1", "--set", "max_length=32"),
        ("export", "m", "c", "--out", "p"),
        ("optimize", "p", "c", "--out", "q", "--set", "requests=20", "--set", "load_seconds=2"),
        ("evaluate", "q", "c", "m", "--out", "r", "--set", "requests=20", "--set", "load_seconds=3"),
    ]
    answers = {}
    for step in steps:
        code, answers[step[0]], stderr = modelyard(tmp_path, *step)
        assert code == 0, stderr
        out = tmp_path / step[step.index("--out") + 1]
        assert answers[step[0]]["out"] == str(out)
        assert Path(answers[step[0]]["report"]).is_file()
    assert answers["ingest"]["rows_out"] == answers["clean"]["rows_in"] == 400
    assert answers["ingest"]["encoding"] == "utf-8"
    assert (tmp_path / "m" / "model.safetensors").is_file()
    assert answers["evaluate"]["figures"]["accuracy"]["value"] > 0
    assert not list(tmp_path.glob(".*"))


def test_an_output_that_is_there_is_not_overwritten(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "mine.txt").write_text("mine")
    code, answer, _ = modelyard(tmp_path, "ingest", str(shop / "reviews.csv"), "--out", "a")
    assert code == 2
    assert "there already" in answer["error"]["message"]
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["mine.txt"]


def test_a_wrong_kind_of_input_is_told_with_the_usage(shop: Path, tmp_path: Path) -> None:
    code, answer, _ = modelyard(tmp_path, "export", str(shop / "reviews.csv"), "--out", "p")
    assert code == 2
    assert answer["error"]["message"] == "export needs a Model"
    assert answer["error"]["next"] == "modelyard export MODEL DATASET --out DIR"


def test_from_a_file_alone_to_two_versions_and_back(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "reviews.csv").write_bytes((shop / "reviews.csv").read_bytes())
    quick = ["train.epochs=4", "train.base_lr=0.04", "train.max_length=32", "optimize.requests=20"]
    quick += [
        "optimize.load_seconds=2",
        "evaluate.requests=20",
        "evaluate.load_seconds=3",
        f"train.base={shop / 'base'}",
    ]
    settings = [word for setting in quick for word in ("--set", setting)]
    code, answer, stderr = modelyard(tmp_path, "run", "reviews.csv", "--threads", "1", *settings)
    assert code == 0, stderr
    assert answer["look"]["label"] == {"column": "label", "how": "named"}
    assert "data: reviews.csv" in (tmp_path / "modelyard.yaml").read_text()
    code, _, stderr = modelyard(tmp_path, "run", "--threads", "1", *settings, "--set", "train.seed=1")
    assert code == 0, stderr
    assert [each["aliases"] for each in modelyard(tmp_path, "models")[1]["versions"]] == [[], ["champion"]]
    code, answer, _ = modelyard(tmp_path, "rollback", "reviews")
    assert (code, answer["version"]) == (0, 1)
    # The same run again comes from the cache, and leaves the alias where a person put it.
    code, _, stderr = modelyard(tmp_path, "run", "--threads", "1", *settings, "--set", "train.seed=1")
    assert code == 0
    assert "modelyard promote reviews 2" in stderr
    code, answer, _ = modelyard(tmp_path, "models", "reviews")
    assert [each["aliases"] for each in answer["versions"]] == [["champion"], []]


def test_training_alone_goes_on_where_it_was_killed(shop: Path, tmp_path: Path) -> None:
    assert modelyard(tmp_path, "split", str(shop / "reviews.csv"), "--out", "c")[0] == 0
    settings = {"base": shop / "base", "epochs": 30, "max_length": 32, "checkpoint_steps": 1}
    command = [sys.executable, "-m", "modelyard", "train", "c", "--out", "m", "--threads", "1"]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        until = time.monotonic() + 120
        while not list(tmp_path.glob(".m.work/checkpoints/step-*/checkpoint.json")) and time.monotonic() < until:
            assert process.poll() is None
            time.sleep(0.02)
        process.kill()
    assert not (tmp_path / "m").exists()
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=300)
    assert "going on from step" in done.stderr
    assert (tmp_path / "m" / "model.safetensors").is_file()
    assert not list(tmp_path.glob(".*"))
