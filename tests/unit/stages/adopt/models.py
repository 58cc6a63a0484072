"""Models that "somebody else" made: a classifier's directory with random weights, ONNX graphs put together by hand."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from tests.unit.tiny_bert import make_base

LABELS = ("negative", "positive")
WIDTH = 8


def make_classifier(folder: Path, base: Path, labels: tuple[str, ...] = LABELS) -> Path:
    """A Hugging Face directory of a two-layer BERT with a head, random weights."""
    import torch
    from transformers import AutoConfig, BertForSequenceClassification

    shutil.copytree(base, folder)
    torch.manual_seed(1)
    config = AutoConfig.from_pretrained(
        folder, id2label=dict(enumerate(labels)), label2id={label: place for place, label in enumerate(labels)}
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


def make_text_onnx(
    path: Path,
    output: str,
    classes: int = 0,
    *,
    feeds: tuple[str, ...] = ("input_ids", "attention_mask"),
    axes: tuple[str | int, str | int] = ("batch", "tokens"),
    kind: str = "INT64",
) -> Path:
    """A table of vectors for the tokens; with `classes`, their masked mean through a matrix: [batch, classes]."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    draw = np.random.default_rng(0)
    table = draw.normal(size=(1000, WIDTH)).astype(np.float32)
    weights = [numpy_helper.from_array(table, "table")]
    nodes = [helper.make_node("Gather", ["table", "input_ids"], ["hidden"], doc_string="made by /somebody/here.py")]
    answer, shape = "hidden", [*axes, WIDTH]
    if classes:
        weights += [
            numpy_helper.from_array(draw.normal(size=(WIDTH, classes)).astype(np.float32), "head"),
            numpy_helper.from_array(np.array([2]), "last"),
            numpy_helper.from_array(np.array([1]), "middle"),
        ]
        nodes += [
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
            helper.make_node("Mul", ["hidden", "wide"], ["kept"]),
            helper.make_node("ReduceSum", ["kept", "middle"], ["sum"], keepdims=0),
            helper.make_node("ReduceSum", ["wide", "middle"], ["count"], keepdims=0),
            helper.make_node("Div", ["sum", "count"], ["mean"]),
            helper.make_node("MatMul", ["mean", "head"], ["classes"]),
        ]
        answer, shape = "classes", [axes[0], classes]
    nodes.append(helper.make_node("Identity", [answer], [output]))
    graph = helper.make_graph(
        nodes,
        "somebody's",
        [helper.make_tensor_value_info(name, getattr(TensorProto, kind), list(axes)) for name in feeds],
        [helper.make_tensor_value_info(output, TensorProto.FLOAT, shape)],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    return path


def make_tokenizer(folder: Path, base: Path, **config: object) -> Path:
    """A folder with tokenizer.json alone, and config.json when anything is given."""
    folder.mkdir(parents=True)
    shutil.copyfile(base / "tokenizer.json", folder / "tokenizer.json")
    if config:
        (folder / "config.json").write_text(json.dumps(config))
    return folder


__all__ = ["LABELS", "make_base", "make_classifier", "make_text_onnx", "make_tokenizer"]
