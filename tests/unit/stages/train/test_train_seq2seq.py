"""Training models that write texts: the tokenizer learned from the train side, teacher forcing, going on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelyard.errors import BadInput
from modelyard.run import Run
from modelyard.stages.train import TrainConfig, train
from modelyard.store import Store
from modelyard.tasks.seq2seq.training import Seq2SeqTraining
from tests.unit.tiny_t5 import make_recipe, pair_dataset, pairs

FAST = {"task": "seq2seq", "epochs": 8, "batch_size": 16, "base_lr": 0.08, "max_length": 40}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    run = Run(Store(tmp_path_factory.mktemp("store")), threads=1)
    base = make_recipe(tmp_path_factory.mktemp("recipe"))
    return train(pair_dataset(run.store), TrainConfig(base=str(base), **FAST), run), run, base


def test_a_model_learns_and_transformers_opens_it_with_its_tokenizer(trained):
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    model, run, _ = trained
    curve = [epoch["train_loss"] for epoch in run.details["epochs"]]
    assert curve[-1] < 0.5 * curve[0]
    assert run.details["main_metric"] == "token_accuracy"
    tokenizer = AutoTokenizer.from_pretrained(model.path)
    opened = AutoModelForSeq2SeqLM.from_pretrained(model.path)
    written = opened.generate(**tokenizer(["one two three"], return_tensors="pt"))
    assert tokenizer.batch_decode(written, skip_special_tokens=True)[0]
    assert opened.config.vocab_size == tokenizer.vocab_size <= 320
    assert opened.generation_config.max_new_tokens == 40
    assert (model.task, model.labels, model.info["loader"]) == ("seq2seq", [], "transformers")


def test_the_tokenizer_is_learned_from_the_train_side_alone(trained, tmp_path):
    model, _, _ = trained
    merged = json.loads((model.path / "tokenizer.json").read_bytes())["model"]["vocab"]
    assert {"seven", "Ġone"} <= merged.keys()
    run = Run(Store(tmp_path), threads=1)
    # Other words on the validation side: the tokenizer stays the one that it was.
    other = train(pair_dataset(run.store, strange="quokka"), _config(trained, epochs=1), run)
    assert (other.path / "tokenizer.json").read_bytes() == (model.path / "tokenizer.json").read_bytes()


def test_the_same_data_settings_and_seed_give_the_same_model(trained, tmp_path):
    model, _, _ = trained
    run = Run(Store(tmp_path), threads=1)
    assert train(pair_dataset(run.store), _config(trained), run).digest == model.digest


def test_training_goes_on_from_a_model_with_its_own_tokenizer(trained, tmp_path):
    model, first, _ = trained
    run = Run(Store(tmp_path), threads=1)
    again = train(pair_dataset(run.store), TrainConfig(**{**FAST, "base": str(model.path), "epochs": 1}), run)
    assert (again.path / "tokenizer.json").read_bytes() == (model.path / "tokenizer.json").read_bytes()
    assert run.details["epochs"][0]["train_loss"] < first.details["epochs"][0]["train_loss"]


def test_a_model_that_wrote_short_texts_learns_longer_ones(trained, tmp_path):
    model, _, _ = trained
    run = Run(Store(tmp_path), threads=1)
    longer = {**FAST, "base": str(model.path), "epochs": 1, "max_length": 60}
    again = train(pair_dataset(run.store, 16, 8), TrainConfig(**longer), run)
    training = Seq2SeqTraining()
    training.pipeline(str(model.path), [], 60)
    assert len(training.targets(["".join(pairs(1)[0][1]) * 40], [])[0]) == 60
    assert json.loads((again.path / "generation_config.json").read_bytes())["max_new_tokens"] == 60


def test_a_new_model_without_a_number_of_tokens_is_refused(tmp_path):
    base = make_recipe(tmp_path / "recipe")
    config = json.loads((base / "config.json").read_bytes())
    del config["vocab_size"]
    (base / "config.json").write_text(json.dumps(config))
    run = Run(Store(tmp_path / "store"), threads=1)
    with pytest.raises(BadInput, match="does not say how many tokens") as refused:
        train(pair_dataset(run.store), TrainConfig(**{**FAST, "base": str(base)}), run)
    assert "vocab_size" in (refused.value.next or "")


def test_weights_without_a_tokenizer_are_refused(trained, tmp_path):
    model, _, _ = trained
    for name in ("config.json", "model.safetensors"):
        (tmp_path / name).write_bytes((model.path / name).read_bytes())
    run = Run(Store(tmp_path / "store"), threads=1)
    with pytest.raises(BadInput, match=r"tokenizer\.json"):
        train(pair_dataset(run.store), TrainConfig(**{**FAST, "base": str(tmp_path)}), run)


def test_another_family_is_refused_in_words(tiny_base, tmp_path):
    run = Run(Store(tmp_path), threads=1)
    with pytest.raises(BadInput, match="'bert' does not write texts"):
        train(pair_dataset(run.store), TrainConfig(**{**FAST, "base": str(tiny_base)}), run)


def _config(trained, **keys):
    return TrainConfig(**{**FAST, "base": str(trained[2]), **keys})


class Breaks:
    """A listener that ends the work at a step, as whatever goes wrong would; keeps what is said."""

    def __init__(self, at: int = -1) -> None:
        self.at, self.said = at, []

    def progress(self, label, done, total, note=""):
        if label == "train" and done == self.at:
            raise RuntimeError("the end")

    def say(self, message):
        self.said.append(message)

    warn = say


def test_a_broken_run_goes_on_where_it_stopped_with_the_tokenizer_that_it_had(trained, tmp_path):
    def apart(store: Path, listener: Breaks) -> str:
        run = Run(Store(store), listener, threads=1)
        settings = _config(trained, epochs=2, batch_size=4, checkpoint_steps=2)
        return train(pair_dataset(run.store, 20, 6, 1), settings, run).digest

    unbroken = apart(tmp_path / "a", Breaks())
    with pytest.raises(RuntimeError, match="the end"):
        apart(tmp_path / "b", Breaks(at=7))
    tokenizers = list((tmp_path / "b").glob("scratch/*/base/*/tokenizer.json"))
    assert len(tokenizers) == 1
    before = tokenizers[0].stat().st_mtime_ns
    resumed = Breaks()
    assert apart(tmp_path / "b", resumed) == unbroken
    assert resumed.said[0] == "going on from step 6 of 10"
    assert tokenizers[0].stat().st_mtime_ns == before
