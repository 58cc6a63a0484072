"""Fine-tune a base model on the train side, keep the weights that are best on validation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.errors import Fault
from modelyard.run import Run
from modelyard.stages.train.config import TrainConfig
from modelyard.stages.train.data import prepare_side, read_sides
from modelyard.stages.train.learned_base import learned_base
from modelyard.store import Dataset, Model
from modelyard.tasks import carry_code, hold_trainable, load_task
from modelyard.training.base import base_digest, resolve_base
from modelyard.training.checkpoint import Checkpoints, Progress
from modelyard.training.keras_base import is_function
from modelyard.training.loop import Loop, Plan
from modelyard.training.optimizer import adamw
from modelyard.training.randomness import reproducible, seed_all
from modelyard.training.rows import Rows
from modelyard.training.schedule import scaled_rate

if TYPE_CHECKING:
    import torch


OF_THE_LOOP = ("epoch", "train_loss", "validation_loss")


def train(dataset: Dataset, config: TrainConfig, run: Run) -> Model:
    """The same data, settings, seed and threads give the same Model, killed and resumed or not.

    Raises BadInput for data or a base that cannot be used, BadConfig when training diverges.
    """
    task = load_task(config.task)
    hold_trainable(task, config.framework)
    size = config.item_size(task)
    training = task.training(config.framework)
    base = resolve_base(config.base, training, config.framework)
    sides = read_sides(dataset, task)
    name, given = _shown(config.base, base), base_digest(base)
    base = learned_base(base, dataset, task, training, run)
    origin = base_digest(base)
    pipeline = training.pipeline(str(base), sides.labels, size)
    made_with = {"base": origin, "max_length": size}
    train_rows = prepare_side(dataset, "train", task, training, pipeline, sides, run, made_with)
    validation_rows = prepare_side(dataset, "validation", task, training, pipeline, sides, run, made_with)
    rate = scaled_rate(config.base_lr, config.batch_size, config.scaling)
    with reproducible(run.threads):
        seed_all(config.seed)
        model = training.load(str(base), sides.labels, {"dropout": config.dropout, "image_size": config.image_size})
        loop = Loop(
            model, adamw(model, config.weight_decay), training, pipeline, sides.labels, _plan(config, rate), run
        )
        identity = {
            "dataset": dataset.digest,
            "base": origin,
            "config": config.model_dump(mode="json", exclude={"base", "task", "checkpoint_steps", "time_limit_s"}),
            "task": task.code or task.name,
        }
        checkpoints = Checkpoints(run.scratch("checkpoints"), identity, run.warn)
        progress = loop.fit(train_rows, validation_rows, checkpoints)
    _record(run, config, rate, progress, train_rows, validation_rows, model)
    if task.sized_by == "max_length":
        run.record("truncated_share", train_rows.truncated / len(train_rows), how=f"over {size} tokens")
    provenance = {
        "stage": "train",
        "dataset": dataset.digest,
        "base": {"name": name, "digest": given},
        "config": {**config.model_dump(mode="json", exclude={"base"}), "task": task.name},
    }
    with run.store.new_directory() as folder:
        training.save(model, str(base), folder, sides.labels, size)
        carry_code(task, Model, folder)
        return run.store.add(Model, folder, provenance)


def _plan(config: TrainConfig, rate: float) -> Plan:
    return Plan(
        epochs=config.epochs,
        batch_size=config.batch_size,
        micro_size=min(config.micro_batch_size, config.batch_size),
        peak_rate=rate,
        warmup_share=config.warmup_share,
        max_norm=config.max_norm,
        patience=config.patience,
        seed=config.seed,
        checkpoint_steps=config.checkpoint_steps,
        time_limit_s=config.time_limit_s,
        loss_options={"label_smoothing": config.label_smoothing},
    )


def _shown(base: str, folder: Path) -> str:
    """A hub id as it is; of a directory or a file only its own name, since a path says nothing elsewhere."""
    if is_function(base):
        return Path(base).name
    return folder.name if Path(base).expanduser().is_dir() else base


def _record(
    run: Run,
    config: TrainConfig,
    rate: float,
    progress: Progress,
    train_rows: Rows,
    validation_rows: Rows,
    model: torch.nn.Module,
) -> None:
    """Figures and details for the report."""
    if not progress.epochs:
        raise Fault("training ended without one epoch")
    best = progress.epochs[progress.best_epoch - 1]
    count = f"{len(validation_rows):,} validation rows"
    # By which the best epoch was chosen: the first of the task's own.
    run.details["main_metric"] = next(name for name in best if name not in OF_THE_LOOP)
    for name in best:
        if name not in ("epoch", "train_loss"):
            known = name if name.startswith("validation") else f"validation_{name}"
            run.record(known, best[name], how=f"{count}, after epoch {progress.best_epoch}, eager float32")
    run.record("best_epoch", progress.best_epoch, how="best main metric on validation, then the lower loss")
    run.record("epochs", len(progress.epochs), how=f"of {config.epochs} asked for")
    run.record(
        "learning_rate",
        rate,
        how=f"peak; base_lr {config.base_lr:g} at batch 256, {config.scaling} scaling to batch {config.batch_size}",
    )
    run.record("base_lr", config.base_lr, how="at batch 256")
    run.record("batch_size", config.batch_size, how=f"micro batches of {config.micro_batch_size}", unit="rows")
    run.record("train_seconds", progress.seconds, how="training and validation, over all tries", unit="s")
    run.record(
        "samples_per_s",
        progress.rows_seen / progress.seconds,
        how=f"{len(train_rows):,} rows an epoch, {run.threads} threads, validation included",
        unit="rows/s",
    )
    history = [{key: point[key] for key in ("step", "epoch", "loss", "lr")} for point in progress.history]
    recipe: dict[str, Any] = {**config.model_dump(mode="json", exclude={"base"}), "task": Path(config.task).name}
    run.details.update(
        history=history,
        epochs=progress.epochs,
        recipe={**recipe, "base": _shown(config.base, Path(config.base).expanduser()), "learning_rate": rate},
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        steps=progress.step,
    )
