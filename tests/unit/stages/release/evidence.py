"""Stage reports as the stages write them, with figures such as a real run of sentiment on four domains gives."""

from __future__ import annotations

import copy
import json
import math
import random
from pathlib import Path
from typing import Any

from modelyard.store import Package, Report, Store
from modelyard.store.artifacts import write_index
from modelyard.tasks import load_task

HOSTILE = "<script>alert('data')</script>"

ENVIRONMENT = {
    "cpu": "AMD EPYC 7B13",
    "cores": 2,
    "cpu_flags": ["avx2"],
    "gpu": None,
    "system": "Linux x86_64",
    "python": "3.11.9",
    "libraries": {"modelyard": "0.1.0", "onnxruntime": "1.32.0", "torch": "2.13.0", "transformers": "5.24.0"},
}

BASELINE = (
    "TF-IDF of words and word pairs, logistic regression, C = 1 chosen on validation, same split: 4,788 train and 598"
    " test rows"
)

WRONG = [
    ("It works exactly as described, if you like things that stop working after a week.", "negative", "positive"),
    ("I wanted to hate this film and could not; it is far too honest for that.", "positive", "negative"),
    ("The blender is not bad at all, and I have broken three of them before.", "positive", "negative"),
    ("Great cover. Pity about the book.", "negative", "positive"),
]


def figure(value: Any, how: str = "", unit: str = "", interval: tuple[float, float] | None = None) -> dict[str, Any]:
    recorded: dict[str, Any] = {"value": value, "how": how, "unit": unit}
    if interval is not None:
        recorded["interval"] = list(interval)
    return recorded


def gate(name: str, value: float, bar: float, comparison: str = "at_most", passed: bool = True) -> dict[str, Any]:
    return {"name": name, "value": value, "bar": bar, "comparison": comparison, "passed": passed}


def report(stage: str, figures: dict[str, Any], gates: list[dict[str, Any]], details: dict[str, Any]) -> dict[str, Any]:
    return {
        "format": 1,
        "stage": stage,
        "figures": figures,
        "gates": gates,
        "details": details,
        "environment": copy.deepcopy(ENVIRONMENT),
    }


def _ingest() -> dict[str, Any]:
    details = {
        "encoding": "UTF-8",
        "delimiter": ",",
        "format": "CSV",
        "columns": [
            {"name": "text", "field": "text", "role": "input"},
            {"name": "label", "field": "label", "role": "target"},
            {"name": "domain", "field": "value", "role": "meta"},
            {"name": "row_id", "field": "value", "role": "system"},
        ],
        "set_aside": [
            {"file": "reviews.csv", "line": 812, "reason": "broken quoting"},
            {"file": "reviews.csv", "line": 2044, "reason": "no label"},
            {"file": "reviews.csv", "line": 5310, "reason": "no label"},
        ],
        "set_aside_count": 3,
    }
    return report("ingest", {"rows_in": figure(6000), "rows_out": figure(5997)}, [], details)


def _clean() -> dict[str, Any]:
    details = {
        "dropped": {"exact duplicate": 12},
        "repaired": {"mojibake": 29, "control characters": 12},
        "dropped_examples": [
            {
                "row_id": f"{index:032x}",
                "line": 100 + index,
                "reason": "exact duplicate",
                "text": "I love this product.",
            }
            for index in range(3)
        ],
        "repaired_examples": [
            {
                "row_id": f"{index:032x}",
                "line": 200 + index,
                "before": "a cafÃ© like no other",
                "after": "a café like no other",
            }
            for index in range(3)
        ],
    }
    return report("clean", {"rows_in": figure(5997), "rows_out": figure(5985)}, [gate("dropped", 0.002, 0.2)], details)


def _split() -> dict[str, Any]:
    figures = {
        "rows_train": figure(4788),
        "rows_validation": figure(599),
        "rows_test": figure(598),
        "class_imbalance": figure(0.1132),
        "strata_deviation": figure(
            0.0061,
            "largest difference between the share of a stratum's rows on a side and the share asked for; met in"
            " expectation, because a group is never cut",
        ),
    }
    details = {
        "split": {
            "train": {"negative": 2251, "positive": 2537},
            "validation": {"negative": 282, "positive": 317},
            "test": {"negative": 281, "positive": 317},
        },
        "class_counts": {"negative": 2814, "positive": 3171},
        "leakage": {
            "checked": ["exact twins", "near duplicates", "document"],
            "tied_pairs": {"exact twins": 0, "near duplicates": 31, "document": 512},
            "set_aside": 0,
            "groups_on_two_sides": 0,
        },
        "groups": {"columns": ["document"], "count": 5102, "of_several_rows": 405, "largest": 11},
    }
    return report("split", figures, [], details)


