"""Models that somebody else made, released as a user types it: killed and gone on, kept back by a gate, served."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.command import modelyard
from tests.real.servers import serving
from tests.rows import write_csv
from tests.unit.stages.adopt.models import make_base, make_classifier, make_text_onnx, make_tokenizer
from tests.unit.tiny_bert import reviews

pytestmark = pytest.mark.e2e

QUICK = [
    *("--threads", "1", "--set", "optimize.requests=20", "--set", "optimize.load_seconds=1"),
    *("--set", "evaluate.requests=20", "--set", "evaluate.load_seconds=1", "--set", "evaluate.eager_rows=20"),
    # A random model has no accuracy to lose: what is tried here is the way through, not the model.
    *("--set", "optimize.max_accuracy_lost=1"),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(tmp_path_factory.mktemp("base") / "base")


def write_rows(path: Path, count: int = 160) -> Path:
    rows = [(*row, f"shop {place % 3}") for place, row in enumerate(reviews(count))]
    return write_csv(path, ("text", "label", "shop"), rows)


def test_an_onnx_file_is_released_after_a_kill_and_served(base: Path, tmp_path: Path) -> None:
    make_text_onnx(tmp_path / "graph.onnx", "logits", 2)
    make_tokenizer(tmp_path / "tokenizer", base, id2label={"0": "negative", "1": "positive"})
    write_rows(tmp_path / "test.csv")
    words = ["release", "graph.onnx", "--tokenizer", "tokenizer", "--data", "test.csv", "--out", "out", *QUICK]
    command = [sys.executable, "-m", "modelyard", *words]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("sides"):
                break
        process.kill()
    assert not (tmp_path / "out").exists()

    code, answer, stderr = modelyard(tmp_path, *words)
    assert code == 0, stderr
    outcomes = {stage["name"]: stage["outcome"] for stage in answer["stages"]}
    assert list(outcomes) == ["ingest", "adopt", "sides", "optimize", "evaluate", "release"]
    assert [outcomes[name] for name in ("ingest", "adopt", "sides", "release")] == ["cached"] * 3 + ["done"]
    assert (answer["out"], answer["package"]) == (str(tmp_path / "out"), str(tmp_path / "out/package"))
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"package", "report.html", "report.zh.html", "report.json", "README.md", "figures.json", "data"}
    assert not list(tmp_path.glob(".*"))

    report = json.loads((tmp_path / "out/report.json").read_bytes())
    assert (report["version"], report["alias"], report["released"]) == (1, None, True)
    assert report["next"][0]["command"] == "modelyard serve out/package"
    # Nothing trained, exported or annotated it here: such figures are no gaps.
    shown = {figure["name"] for figure in report["figures"]}
    assert not shown & {"learning_rate", "parity_max_abs", "class_imbalance", "latency_cut", "resolved_agreement"}
    assert {"accuracy", "golden_set", "accuracy_lost", "latency_p50_ms"} <= shown

    with serving(tmp_path / "server", str(tmp_path / "out/package")) as server:
        answered = server.infer("the film number 7 was superb", model="graph")
    assert answered.status == 200
    (label,) = next(output["data"] for output in answered.json["outputs"] if output["name"] == "label")
    assert label in ("negative", "positive")


def test_a_missed_bar_keeps_the_package_back_until_somebody_says_why_not(base: Path, tmp_path: Path) -> None:
    make_classifier(tmp_path / "sentiment", base)
    write_rows(tmp_path / "test.csv", 80)
    words = ["release", "sentiment", "--data", "test.csv", "--out", "out", *QUICK]
    words += ["--set", "release.gates.accuracy=0.999"]
    code, answer, stderr = modelyard(tmp_path, *words)
    assert code == 1, stderr
    assert (answer["error"]["kind"], answer["package"]) == ("gate", None)
    assert answer["report"] == str(tmp_path / "out/report.html")
    assert not (tmp_path / "out/package").exists()
    report = json.loads((tmp_path / "out/report.json").read_bytes())
    assert {"parity_max_abs", "latency_cut", "eager_accuracy"} <= {figure["name"] for figure in report["figures"]}
    again = next(step["command"] for step in report["next"] if "override" in (step["command"] or ""))
    assert again.startswith("modelyard release sentiment --data test.csv --out out --set ")
    # A bar that was asked for is asked for again.
    assert again.endswith("--set release.gates.accuracy=0.999 --set 'release.override=WHY'")

    code, answer, stderr = modelyard(tmp_path, *words, "--set", "release.override=only a test")
    assert code == 0, stderr
    outcomes = [stage["outcome"] for stage in answer["stages"]]
    assert outcomes == ["cached"] * 6 + ["done"]
    assert (tmp_path / "out/package/package.json").is_file()
    assert "only a test" in (tmp_path / "out/report.html").read_text()
