"""The stage: rules part by part, then what only all rows together can tell; a layer for each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pyarrow as pa

from modelyard.errors import BadInput
from modelyard.run import Run
from modelyard.stages.clean.config import CleanConfig
from modelyard.stages.clean.duplicates import find_duplicates
from modelyard.stages.clean.examples import SHOWN_CHANGES, dropped_rows
from modelyard.stages.clean.first_pass import EMPTY, first_pass
from modelyard.stages.clean.inputs import Inputs, inputs_of
from modelyard.stages.clean.rules import DATASET_RULES, RULES
from modelyard.store import Column, Dataset
from modelyard.store.journal import Journal
from modelyard.store.layers import Sparse
from modelyard.store.spill import Spill, row_starts

REASON = "clean_reason"
REASON_COLUMN = Column(REASON, "value", "system")
REASON_TYPE = pa.large_string()


def clean(dataset: Dataset, config: CleanConfig, run: Run) -> Dataset:
    """Apply the rules in order to every input column of text, part by part; then drop exact duplicates.

    The layer `clean` holds the repaired texts, `clean_reason` (null where a row stays) and the selection, the layer
    `duplicates` reason and selection of the twins: of each part only the rows that changed, unless most did.
    Memory does not grow with the rows; a killed run goes on with the parts it had.
    Raises GateFailed when more than `max_dropped` of the rows would go.
    """
    with run.unfinished("clean") as folder:
        return _clean(dataset, config, folder, run)


def _clean(dataset: Dataset, config: CleanConfig, folder: Path, run: Run) -> Dataset:
    """folder: where keys and the journal lie."""
    import polars

    inputs = inputs_of(dataset)
    per_row = [name for name in config.rules if name in RULES]
    for_all = [name for name in config.rules if name in DATASET_RULES] if dataset.parts else []
    identity = {
        "dataset": dataset.digest,
        "config": config.model_dump(mode="json"),
        "polars": polars.__version__,  # whose hashes are the same only within one of its versions
    }
    spill = Spill(folder, dataset)
    parts = Journal(folder / "parts.jsonl", identity)
    cleaned = _repaired(dataset, inputs, per_row, spill, parts, run, last=not for_all)
    rows = sum(part["rows"] for part in parts.entries)
    repaired, dropped = _total(parts, "repaired"), _total(parts, "dropped")
    if for_all:
        cleaned, twins = _without_duplicates(cleaned, for_all, inputs.classes, spill, run)
        dropped.update(twins)
    run.details["dropped"] = dict(sorted(dropped.items()))
    run.details["repaired"] = dict(sorted(repaired.items()))
    run.details["dropped_examples"] = dropped_rows(dataset, cleaned, REASON, [column.name for column in inputs.texts])
    run.details["repaired_examples"] = [change for part in parts.entries for change in part["changes"]]
    gone = sum(dropped.values())
    run.record("rows_in", rows, how="rows before cleaning", unit="rows")
    run.record("rows_out", rows - gone, how="rows after cleaning", unit="rows")
    if not rows:
        raise BadInput("the dataset has no rows to clean")
    most = max(dropped, key=lambda reason: dropped[reason], default="")
    run.gate(
        "dropped",
        gone / rows,
        at_most=config.max_dropped,
        message=f"{gone:,} of {rows:,} rows would be dropped ({gone / rows:.0%}, the bar is {config.max_dropped:.0%}), "
        f"most of them for: {most}",
        next="look at dropped_examples in the report; if they are right to go, raise clean.max_dropped",
    )
    if gone == rows:
        raise BadInput("no row is left after cleaning", next="look at the rules in clean.rules")
    return cleaned


def _total(parts: Journal, what: str) -> Counter[str]:
    """The counts by reason of all parts."""
    return sum((Counter(part[what]) for part in parts.entries), Counter())


def _repaired(
    dataset: Dataset, inputs: Inputs, rules: list[str], spill: Spill, parts: Journal, run: Run, *, last: bool
) -> Dataset:
    """The Dataset with texts repaired and rows that became empty dropped; `parts` says what was done to each part.

    last: no further layer follows.
    """
    starts = row_starts(dataset)
    layer = run.store.layer(dataset, "clean", [*inputs.texts, REASON_COLUMN])
    if done := layer.go_on(parts, selects=True):
        run.say(f"{done} of {len(dataset.parts)} parts are clean already")
    shown = sum(len(part["changes"]) for part in parts.entries)
    for view in run.progress(dataset.views(), "clean", total=len(dataset.parts)):
        if view.index < done:
            continue
        chosen = [RULES[name] for name in rules]
        found = first_pass(view, starts[view.index], inputs, chosen, SHOWN_CHANGES - shown)
        spill.write(view.index, found.keys)
        keep = np.ones(view.rows, dtype=np.bool_)
        keep[found.empty] = False
        reasons = Sparse(found.empty, pa.array([EMPTY] * len(found.empty), REASON_TYPE))
        file = layer.write(view, {**found.texts, REASON: reasons}, keep)
        dropped = {EMPTY: len(found.empty)} if len(found.empty) else {}
        said = {"rows": found.rows, "repaired": found.repaired, "dropped": dropped, "changes": found.changes}
        parts.add({"file": file, **said})
        shown += len(found.changes)
    return layer.finish(stored=last)


def _without_duplicates(
    dataset: Dataset, rules: list[str], classes: bool, spill: Spill, run: Run
) -> tuple[Dataset, Counter[str]]:
    found = find_duplicates(spill, rules, classes)
    starts = row_starts(dataset)
    layer = run.store.layer(dataset, "duplicates", [REASON_COLUMN])
    for view in run.progress(dataset.views(), "duplicates", total=len(dataset.parts)):
        rows, reasons = found.between(starts[view.index], starts[view.index + 1])
        places = rows - starts[view.index]
        keep = np.ones(view.rows, dtype=np.bool_)
        keep[places] = False
        layer.write(view, {REASON: Sparse(places, pa.array(reasons, REASON_TYPE))}, keep)
    return layer.finish(), found.counts
