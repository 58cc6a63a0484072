"""The stage: hold the figures to their bars, then lay the labels over the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from modelyard.annotate.config import AnnotateConfig
from modelyard.annotate.present import item_id
from modelyard.annotate.quality import quality
from modelyard.errors import BadInput
from modelyard.run import Run
from modelyard.stages.annotate.evidence import hold, record
from modelyard.stages.annotate.labels import Labels
from modelyard.store import Column, Dataset
from modelyard.store.dataset import ROW_ID, PartView
from modelyard.store.layers import Sparse
from modelyard.store.row_id_columns import show_row_ids

VOTES = "label_votes"
UNUSABLE_REASON = "no label can be given"


def annotate(dataset: Dataset, labels: Labels, config: AnnotateConfig, run: Run) -> Dataset:
    """Add the layer `annotate`: the column of labels, `label_votes` (JSON of who said what, null for rows that came
    with a label), and a selection that leaves out the rows that people can give no label.

    Every row without a label must be among `labels.items`. Raises GateFailed when agreement or the accuracy on gold
    items lies below `config.bar`, as `config.gate` says.
    """
    found = quality(labels.items, labels.gold)
    record(found, labels, config, run)
    hold(found, labels, config, run)
    target = next(iter(dataset.with_role("target")), None)
    name = target.name if target is not None else _free_name(labels.target, dataset)
    parts = [_of_part(view, labels, None if target is None else name) for view in dataset.views()]
    classes = tuple(sorted({label for part in parts for label in part.given}))
    described = [Column(name, labels.field, "target", classes, labels.target), Column(VOTES, "value", "system")]
    layer = run.store.layer(dataset, "annotate", described)
    for view, part in zip(run.progress(dataset.views(), "annotate", total=len(parts)), parts, strict=True):
        values, votes = pa.array(part.labels, pa.large_string()), pa.array(part.votes, pa.large_string())
        layer.write(view, {name: Sparse(part.places, values), VOTES: Sparse(part.places, votes)}, part.keep(view))
    rows, dropped = sum(part.rows for part in parts), sum(part.dropped for part in parts)
    run.record("rows_in", rows, how="rows before annotation", unit="rows")
    run.record("rows_out", rows - dropped, how="rows with a label", unit="rows")
    run.details["dropped"] = {UNUSABLE_REASON: dropped} if dropped else {}
    run.details["came_with_a_label"] = rows - sum(len(part.labels) for part in parts)
    if rows == dropped:
        raise BadInput("no row has a label", next="look at the guideline: people could give none to any row")
    return layer.finish()


@dataclass(frozen=True)
class _Part:
    """rows: selected ones. places: of those that people labelled, with label (None: none can be given) and votes.
    given: every label in the part."""

    rows: int
    places: np.ndarray[Any, np.dtype[np.int64]]
    labels: list[str | None]
    votes: list[str]
    given: set[str]

    @property
    def dropped(self) -> int:
        return self.labels.count(None)

    def keep(self, view: PartView) -> np.ndarray[Any, np.dtype[np.bool_]]:
        kept = np.ones(view.rows, dtype=np.bool_)
        kept[[place for place, label in zip(self.places.tolist(), self.labels, strict=True) if label is None]] = False
        return kept


def _of_part(view: PartView, labels: Labels, target: str | None) -> _Part:
    """target: the column that some rows have a label in already. Raises BadInput for a row that nobody labelled."""
    table = view.read([ROW_ID, *([target] if target else [])])
    own = table[target].to_pylist() if target else [None] * table.num_rows
    without = [place for place, label in enumerate(own) if label is None]
    ids = show_row_ids(table[ROW_ID])
    items = [item_id(ids[place].as_py()) for place in without]
    missing = next((item for item in items if item not in labels.by_item), None)
    if missing is not None:
        raise BadInput(f"a row has no label yet: {missing}", next="modelyard annotate export writes what is to be done")
    decided = [labels.decision(item) for item in items]
    return _Part(
        table.num_rows,
        np.flatnonzero(view.selection())[without],
        decided,
        [labels.votes(labels.by_item[item]) for item in items],
        {label for label in (*own, *decided) if label is not None},
    )


def _free_name(name: str, dataset: Dataset) -> str:
    while dataset.has(name):
        name += "_"
    return name
