"""Layers: sparse or dense by part, read as one; a part that a stage left alone costs next to nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.errors import Damaged, Fault
from modelyard.store import Column, Dataset, Store
from modelyard.store.dataset import POSITION
from modelyard.store.layers import Sparse

TEXT, NOTE = Column("text", "text", "input"), Column("note", "value", "system")
ROWS = 12


def one_part(store: Store, rows: int = ROWS) -> Dataset:
    writer = store.new_dataset([TEXT])
    writer.write(pa.table({"text": pa.array([f"text {n}" for n in range(rows)], pa.large_string())}))
    return writer.finish()


def sparse(changes: dict[int, str | None]) -> Sparse:
    places = sorted(changes)
    return Sparse(
        np.array(places, dtype=np.int64), pa.array([changes[place] for place in places], type=pa.large_string())
    )


def is_sparse(dataset: Dataset, layer: int = -1, part: int = 0) -> bool:
    path = dataset.store.object(dataset.layers[layer].files[part], "parquet")
    return POSITION in pq.read_schema(path).names


@dataclass
class Drawn:
    """One layer: for each of its columns the changes, and whether all rows are given; the rows it drops."""

    columns: dict[str, tuple[dict[int, str | None], bool]] = field(default_factory=dict)
    dropped: set[int] | None = None


CHANGES = st.dictionaries(st.integers(0, ROWS - 1), st.one_of(st.none(), st.text(max_size=3)), max_size=ROWS)
DRAWN = st.builds(
    Drawn,
    st.dictionaries(st.sampled_from(["text", "note"]), st.tuples(CHANGES, st.booleans())),
    st.one_of(st.none(), st.sets(st.integers(0, ROWS - 1))),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(DRAWN, max_size=4))
def test_any_mix_of_layers_reads_as_changing_lists_in_place_does(tmp_path: Path, layers: list[Drawn]) -> None:
    store = Store(tmp_path)
    dataset = one_part(store)
    model: dict[str, list[str | None]] = {"text": [f"text {n}" for n in range(ROWS)], "note": [None] * ROWS}
    kept = [True] * ROWS
    for number, drawn in enumerate(layers):
        (view,) = dataset.views()
        columns: dict[str, pa.Array | pa.ChunkedArray | Sparse] = {}
        for name, (changes, whole) in drawn.columns.items():
            if whole:
                model[name] = [changes.get(n) for n in range(ROWS)]
                columns[name] = pa.array(model[name], pa.large_string())
            else:
                for place, value in changes.items():
                    model[name][place] = value if value is not None else model[name][place]
                columns[name] = sparse(changes)
        if drawn.dropped is not None:
            kept = [keep and n not in drawn.dropped for n, keep in enumerate(kept)]
        keep = None if drawn.dropped is None else np.array([n not in drawn.dropped for n in range(ROWS)])
        layer = store.layer(dataset, str(number), [c for c in (TEXT, NOTE) if c.name in columns])
        layer.write(view, columns, keep)
        dataset = layer.finish()
    (view,) = Store(tmp_path).dataset(dataset.digest).views()
    assert view.selection().tolist() == kept
    for name in [column.name for column in dataset.columns]:
        assert view.read([name], dropped=True)[name].to_pylist() == model[name]
        expected = [value for value, keep in zip(model[name], kept, strict=True) if keep]
        assert view.read([name])[name].to_pylist() == expected


def changed(store: Store, dataset: Dataset, changes: dict[int, str | None], dropped: set[int]) -> Dataset:
    layer = store.layer(dataset, "clean", [TEXT, NOTE])
    for view in dataset.views():
        keep = np.array([n not in dropped for n in range(view.rows)])
        layer.write(view, {"text": sparse(changes), "note": sparse(dict.fromkeys(dropped, "gone"))}, keep)
    return layer.finish()


def test_few_changes_are_kept_sparse_and_many_dense(tmp_path: Path) -> None:
    store = Store(tmp_path)
    dataset = one_part(store)
    few = changed(store, dataset, {1: "one"}, {5})
    many = changed(store, dataset, dict.fromkeys(range(8), "x"), {5})
    assert (is_sparse(few), is_sparse(many)) == (True, False)
    assert few.read(["text", "note"]).num_rows == many.read(["text", "note"]).num_rows == ROWS - 1
    (view,) = few.views()
    assert view.read(["note"], dropped=True)["note"].to_pylist()[4:7] == [None, "gone", None]


def test_a_part_that_was_left_alone_costs_next_to_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    dataset = one_part(store, rows=20_000)
    alone = changed(store, dataset, {}, set())
    path = store.object(alone.layers[0].files[0], "parquet")
    assert path.stat().st_size < 2000
    (view,) = alone.views()
    assert view.read(["note"])["note"].null_count == 20_000
    assert view.read(["text"]) == next(iter(dataset.views())).read(["text"])


def test_a_layer_that_fits_no_part_is_refused(tmp_path: Path) -> None:
    store = Store(tmp_path)
    dataset = one_part(store)
    (view,) = dataset.views()
    layer = store.layer(dataset, "clean", [TEXT])
    with pytest.raises(Fault, match="not ascending"):
        layer.write(view, {"text": Sparse(np.array([3, 3]), pa.array(["a", "b"]))})
    with pytest.raises(Fault, match="places that a part of 12 rows does not have"):
        layer.write(view, {"text": Sparse(np.array([ROWS]), pa.array(["a"]))})
    with pytest.raises(Fault, match="1 values for 2 places"):
        layer.write(view, {"text": Sparse(np.array([1, 2]), pa.array(["a"]))})
    with pytest.raises(Fault, match="3 rows for a part of 12"):
        layer.write(view, {"text": sparse({})}, np.ones(3, dtype=np.bool_))


def test_a_sparse_file_of_another_part_is_damaged(tmp_path: Path) -> None:
    store = Store(tmp_path)
    short = changed(store, one_part(store, 6), {1: "one"}, set())
    long = changed(store, one_part(store, 40), {30: "far"}, set())
    (theirs, ours) = (store.object(each.layers[0].files[0], "parquet") for each in (long, short))
    ours.write_bytes(theirs.read_bytes())
    with pytest.raises(Damaged, match="names rows that a part of 6 rows does not have"):
        short.read(["text"])
