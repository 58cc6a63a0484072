"""A detector from a COCO folder to boxes over the wire: the whole chain, then tritonclient."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc as tritongrpc
import tritonclient.http as tritonhttp
from PIL import Image, ImageDraw

from modelyard.fields.codecs.coco import document_of
from modelyard.tasks.detection.recipes import Detector, config_of
from tests.real.command import modelyard, reported
from tests.real.servers import serving

pytestmark = pytest.mark.e2e

CLASSES = ("cross", "ring")
PICTURES = 160


def drawn(rng: np.random.Generator) -> tuple[bytes, list[dict[str, Any]]]:
    """Rings and crosses on noise, none over another, and their boxes."""
    noise = rng.integers(20, 70, (80, 96, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    draw, boxes = ImageDraw.Draw(image), []
    for column in rng.permutation(2)[: rng.integers(0, 3)]:
        side = int(rng.integers(22, 40))
        x, y = int(column) * 48 + int(rng.integers(0, 47 - side)), int(rng.integers(0, 79 - side))
        kind = CLASSES[rng.integers(2)]
        if kind == "ring":
            draw.ellipse((x, y, x + side, y + side), outline=(240, 230, 90), width=4)
        else:
            draw.line((x, y, x + side, y + side), fill=(240, 230, 90), width=4)
            draw.line((x + side, y, x, y + side), fill=(240, 230, 90), width=4)
        boxes.append({"label": kind, "x": float(x), "y": float(y), "width": side + 1.0, "height": side + 1.0})
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue(), boxes


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A project on which the whole chain has run."""
    folder = tmp_path_factory.mktemp("shapes")
    (folder / "data" / "images").mkdir(parents=True)
    rng, rows = np.random.default_rng(0), []
    for number in range(PICTURES):
        content, boxes = drawn(rng)
        name = f"images/{number:03d}.png"
        (folder / "data" / name).write_bytes(content)
        rows.append((name, 96, 80, boxes))
    (folder / "data" / "annotations.json").write_text(json.dumps(document_of(rows, CLASSES)))
    (folder / "base").mkdir()
    tiny = Detector(image_size=96, widths=(8, 8, 16, 16, 16), neck=16)
    (folder / "base" / "config.json").write_text(json.dumps(config_of(tiny)))
    (folder / "modelyard.yaml").write_text(
        "name: shapes\ntask: detection\ndata: data\n"
        "train: {base: ./base, epochs: 24, base_lr: 0.16}\n"
        "optimize: {requests: 20, load_seconds: 2}\n"
        "evaluate: {requests: 20, load_seconds: 3, resamples: 200}\n"
    )
    code, answer, stderr = modelyard(folder, "run", "--threads", "1")
    assert code == 0, stderr
    return folder, answer


def test_the_report_says_what_the_detector_is_worth_beside_a_baseline(released: tuple[Path, dict[str, Any]]) -> None:
    _, answer = released
    figures = reported(answer)
    assert 0.3 < figures["map"]["value"] <= 1.0
    low, high = figures["map"]["interval"]
    assert low <= figures["map"]["value"] <= high
    assert figures["map_over_baseline"]["value"] is not None
    assert figures["eager_map"]["value"] == pytest.approx(figures["map"]["value"], abs=0.05)
    assert figures["parity_max_abs"]["value"] < 1e-3
    assert figures["parity_boxes"]["value"] == 1.0
    assert figures["latency_cut"]["value"] is not None
    assert not {"accuracy", "macro_f1", "ece"} & set(figures)


def test_pictures_are_answered_over_both_doors_alike(released: tuple[Path, dict[str, Any]]) -> None:
    folder, _ = released
    rng = np.random.default_rng(7)
    pictures = [drawn(rng) for _ in range(6)]
    items = np.array([content for content, _ in pictures], dtype=object)
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
    for name in ("boxes", "scores", "labels", "count"):
        assert np.array_equal(rest.as_numpy(name), grpc.as_numpy(name)), name
    assert {each["name"]: each["shape"] for each in metadata["outputs"]} == {
        "boxes": [-1, 100, 4],
        "scores": [-1, 100],
        "labels": [-1, 100],
        "count": [-1],
    }
    assert rest.as_numpy("boxes").shape == (6, 100, 4)
    assert refused.status == 422
    assert "item 0: the image cannot be read" in refused.json["error"]
    right = wanted = 0
    for row, (_, boxes) in enumerate(pictures):
        wanted += len(boxes)
        sure = rest.as_numpy("scores")[row] >= 0.3
        for true in boxes:
            corners = np.array([true["x"], true["y"], true["x"] + true["width"], true["y"] + true["height"]])
            near = np.abs(rest.as_numpy("boxes")[row] - corners).max(axis=1) < 8
            named = rest.as_numpy("labels")[row] == true["label"].encode()
            right += bool((sure & near & named).any())
    assert right >= 0.7 * wanted
