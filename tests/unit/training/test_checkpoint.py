from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from modelyard.training.checkpoint import Checkpoints, Progress
from modelyard.training.optimizer import adamw
from modelyard.training.randomness import seed_all


def trained(steps=3):
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Dropout(0.5), torch.nn.Linear(3, 2))
    optimizer = adamw(model, 1e-2)
    for _ in range(steps):
        step(model, optimizer)
    return model, optimizer


def step(model, optimizer):
    for group in optimizer.param_groups:
        group["lr"] = 0.1
    model(torch.randn(5, 4)).square().sum().backward()
    optimizer.step()
    optimizer.zero_grad()


def flat(model):
    return torch.cat([parameter.detach().ravel() for parameter in model.parameters()]).tolist()


@pytest.fixture
def warnings():
    return []


@pytest.fixture
def checkpoints(tmp_path, warnings):
    return Checkpoints(tmp_path, {"run": 1}, warnings.append)


def test_model_moments_and_chance_go_on_exactly(checkpoints):
    seed_all(5)
    model, optimizer = trained()
    checkpoints.save(model, optimizer, Progress(step=3), None)
    step(model, optimizer)
    expected = (flat(model), random.random(), np.random.rand(), float(torch.rand(())))
    seed_all(99)
    other, other_optimizer = trained(steps=1)
    progress, best = checkpoints.restore(other, other_optimizer)
    step(other, other_optimizer)
    assert (flat(other), random.random(), np.random.rand(), float(torch.rand(()))) == expected
    assert (progress.step, best) == (3, None)


def test_the_newest_two_are_kept(checkpoints, tmp_path):
    model, optimizer = trained()
    for number in (2, 9, 10, 11):
        checkpoints.save(model, optimizer, Progress(step=number), None)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-00000010", "step-00000011"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "model.safetensors").write_bytes(b""), "model.safetensors is empty"),
        (lambda folder: (folder / "optimizer.safetensors").unlink(), "optimizer.safetensors is missing"),
        (lambda folder: (folder / "checkpoint.json").write_text('{"files"'), "checkpoint.json cannot be read"),
        (lambda folder: flip(folder / "model.safetensors"), "model.safetensors does not match its digest"),
    ],
    ids=["empty", "missing", "half an index", "one bit"],
)
def test_a_damaged_checkpoint_is_named_and_passed_over(checkpoints, tmp_path, warnings, spoil, said):
    model, optimizer = trained()
    checkpoints.save(model, optimizer, Progress(step=2), None)
    good = flat(model)
    step(model, optimizer)
    checkpoints.save(model, optimizer, Progress(step=4), None)
    spoil(tmp_path / "step-00000004")
    progress, _ = checkpoints.restore(model, optimizer)
    assert progress.step == 2
    assert flat(model) == good
    assert "step-00000004" in warnings[0]
    assert said in warnings[0]


def flip(path):
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_a_checkpoint_of_other_settings_is_not_taken_up(tmp_path, warnings):
    model, optimizer = trained()
    Checkpoints(tmp_path, {"epochs": 1}, warnings.append).save(model, optimizer, Progress(step=1), None)
    assert Checkpoints(tmp_path, {"epochs": 2}, warnings.append).restore(model, optimizer) is None
    assert "other settings" in warnings[0]


def test_the_best_weights_travel_with_later_checkpoints(checkpoints, tmp_path):
    model, optimizer = trained()
    best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    checkpoints.save(model, optimizer, Progress(step=5, epoch=1, best_epoch=1), best)
    assert not (tmp_path / "step-00000005" / "best.safetensors").exists()  # the weights at hand are the best
    _, found = checkpoints.restore(model, optimizer)
    assert {name: tensor.tolist() for name, tensor in found.items()} == {n: t.tolist() for n, t in best.items()}
    step(model, optimizer)
    checkpoints.save(model, optimizer, Progress(step=6, epoch=1, place=1, best_epoch=1), best)
    _, found = checkpoints.restore(model, optimizer)
    assert found["0.weight"].tolist() == best["0.weight"].tolist() != model.state_dict()["0.weight"].tolist()


def test_an_empty_folder_has_no_checkpoint(checkpoints):
    assert checkpoints.restore(*trained()) is None
