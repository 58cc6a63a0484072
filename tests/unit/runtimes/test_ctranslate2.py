"""CTranslate2 beside transformers' generate, on a T5 of random weights that ends some of its sequences."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from modelyard.errors import BadInput, Damaged, EnvironmentProblem, Fault
from modelyard.runtimes.ctranslate2 import open_graph
from modelyard.tasks.seq2seq.engine import convert
from modelyard.tasks.sequences import MOST_STREAMS, Steps, settings
from tests.random_t5 import random_t5


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return random_t5(tmp_path_factory.mktemp("t5") / "model", tied=False)


def opened(folder):
    from transformers import T5ForConditionalGeneration

    return T5ForConditionalGeneration.from_pretrained(folder, local_files_only=True).eval()


@pytest.fixture(scope="module")
def generator(folder):
    files = convert(opened(folder), folder.parent / "converted", 0, [1])
    return open_graph([folder.parent / "converted" / name for name in files], threads=1)


def sources(count):
    random = np.random.default_rng(1)
    return [[*random.integers(2, 50, random.integers(2, 12)).tolist(), 1] for _ in range(count)]


def feeds(rows, beams=1, max_new_tokens=8, length_penalty=1.0):
    width = max(map(len, rows))
    ids = np.array([row + [0] * (width - len(row)) for row in rows])
    mask = np.array([[1] * len(row) + [0] * (width - len(row)) for row in rows])
    return {"input_ids": ids, "attention_mask": mask, **settings(beams, max_new_tokens, length_penalty)}


def generated(folder, row, **named):
    import torch

    model = opened(folder)
    found = model.generate(
        torch.tensor([row]), do_sample=False, output_scores=True, return_dict_in_generate=True, **named
    )
    logits = model(input_ids=torch.tensor([row]), decoder_input_ids=found.sequences[:, :-1]).logits
    scores = torch.log_softmax(logits, -1)[0].gather(1, found.sequences[0, 1:, None])
    return found.sequences[0, 1:].tolist(), float(scores.detach().mean())


def rows_of(outputs):
    return [[token for token in row if token >= 0] for row in outputs["output_ids"].tolist()]


@pytest.mark.parametrize(("beams", "length_penalty"), [(1, 1.0), (4, 1.0), (4, 2.0)])
def test_sequences_and_their_scores_are_those_of_transformers(folder, generator, beams, length_penalty):
    rows = sources(10)
    outputs = generator.run(feeds(rows, beams, length_penalty=length_penalty))
    wanted = [generated(folder, row, num_beams=beams, max_new_tokens=8, length_penalty=length_penalty) for row in rows]
    assert rows_of(outputs) == [ids for ids, _ in wanted]
    np.testing.assert_allclose(outputs["scores"], [score for _, score in wanted], atol=1e-3)
    assert outputs["output_ids"].dtype == np.int32
    assert outputs["scores"].dtype == np.float32
    assert any(ids[-1] == 1 for ids, _ in wanted)  # some of them end, others are cut off
    assert any(ids[-1] != 1 for ids, _ in wanted)


def test_tied_embeddings_scale_what_the_decoder_answers(tmp_path):
    folder = random_t5(tmp_path / "model", tied=True)
    generator = open_graph(
        [tmp_path / "to" / name for name in convert(opened(folder), tmp_path / "to", 0, [1])], threads=1
    )
    (row,) = sources(1)
    wanted, score = generated(folder, row, max_new_tokens=8)
    outputs = generator.run(feeds([row]))
    assert rows_of(outputs) == [wanted]
    assert outputs["scores"][0] == pytest.approx(score, abs=1e-3)


def test_an_mt5_is_carried_too(tmp_path):
    import torch
    from transformers import MT5Config, MT5ForConditionalGeneration

    torch.manual_seed(0)
    config = MT5Config(vocab_size=50, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4, initializer_factor=3.0)
    model = MT5ForConditionalGeneration(config).eval()
    generator = open_graph([tmp_path / "to" / name for name in convert(model, tmp_path / "to", 0, [1])], threads=1)
    for row in sources(4):
        wanted = model.generate(torch.tensor([row]), do_sample=False, max_new_tokens=8, decoder_start_token_id=0)
        assert rows_of(generator.run(feeds([row]))) == [wanted[0, 1:].tolist()]


def test_an_empty_answer_is_the_end_alone(generator):
    outputs = generator.run(feeds([[40, 1]] * 2, max_new_tokens=1))
    assert outputs["output_ids"].shape == (2, 1)


def test_steps_give_the_tokens_of_the_greedy_answer_one_by_one(generator):
    assert isinstance(generator, Steps)
    for row in sources(6):
        assert list(generator.steps(feeds([row]))) == rows_of(generator.run(feeds([row])))[0]


def test_as_many_streams_as_may_take_turns_leave_room_for_a_search(generator):
    long = feeds(sources(1), max_new_tokens=200)
    streams = [generator.steps(long) for _ in range(MOST_STREAMS)]
    begun = [next(stream) for stream in streams]
    assert len(set(begun)) == 1
    assert len(generator.run(feeds(sources(3), beams=4))["scores"]) == 3
    for stream in streams:
        stream.close()
    assert list(generator.steps(feeds(sources(1)))) == rows_of(generator.run(feeds(sources(1))))[0]


@pytest.mark.parametrize("token", [-1, 50, 2**40])
def test_a_token_that_the_model_does_not_know_is_refused_and_not_taken_for_another(generator, token):
    given = feeds([[5, token, 1]])
    with pytest.raises(ValueError, match="the model knows 0 to 49"):
        generator.run(given)
    with pytest.raises(ValueError, match="the model knows 0 to 49"):
        next(generator.steps(given))
    given["attention_mask"][0, 1] = 0  # what is masked is not read
    assert len(generator.run(given)["scores"]) == 1


def test_a_setting_that_is_missing_is_named(generator):
    with pytest.raises(Fault, match="beams not given"):
        generator.run({name: array for name, array in feeds(sources(1)).items() if name != "beams"})


def test_the_same_directory_gives_the_same_bytes(folder, tmp_path):
    names = convert(opened(folder), tmp_path / "again", 0, [1])
    assert [(tmp_path / "again" / n).read_bytes() for n in names] == [
        (folder.parent / "converted" / n).read_bytes() for n in names
    ]


def test_files_that_are_no_model_are_damaged(tmp_path):
    (tmp_path / "model.bin").write_bytes(b"\x00" * 64)
    with pytest.raises(Damaged, match="does not open in CTranslate2"):
        open_graph([tmp_path / "model.bin"], threads=1)


def test_files_in_several_folders_are_no_model(tmp_path):
    with pytest.raises(Damaged, match="several folders"):
        open_graph([tmp_path / "model.bin", Path(tmp_path / "a" / "config.json")], threads=1)


def test_a_device_that_there_is_not_is_a_problem_of_the_environment(folder, generator):
    with pytest.raises(EnvironmentProblem, match="'tpu'"):
        open_graph([folder.parent / "converted" / "model.bin"], threads=1, device="tpu")


def test_without_ctranslate2_it_says_how_to_get_it(folder, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ctranslate2", None)
    with pytest.raises(EnvironmentProblem) as caught:
        convert(opened(folder), tmp_path / "to", 0, [1])
    assert "modelyard[ctranslate2]" in (caught.value.next or "")


def test_a_model_that_it_cannot_carry_is_refused_and_leaves_no_file(folder, tmp_path):
    model = opened(folder)
    with pytest.raises(BadInput, match="one end of a text, this model has 2"):
        convert(model, tmp_path / "to", 0, [1, 2])
    model.config.model_type = "umt5"  # a bias of its own in every layer
    with pytest.raises(BadInput, match="of the type umt5"):
        convert(model, tmp_path / "to", 0, [1])
    assert not (tmp_path / "to").exists()
