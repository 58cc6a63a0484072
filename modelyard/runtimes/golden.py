"""The golden set: real inputs with the float reference's raw outputs, replayed before a variant is trusted."""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelyard.errors import Damaged, ModelyardError
from modelyard.runtimes.package_paths import inside
from modelyard.runtimes.tensor_golden import SUFFIX, read_tensors
from modelyard.store.artifacts import Package
from modelyard.tasks.agreements import AGREEMENTS
from modelyard.tasks.metric import AgreementName
from modelyard.tasks.pipeline import Array, Graph, Pipeline, Tensors

FIRST = 8  # replayed before the server says ready; the rest before a promotion
SMALLEST = 0.01  # the least that a difference is a share of: around 0, what is left of sums is noise
BASE64 = "b64"  # as TensorFlow Serving names it in JSON
LIMIT_S = 20.0  # `golden.limit_s` of the package overrules it


@dataclass(frozen=True)
class Golden:
    """inputs: the public items; outputs: raw outputs of the reference for each, with their batch axis;
    agreement: what makes an answer the reference's (see `compare`)."""

    inputs: list[dict[str, Any]]
    outputs: list[Tensors]
    limit_s: float = LIMIT_S
    agreement: AgreementName = "argmax"


@dataclass(frozen=True)
class Replay:
    """max_abs: the largest difference from the reference (infinite when a value is not finite);
    agreement: share of items whose answer is the reference's; reason: why it did not pass, or empty; differing: places
    of the items that are answered otherwise."""

    max_abs: float
    agreement: float
    checked: int
    passed: bool
    reason: str
    differing: tuple[int, ...] = ()


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
    for row in outputs:
        if missing := sorted(AGREEMENTS[agreement].chosen - row.keys()):
            raise Damaged(
                f"the golden set agrees by {agreement!r}, its outputs hold no {', '.join(missing)}",
                where=str(outputs_path),
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
    worst, checked = 0.0, 0
    differing: list[int] = []
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
        if not same:
            differing.append(index)
        first = first or (why and f"golden input {index}: {why}")
    agreement = 1.0 - len(differing) / checked if checked else 0.0
    reason = first
    if not reason and not worst <= tolerance["max_abs"]:
        reason = f"differs from the reference by {worst:.4g}, the tolerance is {tolerance['max_abs']:.4g}"
    if not reason and len(differing) > math.ceil((1.0 - tolerance["agreement"]) * checked - 1e-9):
        reason = f"{len(differing)} of {checked} golden answers are not the reference's"
    passed = checked > 0 and not reason
    return Replay(
        worst, agreement, checked, passed, reason or ("" if checked else "nothing to check"), tuple(differing)
    )


def compare(
    outputs: Mapping[str, Any], reference: Mapping[str, Any], agreement: AgreementName = "argmax"
) -> tuple[float, bool, str]:
    """Largest |difference|, whether the answer is the reference's, and what made comparing impossible.

    What the answer is, and which differences count, says the kind of agreement. Texts must be the same.
    """
    kind = AGREEMENTS[agreement]
    worst = 0.0
    gaps: list[Array] = []
    for name, expected in reference.items():
        if name not in outputs:
            return math.inf, False, f"the graph has no output {name}"
        found, expected = kind.aligned(np.asarray(outputs[name]), expected)
        if found.shape != expected.shape:
            return math.inf, False, f"{name} has shape {list(found.shape)}, the reference {list(expected.shape)}"
        if found.dtype == object or expected.dtype == object:
            if not np.array_equal(found, expected):
                return math.inf, False, f"{name} holds another text than the reference"
            continue
        numbered = bool(kind.by_number([name]))
        if numbered and found.dtype.kind in "iu" and found.itemsize > 1 and not np.array_equal(found, expected):
            worst = max(worst, 1.0)  # a number that stands for a thing; float64 is blind beyond 2**53
        found, wanted = found.astype(np.float64), expected.astype(np.float64)
        if kind.relative:
            if not _same_not_finite(found, wanted):
                return math.inf, False, f"{name} is not finite in other places than the reference"
            found, wanted = (np.where(np.isfinite(values), values, 0.0) for values in (found, wanted))
        for side, values in (("", found), (" of the reference", wanted)):
            if not np.isfinite(values).all():
                return math.inf, False, f"{name}{side} holds a value that is not finite"
        if numbered:
            scale = max(SMALLEST, float(np.abs(wanted).max(initial=0.0))) if kind.relative else 1.0
            gaps.append(np.abs(found - wanted) / scale)
    same = kind.same(outputs, reference)
    worst = max([worst, *(float(kind.counted(gap, same).max(initial=0.0)) for gap in gaps)])
    return worst, bool(same.all()), ""


def _same_not_finite(found: Array, wanted: Array) -> bool:
    """Whether NaN, infinity and minus infinity stand in the same places."""
    return bool(
        np.array_equal(np.isnan(found), np.isnan(wanted))
        and np.array_equal(np.isposinf(found), np.isposinf(wanted))
        and np.array_equal(np.isneginf(found), np.isneginf(wanted))
    )
