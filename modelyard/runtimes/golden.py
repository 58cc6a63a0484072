"""The golden set: real inputs with the float reference's raw outputs, replayed before a variant is trusted."""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelyard.errors import Damaged, ModelyardError
from modelyard.runtimes.package_paths import inside
from modelyard.runtimes.tensor_golden import SUFFIX, read_tensors
from modelyard.store.artifacts import Package
from modelyard.tasks.cosine import cosines
from modelyard.tasks.detection.matching import same_detections
from modelyard.tasks.detection.select import CHOSEN
from modelyard.tasks.metric import AGREEMENTS, Agreement
from modelyard.tasks.sequences import OUTPUT_IDS, of_one_width, same_sequences
from modelyard.tasks.task import Array, Graph, Pipeline, Tensors

FIRST = 8  # replayed before the server says ready; the rest before a promotion
SMALLEST = 0.01  # the least that a difference is a share of: around 0, what is left of sums is noise
COSINE = 0.99  # of a vector with the reference's, from which on they say the same
BASE64 = "b64"  # as TensorFlow Serving names it in JSON
LIMIT_S = 20.0  # `golden.limit_s` of the package overrules it


@dataclass(frozen=True)
class Golden:
    """inputs: the public items; outputs: raw outputs of the reference for each, with their batch axis;
    agreement: what makes an answer the reference's (see `compare`)."""

    inputs: list[dict[str, Any]]
    outputs: list[Tensors]
    limit_s: float = LIMIT_S
    agreement: Agreement = "argmax"


@dataclass(frozen=True)
class Replay:
    """max_abs: the largest difference from the reference (infinite when a value is not finite);
    agreement: share of items whose answer is the reference's; reason: why it did not pass, or empty."""

    max_abs: float
    agreement: float
    checked: int
    passed: bool
    reason: str


def read_golden(package: Package) -> Golden:
    """The golden set of a package. Raises Damaged when it is missing or its halves do not fit."""
    spec = package.info.get("golden")
    if not isinstance(spec, dict):
        raise Damaged("the package has no golden set", where=str(package.path / package.index))
    inputs_path, outputs_path = inside(package.path, spec["inputs"]), inside(package.path, spec["outputs"])
    try:
        if inputs_path.suffix == SUFFIX:
            inputs, outputs = read_tensors(inputs_path.read_bytes()), read_tensors(outputs_path.read_bytes())
        else:
            inputs, outputs = _read_lines(inputs_path.read_bytes()), _read_rows(outputs_path.read_bytes())
    except Exception as error:  # safetensors raises its own class, json ValueError
        raise Damaged(f"the golden set cannot be read: {error}", where=str(inputs_path.parent)) from None
    if not inputs or len(inputs) != len(outputs):
        raise Damaged(
            f"the golden set has {len(inputs)} inputs and {len(outputs)} outputs", where=str(inputs_path.parent)
        )
    agreement = spec.get("agreement", "argmax")
    if agreement not in AGREEMENTS:
        raise Damaged(
            f"the golden set agrees by {agreement!r}, this Modelyard knows {', '.join(AGREEMENTS)}",
            where=str(package.path / package.index),
            next="upgrade modelyard",
        )
    return Golden(inputs, outputs, float(spec.get("limit_s", LIMIT_S)), agreement)


def _read_lines(data: bytes) -> list[dict[str, Any]]:
    """Raw items, one JSON object a line; bytes (a picture) as {"b64": Base64 of them}."""
    lines = [json.loads(line) for line in data.splitlines() if line.strip()]
    return [{name: _given(value) for name, value in line.items()} for line in lines]


def _given(value: Any) -> Any:
    return base64.b64decode(value[BASE64], validate=True) if isinstance(value, dict) and BASE64 in value else value


def _read_rows(data: bytes) -> list[Tensors]:
    """Raw outputs whose first axis is the items, to one a row. Raises ValueError when they have no common axis."""
    from safetensors.numpy import load

    arrays = load(data)
    rows = {len(array) if array.ndim else -1 for array in arrays.values()}
    if len(rows) != 1 or min(rows) < 0:
        raise ValueError(f"its outputs have {sorted(rows)} rows")
    return [{name: array[row : row + 1] for name, array in arrays.items()} for row in range(min(rows))]


