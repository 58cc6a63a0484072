"""Checkpoints: whole or not there, digested, passed over when damaged; tensors as safetensors, the rest as JSON."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.errors import Damaged
from modelyard.store.atomic import new_directory, publish_directory
from modelyard.store.digests import canonical_json, digest_file
from modelyard.training.randomness import generator_states, restore_generators

if TYPE_CHECKING:
    import torch

INDEX = "checkpoint.json"
MODEL = "model.safetensors"
OPTIMIZER = "optimizer.safetensors"
GENERATOR = "generator.safetensors"
BEST = "best.safetensors"
KEEP = 2

Weights = dict[str, "torch.Tensor"]


@dataclass
class Progress:
    """Where a run stands, as JSON: the schedule and the order of the rows follow from `step`, `epoch` and `place`.

    place: batches of the epoch that are done; seconds: time spent so far, over all tries.
    """

    step: int = 0
    epoch: int = 0
    place: int = 0
    seconds: float = 0.0
    rows_seen: int = 0
    loss_sum: float = 0.0
    loss_weight: float = 0.0
    best_epoch: int = 0
    best: list[float] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    epochs: list[dict[str, Any]] = field(default_factory=list)

    def at_best(self) -> bool:
        """Whether the weights at hand are the best so far: an epoch just ended, and it was the best one."""
        return self.place == 0 and 0 < self.best_epoch == self.epoch


class Checkpoints:
    """The checkpoints of one run in its scratch folder: `step-00000012/`, the newest KEEP of them.

    identity: what the run is (configuration, data, base); a checkpoint of another run is never taken up.
    """

    def __init__(self, folder: Path, identity: dict[str, Any], warn: Callable[[str], None]) -> None:
        self._folder = folder
        self._identity = identity
        self._warn = warn

    def save(
        self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, progress: Progress, best: Weights | None
    ) -> None:
        """Write a new checkpoint, then drop those older than the newest KEEP."""
        from safetensors.torch import save_file

        target = self._folder / f"step-{progress.step:08d}"
        states, torch_state = generator_states()
        with new_directory(self._folder) as new:
            save_file(_contiguous(model.state_dict()), new / MODEL)
            save_file(optimizer_tensors(optimizer), new / OPTIMIZER)
            save_file({"torch": torch_state}, new / GENERATOR)
            if best is not None and not progress.at_best():
                save_file(_contiguous(best), new / BEST)
            index = {
                "identity": self._identity,
                "progress": vars(progress),
                "generators": states,
                "files": {path.name: digest_file(path) for path in sorted(new.iterdir())},
            }
            (new / INDEX).write_bytes(canonical_json(index))
            if target.exists():
                shutil.rmtree(target)
            publish_directory(new, target)
        for old in self._newest_first()[KEEP:]:
            shutil.rmtree(old)

    def restore(
        self, model: torch.nn.Module, optimizer: torch.optim.Optimizer
    ) -> tuple[Progress, Weights | None] | None:
        """Put model, optimizer and generators where the newest whole checkpoint has them; None when there is none.

        A damaged one is named in a warning and passed over.
        """
        from safetensors.torch import load_file

        for path in self._newest_first():
            try:
                index = self._verified(path)
            except Damaged as error:
                self._warn(f"checkpoint {path.name} is passed over: {error.message}")
                continue
            model.load_state_dict(load_file(path / MODEL))
            load_optimizer(optimizer, load_file(path / OPTIMIZER))
            restore_generators(index["generators"], load_file(path / GENERATOR)["torch"])
            progress = Progress(**index["progress"])
            if progress.at_best():
                return progress, copy_weights(model)
            return progress, load_file(path / BEST) if BEST in index["files"] else None
        return None

    def _newest_first(self) -> list[Path]:
        return sorted(self._folder.glob("step-*"), key=_step, reverse=True)

    def _verified(self, path: Path) -> dict[str, Any]:
        """The index of a checkpoint whose files all match their digests. Raises Damaged."""
        try:
            index: dict[str, Any] = json.loads((path / INDEX).read_bytes())
        except FileNotFoundError:
            raise Damaged(f"it has no {INDEX}" + _empty_files(path)) from None
        except (OSError, ValueError) as error:
            raise Damaged(f"{INDEX} cannot be read ({error})") from None
        if index.get("identity") != self._identity:
            raise Damaged("it belongs to a run with other settings or data")
        for name, digest in index["files"].items():
            if not (path / name).is_file():
                raise Damaged(f"{name} is missing")
            if not (path / name).stat().st_size:
                raise Damaged(f"{name} is empty")
            if digest_file(path / name) != digest:
                raise Damaged(f"{name} does not match its digest")
        return index


def _step(path: Path) -> int:
    number = path.name.removeprefix("step-")
    return int(number) if number.isdecimal() else -1


def _empty_files(path: Path) -> str:
    empty = sorted(file.name for file in path.glob("*") if file.is_file() and not file.stat().st_size)
    return f"; empty: {', '.join(empty)}" if empty else ""


def _contiguous(tensors: Weights) -> Weights:
    """Tensors that safetensors takes: contiguous, none sharing memory with another (tied weights are cloned)."""
    seen: set[int] = set()
    result: Weights = {}
    for name, tensor in tensors.items():
        own = tensor.detach().contiguous()
        result[name] = own.clone() if own.data_ptr() in seen else own
        seen.add(own.data_ptr())
    return result


def copy_weights(model: torch.nn.Module) -> Weights:
    """The weights as they are now, in memory of their own."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> Weights:
    """The state of every parameter as `PLACE.NAME`, the place counted over all groups."""
    import torch

    state = optimizer.state_dict()["state"]
    return {
        f"{place}.{name}": value.detach().contiguous()
        for place, values in state.items()
        for name, value in values.items()
        if isinstance(value, torch.Tensor)
    }


def load_optimizer(optimizer: torch.optim.Optimizer, tensors: Weights) -> None:
    """The inverse of `optimizer_tensors`; rates and decay stay those of the optimizer at hand."""
    import torch

    state: dict[int, dict[str, Any]] = {}
    for key, tensor in tensors.items():
        place, _, name = key.partition(".")
        state.setdefault(int(place), {})[name] = tensor
    optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    # The fused step walks weights and moments in the order of memory: another layout would mix them up, in silence.
    for parameter, kept in optimizer.state.items():
        for name, value in kept.items():
            if value.shape == parameter.shape:
                kept[name] = torch.empty_like(parameter, dtype=value.dtype).copy_(value)
