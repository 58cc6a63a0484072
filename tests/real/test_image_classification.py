"""A classifier from a folder of class folders to labels over the wire: the whole chain, then tritonclient."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as tritongrpc
import tritonclient.http as tritonhttp
from PIL import Image, ImageDraw

from modelyard.tasks.image_classification.recipes import RECIPES
from tests.real.command import modelyard, reported
from tests.real.servers import serving

pytestmark = pytest.mark.e2e

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "images.md").read_text("utf-8")
CLASSES = ("cross", "ring")
PICTURES = 200


def drawn(rng: np.random.Generator, kind: str) -> bytes:
    """A ring or a cross somewhere on noise."""
    width, height = int(rng.integers(36, 60)), int(rng.integers(36, 60))
    image = Image.fromarray(rng.integers(20, 90, (height, width, 3), dtype=np.uint8))
    draw, side = ImageDraw.Draw(image), int(rng.integers(24, 34))
    x, y = int(rng.integers(0, width - side)), int(rng.integers(0, height - side))
    if kind == "ring":
        draw.ellipse((x, y, x + side, y + side), outline=(240, 230, 90), width=4)
    else:
        draw.line((x, y, x + side, y + side), fill=(240, 230, 90), width=4)
        draw.line((x + side, y, x, y + side), fill=(240, 230, 90), width=4)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A project on which the whole chain has run."""
    folder = tmp_path_factory.mktemp("shapes")
    rng = np.random.default_rng(0)
    for number in range(PICTURES):
        kind = CLASSES[number % 2]
        (folder / "data" / kind).mkdir(parents=True, exist_ok=True)
        (folder / "data" / kind / f"{number:03d}.png").write_bytes(drawn(rng, kind))
    (folder / "base").mkdir()
    tiny = {**RECIPES["resnet"], "embedding_size": 8, "hidden_sizes": [8, 16, 32], "depths": [1, 1, 1]}
    (folder / "base" / "config.json").write_text(json.dumps(tiny))
    (folder / "modelyard.yaml").write_text(
        "name: shapes\ntask: image_classification\ndata: data\n"
        "train: {base: ./base, image_size: 32, epochs: 10, base_lr: 0.04}\n"
        "optimize: {requests: 20, load_seconds: 2}\n"
        "evaluate: {requests: 20, load_seconds: 3, resamples: 200}\n"
    )
    code, answer, stderr = modelyard(folder, "run", "--threads", "1")
    assert code == 0, stderr
    return folder, answer


def test_the_report_says_what_the_classifier_is_worth_beside_a_baseline(released: tuple[Path, dict[str, Any]]) -> None:
    _, answer = released
    figures = reported(answer)
    assert 0.75 < figures["accuracy"]["value"] <= 1.0
    low, high = figures["accuracy"]["interval"]
    assert low <= figures["accuracy"]["value"] <= high
    assert figures["accuracy_over_baseline"]["value"] is not None
    assert figures["eager_accuracy"]["value"] == pytest.approx(figures["accuracy"]["value"], abs=0.1)
    assert figures["parity_max_abs"]["value"] < 1e-3
    assert figures["parity_accuracy"]["value"] == 0.0
    assert {"macro_f1", "ece", "latency_cut"} <= set(figures)


def test_pictures_are_answered_over_both_doors_alike_and_as_the_guide_asks(
    released: tuple[Path, dict[str, Any]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, _ = released
    rng = np.random.default_rng(7)
    wanted = [CLASSES[number % 2] for number in range(20)]
    items = np.array([drawn(rng, kind) for kind in wanted], dtype=object)
    with serving(folder / "served", "shapes@champion", "--workspace", str(folder / ".modelyard")) as server:
        rest_input = tritonhttp.InferInput("image", [len(items)], "BYTES")
        rest_input.set_data_from_numpy(items)
        rest = tritonhttp.InferenceServerClient(f"127.0.0.1:{server.http}").infer("shapes", [rest_input])
        grpc_input = tritongrpc.InferInput("image", [len(items)], "BYTES")
        grpc_input.set_data_from_numpy(items)
        grpc = tritongrpc.InferenceServerClient(f"127.0.0.1:{server.grpc}").infer("shapes", [grpc_input])
        metadata = server.ask("GET", "/v2/models/shapes").json
        refused = server.ask("POST", "/v2/models/shapes/infer", {
            "inputs": [{"name": "image", "datatype": "BYTES", "shape": [1], "data": ["bm8gcGljdHVyZQ=="]}]
        })  # fmt: skip
        (folder / "digit.png").write_bytes(items[0])
        (code,) = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
        for written, here in (("digit.png", f"{folder}/digit.png"), ("digit-names", "shapes"), ("8000", server.http)):
            assert written in code
            code = code.replace(written, str(here))
        exec(code, {})
    label, score = capsys.readouterr().out.split()
    assert (label, float(score)) == (rest.as_numpy("label")[0].decode(), pytest.approx(rest.as_numpy("score")[0]))
    for name in ("label", "score", "scores"):
        assert np.array_equal(rest.as_numpy(name), grpc.as_numpy(name)), name
    assert {each["name"]: each["shape"] for each in metadata["outputs"]} == {
        "label": [-1],
        "score": [-1],
        "scores": [-1, 2],
    }
    assert (refused.status, "item 0: the image cannot be read" in refused.json["error"]) == (422, True)
    right = [label.decode() == kind for label, kind in zip(rest.as_numpy("label"), wanted, strict=True)]
    assert np.mean(right) >= 0.75
