from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from modelyard.errors import BadInput, Damaged, EnvironmentProblem, ModelyardError
from modelyard.run import Run
from modelyard.serve.openapi import document
from modelyard.serve.problems import Problem
from modelyard.serve.repository import Repository
from modelyard.serve.resolve import resolve
from modelyard.serve.served_model import ServedModel, open_model
from modelyard.serve.settings import ServeSettings, is_loopback, read_token
from modelyard.stages.adopt import AdoptConfig
from modelyard.stages.adopt.tensor_onnx import tensor_package
from modelyard.store import Store
from tests.graphs import graph, node, saved
from tests.packages import tiny_package


def opened(folder: Path) -> ServedModel:
    async def test() -> ServedModel:
        target = resolve(str(folder), folder)
        model = open_model(target, ServeSettings(targets=(str(folder),)), asyncio.get_running_loop())
        model.batcher.close()
        return model

    return asyncio.run(test())


@pytest.mark.parametrize(
    ("changes", "kind", "part"),
    [
        ({"format": 2}, Damaged, "format 2"),
        ({"signature": {}}, Damaged, "not complete: KeyError 'inputs'"),
        ({"limits": {"max_batch": "many"}}, Damaged, "not complete: ValueError"),
        ({"variants": [{"name": "float"}]}, Damaged, "not complete"),
        ({"golden": None}, Damaged, "no golden set"),
        ({"golden": {"inputs": "../x", "outputs": "golden/outputs.safetensors"}}, Damaged, "stay inside"),
        ({"name": "a/b"}, BadInput, "'a/b'"),
        ({"name": "a.tensor"}, BadInput, "'a.tensor'"),
        ({"variants": []}, BadInput, "0 variants"),
        ({"task": "mind_reading"}, BadInput, "the task 'mind_reading', which this Modelyard does not have"),
    ],
)
def test_a_package_that_cannot_be_served_says_why(
    tmp_path: Path, changes: dict[str, Any], kind: type[ModelyardError], part: str
) -> None:
    made = tiny_package(tmp_path / "p")
    index = made.info | changes
    (made.path / "package.json").unlink()
    from modelyard.store.artifacts import Package, write_index

    write_index(Package, made.path, index)
    with pytest.raises(kind) as caught:
        opened(made.path)
    assert part in caught.value.message


def test_models_are_found_by_version_label_and_level(tmp_path: Path) -> None:
    model = opened(tiny_package(tmp_path / "p").path)
    repository = Repository()
    with pytest.raises(Problem) as caught:
        repository.find("reviews")
    assert (caught.value.status, caught.value.retry_after) == (503, 1)
    model.labels = ("champion",)
    repository.add(model)
    repository.loaded = True
    assert repository.find("reviews").signature is model.public
    assert repository.find("reviews", "1").model is model
    assert repository.find("reviews", label="champion").model is model
    assert repository.find("reviews.tensor").signature is model.tensor
    for arguments in (("nothing",), ("reviews", "2"), ("reviews", "", "challenger"), ("reviews.tensor.tensor",)):
        with pytest.raises(Problem) as caught:
            repository.find(*arguments)
        assert caught.value.status == 404
    assert [one["name"] for one in repository.index()] == ["reviews"]


def test_a_target_that_is_nothing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for target in ("nothing", "reviews@champion", "@champion", "reviews@", str(tmp_path / "empty")):
        with pytest.raises(BadInput) as caught:
            resolve(target, tmp_path / "no-workspace")
        assert caught.value.next


def test_only_loopback_needs_no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MODELYARD_TOKEN", raising=False)
    assert [is_loopback(host) for host in ("127.0.0.1", "::1", "localhost", "127.8.8.8")] == [True] * 4
    assert [is_loopback(host) for host in ("0.0.0.0", "::", "10.0.0.1", "example.org", "")] == [False] * 5
    assert read_token("127.0.0.1") is None
    with pytest.raises(EnvironmentProblem, match="no token is set"):
        read_token("0.0.0.0")
    monkeypatch.setenv("MODELYARD_TOKEN", "x")
    assert read_token("0.0.0.0") == "x"


def tensor_folder(folder: Path, *, batch_axis: str | int) -> Path:
    model = graph([node("Relu", "x", "y")], [("x", "FLOAT", [batch_axis, 2])], [("y", "FLOAT", [batch_axis, 2])])
    run = Run(Store(folder / "store"), threads=1)
    made = tensor_package(saved(model, folder / "model.onnx"), AdoptConfig(name="plain", golden=2), run)
    return made.path


@pytest.mark.parametrize(("axis", "stacked"), [("n", True), (1, False)])
def test_a_tensor_package_is_its_own_tensor_level(tmp_path: Path, axis: str | int, stacked: bool) -> None:
    model = opened(tensor_folder(tmp_path, batch_axis=axis))
    assert (model.tensor, model.stacked) == (None, stacked)
    repository = Repository({"plain": {"1": model}}, loaded=True)
    found = repository.find("plain")
    assert (found.name, found.signature, found.tensor_level) == ("plain", model.public, True)
    with pytest.raises(Problem) as caught:
        repository.find("plain.tensor")
    assert caught.value.status == 404
    paths = document(repository, ServeSettings(()))["paths"]
    assert not any("plain.tensor" in path for path in paths)
    assert ("/v1/models/plain:predict" in paths) is stacked