def _train() -> dict[str, Any]:
    noise, steps, rate = random.Random(1), 300, 1e-4
    history = []
    for step in range(1, steps + 1, 2):
        warm = min(1.0, step / 30)
        lr = rate * (warm if step < 30 else 0.5 * (1 + math.cos(math.pi * (step - 30) / (steps - 30))))
        loss = 0.28 + 0.42 * math.exp(-step / 70) + noise.gauss(0, 0.05)
        history.append({"step": step, "epoch": 1 if step <= steps // 2 else 2, "loss": loss, "lr": lr})
    figures = {
        "validation_accuracy": figure(0.8514, "599 validation rows, after epoch 2, eager float32"),
        "best_epoch": figure(2),
        "learning_rate": figure(rate, "peak; base_lr 0.0008 at batch 256, linear scaling to batch 32"),
        "base_lr": figure(8e-4, "at batch 256"),
        "batch_size": figure(32, "micro batches of 32", "rows"),
        "epochs": figure(2),
        "samples_per_s": figure(45.2),
        "train_seconds": figure(212.3),
    }
    details = {
        "history": history,
        "epochs": [
            {"epoch": 1, "train_loss": 0.4921, "validation_loss": 0.3912, "accuracy": 0.8297, "macro_f1": 0.8288},
            {"epoch": 2, "train_loss": 0.3204, "validation_loss": 0.3588, "accuracy": 0.8514, "macro_f1": 0.8507},
        ],
        "recipe": {
            "base": "all-MiniLM-L6-v2", "base_lr": 8e-4, "batch_size": 32, "dropout": 0.1, "epochs": 2,
            "learning_rate": rate,
            "max_length": 128, "scaling": "linear", "seed": 0, "warmup_share": 0.1, "weight_decay": 1e-4,
        },
        "parameters": 22_713_986,
    }  # fmt: skip
    return report("train", figures, [], details)


def _export() -> dict[str, Any]:
    cases = [
        {"kind": kind, "batch": batch, "length": length, "max_abs": (0.3 + 0.1 * batch + length / 200) * 1e-6}
        for batch in (1, 2, 5)
        for kind, length in (("shortest", 8), ("median", 32), ("longest", 128))
    ]
    figures = {
        "parity_max_abs": figure(
            1.44e-6,
            "largest |difference| of the raw outputs (logits), the model in PyTorch float32 against the graph in ONNX"
            " Runtime, 9 cases of batch and length",
        ),
        "parity_accuracy": figure(
            0.0, "|accuracy of the graph - accuracy of the model|, 0.8514 and 0.8514 on 599 validation rows", "share"
        ),
        "graph_accuracy": figure(0.8514, "599 validation rows, the exported graph"),
        "model_accuracy": figure(0.8514, "599 validation rows, PyTorch float32"),
        "parity_cases": figure(9),
    }
    gates = [gate("parity", 1.44e-6, 1e-3), gate("parity_accuracy", 0.0, 0.002)]
    details = {"parity": cases, "opset": 20, "nodes": 217, "float_bytes": 90_900_000}
    return report("export", figures, gates, details)


def _optimize() -> dict[str, Any]:
    def variant(name: str, mb: float, p50: float, lost: float, agreement: float, **more: Any) -> dict[str, Any]:
        return {
            "name": name, "runtime": "onnxruntime", "size_bytes": int(mb * 1e6), "p50_ms": p50, "p99_ms": p50 * 3.1,
            "cpu_ms": p50 * 1.02, "throughput_rps": 1000 / p50 * 1.1, "accuracy": 0.8514 - lost, "accuracy_lost": lost,
            "accuracy_lost_interval": [lost - 0.006, lost + 0.006] if lost else [0.0, 0.0], "agreement": agreement,
            "speedup": 8.0 / p50, "kept": True, "chosen": False, "reason": "", "fusions": {}, **more,
        }  # fmt: skip

    variants = [
        variant("float", 90.9, 8.0, 0.0, 1.0, reason="the plain graph, to compare with"),
        variant("float_fused", 90.8, 7.5, 0.0, 1.0, reason="faster than float",
                fusions={"Attention": 6, "SkipLayerNormalization": 12, "BiasGelu": 6}),
        variant("int8", 23.1, 4.1, 0.0017, 0.982, chosen=True, reason="fastest within 1 point of accuracy"),
        variant("openvino_int8", 23.4, 11.6, 0.0033, 0.960, kept=False, reason="slower than float on this machine"),
    ]  # fmt: skip
    figures = {
        "size_ratio": figure(3.935, "graph files, plain float over int8"),
        "speedup": figure(
            1.95,
            "P50 of the plain float graph over int8, both as served, one request at a time, in short turns on the same"
            " inputs (median of the turns), 290 requests each, one thread",
            interval=(1.88, 2.03),
        ),
        "accuracy_lost": figure(
            0.0017,
            "599 validation rows, paired with the float graph, interval by Agresti and Min",
            interval=(-0.0043, 0.0077),
        ),
    }
    details = {
        "variants": variants,
        "chosen": "int8",
        "why": "int8: 4.1 ms, 23 MB, accuracy -0.002; openvino_int8 dropped: slower than float here",
    }
    return report("optimize", figures, [gate("accuracy_lost", 0.0017, 0.01)], details)


def _load(p50: float, concurrency: int, cpu: float) -> dict[str, Any]:
    waits = p50 * (1 if concurrency == 1 else 7.2)
    return {
        "p50_ms": waits, "p90_ms": waits * 1.9, "p99_ms": waits * 3.1, "requests": 1500, "seconds": 12.0,
        "throughput_rps": concurrency * 880 / waits, "cpu_ms": cpu,
    }  # fmt: skip


def _evaluate() -> dict[str, Any]:
    draw = random.Random(2)
    samples = sorted(round(4.1 * math.exp(draw.gauss(0, 0.38)), 3) for _ in range(1500))
    served = "as served by one worker, one thread, avx2; test inputs, one a request"
    one, many = f"{served}, 400 requests one at a time", f"{served}, 440 requests, 8 at a time"
    eager = (
        "the eager model (transformers eager float32, torch 1 thread, raw ASGI handler on uvicorn, no batching): 1 -"
    )
    figures = {
        "accuracy": figure(0.852, "598 test rows, percentile bootstrap, 2000 resamples", interval=(0.8227, 0.8796)),
        "macro_f1": figure(0.8513, "598 test rows, mean over 2 classes"),
        "ece": figure(0.0612, "598 test rows, 10 equal-width bins"),
        "latency_p50_ms": figure(4.1, one),
        "latency_p90_ms": figure(6.9, one),
        "latency_p99_ms": figure(12.7, one),
        "throughput_rps": figure(238.5, many),
        "cpu_ms": figure(4.2, f"user and system CPU time of the server an answer, {many}"),
        "size_bytes": figure(23_100_000, "graph files of int8"),
        "size_ratio": figure(3.935, "graph files, plain float over int8"),
        "start_s": figure(0.62, "from starting `modelyard serve` to the first answer"),
        "baseline_accuracy": figure(0.7174, BASELINE),
        "eager_accuracy": figure(0.8537, "the eager model over the wire, 598 test rows"),
        "latency_cut": figure(
            0.766, f"against {eager} ours / its P50, in turns on the same inputs, 400 requests each, one at a time",
            interval=(0.75, 0.78),
        ),
        "cost_cut": figure(
            0.543,
            f"against {eager} ours / its CPU seconds an answer, in turns on the same inputs, 440 requests each, 8 at a"
            " time",
        ),
        "memory_mb": figure(121.4, "resident memory of the server process after the load"),
    }  # fmt: skip
    bins = [
        {"low": 0.5, "high": 0.6, "confidence": 0.552, "accuracy": 0.531, "count": 49},
        {"low": 0.6, "high": 0.7, "confidence": 0.651, "accuracy": 0.592, "count": 54},
        {"low": 0.7, "high": 0.8, "confidence": 0.748, "accuracy": 0.672, "count": 64},
        {"low": 0.8, "high": 0.9, "confidence": 0.853, "accuracy": 0.797, "count": 118},
        {"low": 0.9, "high": 1.0, "confidence": 0.962, "accuracy": 0.930, "count": 313},
    ]
    details = {
        "per_class": [
            {"label": "negative", "precision": 0.8545, "recall": 0.8256, "f1": 0.8398, "support": 281},
            {"label": "positive", "precision": 0.8498, "recall": 0.8754, "f1": 0.8624, "support": 317},
        ],
        "confusion": {"labels": ["negative", "positive"], "counts": [[232, 49], [39, 278]]},
        "calibration": {"bins": bins},
        "slices": [
            {"column": "domain", "value": "movies", "rows": 212, "accuracy": 0.868, "interval": [0.816, 0.906]},
            {"column": "domain", "value": "kitchen", "rows": 148, "accuracy": 0.757, "interval": [0.682, 0.819]},
            {"column": "domain", "value": "books", "rows": 209, "accuracy": 0.900, "interval": [0.852, 0.934]},
            {"column": "domain", "value": "garden", "rows": 29, "accuracy": 0.793, "interval": [0.616, 0.902]},
            {"column": "length in tokens", "value": "3-9", "rows": 96, "accuracy": 0.833, "interval": [0.75, 0.9]},
            {"column": "length in tokens", "value": "64-128", "rows": 120, "accuracy": 0.85, "interval": [0.776, 0.9]},
        ],
        "slices_left_out": [
            {"column": "document", "values": 598},
            {"column": "domain", "value": "music", "rows": 7},
        ],
        "slice_rows": 20,
        "examples_wrong": [
            {"row_id": f"{index:032x}", "text": text, "label": label, "predicted": predicted,
             "score": 0.991 - index / 100, "line": 40 + index}
            for index, (text, label, predicted) in enumerate(WRONG)
        ],
        "latency": {
            "served": {"1": {**_load(4.1, 1, 4.1), "p50_ms": 4.1, "p99_ms": 12.7}, "8": _load(4.1, 8, 4.2)},
            "float": {"1": _load(8.0, 1, 8.1), "8": _load(8.0, 8, 8.3)},
            "eager": {"1": _load(17.5, 1, 17.9), "8": _load(17.5, 8, 9.2)},
        },
        "latency_samples_ms": samples,
        "majority_accuracy": 0.5301,
        "rows_test": 598,
    }  # fmt: skip
    return report("evaluate", figures, [], details)


def contents() -> dict[str, dict[str, Any]]:
    """figures.json of every stage, to be changed by a test as it likes."""
    parts = (_ingest(), _clean(), _split(), _train(), _export(), _optimize(), _evaluate())
    return {part["stage"]: part for part in parts}


def hostile() -> dict[str, dict[str, Any]]:
    """The same from data that hold HTML wherever data can stand."""
    text = json.dumps(contents())
    changed: dict[str, dict[str, Any]] = json.loads(text.replace("positive", HOSTILE).replace("kitchen", HOSTILE))
    for example in changed["evaluate"]["details"]["examples_wrong"]:
        example["text"] = HOSTILE
    changed["ingest"]["details"]["columns"][0]["name"] = HOSTILE
    changed["ingest"]["details"]["set_aside"][0]["reason"] = HOSTILE
    changed["clean"]["details"]["dropped_examples"][0]["text"] = HOSTILE
    changed["evaluate"]["details"]["slices"][0]["column"] = HOSTILE
    changed["optimize"]["details"]["variants"][1]["name"] = HOSTILE
    changed["train"]["details"]["recipe"]["base"] = HOSTILE
    changed["evaluate"]["figures"]["accuracy"]["how"] = HOSTILE
    return changed


def reports(store: Store, given: dict[str, dict[str, Any]]) -> dict[str, Report]:
    stored = {}
    for stage, content in given.items():
        with store.new_directory() as folder:
            write_index(Report, folder, content)
            stored[stage] = store.add(Report, folder)
    return stored


def package(store: Store, name: str = "reviews", task: str = "text_classification") -> Package:
    """A package without graphs: release reads only its index."""
    labels = ["negative", "positive"]
    info = {
        "format": 1,
        "name": name,
        "task": task,
        "labels": labels,
        "signature": load_task(task).signature(labels).as_json(),
        "variants": [{"name": "int8", "runtime": "onnxruntime", "requires": {}, "graphs": {}, "tolerance": {}}],
    }
    with store.new_directory() as folder:
        write_index(Package, folder, info)
        return store.add(Package, folder, provenance={"stage": "optimize", "inputs": {"export": "ab" * 32}})


def new_store(folder: Path) -> Store:
    return Store(folder / "store")
