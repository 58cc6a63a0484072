"""What the labels are worth: the figures of R6, each with how it was measured, and the gates on them."""

from __future__ import annotations

from typing import Any

from modelyard.annotate.config import AnnotateConfig
from modelyard.annotate.quality import Quality, Share, kappas, tables
from modelyard.run import Run
from modelyard.stages.annotate.labels import Labels


def record(found: Quality, labels: Labels, config: AnnotateConfig, run: Run) -> None:
    """Every figure with how it was measured; what nothing says about is said."""
    people, names = _people(labels), list(labels.guideline.labels)
    shares: dict[str, tuple[Share, str]] = {
        "blind_agreement": (
            found.blind,
            f"{found.blind.total} items, two people who labelled blind gave the same label",
        ),
        "resolved_agreement": (found.resolved, _how_resolved(found, len(names))),
        "gold_accuracy": (
            found.gold,
            f"{found.gold.total} hidden items with a known label, the decision of the people"
            if found.gold.total
            else "not measured: no gold items were given",
        ),
        "arbitrated": (
            found.arbitrated,
            f"{found.arbitrated.of} of {found.arbitrated.total} items",
        ),
    }
    for name, (share, how) in shares.items():
        run.record(name, share.value, how=how, unit="share", interval=share.interval)
    blind = found.blind.total
    for name, value in kappas(labels.items, labels.kind).items():
        run.record(name, value, how=f"{blind} items, blind answers of the pair, beyond chance", unit="")
    run.record("guideline_version", labels.version, how="the newest; each label keeps its own", unit="")
    run.details.update(tables(labels.items, labels.gold, names, config))
    run.details["guideline"] = _guideline(labels)
    run.details["people"] = people
    run.details["two_classes"] = len(names) == 2
    if not found.gold.total:
        run.warn("no gold items: nothing shows where two people are wrong in the same way   (give some: annotate.gold)")
    for variant in labels.guideline.without_example():
        run.warn(f"the guideline shows no example of the variant {variant}")


def _how_resolved(found: Quality, classes: int) -> str:
    how = f"{found.resolved.total} items, the decision is one that at least one of the pair gave"
    return f"{how}; with two classes there is hardly another one: it shows nothing" if classes == 2 else how


def _people(labels: Labels) -> list[str]:
    votes = [vote for item in labels.items for vote in (*item.votes, *([item.arbiter] if item.arbiter else []))]
    return sorted({vote.annotator for vote in votes})


def _guideline(labels: Labels) -> dict[str, Any]:
    counts: dict[int, int] = {}
    for item in labels.items:
        for vote in item.votes:
            counts[vote.version] = counts.get(vote.version, 0) + 1
    return {
        "name": labels.guideline.name,
        "digest": labels.guideline.digest,
        "labels": list(labels.guideline.labels),
        "answers_by_version": {str(version): count for version, count in sorted(counts.items())},
        "variants_without_example": labels.guideline.without_example(),
    }


def hold(found: Quality, labels: Labels, config: AnnotateConfig, run: Run) -> None:
    if config.gate == "none" or not labels.items:
        return
    below = ", ".join(f"{row['batch']} ({row['below']})" for row in run.details["per_batch"] if row["below"])
    advice = (
        f"{f'batches below the bar: {below}; ' if below else ''}make the guideline clearer, then: modelyard annotate "
        "review, and --reopen BATCH; or change annotate.bar or annotate.gate"
    )
    share = found.resolved if config.gate == "resolved" else found.blind
    run.gate(f"{config.gate}_agreement", share.value, at_least=config.bar, next=advice)
    if found.gold.total:
        run.gate("gold_accuracy", found.gold.value, at_least=config.bar, next=advice)
