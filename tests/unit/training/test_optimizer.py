from __future__ import annotations

import pytest
import torch

from modelyard.training.optimizer import average_and_clip, parameter_groups


def test_biases_and_norms_do_not_decay():
    model = torch.nn.Sequential(torch.nn.Embedding(5, 4), torch.nn.Linear(4, 3), torch.nn.LayerNorm(3))
    decayed, kept = parameter_groups(model, 1e-4)
    assert decayed["weight_decay"] == 1e-4
    assert [tuple(parameter.shape) for parameter in decayed["params"]] == [(5, 4), (3, 4)]
    assert kept["weight_decay"] == 0.0
    assert [tuple(parameter.shape) for parameter in kept["params"]] == [(3,), (3,), (3,)]


def test_frozen_parameters_are_left_out():
    model = torch.nn.Linear(4, 3)
    model.weight.requires_grad_(False)
    assert [len(group["params"]) for group in parameter_groups(model, 0.1)] == [0, 1]


@pytest.mark.parametrize(("max_norm", "expected"), [(10.0, [3.0, 4.0]), (1.0, [0.6, 0.8])])
def test_summed_gradients_become_those_of_the_mean_and_are_clipped(max_norm, expected):
    weight = torch.nn.Parameter(torch.zeros(2))
    weight.grad = torch.tensor([30.0, 40.0])
    assert average_and_clip([weight], 10.0, max_norm) == pytest.approx(5.0)
    assert weight.grad.tolist() == pytest.approx(expected, rel=1e-5)
