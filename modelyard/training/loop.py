"""The loop: plain PyTorch, whole batches as sums of micro batches, the best weights kept, exact after a crash."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelyard.errors import BadConfig
from modelyard.run import Cancelled, Run
from modelyard.tasks.pipeline import Array, Pipeline, Tensors
from modelyard.tasks.training import Taught
from modelyard.training.buckets import Indices, length_buckets, micro_batches, sorted_batches
from modelyard.training.checkpoint import Checkpoints, Progress, Weights, copy_weights
from modelyard.training.optimizer import average_and_clip
from modelyard.training.rows import Rows
from modelyard.training.schedule import WarmupCosine

if TYPE_CHECKING:
    import torch

    from modelyard.tasks.training import TrainingTask

EVALUATION_BATCH = 64
# A point of the loss curve is the mean over so many steps.
HISTORY_STEPS = 10


@dataclass(frozen=True)
class Plan:
    """How to train. batch_size rows make one step, in micro batches of micro_size that fit memory."""

    epochs: int
    batch_size: int
    micro_size: int
    peak_rate: float
    warmup_share: float
    max_norm: float
    patience: int
    seed: int
    checkpoint_steps: int
    time_limit_s: float | None
    loss_options: Mapping[str, Any]


class Loop:
    """One model on its way through the rows. `fit` leaves it with the best weights of its epochs."""

    def __init__(
        self,
        model: torch.nn.Module,
        optimizer: torch.optim.Optimizer,
        task: TrainingTask,
        pipeline: Pipeline,
        labels: Sequence[str],
        plan: Plan,
        run: Run,
    ) -> None:
        self._model = model
        self._optimizer = optimizer
        self._task = task
        self._pipeline = pipeline
        self._labels = labels
        self._plan = plan
        self._run = run
        self._best: Weights | None = None
        self._progress = Progress()

    def fit(self, train: Rows, validation: Rows, checkpoints: Checkpoints) -> Progress:
        """Train from the newest checkpoint, or from the start. Raises BadConfig when the loss is no number any more."""
        plan = self._plan
        steps_an_epoch = math.ceil(len(train) / plan.batch_size)
        total = steps_an_epoch * plan.epochs
        schedule = WarmupCosine(plan.peak_rate, round(total * plan.warmup_share), total)
        restored = checkpoints.restore(self._model, self._optimizer)
        if restored is not None:
            self._progress, self._best = restored
            self._run.say(f"going on from step {self._progress.step} of {total}")
        progress = self._progress
        spent, started = progress.seconds, time.monotonic()
        self._run.listener.progress("train", progress.step, total)
        while progress.epoch < plan.epochs and not self._stopped_improving() and not self._out_of_time():
            batches = length_buckets(train.sizes, plan.batch_size, plan.seed, progress.epoch)
            while progress.place < len(batches) and not self._out_of_time():
                try:
                    self._run.check_cancelled()
                except Cancelled:
                    checkpoints.save(self._model, self._optimizer, progress, self._best)
                    raise
                self._step(train, batches[progress.place], schedule.rate(progress.step))
                progress.seconds = spent + time.monotonic() - started
                self._run.listener.progress("train", progress.step, total, self._note(total))
                if progress.step % plan.checkpoint_steps == 0 and progress.place < len(batches):
                    checkpoints.save(self._model, self._optimizer, progress, self._best)
            self._finish_epoch(validation)
            progress.seconds = spent + time.monotonic() - started
            checkpoints.save(self._model, self._optimizer, progress, self._best)
        if not progress.epochs:
            # Stopped between the checkpoint of the last step and its validation: the clock allows no more steps.
            self._finish_epoch(validation)
        if self._out_of_time() and progress.step < total:
            self._run.warn(
                f"the time limit of {plan.time_limit_s:g} s ended training at step {progress.step} of {total}"
            )
        if self._best is not None:
            self._model.load_state_dict(self._best)
        return progress

    def evaluate(self, rows: Rows) -> tuple[float, dict[str, float]]:
        """Mean loss and the task's metrics over all rows, in eval mode."""
        import torch

        outputs: dict[str, Array] = {}
        total = weight = 0.0
        self._model.eval()
        with torch.inference_mode():
            for place in sorted_batches(rows.sizes, EVALUATION_BATCH):
                raw, targets = self._answers(rows, place)
                loss, share = self._task.loss(raw, targets, {})
                total, weight = total + float(loss), weight + float(share)
                for name, array in self._task.judged({name: values.numpy() for name, values in raw.items()}).items():
                    outputs.setdefault(name, np.empty((len(rows), *array.shape[1:]), array.dtype))[place] = array
        everything = rows.targets_of(np.arange(len(rows)))
        return total / weight, self._task.metrics(dict[str, Array](outputs), everything, self._labels)

    def _step(self, rows: Rows, batch: Indices, rate: float) -> None:
        """One update from one batch: gradients of the summed loss, divided once by the weight of all of it."""

        self._model.train()
        total = weight = 0.0
        for place in micro_batches(batch, self._plan.micro_size):
            raw, targets = self._answers(rows, place)
            loss, share = self._task.loss(raw, targets, self._plan.loss_options)
            loss.backward()  # type: ignore[no-untyped-call]
            total, weight = total + float(loss.detach()), weight + float(share)
        progress = self._progress
        norm = average_and_clip(self._model.parameters(), weight, self._plan.max_norm)
        if not (math.isfinite(total) and math.isfinite(norm)):
            raise BadConfig(
                f"the loss is {total / weight:g} and its gradient {norm:g} at step {progress.step + 1}, "
                f"learning rate {rate:.3g}",
                where="train.base_lr",
                next="lower train.base_lr, or raise train.warmup_share",
            )
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        progress.step += 1
        progress.place += 1
        progress.rows_seen += len(batch)
        progress.loss_sum += total
        progress.loss_weight += weight
        self._remember(total / weight, rate)

    def _answers(self, rows: Rows, place: Indices) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
        """Raw outputs of these rows, and their targets."""
        import torch

        collated: Tensors = self._pipeline.collate([rows.item(int(row)) for row in place])
        feeds = {name: torch.from_numpy(array) for name, array in collated.items()}
        targets = torch.from_numpy(rows.targets_of(place))
        if isinstance(self._task, Taught):
            return self._task.taught(self._model, feeds, targets), targets
        return self._task.forward(self._model, feeds), targets

    def _remember(self, loss: float, rate: float) -> None:
        """The loss curve: every point the mean of the steps since the last one."""
        progress = self._progress
        point = progress.history[-1] if progress.history and progress.history[-1]["steps"] < HISTORY_STEPS else None
        if point is None:
            point = {"step": 0, "epoch": 0, "loss": 0.0, "lr": 0.0, "steps": 0}
            progress.history.append(point)
        seen = point["steps"]
        point.update(
            step=progress.step,
            epoch=progress.epoch + 1,
            loss=(point["loss"] * seen + loss) / (seen + 1),
            lr=rate,
            steps=seen + 1,
        )

    def _finish_epoch(self, validation: Rows) -> None:
        """Validate, and keep the weights when they are the best: by the main metric, then by the loss."""
        progress = self._progress
        loss, metrics = self.evaluate(validation)
        if not math.isfinite(loss):
            raise BadConfig(
                f"the validation loss is {loss:g} after epoch {progress.epoch + 1}",
                where="train.base_lr",
                next="lower train.base_lr, or raise train.warmup_share",
            )
        progress.epoch += 1
        progress.epochs.append(
            {
                "epoch": progress.epoch,
                "train_loss": progress.loss_sum / progress.loss_weight,
                "validation_loss": loss,
                **metrics,
            }
        )
        progress.place, progress.loss_sum, progress.loss_weight = 0, 0.0, 0.0
        figures = [next(iter(metrics.values())), -loss]
        if not progress.best or figures > progress.best:
            progress.best, progress.best_epoch, self._best = figures, progress.epoch, copy_weights(self._model)

    def _stopped_improving(self) -> bool:
        progress = self._progress
        return progress.epoch - progress.best_epoch >= self._plan.patience

    def _out_of_time(self) -> bool:
        limit = self._plan.time_limit_s
        return limit is not None and self._progress.seconds >= limit

    def _note(self, total: int) -> str:
        """What the listener shows: loss, rate, speed, time left."""
        progress = self._progress
        left = progress.seconds / progress.step * (total - progress.step)
        point = progress.history[-1]
        speed = progress.rows_seen / progress.seconds
        return f"loss {point['loss']:.3f}  lr {point['lr']:.2e}  {speed:.0f} samples/s  {left:.0f} s left"
