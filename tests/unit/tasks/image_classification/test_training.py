from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
import torch

from modelyard.errors import BadConfig, BadInput
from modelyard.measure.reference import Reference
from modelyard.runtimes.onnxruntime import open_graph
from modelyard.stages.train import TrainConfig
from modelyard.store import Model
from modelyard.tasks import load_task
from modelyard.tasks.image_classification.recipes import RECIPES
from modelyard.tasks.image_classification.training import ImageClassificationTraining
from modelyard.training.base import base_digest, resolve_base
from tests.pictures import encoded

LABELS = ["cat", "dog", "fox"]
TRAINING = ImageClassificationTraining()
RESNET = {**RECIPES["resnet"], "embedding_size": 4, "hidden_sizes": [4, 8], "depths": [1, 1]}
VIT = {
    "model_type": "vit",
    "image_size": 16,
    "patch_size": 8,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
}


def new(folder, config=RESNET):
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def trained(folder, config, image_size=0, labels=LABELS):
    """A Model of a new network, its numbers of running variance moved so that folding them must be right."""
    torch.manual_seed(0)
    base = new(folder / "base", config)
    model = TRAINING.load(str(base), labels, {"image_size": image_size})
    for name, values in model.named_buffers():
        if name.endswith("running_var"):
            values.uniform_(0.5, 2.0)
        elif name.endswith("running_mean"):
            values.uniform_(-0.5, 0.5)
    (folder / "model").mkdir()
    TRAINING.save(model, str(base), folder / "model", labels, image_size)
    return folder / "model"


def feeds_of(folder, count=3):
    pipeline = TRAINING.pipeline(str(folder), LABELS, 0)
    return pipeline, pipeline.collate(
        pipeline.prepare_batch([{"image": encoded(seed, 30, 20)} for seed in range(count)])
    )


@pytest.mark.parametrize(("config", "size"), [(RESNET, 32), (VIT, 0), (VIT, 32)], ids=["resnet", "vit", "vit, larger"])
def test_the_graph_answers_as_the_model_and_as_transformers(tmp_path, config, size):
    from transformers import AutoImageProcessor, AutoModelForImageClassification

    folder = trained(tmp_path, config, size)
    pipeline, feeds = feeds_of(folder, 5)
    assert feeds["pixels"].shape[-1] == (size or 16)
    reference = Reference(TRAINING, TRAINING.load(str(folder), LABELS, {"attention": "eager"}))
    exported = TRAINING.export(folder, tmp_path, 0)
    graph = open_graph([tmp_path / exported["graphs"]["model"]["files"][0]], 1)
    wanted = pipeline.run({"model": reference}, feeds)["logits"]
    found = pipeline.run({"model": graph}, feeds)["logits"]
    assert np.abs(found - wanted).max() < 1e-5
    alone = pipeline.run({"model": graph}, {"pixels": feeds["pixels"][3:4]})["logits"]
    assert np.abs(alone - wanted[3:4]).max() < 1e-5
    theirs = AutoModelForImageClassification.from_pretrained(folder).eval()
    values = AutoImageProcessor.from_pretrained(folder)(
        images=list(torch.from_numpy(feeds["pixels"])), return_tensors="pt"
    )
    extra = {"interpolate_pos_encoding": True} if config is VIT else {}
    with torch.inference_mode():
        assert np.abs(theirs(**values, **extra).logits.numpy() - wanted).max() < 1e-5
    assert exported["tensor"]["inputs"] == [
        {"name": "pixels", "datatype": "UINT8", "shape": [-1, 3, size or 16, size or 16]}
    ]


def test_batch_normalisation_is_folded_into_the_convolutions(tmp_path):
    exported = TRAINING.export(trained(tmp_path, RESNET, 32), tmp_path, 0)
    proto = onnx.load(tmp_path / exported["graphs"]["model"]["files"][0])
    kinds = [node.op_type for node in proto.graph.node]
    assert "BatchNormalization" not in kinds
    assert kinds.count("Conv") == 6
    assert not any(message.metadata_props for message in (proto, *proto.graph.node))


def test_a_model_is_a_directory_of_transformers_that_can_be_a_base_again(tmp_path):
    folder = trained(tmp_path, RESNET, 32)
    model = Model.open(folder)
    assert (model.task, model.labels) == ("image_classification", LABELS)
    assert (model.info["framework"], model.info["loader"]) == ("torch", "transformers")
    again = TRAINING.load(str(folder), ["a", "b"], {})
    kept, first = again.state_dict(), TRAINING.load(str(folder), LABELS, {}).state_dict()
    head = {name for name in kept if "classifier" in name}
    assert {name for name in kept if kept[name].shape != first[name].shape} == head
    assert all(torch.equal(kept[name], first[name]) for name in kept.keys() - head)
    assert resolve_base(str(folder), TRAINING) == folder


def test_the_way_pictures_are_prepared_is_part_of_the_digest_of_a_base(tmp_path):
    folder = trained(tmp_path, RESNET, 32)
    before = base_digest(folder)
    (folder / "preprocessor_config.json").write_text(
        (folder / "preprocessor_config.json").read_text().replace("0.5", "0.4")
    )
    assert base_digest(folder) != before


def test_the_recipe_is_a_resnet_of_transformers_small_enough_for_a_cpu():
    base = resolve_base("resnet", TRAINING)
    model = TRAINING.load(str(base), [str(digit) for digit in range(10)], {})
    assert type(model.network).__name__ == "ResNetForImageClassification"
    assert 1e6 < sum(parameter.numel() for parameter in model.parameters()) < 2e6
    assert model.network.config.id2label[9] == "9"


def test_weights_that_are_of_no_picture_model_are_refused(tmp_path):
    folder = new(tmp_path / "base", {"model_type": "bert"})
    with pytest.raises(BadInput, match="does not open as an image classifier"):
        TRAINING.load(str(folder), LABELS, {})


def test_image_size_is_for_tasks_of_pictures():
    config = TrainConfig(image_size=320)
    assert config.item_size(load_task("image_classification")) == 320
    assert config.item_size(load_task("detection")) == 320
    assert TrainConfig().item_size(load_task("image_classification")) == 0
    assert TrainConfig().item_size(load_task("text_classification")) == 128
    with pytest.raises(BadConfig, match="no pictures") as caught:
        config.item_size(load_task("text_classification"))
    assert caught.value.where == "train.image_size"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"depths": "two"}, "does not open as an image classifier: Validation error for field 'depths'"),
        ({"model_type": "vit", "hidden_size": 8, "num_attention_heads": 0}, "does not open as an image classifier"),
        ({"num_channels": 1}, "takes pictures of num_channels 1"),
    ],
)
def test_a_configuration_that_no_model_can_be_made_of_is_refused(tmp_path, changes, message):
    with pytest.raises(BadInput, match=message):
        TRAINING.load(str(new(tmp_path / "base", {**RESNET, **changes})), LABELS, {})
