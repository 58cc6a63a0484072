"""The stage: tie rows into groups, give each group a side, check what came out, add one layer."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from modelyard.errors import BadInput
from modelyard.run import Run
from modelyard.stages.split.components import Indices
from modelyard.stages.split.config import SIDES, SplitConfig
from modelyard.stages.split.evidence import SHOWN_ASIDE, record
from modelyard.stages.split.keys import EXACT, TieColumns, all_pairs, spill_keys
from modelyard.stages.split.recorded import HEAD, NO_SIDE, Recorded, read_recorded
from modelyard.stages.split.sides import Codes, Groups, RowIdOf, assign, hashed_sides
from modelyard.stages.split.tallies import Tallies, tally
from modelyard.store import Column, Dataset
from modelyard.store.dataset import ROW_ID, ROW_ID_TYPE, SPLIT, PartView
from modelyard.store.journal import Journal
from modelyard.store.layers import LayerWriter, Mask
from modelyard.store.row_id_columns import id_bytes
from modelyard.store.spill import row_starts

if TYPE_CHECKING:
    import polars as pl

NO_ROWS = "the dataset has no rows to split"


def split(dataset: Dataset, config: SplitConfig, run: Run, earlier: Dataset | None = None) -> Dataset:
    """Add the layer `split`: columns `split` and `group_head` (the row_id of the first row of a group, null for that
    row itself), and a selection that leaves out what would leak.

    Rows that share a group, are exact twins, or have texts that differ only in case, blanks and punctuation lie on one
    side. (Similar texts, with words that differ, are not looked for; nor are pictures that only resemble each other:
    those of the same pixels are twins.) A row keeps its side when data is added: the
    recorded one, else the one it had in `earlier`, the last split of what the data were before.
    Where the target is a class, every class must be on every side; else the shares alone hold.
    A killed run goes on with the parts it had. Memory grows with the rows that are tied to another one, not with all.
    Raises BadInput when a class is missing on a side, GateFailed when too much would leak.
    """
    if not dataset.parts:
        raise BadInput(NO_ROWS)
    inputs = dataset.with_role("input")
    groups = tuple(dict.fromkeys([*(column.name for column in dataset.with_role("group")), *config.group]))
    for name in (*groups, *config.strata):
        dataset.column(name)
    near_duplicates = config.near_duplicates and any(column.field == "text" for column in inputs)
    if not groups:
        near = "near duplicates are" if near_duplicates else "only exact twins are"
        run.say(f"no group column: {near} kept on one side   (change: split.group)")
    columns = TieColumns(
        tuple(column.name for column in inputs if column.field == "text"),
        tuple(column.name for column in inputs if column.field != "text"),
        groups,
        near_duplicates,
    )
    with run.unfinished("split") as folder:
        return _divided(dataset, columns, config, earlier, folder, run)


def _divided(
    dataset: Dataset, columns: TieColumns, config: SplitConfig, earlier: Dataset | None, folder: Path, run: Run
) -> Dataset:
    """folder: where keys and journals lie."""
    import polars

    identity = {
        "dataset": dataset.digest,
        "earlier": "" if earlier is None else earlier.digest,
        "config": config.model_dump(mode="json"),
        "polars": polars.__version__,  # whose hashes are the same only within one of its versions
    }
    spills = spill_keys(dataset, columns, folder, Journal(folder / "ties.jsonl", identity), run)
    recorded = read_recorded(dataset, spills[EXACT], earlier, config.keep_split, folder)
    pairs = all_pairs(spills)
    # Only recorded rows count as ties of a leak: that a new row brings two of them together is the new row's fault.
    among_recorded = all_pairs(spills, lambda rows: recorded.side[rows] != NO_SIDE)
    found = assign(pairs, among_recorded, recorded)
    ids = RowIdOf(dataset, _named(found))
    by_hash = np.unique(found.root[found.side == NO_SIDE])
    hashed = hashed_sides([row_id.tobytes() for row_id in ids.of(found.rows[by_hash])], config.shares, config.seed)
    decided = found.side == NO_SIDE
    found.side[decided] = hashed[np.searchsorted(by_hash, found.root[decided])]

    label, aside = label_of(dataset), found.aside_rows()
    layer = run.store.layer(dataset, "split", [Column(SPLIT, "value", "system"), Column(HEAD, "value", "system")])
    journal = Journal(folder / "sides.jsonl", identity)
    if done := layer.go_on(journal, selects=True):
        run.say(f"the sides of {done} of {len(dataset.parts)} parts are there already")
    tallies = Tallies([*([label] if label else []), *config.strata])
    starts = row_starts(dataset)
    for view in run.progress(dataset.views(), "split", total=len(dataset.parts)):
        if view.index >= done:
            places = np.flatnonzero(view.selection())
            sides, heads = _of_part(view, starts[view.index] + places, found, recorded, ids, config)
            stay = ~np.isin(starts[view.index] + places, aside)
            file = _write(layer, view, places, sides, heads, stay)
            values = _values(view, list(tallies.of_value), stay)
            journal.add({"file": file, "rows": len(places), **tally(sides[stay], values)})
        tallies.add(journal.entries[view.index])
    rows = sum(entry["rows"] for entry in journal.entries)
    if not rows:
        raise BadInput(NO_ROWS)
    checked = pairs if not len(aside) else all_pairs(spills, lambda numbers: ~np.isin(numbers, aside))
    counts = {name: len(each) for name, each in zip(spills, pairs, strict=True)}
    record(rows, found, counts, checked, tallies, recorded, ids, label, config, list(columns.groups), run)
    return layer.finish()


def label_of(dataset: Dataset) -> str | None:
    """The column whose classes must be on every side: the target, when it is the only one and of kind label."""
    targets = dataset.with_role("target")
    return targets[0].name if len(targets) == 1 and targets[0].field == "label" else None


def _named(found: Groups) -> Indices:
    """The rows whose ids are asked for: leaders of others, first rows that decide by their hash, and those shown."""
    shown = found.aside[:SHOWN_ASIDE]
    others = np.flatnonzero(found.leader != np.arange(len(found.rows)))
    return np.concatenate(
        [
            found.rows[found.leader[others]],
            found.rows[found.root[found.side == NO_SIDE]],
            np.array([row for each in shown for row in (each.row, *each.between)], dtype=np.int64),
        ]
    )


def _of_part(
    view: PartView, numbers: Indices, found: Groups, recorded: Recorded, ids: RowIdOf, config: SplitConfig
) -> tuple[Codes, pa.Array]:
    """Sides and heads of the selected rows of a part, whose numbers these are."""
    own_ids = view.read([ROW_ID])[ROW_ID]
    own = id_bytes(own_ids)
    sides: Codes = np.array(recorded.side[numbers])
    heads = recorded.head_of(numbers, own).copy()
    first, last = np.searchsorted(found.rows, [numbers[0], numbers[-1] + 1]) if len(numbers) else (0, 0)
    tied = np.arange(first, last)
    places = np.searchsorted(numbers, found.rows[tied])
    sides[places] = found.side[tied]
    led = found.leader[tied] != tied
    leaders = found.rows[found.leader[tied[led]]]
    heads[places[led]] = recorded.head_of(leaders, ids.of(leaders))
    free = np.flatnonzero(sides == NO_SIDE)
    sides[free] = hashed_sides(own_ids.take(free).to_pylist(), config.shares, config.seed)
    stored = pa.Array.from_buffers(ROW_ID_TYPE, len(heads), [None, pa.py_buffer(heads.tobytes())])
    return sides, stored.take(pa.array(np.arange(len(heads)), mask=(heads == own).all(axis=1)))


def _write(layer: LayerWriter, view: PartView, places: Indices, sides: Codes, heads: pa.Array, stay: Mask) -> str:
    """Sides, heads and whether they stay of the rows at these places of a part; null for the others."""
    selected = np.zeros(view.rows, dtype=np.bool_)
    selected[places] = True
    place = pa.array(np.cumsum(selected) - 1, mask=~selected)
    kept = selected.copy()
    kept[places] = stay
    named = pa.array(SIDES, pa.large_string()).take(pa.array(sides))
    return layer.write(view, {SPLIT: named.take(place), HEAD: heads.take(place)}, kept)


def _values(view: PartView, names: list[str], stay: Mask) -> dict[str, pl.Series]:
    import polars as pl

    table = view.read(names).filter(pa.array(stay)) if names else pa.table({})
    return {name: pl.Series(name, table[name]) for name in names}
