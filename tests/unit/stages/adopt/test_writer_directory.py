"""A foreign directory of a T5 becomes a Model, its way to search with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelyard.errors import BadInput
from modelyard.stages.adopt import AdoptConfig, adopt
from modelyard.store import Model
from modelyard.tasks.seq2seq.settings import Generation
from modelyard.tasks.seq2seq.training import Seq2SeqTraining
from tests.rows import new_run


@pytest.fixture
def foreign(tiny_t5: Model, tmp_path: Path) -> Path:
    """As somebody's save_pretrained leaves it."""
    folder = tmp_path / "translator"
    folder.mkdir()
    for path in tiny_t5.path.iterdir():
        if path.name not in ("model.json", "provenance.json"):
            (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_a_t5_says_itself_what_it_is_and_how_it_searches(foreign: Path, tiny_t5: Model, tmp_path: Path) -> None:
    settings = json.loads((foreign / "generation_config.json").read_bytes())
    settings.update(num_beams=3, max_length=31, length_penalty=0.5)
    del settings["max_new_tokens"]
    (foreign / "generation_config.json").write_text(json.dumps(settings))
    made = adopt(foreign, AdoptConfig(), new_run(tmp_path / "store"))
    assert isinstance(made, Model)
    assert (made.task, made.labels, made.info["loader"]) == ("seq2seq", [], "transformers")
    pipeline = Seq2SeqTraining().pipeline(str(made.path), [], int(made.info["max_length"]))
    assert pipeline.generation == Generation(beams=3, max_new_tokens=30, length_penalty=0.5)
    assert (made.path / "model.safetensors").read_bytes() == (tiny_t5.path / "model.safetensors").read_bytes()


def test_it_is_no_classifier_and_no_encoder(foreign: Path, tmp_path: Path) -> None:
    for task in ("text_classification", "text_embedding"):
        with pytest.raises(BadInput, match="T5ForConditionalGeneration"):
            adopt(foreign, AdoptConfig(task=task), new_run(tmp_path / task))


def test_another_family_is_not_taken_for_one(tiny_base: Path, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="writes no texts here"):
        adopt(tiny_base, AdoptConfig(task="seq2seq"), new_run(tmp_path))


def test_settings_that_are_no_search_are_refused_by_name(foreign: Path) -> None:
    settings = json.loads((foreign / "generation_config.json").read_bytes())
    (foreign / "generation_config.json").write_text(json.dumps({**settings, "num_beams": 1000}))
    with pytest.raises(BadInput, match=r"generation_config\.json does not say how to search: beams must be 1 to 64"):
        Seq2SeqTraining().pipeline(str(foreign), [], 40)
    (foreign / "generation_config.json").write_text(json.dumps({**settings, "num_beams": 2, "length_penalty": 0.0}))
    assert Seq2SeqTraining().pipeline(str(foreign), [], 40).generation == Generation(2, 40, 0.0)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"max_new_tokens": None, "max_length": "20"}, "does not say how to search"),
        ({"decoder_start_token_id": "pad"}, "does not say how to search"),
        ({"eos_token_id": [None]}, "does not say how to search"),
        ({"length_penalty": 1e308}, "length_penalty must be -10 to 10"),
        ({"length_penalty": float("nan")}, "length_penalty must be -10 to 10"),
        ({"decoder_start_token_id": 99_999}, "start or end with the token 99999, the model knows 0 to"),
        ({"eos_token_id": [1, -1]}, "start or end with the token -1"),
    ],
)
def test_what_nobody_can_search_by_is_said_where_it_can_be_put_right(
    foreign: Path, said: dict[str, object], message: str, tmp_path: Path
) -> None:
    settings = json.loads((foreign / "generation_config.json").read_bytes())
    (foreign / "generation_config.json").write_text(json.dumps({**settings, **said}))
    with pytest.raises(BadInput, match=message) as refused:
        adopt(foreign, AdoptConfig(), new_run(tmp_path / "store"))
    assert refused.value.where == str(foreign / "generation_config.json")
    assert refused.value.next
