"""A user's own task through the whole chain: its folder lies outside the package, its code travels with the result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.tasks.own import code_digest
from tests.real.command import modelyard
from tests.real.servers import serving
from tests.rows import write_csv
from tests.unit.tiny_bert import make_base, reviews

pytestmark = pytest.mark.e2e

EXAMPLE = Path(__file__).parents[2] / "examples" / "tweet_sentiment"


def test_a_task_from_a_folder_is_trained_released_and_served_with_its_own_code(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    # Copied beside the user's YAML: nothing in Modelyard knows of it.
    subprocess.run(["cp", "-r", str(EXAMPLE), str(tmp_path / "my_task")], check=True)
    tweets = [(f"@{'ab'[n % 2]}{n} {text}", label) for n, (text, label) in enumerate(reviews(300))]
    write_csv(tmp_path / "tweets.csv", ("text", "label"), tweets)
    (tmp_path / "modelyard.yaml").write_text(
        f"data: tweets.csv\ntask: ./my_task\n"
        f"train: {{base: '{base}', epochs: 5, base_lr: 0.04, max_length: 32}}\n"
        f"optimize: {{requests: 40, load_seconds: 3}}\nevaluate: {{requests: 100, load_seconds: 4}}\n"
    )
    code, answer, stderr = modelyard(tmp_path, "run", "--threads", "1")
    assert code == 0, stderr
    digest = code_digest(EXAMPLE)
    package = tmp_path / ".modelyard/store/packages" / answer["stages"][5]["digest"]
    info = json.loads((package / "package.json").read_bytes())
    assert (info["task"], info["code"]) == ("tweet_sentiment", digest)
    assert code_digest(package / "code") == digest
    # The same code also judged the candidates of optimize, and whoever serves the version is told how.
    reports = [json.loads(path.read_bytes()) for path in tmp_path.glob(".modelyard/store/reports/*/figures.json")]
    (optimized,) = [report for report in reports if report["stage"] == "optimize"]
    int8 = next(each for each in optimized["details"]["variants"] if each["name"] == "int8")
    assert int8["accuracy"] is not None and int8["p50_ms"] is not None, int8["reason"]
    released = json.loads(Path(answer["report"]).with_name("report.json").read_bytes())
    assert released["next"][0]["command"] == f"modelyard serve tweets@champion --allow-code {digest}"

    refused = subprocess.run(
        [sys.executable, "-m", "modelyard", "serve", str(package), "--http", "0", "--grpc", "off"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 2
    assert f"--allow-code {digest}" in refused.stdout + refused.stderr

    with serving(tmp_path / "server", str(package), "--allow-code", digest) as server:
        names = ["@amy the film was superb", "@bob the film was superb"]
        ours = server.infer(*names, model=info["name"])
        assert ours.status == 200
        outputs = {output["name"]: output["data"] for output in ours.json["outputs"]}
        assert outputs["label"] == ["positive", "positive"]
        # The names are one token to this task: the two answers are one.
        assert outputs["score"][0] == pytest.approx(outputs["score"][1], abs=1e-6)

    # The cache goes by the code, not by where its folder lies.
    (tmp_path / "my_task").rename(tmp_path / "moved_task")
    code, again, _ = modelyard(tmp_path, "run", "--threads", "1", "--set", "task=./moved_task")
    assert code == 0
    assert {stage["outcome"] for stage in again["stages"]} == {"cached"}
