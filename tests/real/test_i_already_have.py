"""docs/i-already-have.md, run as it is written, in a folder that holds small files of the names it uses."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.servers import serving
from tests.real.test_release_existing import write_rows
from tests.unit.stages.adopt.models import make_base, make_classifier, make_text_onnx, make_tokenizer

PAGE = Path(__file__).resolve().parents[2] / "docs" / "i-already-have.md"


def ways() -> dict[str, list[str]]:
    """The lines of each way in, by its heading."""
    parts = re.split(r"^## \.\.\. (.+)$", PAGE.read_text("utf-8"), flags=re.MULTILINE)[1:]
    found = {}
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        if block := re.search(r"```\n(.*?)```", text, re.DOTALL):
            found[heading] = block[1].splitlines()
    return found


def run_as_written(lines: list[str], folder: Path) -> None:
    """Every line; a server is asked whether it is ready, on ports of its own, and stopped."""
    for line in lines:
        program, verb, *arguments = shlex.split(line)
        assert program == "modelyard"
        if verb == "serve":
            place = arguments if "@" in arguments[0] else [str(folder / arguments[0])]
            with serving(folder / "server", *place, "--workspace", str(folder / ".modelyard")) as server:
                assert server.ask("GET", "/v2/health/ready").status == 200, line
            continue
        done = subprocess.run(
            [sys.executable, "-m", "modelyard", verb, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stderr}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What somebody has before Modelyard: models with random weights, real enough to go through."""
    folder = tmp_path_factory.mktemp("desk")
    base = make_base(folder / "base")
    write_rows(folder / "test.csv", 120)
    write_rows(folder / "reviews.csv", 300)
    make_classifier(folder / "sentiment", base)
    make_tokenizer(folder / "tokenizer", base, id2label={"0": "negative", "1": "positive"})
    make_text_onnx(folder / "graph.onnx", "logits", 2)
    make_text_onnx(folder / "detector.onnx", "boxes")
    return folder


def test_the_page_shows_every_way_in_three_lines() -> None:
    assert list(ways()) == [
        "a CSV with texts and labels",
        "a Hugging Face model",
        "an ONNX file with its tokenizer",
        "an ONNX file without one",
        "a Model or Package that Modelyard made",
    ]
    assert all(len(lines) <= 3 for lines in ways().values())


@pytest.mark.slow
def test_a_model_of_hugging_face(desk: Path) -> None:
    run_as_written(ways()["a Hugging Face model"], desk)


@pytest.mark.e2e
def test_an_onnx_file_without_a_tokenizer(desk: Path) -> None:
    run_as_written(ways()["an ONNX file without one"], desk)


@pytest.mark.slow
def test_an_onnx_file_with_its_tokenizer_and_the_package_that_came_of_it(desk: Path) -> None:
    run_as_written(ways()["an ONNX file with its tokenizer"], desk)
    (desk / "graph-release" / "package").rename(desk / "package")
    run_as_written(ways()["a Model or Package that Modelyard made"], desk)


@pytest.mark.slow
def test_a_csv(desk: Path) -> None:
    """With a base of two layers, so that the test does not train for minutes."""
    (desk / "modelyard.yaml").write_text(
        f"data: reviews.csv\nname: reviews\n"
        f"train: {{base: '{desk / 'base'}', epochs: 6, base_lr: 0.04, max_length: 32}}\n"
    )
    run_as_written(ways()["a CSV with texts and labels"], desk)
