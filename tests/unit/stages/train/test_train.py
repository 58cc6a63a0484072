from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from modelyard.errors import BadConfig, BadInput
from modelyard.run import Run
from modelyard.stages.train import TrainConfig, train
from modelyard.store import Dataset, Store
from modelyard.tasks import load_task
from tests.unit.tiny_bert import make_dataset, reviews, tiny_reviews

FAST = {"epochs": 4, "batch_size": 8, "base_lr": 0.16, "max_length": 32}


def config(base, **keys):
    return TrainConfig(base=str(base), **{**FAST, **keys})


def run_in(folder, **keys):
    return Run(Store(folder), threads=1, **keys)


@pytest.fixture(scope="module")
def trained(tiny_base, tmp_path_factory):
    run = run_in(tmp_path_factory.mktemp("store"))
    return train(tiny_reviews(run.store), config(tiny_base), run), run


def test_a_model_learns_and_opens_with_transformers(trained):
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model, run = trained
    assert run.figures["validation_accuracy"].value > 0.9
    opened = AutoModelForSequenceClassification.from_pretrained(model.path)
    texts, labels = zip(*reviews(160)[-20:], strict=True)  # validation rows
    tokens = AutoTokenizer.from_pretrained(model.path)(list(texts), padding=True, return_tensors="pt")
    with torch.inference_mode():
        answers = opened(**tokens).logits.argmax(dim=-1).tolist()
    assert sum(opened.config.id2label[answer] == label for answer, label in zip(answers, labels, strict=True)) > 17
    assert (model.task, model.labels, model.info["max_length"]) == ("text_classification", ["negative", "positive"], 32)
    assert not list(model.path.glob("*.bin"))


def test_the_report_has_the_rate_and_the_curve(trained):
    _, run = trained
    assert run.figures["learning_rate"].value == pytest.approx(0.16 * 8 / 256)
    assert {"best_epoch", "base_lr", "batch_size", "epochs", "samples_per_s", "train_seconds"} <= run.figures.keys()
    assert [epoch["epoch"] for epoch in run.details["epochs"]] == [1, 2, 3, 4]
    assert run.details["history"][-1]["step"] == run.details["steps"] == 60
    assert run.details["parameters"] > 10_000
    json.dumps(run.details, allow_nan=False)


def test_the_base_is_named_by_digest_beside_the_content_and_no_path_in_it(trained, tiny_base):
    model, _ = trained
    assert len(model.provenance["base"]["digest"]) == 64
    content = b"".join(path.read_bytes() for path in model.path.iterdir())
    assert str(tiny_base).encode() not in content


def test_the_same_data_settings_and_seed_give_the_same_model(trained, tiny_base, tmp_path):
    model, _ = trained
    run = run_in(tmp_path)
    assert train(tiny_reviews(run.store), config(tiny_base), run).digest == model.digest


def test_another_seed_gives_another_model(trained, tiny_base, tmp_path):
    model, _ = trained
    run = run_in(tmp_path)
    assert train(tiny_reviews(run.store), config(tiny_base, seed=1), run).digest != model.digest


KILLED = """
import sys
from pathlib import Path
from modelyard.run import Run
from modelyard.stages.train import TrainConfig, train
from modelyard.store import Store
from tests.kills import KillsAtStep
from tests.unit.tiny_bert import tiny_reviews

run = Run(Store(Path(sys.argv[1])), KillsAtStep(int(sys.argv[3])), threads=1)
settings = dict(epochs=2, batch_size=2, base_lr=0.16, max_length=32, checkpoint_steps=2)
print(train(tiny_reviews(run.store, 10, 6), TrainConfig(base=sys.argv[2], **settings), run).digest)
"""


def train_apart(store, base, kill_at_step):
    """Train in a process of its own, which kills itself at the step; -1 lets it live."""
    command = [sys.executable, "-c", KILLED, str(store), str(base), str(kill_at_step)]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[4])


