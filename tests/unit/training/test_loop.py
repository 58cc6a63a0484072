from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from modelyard.errors import BadConfig
from modelyard.run import Cancelled, Run
from modelyard.store import Store
from modelyard.tasks import load_task
from modelyard.tasks.pipeline import Prepared
from modelyard.training.checkpoint import Checkpoints
from modelyard.training.loop import Loop, Plan
from modelyard.training.preparing import Chunk, prepare_rows
from modelyard.training.randomness import seed_all
from modelyard.training.row_cache import RowCache
from modelyard.training.rows import Rows
from tests.unit.tiny_bert import LABELS, reviews

PLAN = Plan(
    epochs=1,
    batch_size=2,
    micro_size=1,
    peak_rate=1.0,
    warmup_share=0.0,
    max_norm=1e9,
    patience=5,
    seed=0,
    checkpoint_steps=100,
    time_limit_s=None,
    loss_options={},
)


class SumsTask:
    """A task whose rows say their own loss sum and weight: the loss is w x sum, one parameter w = 1."""

    def forward(self, model, feeds):
        return {"out": model.weight * feeds["sums"], "weights": feeds["weights"]}

    def loss(self, outputs, targets, options):
        return outputs["out"].sum(), outputs["weights"].sum()

    def judged(self, outputs):
        return outputs

    def metrics(self, outputs, targets, labels):
        return {"accuracy": float((outputs["out"] > 0).mean())}


class SumsPipeline:
    def collate(self, items):
        return {name: np.concatenate([item.features[name] for item in items]) for name in items[0].features}


class Weight(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))


def sums_rows(sums, weights):
    count = len(sums)
    features = {"sums": np.array(sums, np.float32), "weights": np.array(weights, np.float32)}
    return Rows(features, np.arange(count + 1), np.ones(count, np.int64), np.zeros(count, np.int64), 0)


def sums_loop(tmp_path, plan, model):
    run = Run(Store(tmp_path), threads=1)
    loop = Loop(model, torch.optim.SGD(model.parameters(), lr=1.0), SumsTask(), SumsPipeline(), LABELS, plan, run)
    return loop, Checkpoints(run.scratch(), {}, run.warn), run


def test_micro_batches_of_2_and_8_tokens_give_loss_1_2_and_not_1_5(tmp_path):
    """TRN-03: sums 4.0 and 8.0 over 2 and 8 tokens are 12 / 10, not the mean of 2.0 and 1.0."""
    model = Weight()
    loop, checkpoints, _ = sums_loop(tmp_path, PLAN, model)
    rows = sums_rows([4.0, 8.0], [2.0, 8.0])
    progress = loop.fit(rows, rows, checkpoints)
    assert progress.epochs[0]["train_loss"] == pytest.approx(1.2)
    assert model.weight.item() == pytest.approx(1.0 - 1.2)


def test_a_loss_that_is_no_number_stops_with_the_rate_to_lower(tmp_path):
    loop, checkpoints, _ = sums_loop(tmp_path, PLAN, Weight())
    rows = sums_rows([float("nan"), 1.0], [1.0, 1.0])
    with pytest.raises(BadConfig, match=r"loss is nan .* at step 1") as caught:
        loop.fit(rows, rows, checkpoints)
    assert caught.value.where == "train.base_lr"


def test_the_best_weights_come_back_and_training_stops_when_nothing_improves(tmp_path):
    model = Weight()
    # w falls from 1 past 0 in the third epoch, where all answers turn right; later only the loss changes: it grows.
    plan = replace(PLAN, epochs=9, batch_size=4, patience=2, peak_rate=0.5)
    loop, checkpoints, _ = sums_loop(tmp_path, plan, model)
    validation = sums_rows([-1.0] * 4, [1.0] * 4)
    progress = loop.fit(sums_rows([1.0] * 4, [1.0] * 4), validation, checkpoints)
    assert [epoch["accuracy"] for epoch in progress.epochs] == [0.0, 0.0, 1.0, 1.0, 1.0]
    assert progress.best_epoch == 3
    assert loop.evaluate(validation)[0] == pytest.approx(progress.epochs[2]["validation_loss"])


