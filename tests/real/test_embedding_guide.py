"""docs/embedding.md, run as it is written: an encoder with random weights, pairs composed from a WordNet of a few
meanings."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.servers import serving
from tests.unit.tiny_bert import make_base

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "embedding.md").read_text("utf-8")
THINGS = ("film", "book", "meal", "song", "play", "trip")


def blocks() -> list[str]:
    """The code of the page, block by block."""
    return re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)


def write_wordnet(folder: Path) -> None:
    """data.noun and data.verb as wndb(5WN) has them: 40 meanings each, in chains of four, a field a chain."""
    folder.mkdir()
    for kind, letter in (("noun", "n"), ("verb", "v")):
        lines = ["  1 the licence stands here"]
        for number in range(40):
            chain, step = divmod(number, 4)
            above = f"001 @ {number - 1:08d} {letter} 0000" if step else "000"
            thing = THINGS[chain % 6]
            gloss = f"the {thing} number {number} was good; a {thing} that was long and great"
            lines.append(
                f'{number:08d} {chain:02d} {letter} 02 {thing}_{number} 0 {kind}{number} 0 {above} | {gloss}; "so"'
            )
        (folder / f"data.{kind}").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("desk")
    make_base(folder / "my-encoder")
    write_wordnet(folder / "wordnet")
    shutil.copytree(ROOT / "benchmarks", folder / "benchmarks", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def run(line: str, folder: Path, *more: str) -> str:
    program, *arguments = shlex.split(line)
    command = [sys.executable, "-m", "modelyard"] if program == "modelyard" else [sys.executable]
    done = subprocess.run(
        [*command, *arguments, *more], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, f"{line}\n{done.stderr}"
    return done.stdout


def test_pairs_are_composed_a_third_of_each_score_and_the_same_every_time(desk: Path) -> None:
    (line,) = blocks()[1].splitlines()
    told = json.loads(run(line, desk, "--rows", "60", "--wordnet", "wordnet"))
    assert "composed" in told["composed"] and set(told["scores"]) == {"0.0", "0.5", "1.0"}
    assert told["rows"] == sum(told["scores"].values()) >= 40
    first = (desk / "pairs.csv").read_bytes()
    assert json.loads(run(line, desk, "--rows", "60", "--wordnet", "wordnet"))["sha256"] == told["sha256"]
    assert (desk / "pairs.csv").read_bytes() == first
    assert first.splitlines()[0] == b"text_a,text_b,score,kind"


def test_the_encoder_is_released_by_spearman_and_served(desk: Path) -> None:
    release, serve = blocks()[0].splitlines()
    quick = ("optimize.variants=[int8]", "optimize.requests=20", "optimize.load_seconds=1", "evaluate.requests=20")
    settings = [word for setting in (*quick, "evaluate.load_seconds=1") for word in ("--set", setting)]
    run(release, desk, "--threads", "1", *settings)
    report = json.loads((desk / "released" / "report.json").read_bytes())
    figures = {figure["name"]: figure["value"] for figure in report["figures"]}
    assert {"spearman", "spearman_lost", "parity_spearman", "eager_spearman"} <= figures.keys()
    assert "accuracy" not in figures
    package = shlex.split(serve)[2]
    with serving(desk / "server", str(desk / package)) as server:
        body = json.loads(re.search(r"-d '(.*?)'", blocks()[2]).group(1))
        name = json.loads((desk / package / "package.json").read_bytes())["name"]
        answer = server.ask("POST", f"/v2/models/{name}/infer", json.dumps(body).encode())
        assert answer.status == 200
        (output,) = answer.json["outputs"]
        assert (output["name"], output["datatype"], output["shape"]) == ("embedding", "FP32", [2, 32])
