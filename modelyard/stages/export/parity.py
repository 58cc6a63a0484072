"""The parity gate: the graph must answer as the model does, at several batch sizes and lengths of real inputs."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelyard.runtimes.golden import compare
from modelyard.tasks.metric import AgreementName
from modelyard.tasks.pipeline import Generative, Graph, Pipeline, Prepared

BATCHES = (1, 2, 5)
# Characters of a runtime's error that are shown: it names the node or the axis early on.
MESSAGE_LENGTH = 300
# Stands for a difference without bound (no answer, a NaN): JSON has no infinity.
UNBOUNDED = sys.float_info.max


@dataclass(frozen=True)
class Case:
    """Items that are asked in one batch, and which length they stand for."""

    kind: str
    items: tuple[Prepared, ...]

    @property
    def length(self) -> int:
        return max(item.size for item in self.items)


@dataclass(frozen=True)
class Compared:
    """One case with its largest difference; `why` says what made comparing impossible."""

    case: Case
    max_abs: float
    why: str

    def as_json(self) -> dict[str, Any]:
        return {
            "kind": self.case.kind,
            "batch": len(self.case.items),
            "length": self.case.length,
            "max_abs": self.max_abs,
        }


def parity_cases(prepared: Sequence[Prepared], truncated: Prepared) -> list[Case]:
    """Shortest, median, longest and truncated inputs, each at batch 1, 2 and 5, and one batch of short beside long.

    Neighbours by length fill a batch; with fewer rows than that, rows come again.
    """
    ordered = sorted(prepared, key=lambda item: item.size)
    last = len(ordered) - 1
    cases: list[Case] = []
    for batch in BATCHES:
        middle = max(0, min(last // 2, last + 1 - batch))
        places = {
            "shortest": [min(place, last) for place in range(batch)],
            "median": [min(middle + place, last) for place in range(batch)],
            "longest": [max(last - place, 0) for place in range(batch)],
        }
        cases.extend(Case(kind, tuple(ordered[place] for place in rows)) for kind, rows in places.items())
        cases.append(Case("truncated", (truncated, *(ordered[max(last - place, 0)] for place in range(batch - 1)))))
    cases.append(Case("short beside long", (ordered[0], truncated, ordered[0], ordered[last], ordered[last // 2])))
    return cases


def compare_cases(
    pipeline: Pipeline,
    reference: Mapping[str, Graph],
    graphs: Mapping[str, Graph],
    cases: Sequence[Case],
    agreement: AgreementName = "argmax",
) -> list[Compared]:
    """Run every case on both sides. A graph that fails to run differs without bound; the runtime's words are kept.

    Of answers that are written token by token the numbers along the reference's answer are compared, on both sides.
    """
    results = []
    for case in cases:
        feeds = pipeline.collate(case.items)
        wanted = answered = pipeline.run(reference, feeds)
        if isinstance(pipeline, Generative):
            wanted, agreement = pipeline.forced(reference, feeds, answered), "argmax"
        try:
            if isinstance(pipeline, Generative):
                found = pipeline.forced(graphs, feeds, answered)
            else:
                found = pipeline.run(graphs, feeds)
        except Exception as error:  # every runtime has classes of its own
            words = " ".join(str(error).split())[:MESSAGE_LENGTH] or type(error).__name__
            results.append(Compared(case, UNBOUNDED, words))
            continue
        gap, _, why = compare(found, wanted, agreement)
        results.append(Compared(case, gap if math.isfinite(gap) else UNBOUNDED, why))
    return results