def test_a_cancelled_run_leaves_a_checkpoint(tmp_path):
    loop, checkpoints, run = sums_loop(tmp_path, PLAN, Weight())
    run.cancelled.set()
    with pytest.raises(Cancelled):
        loop.fit(sums_rows([1.0] * 4, [1.0] * 4), sums_rows([1.0], [1.0]), checkpoints)
    assert [path.name for path in run.scratch().iterdir()] == ["step-00000000"]


def test_the_clock_ends_training_with_a_warning_and_a_validated_model(tmp_path):
    loop, checkpoints, run = sums_loop(tmp_path, replace(PLAN, epochs=50, time_limit_s=1e-9), Weight())
    progress = loop.fit(sums_rows([1.0] * 8, [1.0] * 8), sums_rows([1.0], [1.0]), checkpoints)
    assert progress.step == 1
    assert len(progress.epochs) == 1
    assert "time limit" in run.details["warnings"][0]


def bert_rows(tiny_base, folder, count):
    training = load_task("text_classification").training()
    pipeline = training.pipeline(str(tiny_base), LABELS, 32)
    texts, labels = zip(*reviews(count), strict=True)
    targets = training.targets(labels, LABELS)
    chunk = Chunk([{"text": text} for text in texts], targets, str)
    rows = prepare_rows(pipeline, [(0, [chunk])], RowCache(folder, {}, print), lambda done: None)
    return training, pipeline, rows


def test_accumulated_micro_batches_equal_one_big_batch(tiny_base, tmp_path):
    training, pipeline, rows = bert_rows(tiny_base, tmp_path / "rows", 24)
    weights = []
    for micro in (8, 3):
        seed_all(0)
        model = training.load(str(tiny_base), LABELS, {"dropout": 0.0})
        plan = replace(PLAN, batch_size=8, micro_size=micro, peak_rate=0.05)
        run = Run(Store(tmp_path / str(micro)), threads=1)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
        Loop(model, optimizer, training, pipeline, LABELS, plan, run).fit(
            rows, rows, Checkpoints(run.scratch(), {}, run.warn)
        )
        weights.append(torch.cat([parameter.detach().ravel() for parameter in model.parameters()]))
    assert float((weights[0] - weights[1]).abs().max()) < 1e-6


def test_metrics_are_those_of_all_rows_whatever_the_batches(tiny_base, tmp_path, monkeypatch):
    """TRN-03: 5 rows in batches of 2 give the accuracy of 5 rows, not of 6 padded ones."""
    training, pipeline, rows = bert_rows(tiny_base, tmp_path / "rows", 5)
    seed_all(0)
    model = training.load(str(tiny_base), LABELS, {})
    loop = Loop(model, None, training, pipeline, LABELS, PLAN, Run(Store(tmp_path), threads=1))
    loss, metrics = loop.evaluate(rows)
    monkeypatch.setattr("modelyard.training.loop.EVALUATION_BATCH", 2)
    cut_loss, cut_metrics = loop.evaluate(rows)
    assert cut_metrics == metrics
    assert metrics["accuracy"] * 5 == pytest.approx(round(metrics["accuracy"] * 5))
    assert cut_loss == pytest.approx(loss, abs=1e-6)


def test_rows_come_back_from_flat_arrays_as_they_were_prepared(tiny_base, tmp_path):
    _, pipeline, rows = bert_rows(tiny_base, tmp_path / "rows", 30)
    assert rows.features["input_ids"].dtype == np.int16  # 400 words
    for row, (text, _) in enumerate(reviews(30)):
        item: Prepared = pipeline.prepare({"text": text})
        assert rows.item(row).size == item.size
        assert rows.item(row).features["input_ids"].dtype == item.features["input_ids"].dtype
        assert rows.item(row).features["input_ids"].tolist() == item.features["input_ids"].tolist()