def replay(
    pipeline: Pipeline,
    graphs: Mapping[str, Graph],
    golden: Golden,
    tolerance: Mapping[str, float],
    count: int = FIRST,
) -> Replay:
    """Run the first `count` golden inputs one by one and hold the raw outputs against the reference.

    max_abs bounds every difference, and the answer (see `compare`) may be another for at most
    ceil((1 - agreement) n) of n inputs. A NaN or infinity passes only where `compare` allows it. Stops at the set's
    time limit, with what was checked until then (at least one input).
    """
    worst, differing, checked = 0.0, 0, 0
    first = ""
    started = time.monotonic()
    for index, item in enumerate(golden.inputs[:count]):
        if checked and time.monotonic() - started > golden.limit_s:
            break
        try:
            outputs = pipeline.run(graphs, pipeline.collate([pipeline.prepare(item)]))
        except ModelyardError as error:
            return Replay(math.inf, 0.0, index, False, f"golden input {index}: {error.message}")
        except Exception as error:  # a graph that opens but fails to run; the class depends on the runtime
            return Replay(math.inf, 0.0, index, False, f"golden input {index}: {type(error).__name__}: {error}")
        gap, same, why = compare(outputs, golden.outputs[index], golden.agreement)
        checked += 1
        worst = max(worst, gap)
        differing += not same
        first = first or (why and f"golden input {index}: {why}")
    agreement = 1.0 - differing / checked if checked else 0.0
    reason = first
    if not reason and not worst <= tolerance["max_abs"]:
        reason = f"differs from the reference by {worst:.4g}, the tolerance is {tolerance['max_abs']:.4g}"
    if not reason and differing > math.ceil((1.0 - tolerance["agreement"]) * checked - 1e-9):
        reason = f"{differing} of {checked} golden answers are not the reference's"
    return Replay(
        worst, agreement, checked, checked > 0 and not reason, reason or ("" if checked else "nothing to check")
    )


def compare(
    outputs: Mapping[str, Any], reference: Mapping[str, Any], agreement: Agreement = "argmax"
) -> tuple[float, bool, str]:
    """Largest |difference|, whether the answer is the reference's, and what made comparing impossible.

    The answer is the reference's by `argmax` when every argmax over the last axis is the same, by `cosine` when every
    vector on the last axis has a cosine of at least COSINE with the reference's, by `boxes` when the chosen boxes
    are the same in any order (only what they were chosen from is compared number by number), by `sequences` when its
    tokens are the same (what another sequence is worth is no difference), by `none` always. Only by `none` may there be
    values that are not finite: those of the reference, in the same places. There a difference counts as a share of the
    largest value of that output, for nothing is known of its scale. Texts must be the same.
    """
    worst = 0.0
    for name, expected in reference.items():
        if name not in outputs:
            return math.inf, False, f"the graph has no output {name}"
        found = np.asarray(outputs[name])
        if agreement == "sequences":
            found, expected = of_one_width(found, expected)
        if found.shape != expected.shape:
            return math.inf, False, f"{name} has shape {list(found.shape)}, the reference {list(expected.shape)}"
        if found.dtype == object or expected.dtype == object:
            if not np.array_equal(found, expected):
                return math.inf, False, f"{name} holds another text than the reference"
            continue
        numbered = bool(by_number([name], agreement))
        if numbered and found.dtype.kind in "iu" and found.itemsize > 1 and not np.array_equal(found, expected):
            worst = max(worst, 1.0)  # a number that stands for a thing; float64 is blind beyond 2**53
        found, wanted = found.astype(np.float64), expected.astype(np.float64)
        if agreement == "none":
            if not _same_not_finite(found, wanted):
                return math.inf, False, f"{name} is not finite in other places than the reference"
            found, wanted = (np.where(np.isfinite(values), values, 0.0) for values in (found, wanted))
        for side, values in (("", found), (" of the reference", wanted)):
            if not np.isfinite(values).all():
                return math.inf, False, f"{name}{side} holds a value that is not finite"
        scale = max(SMALLEST, float(np.abs(wanted).max(initial=0.0))) if agreement == "none" else 1.0
        if numbered:
            gaps = np.abs(found - wanted)
            if agreement == "sequences":
                gaps = gaps[same_answers(outputs, reference, agreement)]
            worst = max(worst, float(gaps.max(initial=0.0)) / scale)
    return worst, bool(same_answers(outputs, reference, agreement).all()), ""


def _same_not_finite(found: Array, wanted: Array) -> bool:
    """Whether NaN, infinity and minus infinity stand in the same places."""
    return bool(
        np.array_equal(np.isnan(found), np.isnan(wanted))
        and np.array_equal(np.isposinf(found), np.isposinf(wanted))
        and np.array_equal(np.isneginf(found), np.isneginf(wanted))
    )


def by_number(names: Iterable[str], agreement: Agreement) -> list[str]:
    """Those of the raw outputs whose differences count as such (see `compare`)."""
    chosen = {"boxes": CHOSEN, "sequences": (OUTPUT_IDS,)}.get(agreement, ())
    return [name for name in names if name not in chosen]


def same_answers(found: Mapping[str, Any], wanted: Mapping[str, Any], agreement: Agreement) -> Array:
    """bool [items] of raw outputs, first axis the items: whether each is answered as the reference does (see
    `compare`)."""
    if agreement == "boxes":
        return same_detections(found, wanted)
    if agreement == "sequences":
        return same_sequences(np.asarray(found[OUTPUT_IDS]), np.asarray(wanted[OUTPUT_IDS]))
    items = len(next(iter(wanted.values()))) if agreement != "none" else 1
    same: Array = np.ones(items, dtype=bool)
    if agreement == "none":
        return same
    for name, expected in wanted.items():
        array = np.asarray(found[name])
        if agreement == "cosine":
            alike: Array = np.asarray(cosines(array, expected) >= COSINE)
        elif array.dtype != object and array.ndim > 1 and array.shape[-1] > 1:
            alike = np.asarray(array.argmax(axis=-1) == expected.argmax(axis=-1))
        else:
            continue
        same &= alike.reshape(items, -1).all(axis=1)
    return same
