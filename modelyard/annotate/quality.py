"""What the answers are worth: figures over all items, and by label, pair, person and batch (R6 of docs/features.md)."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist
from typing import Any

from modelyard.annotate.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha, observed, specific_agreement
from modelyard.annotate.board import Item
from modelyard.annotate.config import AnnotateConfig
from modelyard.fields import Answerable

FEWEST_GOLD = 10  # gold items by which one batch is judged; with fewer, one slip would send it back


@dataclass(frozen=True)
class Share:
    """So many of so many, with Wilson's interval at 95 % (Wilson, JASA 22, 1927); no value of nothing."""

    of: int
    total: int

    @property
    def value(self) -> float:
        return self.of / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float] | None:
        if not self.total:
            return None
        z, n, p = NormalDist().inv_cdf(0.975), self.total, self.value
        centre, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
        low, high = (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)
        return (low if self.of else 0.0), (high if self.of < n else 1.0)


@dataclass(frozen=True)
class Quality:
    """blind: of items that the pair has answered, it said the same. Of decided ones: resolved: the decision is what one
    of the pair said; gold: on a gold item it is the known label; arbitrated: somebody had to decide."""

    blind: Share
    resolved: Share
    gold: Share
    arbitrated: Share

    def below(self, config: AnnotateConfig, fewest_gold: int = 1) -> str:
        """What lies below the bar, in words; empty where nothing does."""
        held = {
            "resolved": ("resolved agreement", self.resolved),
            "blind": ("blind agreement", self.blind),
        }.get(config.gate)
        if held is None:
            return ""
        figures = [held, *([("gold accuracy", self.gold)] if self.gold.total >= fewest_gold else [])]
        missed = [f"{name} {share.value:.3f} of {share.total}" for name, share in figures if share.value < config.bar]
        return ", ".join(missed)


def quality(items: Iterable[Item], gold: Mapping[str, str]) -> Quality:
    complete = [item for item in items if item.complete]
    done = [item for item in complete if item.label is not None]
    known = [item for item in done if item.item in gold]
    return Quality(
        Share(sum(item.agreed for item in complete), len(complete)),
        Share(sum(item.resolved for item in done), len(done)),
        Share(sum(item.label == gold[item.item] for item in known), len(known)),
        Share(sum(not item.agreed for item in done), len(done)),
    )


def by_batch(items: Iterable[Item]) -> dict[int, list[Item]]:
    found: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        found[item.batch].append(item)
    return dict(found)


def kappas(items: Iterable[Item], kind: Answerable) -> dict[str, float]:
    """Cohen's kappa (the mean over pairs of people, weighted by their items), Fleiss' kappa and Krippendorff's alpha,
    of the blind answers to items that everybody who was asked has answered."""
    complete = [item for item in items if item.complete]
    answers = [[vote.label for vote in item.votes] for item in complete]
    found = [(len(first), cohen_kappa(first, second)) for first, second in _pairs(complete).values()]
    known = [(count, kappa) for count, kappa in found if not math.isnan(kappa)]
    weight = sum(count for count, _ in known)
    return {
        "cohen_kappa": sum(count * kappa for count, kappa in known) / weight if weight else math.nan,
        "fleiss_kappa": fleiss_kappa(answers) if len({len(each) for each in answers}) == 1 else math.nan,
        "krippendorff_alpha": krippendorff_alpha(answers, kind.distance),
    }


def _pairs(items: Iterable[Item]) -> dict[tuple[str, str], tuple[list[str], list[str]]]:
    """The blind answers of each two people to the items that both have, in the order of their names."""
    found: dict[tuple[str, str], tuple[list[str], list[str]]] = {}
    for item in items:
        for one, other in combinations(sorted(item.votes, key=lambda vote: vote.annotator), 2):
            first, second = found.setdefault((one.annotator, other.annotator), ([], []))
            first.append(one.label)
            second.append(other.label)
    return dict(sorted(found.items()))


def tables(
    items: Sequence[Item], gold: Mapping[str, str], labels: Sequence[str], config: AnnotateConfig
) -> dict[str, list[dict[str, Any]]]:
    """per_label, per_pair, per_annotator, per_batch: rows of a report."""
    complete = [item for item in items if item.complete]
    return {
        "per_label": _labels(complete, labels),
        "per_pair": [
            {
                "pair": f"{one} / {other}",
                "items": len(first),
                "agreement": observed(first, second),
                "cohen_kappa": cohen_kappa(first, second),
            }
            for (one, other), (first, second) in _pairs(complete).items()
        ],
        "per_annotator": _people(items, gold),
        "per_batch": [
            {
                "batch": batch,
                "round": members[0].round,
                "items": len(members),
                "decided": found.resolved.total,
                "blind": found.blind.value,
                "resolved": found.resolved.value,
                "gold": found.gold.value,
                "gold_items": found.gold.total,
                "below": found.below(config, FEWEST_GOLD),
            }
            for batch, members in sorted(by_batch(items).items())
            for found in [quality(members, gold)]
        ],
    }


def _labels(complete: Sequence[Item], labels: Sequence[str]) -> list[dict[str, Any]]:
    rows = []
    pairs = list(_pairs(complete).values())
    first = [answer for one, _ in pairs for answer in one]
    second = [answer for _, other in pairs for answer in other]
    for label in labels:
        said = first.count(label) + second.count(label)
        given = sum(item.label == label for item in complete)
        rows.append(
            {"label": label, "said": said, "decided": given, "agreement": specific_agreement(first, second, label)}
        )
    return rows


def _people(items: Iterable[Item], gold: Mapping[str, str]) -> list[dict[str, Any]]:
    """Of each person: blind answers, how many are what was decided, how many on gold items are right."""
    counts: dict[tuple[str, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for item in items:
        votes = [(vote, "blind") for vote in item.votes] + ([(item.arbiter, "arbiter")] if item.arbiter else [])
        for vote, role in votes:
            own = counts[vote.annotator, role]
            own["answers"] += 1
            if item.label is not None:
                own["decided"] += 1
                own["kept"] += vote.label == item.label
            if item.item in gold:
                own["gold"] += 1
                own["right"] += vote.label == gold[item.item]
    return [
        {
            "annotator": name,
            "role": role,
            "answers": own["answers"],
            "kept": Share(own["kept"], own["decided"]).value,
            "gold": Share(own["right"], own["gold"]).value,
            "gold_items": own["gold"],
        }
        for (name, role), own in sorted(counts.items(), key=lambda each: (each[0][1] != "blind", each[0][0]))
    ]
