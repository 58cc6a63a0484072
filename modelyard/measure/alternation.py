"""Load on several servers in turns (A B C, A B C, ...), so that a busy moment of the machine hits all of them.

Every server gets the same inputs in the same order within a round: ratios are taken within rounds.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from modelyard.errors import EnvironmentProblem
from modelyard.measure.intervals import Interval, median_interval
from modelyard.measure.launch import Target
from modelyard.measure.load import Load, joined, run_load

WARM_UP = 8  # requests to each server before anything counts
# Short rounds hand a busy moment to all servers alike, but each begins with cold caches: hence the lead-in. A round of
# several connections needs some length, for at its end they run dry one by one.
ROUND = 10
LEAD_IN = 2
ROUND_OF_MANY = 5  # times the concurrency
LEAST_ROUNDS = 6  # fewer have no interval


@dataclass(frozen=True)
class Ratio:
    """How many times longer the reference needs, and the 95 % interval of it."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class Turns:
    """Loads by server name, one a round; all have the same number of rounds."""

    rounds: Mapping[str, Sequence[Load]]

    def load(self, name: str) -> Load:
        return joined(self.rounds[name])

    def speedup(self, name: str, reference: str) -> Ratio:
        """Median over the rounds of P50 of the reference over P50 of the named server: above 1 this one is faster."""
        ours = np.array([np.median(load.latencies_ms) for load in self.rounds[name]])
        theirs = np.array([np.median(load.latencies_ms) for load in self.rounds[reference]])
        ratios = theirs / ours
        return Ratio(float(np.median(ratios)), median_interval(ratios))

    def pooled_speedup(self, name: str, reference: str, *, resamples: int = 1000, seed: int = 0) -> Ratio:
        """P50 over all answers of the reference over that of the named server; percentile bootstrap of whole rounds.

        The estimate that people make from the two P50s they are shown; `speedup` is the one less moved by noise.
        """
        ours = [load.latencies_ms for load in self.rounds[name]]
        theirs = [load.latencies_ms for load in self.rounds[reference]]

        def ratio(picked: Sequence[int]) -> float:
            return float(
                np.median(np.concatenate([theirs[k] for k in picked]))
                / np.median(np.concatenate([ours[k] for k in picked]))
            )

        generator = np.random.default_rng(seed)
        drawn = [ratio(generator.integers(0, len(ours), len(ours)).tolist()) for _ in range(resamples)]
        low, high = np.percentile(drawn, [2.5, 97.5])
        return Ratio(ratio(range(len(ours))), (float(low), float(high)))


def shuffled(texts: Sequence[str | bytes], count: int, seed: int) -> list[str | bytes]:
    """`count` of the texts in a fixed order; when there are fewer they come round again."""
    order = np.random.default_rng(seed).permutation(len(texts))
    return [texts[order[index % len(texts)]] for index in range(count)]


def alternate(
    targets: Mapping[str, Target],
    texts: Sequence[str | bytes],
    concurrency: int,
    *,
    requests: int,
    seconds: float,
    seed: int = 0,
) -> Turns:
    """Up to `requests` requests to each server, in short rounds, until `seconds` are over (at least LEAST_ROUNDS).

    Each round begins with another server. Raises EnvironmentProblem when any request fails: a figure over the answers
    that came would flatter.
    """
    deadline = time.perf_counter() + seconds
    warm_up = shuffled(texts, max(WARM_UP, concurrency), seed + 1)
    pace = sum(_checked(name, run_load(target, warm_up, concurrency)).seconds for name, target in targets.items())
    affordable = int(seconds / LEAST_ROUNDS / max(pace / len(warm_up), 1e-6))
    size = max(min(ROUND if concurrency == 1 else ROUND_OF_MANY * concurrency, affordable), concurrency, 4)
    count = max(LEAST_ROUNDS, math.ceil(requests / size))
    order = shuffled(texts, size * count, seed)
    names = list(targets)
    rounds: dict[str, list[Load]] = {name: [] for name in names}
    for turn in range(count):
        if turn >= LEAST_ROUNDS and time.perf_counter() > deadline:
            break
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            part = order[turn * size : (turn + 1) * size]
            lead_in = part[: max(LEAD_IN, concurrency)]
            rounds[name].append(_checked(name, run_load(targets[name], part, concurrency, lead_in)))
    return Turns(rounds)


def _checked(name: str, load: Load) -> Load:
    if load.failures:
        total = len(load.failures) + load.answers
        raise EnvironmentProblem(
            f"{len(load.failures)} of {total} requests to {name} failed at concurrency {load.concurrency}",
            where=load.failures[0],
            next="a measurement over the answers that came would flatter; run again when the machine is less busy",
        )
    return load
