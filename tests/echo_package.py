"""A real package of two graphs, small enough to be made in milliseconds: it answers a text with the text itself.

The encoder keeps each byte of the source, the decoder writes the byte at the place where it is. Every byte is a token,
so that a character of several bytes comes in several steps.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from modelyard.runtimes.golden_writing import write_golden
from modelyard.runtimes.onnxruntime import open_graph
from modelyard.store.artifacts import Package, write_index
from modelyard.tasks import load_task
from modelyard.tasks.seq2seq.pipeline import Seq2SeqPipeline
from tests.graphs import Value, graph, node, saved

PAD, END = 0, 1
SPECIAL = ("<pad>", "</s>", "<unk>")
POISON = "~"  # the decoder falls over when it is told that it wrote this
TOKENS = (*SPECIAL, *sorted(set(pre_tokenizers.ByteLevel.alphabet()) - {POISON}), POISON)
TEXTS = ("good", "a book", "流れる", "naïve café", "🎬 film", "x", "lovely films", "the end")
HELD = ("n", 1, "s", len(TOKENS))
ROLES = ("encoder", "decoder")


def tokenizer() -> Tokenizer:
    made = Tokenizer(models.BPE(vocab={token: place for place, token in enumerate(TOKENS)}, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", END)])
    made.add_special_tokens(list(SPECIAL))
    return made


def weights(size: int, seed: int) -> np.ndarray:
    """A matrix that keeps what it is multiplied with, but for a little."""
    noise = np.random.default_rng(seed).normal(0.0, 0.01, (size, size))
    return (4.0 * np.eye(size) + noise).astype(np.float32)


def encoder() -> Any:
    size = len(TOKENS)
    constants = {
        "size": np.array(size, np.int64),
        "values": np.array([0.0, 1.0], np.float32),
        "matrix": weights(size, 1),
        "heads": np.array([1], np.int64),
    }
    nodes = [
        node("OneHot", "input_ids size values", "bytes"),
        node("MatMul", "bytes matrix", "known"),
        node("Unsqueeze", "bytes heads", "cross.0.key"),
        node("Unsqueeze", "known heads", "cross.0.value"),
    ]
    inputs: list[Value] = [(name, "INT64", ("n", "s")) for name in ("input_ids", "attention_mask")]
    return graph(nodes, inputs, [(f"cross.0.{part}", "FLOAT", HELD) for part in ("key", "value")], constants)


def decoder(work: int = 0) -> Any:
    """work: side of a square matrix that is multiplied with itself for nothing at every step."""
    size = len(TOKENS)
    constants = {
        "one": np.array(1, np.int64),
        "axes": np.array([1, 2], np.int64),
        "table": np.zeros(size - 1, np.float32),
        "matrix": weights(size, 2),
    }
    nodes = [
        node("Shape", "past.0.key", "steps", start=2, end=3),
        node("Shape", "cross.0.key", "length", start=2, end=3),
        node("Sub", "length one", "last"),
        node("Min", "steps last", "place"),
        node("Gather", "cross.0.key place", "key", axis=2),
        node("Gather", "cross.0.value place", "value", axis=2),
        node("Concat", "past.0.key key", "present.0.key", axis=2),
        node("Concat", "past.0.value value", "present.0.value", axis=2),
        node("Squeeze", "value axes", "known"),
        node("MatMul", "known matrix", "made"),
        node("Gather", "table token", "written"),
        node("Add", "made written", "logits"),
    ]
    if work:
        nodes[-1].output[0] = "answer"
        constants["square"] = np.array([work, work], np.int64)
        constants["zero"] = np.zeros((1, 1), np.float32)
        nodes += [
            node("Mul", "written zero", "still"),
            node("ReduceSum", "still", "scalar", keepdims=0),
            node("Expand", "scalar square", "wide"),
            node("MatMul", "wide wide", "product"),
            node("ReduceMean", "product", "mean", keepdims=0),
            node("Add", "answer mean", "logits"),
        ]
    past = ("n", 1, "p", size)
    inputs: list[Value] = [("token", "INT64", ("n", 1)), ("attention_mask", "INT64", ("n", "s"))]
    inputs += [(f"cross.0.{part}", "FLOAT", HELD) for part in ("key", "value")]
    inputs += [(f"past.0.{part}", "FLOAT", past) for part in ("key", "value")]
    outputs: list[Value] = [("logits", "FLOAT", ("n", size))]
    outputs += [(f"present.0.{part}", "FLOAT", ("n", 1, "q", size)) for part in ("key", "value")]
    return graph(nodes, inputs, outputs, constants)


def echo_package(
    folder: Path,
    *,
    name: str = "echo",
    variants: Sequence[str] = ("float",),
    texts: Sequence[str] = TEXTS,
    work: int = 0,
    beams: int = 1,
    max_new_tokens: int = 64,
    **changes: Any,
) -> Package:
    """Write a seq2seq package with a golden set. changes: keys of package.json with other values."""
    for variant in variants:
        saved(encoder(), folder / "variants" / variant / "encoder.onnx")
        saved(decoder(work), folder / "variants" / variant / "decoder.onnx")
    (folder / "pipeline").mkdir()
    tokenizer().save(str(folder / "pipeline" / "tokenizer.json"))
    spec = {
        "tokenizer": "pipeline/tokenizer.json",
        "max_length": 1024,
        "feeds": ["input_ids", "attention_mask"],
        "pad_id": PAD,
        "start_id": PAD,
        "end_ids": [END],
        "generation": {"beams": beams, "max_new_tokens": max_new_tokens, "length_penalty": 1.0},
    }
    task = load_task("seq2seq")
    pipeline = Seq2SeqPipeline.open(folder, spec)
    graphs = {role: open_graph([folder / "variants" / variants[0] / f"{role}.onnx"], 1) for role in ROLES}
    items = [{"text": text} for text in texts]
    golden = write_golden(folder, pipeline, graphs, items, pipeline.prepare_batch(items))
    info: dict[str, Any] = {
        "format": 1,
        "name": name,
        "task": task.name,
        "labels": [],
        "variants": [
            {
                "name": variant,
                "runtime": "onnxruntime",
                "requires": {"onnxruntime": "1.20"},
                "graphs": {role: {"format": "onnx", "files": [f"variants/{variant}/{role}.onnx"]} for role in ROLES},
                "tolerance": {"max_abs": 0.001, "agreement": 1.0},
            }
            for variant in variants
        ],
        "pipeline": spec,
        "signature": task.signature([]).as_json(),
        "tensor": {
            "inputs": [{"name": feed, "datatype": "INT64", "shape": [-1, -1]} for feed in spec["feeds"]],
            "outputs": [
                {"name": "output_ids", "datatype": "INT32", "shape": [-1, -1]},
                {"name": "scores", "datatype": "FP32", "shape": [-1]},
            ],
        },
        "limits": {"max_batch": 64, "max_item_bytes": 100_000},
        "bars": {},
        "golden": {**golden, "agreement": task.agreement},
    }
    write_index(Package, folder, json.loads(json.dumps({**info, **changes})))
    return Package.open(folder)
