"""Latency, throughput, cost, start and memory of the package as served, beside the eager model and plain float."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelyard.environment import environment
from modelyard.errors import EnvironmentProblem
from modelyard.measure import eager
from modelyard.measure.alternation import Ratio, Turns, alternate
from modelyard.measure.examples import Examples
from modelyard.measure.launch import Target
from modelyard.measure.percentiles import samples, summary
from modelyard.measure.processes import resident_bytes
from modelyard.measure.server import served, time_to_first_answer
from modelyard.run import Run
from modelyard.stages.evaluate.config import EvaluateConfig
from modelyard.store import Model, Package
from modelyard.tasks.pipeline import Tensors

ONE, MANY = 1, 8
SERVED, EAGER, FLOAT = "served", "eager", "float"


@dataclass(frozen=True)
class Speed:
    """turns by concurrency; eager_answers: what the eager model answers to the first test rows, or None without one;
    no_eager: why there is none; eager_how: what it is."""

    turns: Mapping[int, Turns]
    start_s: float
    memory_bytes: int | None
    eager_answers: Tensors | None
    no_eager: str = ""
    eager_how: str = ""

    def summaries(self, name: str) -> dict[str, dict[str, Any]]:
        """{concurrency: summary} of one server; empty when it was not measured."""
        return {
            str(concurrency): summary(turns.load(name))
            for concurrency, turns in self.turns.items()
            if name in turns.rounds
        }

    def samples(self) -> list[float]:
        return samples(self.turns[ONE].load(SERVED))

    def ratio(self, reference: str) -> Ratio | None:
        """P50 of the reference over ours at one request at a time."""
        turns = self.turns[ONE]
        return turns.pooled_speedup(SERVED, reference) if reference in turns.rounds else None


def measure_speed(
    package: Package,
    variant: str,
    examples: Examples,
    kind: str | None,
    model: Model | None,
    config: EvaluateConfig,
    run: Run,
) -> Speed:
    """Start all servers, then load them in turns, at concurrency ONE and MANY, with one test text a request.

    kind: the eager baseline of the task (see modelyard.measure.eager_handler)."""
    if model is not None:
        kind = eager.kind_of(kind, model.framework)
    texts = examples.requests
    run.listener.progress("evaluate: start", 0, None)
    start_s = time_to_first_answer(package, variant, texts[0])
    answers: Tensors | None = None
    no_eager = _why_no_eager(model, kind)
    with contextlib.ExitStack() as stack:
        targets: dict[str, Target] = {SERVED: stack.enter_context(served(package, variant))}
        if variant != FLOAT and any(spec["name"] == FLOAT for spec in package.variants):
            targets[FLOAT] = stack.enter_context(served(package, FLOAT))
        if model is not None and kind is not None and not no_eager:
            pipeline = package.info["pipeline"]
            length, search = int(pipeline.get("max_length", 0)), pipeline.get("generation")
            try:
                target = stack.enter_context(
                    eager.served_eagerly(model.path, length, kind, targets[SERVED].input, generation=search)
                )
                answers = eager.answers(target, texts[: config.eager_rows * examples.per_row])
                targets[EAGER] = target
            except EnvironmentProblem as problem:
                # The baseline is not what is released: without it the package is evaluated all the same.
                no_eager = problem.message
                last = (problem.where or "").splitlines()[-1:]
                run.warn(f"the eager model is not measured: {': '.join([problem.message, *last])}")
        turns = {
            concurrency: alternate(
                targets,
                texts,
                concurrency,
                requests=config.requests,
                seconds=config.load_seconds / 2,
                seed=config.seed,
            )
            for concurrency in run.progress((ONE, MANY), "evaluate: load")
        }
        memory = resident_bytes(targets[SERVED].pid)
    how = "" if model is None else eager.how(str(model.info.get("loader")))
    return Speed(turns, start_s, memory, answers, no_eager, how)


def _why_no_eager(model: Model | None, kind: str | None) -> str:
    """Why there is no eager model to compare with; empty when there is one."""
    if model is None:
        return "no eager model was given"
    if kind is None:
        if model.framework != "torch":
            return f"models of {model.framework} have no eager baseline in the task {model.task}"
        return f"there is no eager baseline of the task {model.task}"
    return ""


def record_speed(speed: Speed, variant: str, run: Run) -> None:
    """Figures by the names of the report, each with how it was measured. variant: the one that is served."""
    mine = speed.summaries(SERVED)
    one, many = mine[str(ONE)], mine[str(MANY)]
    flags = ", ".join(environment()["cpu_flags"]) or "no special instructions"
    setting = f"as served by one worker, one thread, {flags}; test inputs, one a request"
    at_one = f"{setting}, {one['requests']} requests one at a time"
    at_many = f"{setting}, {many['requests']} requests, {MANY} at a time"
    for rank in (50, 90, 99):
        value = one[f"p{rank}_ms"]
        run.record(
            f"latency_p{rank}_ms",
            value,
            how=at_one if value is not None else f"not measured: {one['requests']} requests are too few",
            unit="ms",
            interval=tuple(one["p50_interval_ms"]) if rank == 50 and "p50_interval_ms" in one else None,
        )
    run.record("throughput_rps", many["throughput_rps"], how=at_many, unit="1/s")
    run.record("cpu_ms", many["cpu_ms"], how=f"user and system CPU time of the server an answer, {at_many}", unit="ms")
    run.record("start_s", speed.start_s, how="from starting `modelyard serve` to the first answer", unit="s")
    run.record(
        "memory_mb",
        None if speed.memory_bytes is None else speed.memory_bytes / 1e6,
        how="resident memory of the server process after the load",
        unit="MB",
    )
    run.details["latency"] = {name: speed.summaries(name) for name in (SERVED, EAGER, FLOAT)}
    if variant == FLOAT:
        run.details["latency"][FLOAT] = mine
    run.details["latency_samples_ms"] = speed.samples()
    _record_cuts(speed, run, EAGER, "", f"the eager model ({speed.eager_how})", speed.no_eager)
    why = "the plain float graph itself is served" if variant == FLOAT else "the package has no float graph"
    _record_cuts(speed, run, FLOAT, "_float", "the plain float ONNX behind the same server", why)


def _record_cuts(speed: Speed, run: Run, reference: str, suffix: str, named: str, why: str) -> None:
    """why: there is no such reference.

    latency_cut = 1 - P50 / the reference's, one at a time; cost_cut = 1 - CPU s an answer / its, MANY at a time."""
    mine, theirs = speed.summaries(SERVED), speed.summaries(reference)
    ratio = speed.ratio(reference)
    if not theirs or ratio is None:
        for name in ("latency_cut", "cost_cut"):
            run.record(name + suffix, None, how=f"not measured: {why}")
        return
    low, high = (1 - 1 / end for end in ratio.interval)
    requests = theirs[str(ONE)]["requests"]
    run.record(
        "latency_cut" + suffix,
        1 - 1 / ratio.value,
        how=f"against {named}: 1 - ours / its P50, in turns on the same inputs, {requests} requests each,"
        " one at a time",
        interval=(low, high),
    )
    ours, reference_cpu = mine[str(MANY)]["cpu_ms"], theirs[str(MANY)]["cpu_ms"]
    run.record(
        "cost_cut" + suffix,
        None if ours is None or not reference_cpu else 1 - ours / reference_cpu,
        how=f"against {named}: 1 - ours / its CPU seconds an answer, in turns on the same inputs,"
        f" {theirs[str(MANY)]['requests']} requests each, {MANY} at a time",
    )
