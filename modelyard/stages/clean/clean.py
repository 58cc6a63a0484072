"""The stage: rules part by part, then what only all rows together can tell, then one layer."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from modelyard.errors import BadInput
from modelyard.run import Run
from modelyard.stages.clean.batch import TextBatch
from modelyard.stages.clean.changes import around_change
from modelyard.stages.clean.config import CleanConfig
from modelyard.stages.clean.rules import DATASET_RULES, RULES
from modelyard.store import Column, Dataset
from modelyard.store.dataset import ROW_ID, SPLIT, PartView, show_row_id

if TYPE_CHECKING:
    import polars as pl

REASON = "clean_reason"
SHOWN_EXAMPLES = 50
SHOWN_CHARACTERS = 120
SHOWN_CHANGES = 20
SOURCE_COLUMNS = ("source_file", "source_line")  # where ingest found a row


def clean(dataset: Dataset, config: CleanConfig, run: Run) -> Dataset:
    """Apply the rules in order to the text column, part by part.

    The layer `clean` holds the repaired text, `clean_reason` (null where a row stays) and the selection.
    Raises GateFailed when more than `max_dropped` of the rows would go.
    """
    import polars as pl

    text_column = dataset.the("input", "text")
    label = next((column.name for column in dataset.with_role("target")), None)
    layer = run.store.layer(dataset, "clean", [text_column, Column(REASON, "value", "system")])
    repaired: Counter[str] = Counter()
    dropped: Counter[str] = Counter()
    examples: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    rows = 0
    # The texts wait on disk between the two passes: only a key of 24 bytes a row stays in memory.
    with tempfile.TemporaryDirectory(dir=run.store.temporary) as folder:
        keys = []
        for view in run.progress(dataset.views(), "clean", total=len(dataset.parts)):
            batch, part_keys = _first_pass(view, text_column.name, label, config)
            _add_changes(changes, view, text_column.name, batch)
            repaired.update(batch.repaired)
            keys.append(part_keys)
            pl.DataFrame({"text": batch.text, "dropped": batch.dropped}).write_ipc(_waiting(folder, view.index))
        wide = _dataset_reasons(pl.concat(keys), config) if keys else {}
        start = 0
        for view in dataset.views():
            waiting = pl.read_ipc(_waiting(folder, view.index))
            batch = TextBatch(waiting["text"], waiting["dropped"])
            end = start + len(batch.text)
            for reasons in wide.values():
                batch = _drop_for(batch, reasons.slice(start, end - start))
            start = end
            rows += len(batch.text)
            dropped.update(batch.dropped.drop_nulls().to_list())
            _add_examples(examples, view, batch)
            _write(layer, view, text_column.name, batch)
    cleaned = layer.finish()
    run.details["dropped"] = dict(sorted(dropped.items()))
    run.details["repaired"] = dict(sorted(repaired.items()))
    run.details["dropped_examples"] = examples
    run.details["repaired_examples"] = changes
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


def _waiting(folder: str, index: int) -> Path:
    return Path(folder) / f"{index}.arrow"


def _first_pass(view: PartView, text: str, label: str | None, config: CleanConfig) -> tuple[TextBatch, pl.DataFrame]:
    """The selected rows of a part after the rules that look at one row, and the keys of the others."""
    import polars as pl

    split = SPLIT if view.dataset.has(SPLIT) else None
    table = view.read([text, *(name for name in (label, split) if name)])
    texts = pl.Series("text", table[text], dtype=pl.String)
    batch = TextBatch(texts, pl.Series("dropped", [None], dtype=pl.String).new_from_index(0, len(texts)))
    for name in config.rules:
        if name in RULES:
            batch = RULES[name](batch)
    batch = batch.drop(batch.text.str.len_bytes() == 0, "empty after cleaning")
    labels = pl.Series(table[label]) if label else texts.clear().extend_constant("", len(texts))
    # Two 64-bit hashes of different seeds: the chance of one false pair among 10^9 texts is below 10^-20.
    # A row that is dropped already gets its own number for a key, so that no rule for all rows touches it.
    alone = batch.dropped.is_not_null()
    number = pl.int_range(len(texts), dtype=pl.UInt64, eager=True) + (view.index << 40)
    keys = pl.DataFrame(
        {
            "low": number.zip_with(alone, batch.text.hash(seed=1)),
            "high": pl.zeros(len(texts), dtype=pl.UInt64, eager=True).zip_with(alone, batch.text.hash(seed=2)),
            "label": labels.hash(seed=3),
            "rank": _rank(pl.Series(table[split]) if split else texts.clear().extend_constant("", len(texts))),
        }
    )
    return batch, keys


def _rank(side: pl.Series) -> pl.Series:
    """0 for the side that must not lose a row to another one."""
    import polars as pl

    return side.cast(pl.String).replace_strict({"test": 0, "validation": 1}, default=2, return_dtype=pl.UInt8)


def _dataset_reasons(keys: pl.DataFrame, config: CleanConfig) -> dict[str, pl.Series]:
    return {name: DATASET_RULES[name](keys) for name in config.rules if name in DATASET_RULES}


def _drop_for(batch: TextBatch, reasons: pl.Series) -> TextBatch:
    for reason in reasons.drop_nulls().unique().sort():
        batch = batch.drop((reasons == reason).fill_null(False), reason)
    return batch


def _add_examples(examples: list[dict[str, Any]], view: PartView, batch: TextBatch) -> None:
    """The first dropped rows, with what is left of their text."""
    places = batch.dropped.is_not_null().arg_true().to_list()[: SHOWN_EXAMPLES - len(examples)]
    if not places:
        return
    for place, named in zip(places, _named(view, places), strict=True):
        text = batch.text[place]
        shown = text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
        examples.append({**named, "reason": batch.dropped[place], "text": shown})


def _add_changes(changes: list[dict[str, Any]], view: PartView, name: str, batch: TextBatch) -> None:
    """The first repaired rows, before and after, around the first sign that differs."""
    import polars as pl

    if len(changes) >= SHOWN_CHANGES:
        return
    before = pl.Series("before", view.read([name])[name], dtype=pl.String)
    changed = (before != batch.text).fill_null(False) & batch.dropped.is_null()
    places = changed.arg_true().to_list()[: SHOWN_CHANGES - len(changes)]
    for place, named in zip(places, _named(view, places), strict=True):
        old, new = around_change(before[place], batch.text[place])
        changes.append({**named, "before": old, "after": new})


def _named(view: PartView, places: list[int]) -> list[dict[str, Any]]:
    """row_id of the rows at these places and, where ingest kept it, the file and the line they came from."""
    if not places:
        return []
    sources = [name for name in SOURCE_COLUMNS if view.dataset.has(name)]
    table = view.read([ROW_ID, *sources]).take(places)
    ids = table[ROW_ID].to_pylist()
    values = {name.removeprefix("source_"): table[name].to_pylist() for name in sources}
    return [
        {"row_id": show_row_id(row_id), **{name: column[index] for name, column in values.items()}}
        for index, row_id in enumerate(ids)
    ]


def _write(layer: Any, view: PartView, name: str, batch: TextBatch) -> None:
    """The layer's columns for every row of the part; a row that an earlier stage dropped keeps its text."""
    selected = view.selection()
    keep = selected.copy()
    keep[selected] = batch.dropped.is_null().to_numpy()
    text, reason = batch.text.to_arrow(), batch.dropped.to_arrow()
    if not selected.all():
        # Position of each row among the selected ones; the others take their value from behind them.
        places = np.where(selected, np.cumsum(selected) - 1, len(batch.text) + np.arange(view.rows))
        before = view.read([name], dropped=True)[name].combine_chunks()
        text = pa.chunked_array([text.cast(before.type), before]).combine_chunks().take(pa.array(places))
        reason = pa.chunked_array([reason, pa.nulls(view.rows, reason.type)]).combine_chunks().take(pa.array(places))
    layer.write(view, {name: text.cast(pa.large_string()), REASON: reason.cast(pa.large_string())}, keep)
