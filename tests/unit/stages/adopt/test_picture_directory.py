"""A foreign Hugging Face directory of a classifier of pictures becomes a Model that can be exported."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file, save_file

from modelyard.errors import BadConfig, BadInput
from modelyard.measure.eager_handler import KINDS
from modelyard.stages.adopt import AdoptConfig, adopt
from modelyard.store import Model
from modelyard.tasks import task_of
from tests.pictures import encoded
from tests.rows import new_run

PREPROCESSOR = {
    "feature_extractor_type": "ConvNextFeatureExtractor",
    "size": 32,
    "crop_pct": 0.875,
    "image_mean": [0.485, 0.456, 0.406],
    "image_std": [0.229, 0.224, 0.225],
}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """As somebody saved it: a small ResNet with names for its classes."""
    from transformers import ResNetConfig, ResNetForImageClassification

    config = ResNetConfig(embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], layer_type="basic")
    config.id2label, config.label2id = {0: "cat", 1: "dog", 2: "fox"}, {"cat": 0, "dog": 1, "fox": 2}
    folder = tmp_path / "pets"
    ResNetForImageClassification(config).save_pretrained(folder)
    (folder / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR))
    (folder / "README.md").write_text("not taken over")
    return folder


def test_a_classifier_of_pictures_says_its_task_and_labels_itself(directory: Path, tmp_path: Path) -> None:
    made = adopt(directory, AdoptConfig(), new_run(tmp_path))
    assert isinstance(made, Model)
    assert made.info == {
        "architecture": "ResNetForImageClassification",
        "format": 1,
        "framework": "torch",
        "labels": ["cat", "dog", "fox"],
        "loader": "transformers",
        "task": "image_classification",
    }
    names = {path.name for path in made.path.iterdir()}
    assert names == {"config.json", "model.json", "model.safetensors", "preprocessor_config.json", "provenance.json"}


def test_it_answers_as_transformers_does(directory: Path, tmp_path: Path) -> None:
    import torch
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    from modelyard.measure.reference import Reference

    made = adopt(directory, AdoptConfig(labels=("a", "b", "c")), new_run(tmp_path))
    assert isinstance(made, Model)
    training = task_of(made).training()
    pipeline = training.pipeline(str(made.path), made.labels, 0)
    graphs = {"model": Reference(training, training.load(str(made.path), made.labels, {}))}
    content = encoded(0, 60, 45)
    outputs = pipeline.run(graphs, pipeline.collate([pipeline.prepare({"image": content})]))
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    values = AutoImageProcessor.from_pretrained(directory)(images=picture, return_tensors="pt")
    with torch.inference_mode():
        wanted = AutoModelForImageClassification.from_pretrained(directory).eval()(**values).logits.numpy()
    assert np.abs(outputs["logits"] - wanted).max() < 1e-5
    decoded = pipeline.decode(outputs)
    assert decoded["label"][0] == "abc"[wanted.argmax()]
    label, score = KINDS["picture_classifier"](made.path, 0)([content])
    assert label["data"] == [decoded["label"][0]]
    assert score["data"] == pytest.approx(decoded["score"].tolist(), abs=1e-5)


def test_what_does_not_say_how_it_wants_its_pictures_is_refused(directory: Path, tmp_path: Path) -> None:
    (directory / "preprocessor_config.json").unlink()
    with pytest.raises(BadInput, match=r"has no preprocessor_config\.json"):
        adopt(directory, AdoptConfig(), new_run(tmp_path))


def test_a_length_in_tokens_is_refused(directory: Path, tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="the model reads pictures"):
        adopt(directory, AdoptConfig(max_length=64), new_run(tmp_path))


def test_an_encoder_of_pictures_is_no_encoder_of_texts(directory: Path, tmp_path: Path) -> None:
    described = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps({**described, "architectures": ["ResNetModel"]}))
    with pytest.raises(BadInput, match="neither a classifier"):
        adopt(directory, AdoptConfig(), new_run(tmp_path))
    with pytest.raises(BadInput, match=r"has no head \.\.\.ForImageClassification"):
        adopt(directory, AdoptConfig(task="image_classification"), new_run(tmp_path))


def test_a_head_that_is_not_in_the_weights_is_noticed(directory: Path, tmp_path: Path) -> None:
    weights = load_file(directory / "model.safetensors")
    body = {name: values for name, values in weights.items() if "classifier" not in name}
    save_file(body, directory / "model.safetensors", {"format": "pt"})
    with pytest.raises(BadInput, match=r"the weights lack classifier"):
        adopt(directory, AdoptConfig(), new_run(tmp_path))


def test_two_classes_that_the_configuration_leaves_unsaid_are_counted_all_the_same(
    directory: Path, tmp_path: Path
) -> None:
    from transformers import ResNetConfig, ResNetForImageClassification

    config = ResNetConfig(embedding_size=4, hidden_sizes=[4, 8], depths=[1, 1], layer_type="basic")
    ResNetForImageClassification(config).save_pretrained(directory)
    assert "id2label" not in json.loads((directory / "config.json").read_text())
    made = adopt(directory, AdoptConfig(), new_run(tmp_path))
    assert isinstance(made, Model)
    assert made.labels == ["LABEL_0", "LABEL_1"]
    with pytest.raises(BadConfig, match="3 labels were given, the model has 2 classes"):
        adopt(directory, AdoptConfig(labels=("a", "b", "c")), new_run(tmp_path))


def test_a_configuration_that_transformers_does_not_take_is_refused(directory: Path, tmp_path: Path) -> None:
    described = json.loads((directory / "config.json").read_text())
    (directory / "config.json").write_text(json.dumps({**described, "depths": "two"}))
    with pytest.raises(BadInput, match="transformers does not open it: Validation error for field 'depths'"):
        adopt(directory, AdoptConfig(), new_run(tmp_path))
