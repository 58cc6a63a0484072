"""The store: objects and artifacts under their digests, whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.errors import BadInput, Damaged
from modelyard.store import Model, Package, Report, Store
from modelyard.store.artifacts import write_index
from modelyard.store.digests import canonical_json, digest_bytes, digest_tree


def add(store: Store, weights: bytes = b"w", provenance: dict[str, str] | None = None) -> Model:
    with store.new_directory() as folder:
        write_index(Model, folder, {"format": 1, "task": "t", "labels": ["a", "b"]})
        (folder / "deep").mkdir()
        (folder / "deep" / "weights.bin").write_bytes(weights)
        return store.add(Model, folder, provenance)


def test_what_was_added_is_got_by_its_digest(tmp_path: Path) -> None:
    store = Store(tmp_path)
    model = add(store)
    again = Store(tmp_path).get(Model, model.digest)
    assert (again.task, again.labels) == ("t", ["a", "b"])
    assert (again.path / "deep" / "weights.bin").read_bytes() == b"w"
    assert store.has(Model, model.digest) and not store.has(Package, model.digest)
    assert not list(store.temporary.iterdir())


def test_the_digest_covers_every_file_and_no_provenance(tmp_path: Path) -> None:
    store = Store(tmp_path)
    one = add(store, provenance={"stage": "train"})
    assert one.provenance == {"stage": "train"}
    assert add(store, provenance={"stage": "other"}).digest == one.digest
    assert store.get(Model, one.digest).provenance == {"stage": "train"}
    assert add(store, weights=b"v").digest != one.digest
    assert digest_tree(one.path) == one.digest
    assert Model.open(one.path).digest == one.digest


def test_a_folder_without_its_index_is_not_stored(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with store.new_directory() as folder, pytest.raises(Damaged, match=r"without figures\.json"):
        store.add(Report, folder)
    assert not list(store.temporary.iterdir())


def test_a_failure_while_building_leaves_nothing(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(RuntimeError), store.new_directory() as folder:
        (folder / "half").write_text("x")
        raise RuntimeError
    assert not list(store.temporary.iterdir())
    assert not (tmp_path / "models").exists()


def test_what_is_not_there_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    with pytest.raises(Damaged, match="model 000000000000 is not in the store"):
        store.get(Model, "0" * 64)
    with pytest.raises(BadInput, match=r"is not a model: it has no model\.json"):
        Model.open(tmp_path)


def test_an_object_lies_under_the_digest_of_its_bytes_once(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for _ in range(2):
        file = store.temporary / "new"
        file.write_bytes(b"content")
        digest = store.add_object(file, "bin")
        assert not file.exists()
    assert digest == digest_bytes(b"content")
    assert store.object(digest, "bin").read_bytes() == b"content"


def test_scratch_survives_and_is_dropped_by_key(tmp_path: Path) -> None:
    (Store(tmp_path).scratch("a") / "checkpoint").write_text("x")
    store = Store(tmp_path)
    assert (store.scratch("a") / "checkpoint").read_text() == "x"
    store.drop_scratch("a")
    assert not (store.scratch("a") / "checkpoint").exists()


def test_equal_values_have_equal_bytes() -> None:
    assert canonical_json({"b": 1, "a": "中"}) == canonical_json({"a": "中", "b": 1}) == '{"a":"中","b":1}'.encode()
    with pytest.raises(ValueError):
        canonical_json({"a": float("nan")})


def test_a_damaged_artifact_or_object_is_replaced_when_it_is_made_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    model = add(store)
    (model.path / "deep" / "weights.bin").write_bytes(b"torn")
    (model.path / "model.json").unlink()
    assert add(store).digest == model.digest
    assert digest_tree(model.path) == model.digest
    for _ in range(2):
        with store.new_directory() as folder:
            (folder / "rows").write_bytes(b"rows")
            digest = store.add_object(folder / "rows", "parquet")
        kept = store.object(digest, "parquet")
        assert kept.read_bytes() == b"rows"
        kept.write_bytes(b"ro")
    assert not list(store.temporary.iterdir())


def test_what_killed_runs_left_is_cleared_and_checkpoints_stay(tmp_path: Path) -> None:
    store = Store(tmp_path)
    (store.temporary / "tmp1234").mkdir()
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / f".{'a' * 64}.json.xyz.tmp").write_text("{")
    checkpoint = store.scratch("key") / "checkpoints"
    (checkpoint / ".modelyard-new-1").mkdir(parents=True)
    (checkpoint / "step-00000001").mkdir()
    with store.new_directory() as living:
        store.clear_abandoned()
        assert living.is_dir()
    store.clear_abandoned()
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*"))
    assert files == [
        "datasets",
        "scratch",
        "scratch/key",
        "scratch/key/checkpoints",
        "scratch/key/checkpoints/step-00000001",
        "temporary",
    ]