def test_a_killed_run_goes_on_where_it_stopped(tiny_base, tmp_path):
    """TRN-01: 10 samples, batch 2, 2 epochs, killed after step 7, with a half-written step 10 lying about."""
    unbroken = train_apart(tmp_path / "a", tiny_base, -1)
    killed = train_apart(tmp_path / "b", tiny_base, 7)
    assert killed.returncode == -signal.SIGKILL
    broken = tmp_path / "b" / "scratch" / "run" / "checkpoints" / "step-10"
    broken.mkdir()
    (broken / "model.safetensors").touch()
    resumed = train_apart(tmp_path / "b", tiny_base, -1)
    said = resumed.stdout.splitlines()
    assert said[0].startswith("warning: checkpoint step-10 is passed over")
    assert "model.safetensors" in said[0]
    assert said[1] == "going on from step 6 of 10"
    assert said[-1] == unbroken.stdout.splitlines()[-1]
    assert len(said[-1]) == 64


def sided(rows, train_rows):
    return [(*row, "train" if place < train_rows else "validation") for place, row in enumerate(rows)]


@pytest.mark.parametrize(
    ("rows", "split", "message"),
    [
        (sided(reviews(20), 14), False, "no split"),
        (sided([(text, "positive") for text, _ in reviews(20)], 14), True, "one class only: positive"),
        ([*sided(reviews(20), 14), ("the odd one", "neutral", "validation")], True, "'neutral' stands in validation"),
        (sided(reviews(20), 20), True, "no validation rows"),
    ],
    ids=["no split", "one class", "class only in validation", "no validation"],
)
def test_data_that_cannot_be_trained_on_are_refused_in_words(tiny_base, tmp_path, rows, split, message):
    run = run_in(tmp_path)
    with pytest.raises(BadInput, match=message):
        train(make_dataset(run.store, rows, split=split), config(tiny_base), run)


def test_a_class_without_training_rows_is_left_out_of_the_labels(tiny_base, tmp_path):
    run = run_in(tmp_path)
    dataset = make_dataset(run.store, [*sided(reviews(20), 14), ("the odd one", "neutral", "test")])
    assert train(dataset, config(tiny_base, epochs=1), run).labels == ["negative", "positive"]


def test_a_rate_that_diverges_says_what_to_lower(tiny_base, tmp_path):
    run = run_in(tmp_path)
    with pytest.raises(BadConfig, match="learning rate") as caught:
        train(tiny_reviews(run.store), config(tiny_base, base_lr=1e30, warmup_share=0.0), run)
    assert caught.value.where == "train.base_lr"


def test_a_length_that_the_model_cannot_read_is_refused(tiny_base, tmp_path):
    run = run_in(tmp_path)
    with pytest.raises(BadConfig, match="at most 64 tokens"):
        train(tiny_reviews(run.store), config(tiny_base, max_length=65), run)


def test_pickled_weights_are_refused(tiny_base, tmp_path):
    for path in tiny_base.iterdir():
        if path.suffix != ".safetensors":
            (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"cos\nsystem\n")
    run = run_in(tmp_path / "store")
    with pytest.raises(BadInput, match="only pickled weights"):
        train(tiny_reviews(run.store), config(tmp_path), run)


@pytest.mark.parametrize(("base", "message"), [("./nowhere/at/all", "no directory"), ("no such", "no directory")])
def test_a_base_that_is_not_there_is_named(tmp_path, base, message):
    run = run_in(tmp_path)
    with pytest.raises(BadInput, match=message):
        train(tiny_reviews(run.store), config(base), run)


def test_a_text_that_cannot_be_read_is_named_by_its_row(tiny_base, tmp_path):
    run = run_in(tmp_path)
    dataset: Dataset = make_dataset(run.store, [*sided(reviews(20), 14), ("  ", "positive", "train")])
    with pytest.raises(BadInput, match="empty") as caught:
        train(dataset, config(tiny_base), run)
    assert caught.value.where.startswith("row ")
    assert len(caught.value.where) == len("row ") + 32


def test_training_goes_through_the_seam_of_the_task():
    from modelyard.tasks.training import TrainingTask

    training = load_task("text_classification").training()
    assert {name for name in vars(TrainingTask) if not name.startswith("_")} <= set(dir(training))
