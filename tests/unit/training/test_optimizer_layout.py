from __future__ import annotations

import torch

from modelyard.training.checkpoint import load_optimizer, optimizer_tensors
from modelyard.training.optimizer import adamw


def stepped(model: torch.nn.Conv2d, optimizer: torch.optim.Optimizer, gradients: list[torch.Tensor]) -> torch.Tensor:
    for gradient in gradients:
        model.weight.grad = gradient.clone()
        for group in optimizer.param_groups:
            group["lr"] = 0.1
        optimizer.step()
    return model.weight.detach()


def convolution() -> torch.nn.Conv2d:
    torch.manual_seed(0)
    return torch.nn.Conv2d(3, 4, 3, bias=False).to(memory_format=torch.channels_last)


def test_kernels_whose_channels_lie_last_go_on_with_their_own_moments():
    """A checkpoint keeps moments with the channels first: put back so, the fused step mixed them up in silence."""
    gradients = list(torch.randn(4, 4, 3, 3, 3))
    whole = convolution()
    wanted = stepped(whole, adamw(whole, 0.0), gradients)

    broken = convolution()
    first = adamw(broken, 0.0)
    stepped(broken, first, gradients[:2])
    resumed = convolution()
    resumed.load_state_dict(broken.state_dict())
    second = adamw(resumed, 0.0)
    load_optimizer(second, {name: values.clone() for name, values in optimizer_tensors(first).items()})
    assert torch.equal(stepped(resumed, second, gradients[2:]), wanted)
