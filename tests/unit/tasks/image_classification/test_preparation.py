"""What a directory's preprocessor_config.json says, held against the image processors of transformers."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from modelyard.errors import BadInput
from modelyard.media.framing import SHORTER, Framing
from modelyard.tasks.image_classification.pipeline import ImageClassificationPipeline
from modelyard.tasks.image_classification.preparation import (
    FILE,
    NEW_SIDE,
    PROCESSORS,
    Preparation,
    preprocessor_config,
    read_preparation,
)
from tests.pictures import encoded

IMAGENET = {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]}
SQUARE = {"height": 48, "width": 48}
# As directories on the hub have them.
SAID: dict[str, dict[str, Any]] = {
    "vit": {"image_processor_type": "ViTImageProcessor", "size": SQUARE, "resample": 2},
    "vit, of another engine": {"image_processor_type": "ViTImageProcessorFast", "size": SQUARE, "resample": 3},
    "vit, older": {"feature_extractor_type": "ViTFeatureExtractor", "size": 40},
    "deit": {
        "image_processor_type": "DeiTImageProcessor",
        "size": {"height": 56, "width": 56},
        "crop_size": SQUARE,
        **IMAGENET,
    },
    "resnet": {"feature_extractor_type": "ConvNextFeatureExtractor", "size": 48, "crop_pct": 0.875, **IMAGENET},
    "convnext, large": {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 384}},
    "dinov2": {
        "image_processor_type": "BitImageProcessor",
        "size": {"shortest_edge": 60},
        "crop_size": SQUARE,
        **IMAGENET,
    },
    "clip": {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 48}, "crop_size": SQUARE},
    "mobilenet": {"image_processor_type": "MobileNetV2ImageProcessor", "size": {"shortest_edge": 52}, "crop_size": 48},
    "not normalised": {"image_processor_type": "ViTImageProcessor", "size": SQUARE, "do_normalize": False},
    "silent": {"image_processor_type": "ViTImageProcessor"},
}


def directory(folder: Path, said: Any, weights: bool = True) -> Path:
    (folder / "config.json").write_text(json.dumps({"model_type": "vit"}))
    if weights:
        (folder / "model.safetensors").write_bytes(b"")
    if said is not None:
        (folder / FILE).write_text(said if isinstance(said, str) else json.dumps(said))
    return folder


@pytest.mark.parametrize("name", SAID)
def test_pictures_are_prepared_as_transformers_prepares_them(tmp_path, name):
    from transformers import AutoImageProcessor

    folder = directory(tmp_path, SAID[name])
    ours, theirs = read_preparation(folder), AutoImageProcessor.from_pretrained(folder)
    pipeline = ImageClassificationPipeline(ours.framing, ["a"])
    for width, height in ((90, 61), (61, 90), (70, 70), (50, 31)):
        content = encoded(width, width, height)
        pixels = pipeline.prepare({"image": content}).features["pixels"].astype(np.float64)
        found = (pixels * ours.scale - np.reshape(ours.mean, (3, 1, 1))) / np.reshape(ours.std, (3, 1, 1))
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        wanted = theirs(images=picture, return_tensors="np")["pixel_values"][0]
        assert found.shape == wanted.shape
        assert np.abs(found - wanted).max() < 1e-5


@pytest.mark.parametrize("name", SAID)
def test_what_is_written_says_the_same_again_to_both(tmp_path, name):
    from transformers import AutoImageProcessor

    found = read_preparation(directory(tmp_path, SAID[name]))
    again = tmp_path / "again"
    again.mkdir()
    directory(again, preprocessor_config(found))
    assert read_preparation(again) == found
    picture = Image.open(io.BytesIO(encoded(3, 70, 52))).convert("RGB")
    both = [
        AutoImageProcessor.from_pretrained(folder)(images=picture, return_tensors="np") for folder in (tmp_path, again)
    ]
    assert np.abs(both[0]["pixel_values"] - both[1]["pixel_values"]).max() < 1e-5


def test_defaults_are_those_of_the_installed_transformers():
    from transformers.models.auto.image_processing_auto import get_image_processor_class_from_name

    for name, known in PROCESSORS.items():
        kind = get_image_processor_class_from_name(f"{name}Pil")
        for key in ("size", "resample", "do_resize", "do_rescale", "do_normalize"):
            assert getattr(kind, key) == known[key], (name, key)
        assert bool(getattr(kind, "do_center_crop", False)) == known["do_center_crop"], name
        assert tuple(kind.image_mean) == pytest.approx(known["image_mean"]), name
        assert tuple(kind.image_std) == pytest.approx(known["image_std"]), name


def test_another_size_keeps_what_is_cut_off_in_proportion(tmp_path):
    folder = directory(tmp_path, SAID["dinov2"])
    assert read_preparation(folder).framing == Framing(48, SHORTER, 60, "bicubic")
    assert read_preparation(folder, 96).framing == Framing(96, SHORTER, 120, "bicubic")


def test_a_new_model_needs_no_file(tmp_path):
    folder = directory(tmp_path, None, weights=False)
    assert read_preparation(folder) == Preparation(Framing(NEW_SIDE))
    (folder / "config.json").write_text(json.dumps({"model_type": "vit", "image_size": 40}))
    assert read_preparation(folder).framing.image_size == 40
    assert read_preparation(folder, 32).framing == Framing(32)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (None, "has no preprocessor_config.json"),
        ("{", "cannot be read"),
        ("[]", "not a JSON object"),
        ({}, "prepared by nothing that is named"),
        ({"image_processor_type": "LevitImageProcessor"}, "LevitImageProcessor, which is not known"),
        ({"image_processor_type": "ViTImageProcessor", "do_resize": False}, "do_resize is false"),
        (
            {"image_processor_type": "ViTImageProcessor", "size": {"height": 8, "width": 9}},
            "8 x 9 pixels are no square",
        ),
        ({"image_processor_type": "ViTImageProcessor", "resample": 9}, "cannot be prepared"),
        ({"image_processor_type": "ViTImageProcessor", "image_mean": [0.5]}, "1 numbers for the three colours"),
        ({"image_processor_type": "ViTImageProcessor", "image_std": [0, 1, 1]}, "holds a 0"),
        ({"image_processor_type": "BitImageProcessor", "do_center_crop": False}, "would differ in size"),
        ({"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 100}}, "cannot be cut out"),
        (
            {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 48}, "crop_pct": 0},
            "cannot be prepared as it says",
        ),
        ({"image_processor_type": "ViTImageProcessor", "size": 100_000}, "more than any picture has"),
    ],
)
def test_what_cannot_be_followed_is_refused(tmp_path, said, message):
    with pytest.raises(BadInput, match=message):
        read_preparation(directory(tmp_path, said))
