"""A real package, small enough to be made in milliseconds: a bag of words over a WordPiece vocabulary, in ONNX."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from modelyard.store.artifacts import Package, write_index
from modelyard.tasks import load_task

WORDS = ("good", "great", "fine", "lovely", "bad", "awful", "poor", "boring", "film", "book", "the", "a", "was", "it")
LABELS = ("negative", "positive")
TEXTS = (
    *("the film was good", "a great book", "it was awful", "the book was poor and boring", "lovely", "bad bad film"),
    *("fine film", "it was a bad book", "the great film was fine", "boring"),
)
FEEDS = ("input_ids", "attention_mask")
MAX_LENGTH = 32
HIDDEN = 8


def tokenizer(words: Sequence[str] = WORDS) -> Tokenizer:
    """[CLS] and [SEP] around lower-cased whole words."""
    vocabulary = {word: index for index, word in enumerate(("[PAD]", "[UNK]", "[CLS]", "[SEP]", *words))}
    made = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))  # type: ignore[arg-type]
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return made


def graph(broken: str | None = None, work: int = 0) -> onnx.ModelProto:
    """input_ids, attention_mask int64 [n, t] to logits float32 [n, 2]: the masked mean of word vectors, a linear layer.

    broken: `nan` answers NaN for every text; `swapped` exchanges the classes; `rare_nan` answers NaN where "boring" is.
    work: the side of a square matrix that is multiplied with itself for nothing, to make the graph slow.
    """
    random = np.random.default_rng(0)
    words = random.normal(0.0, 0.1, (len(WORDS) + 4, HIDDEN)).astype(np.float32)
    words[4:8, 0] += 2.0
    words[8:12, 0] -= 2.0
    head = np.zeros((HIDDEN, 2), dtype=np.float32)
    head[0] = (-1.0, 1.0)
    if broken == "swapped":
        head = head[:, ::-1].copy()
    if broken == "rare_nan":
        words[4 + WORDS.index("boring")] = np.nan
    bias = np.full(2, np.nan if broken == "nan" else 0.0, dtype=np.float32)
    constants = {"words": words, "head": head, "bias": bias, "last": np.array([2], dtype=np.int64)}
    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["vectors"]),
        helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
        helper.make_node("Mul", ["vectors", "wide"], ["kept"]),
        helper.make_node("ReduceSum", ["kept", "one"], ["sum"], keepdims=0),
        helper.make_node("ReduceSum", ["mask", "one"], ["count"], keepdims=1),
        helper.make_node("Div", ["sum", "count"], ["mean"]),
        helper.make_node("Gemm", ["mean", "head", "bias"], ["logits"]),
    ]
    constants["one"] = np.array([1], dtype=np.int64)
    if work:
        nodes[-1].output[0] = "answer"
        constants["square"] = np.array([work, work], dtype=np.int64)
        constants["nothing"] = np.zeros(1, dtype=np.float32)
        nodes += [
            helper.make_node("ReduceSum", ["mask"], ["scalar"], keepdims=0),
            helper.make_node("Mul", ["scalar", "nothing"], ["zero"]),
            helper.make_node("Expand", ["zero", "square"], ["matrix"]),
            helper.make_node("MatMul", ["matrix", "matrix"], ["product"]),
            helper.make_node("ReduceMean", ["product"], ["still_zero"], keepdims=0),
            helper.make_node("Add", ["answer", "still_zero"], ["logits"]),
        ]
    made = helper.make_graph(
        nodes,
        "bag_of_words",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model)
    return model


def tiny_package(
    folder: Path,
    *,
    name: str = "reviews",
    variants: Sequence[str] = ("float",),
    texts: Sequence[str] = TEXTS,
    work: int = 0,
    **changes: Any,
) -> Package:
    """Write a text classification package with a golden set.

    work: see `graph`; changes: keys of package.json with other values.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for variant in variants:
        (folder / "variants" / variant).mkdir(parents=True)
        onnx.save(graph(work=work), str(folder / "variants" / variant / "model.onnx"))
    (folder / "pipeline").mkdir()
    tokenizer().save(str(folder / "pipeline" / "tokenizer.json"))
    info: dict[str, Any] = {
        "format": 1,
        "name": name,
        "task": "text_classification",
        "labels": list(LABELS),
        "variants": [
            {
                "name": variant,
                "runtime": "onnxruntime",
                "requires": {"onnxruntime": "1.20"},
                "graphs": {"model": {"format": "onnx", "files": [f"variants/{variant}/model.onnx"]}},
                "tolerance": {"max_abs": 0.001, "agreement": 1.0},
            }
            for variant in variants
        ],
        "pipeline": {
            "tokenizer": "pipeline/tokenizer.json",
            "max_length": MAX_LENGTH,
            "feeds": list(FEEDS),
            "pad_id": 0,
        },
        "signature": load_task("text_classification").signature(LABELS).as_json(),
        "tensor": {
            "inputs": [{"name": feed, "datatype": "INT64", "shape": [-1, -1]} for feed in FEEDS],
            "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, 2]}],
        },
        "limits": {"max_batch": 64, "max_item_bytes": 100_000},
        "bars": {},
        "golden": {"inputs": "golden/inputs.jsonl", "outputs": "golden/outputs.safetensors", "count": len(texts)},
    }
    info.update(changes)
    write_index(Package, folder, info)
    _write_golden(folder, info, texts)
    return Package.open(folder)


def _write_golden(folder: Path, info: dict[str, Any], texts: Sequence[str]) -> None:
    """From the float graph itself, run without the runtime module under test."""
    pipeline = load_task("text_classification").open_pipeline(folder, info["pipeline"])
    session = onnxruntime.InferenceSession(graph().SerializeToString(), providers=["CPUExecutionProvider"])
    rows = []
    for text in texts:
        feeds = pipeline.collate([pipeline.prepare({"text": text})])
        rows.append(session.run(["logits"], dict(feeds))[0])
    (folder / "golden").mkdir()
    lines = "".join(json.dumps({"text": text}) + "\n" for text in texts)
    (folder / "golden" / "inputs.jsonl").write_text(lines)
    save_file({"logits": np.concatenate(rows)}, str(folder / "golden" / "outputs.safetensors"))


def break_variant(package: Package, variant: str, how: str) -> None:
    """Replace a variant's graph by one that is broken (see `graph`), or by `bytes` that are no ONNX."""
    path = package.path / "variants" / variant / "model.onnx"
    if how == "bytes":
        path.write_bytes(b"\x00" * 64)
    else:
        onnx.save(graph(broken=how), str(path))
