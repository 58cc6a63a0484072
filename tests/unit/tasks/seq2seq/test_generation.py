"""The pipeline over two graphs in ONNX Runtime, held against `generate` of transformers."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers

from modelyard.errors import BadInput
from modelyard.runtimes.variants import open_variant
from modelyard.tasks.pipeline import Generative, Streaming
from modelyard.tasks.seq2seq.decoding import Decoding
from modelyard.tasks.seq2seq.pipeline import Seq2SeqPipeline
from modelyard.tasks.seq2seq.training import Seq2SeqTraining
from modelyard.tasks.seq2seq.two_graphs import Encoder, Step, names
from modelyard.tasks.sequences import NOTHING, OUTPUT_IDS, SCORES
from tests.unit.tiny_t5 import pairs

TRAINING = Seq2SeqTraining()
MOST = 24


@pytest.fixture(scope="module")
def model(tiny_t5):
    return tiny_t5


@pytest.fixture(scope="module")
def network(model):
    return TRAINING.load(str(model.path), [], {})


@pytest.fixture(scope="module")
def graphs(tiny_t5_package):
    return open_variant(tiny_t5_package, tiny_t5_package.variants[0])


@pytest.fixture(scope="module")
def feeds():
    """Rows of 1 to 9 tokens, whatever they mean."""
    chance = np.random.default_rng(3)
    lengths = np.array([9, 1, 4, 9, 6, 2, 7])
    mask = (np.arange(9)[None, :] < lengths[:, None]).astype(np.int64)
    return {"input_ids": chance.integers(3, 300, (7, 9)) * mask, "attention_mask": mask}


def searching(model, **settings):
    return TRAINING.pipeline(str(model.path), [], 40).generating({"max_new_tokens": MOST, **settings})


def real_feeds(pipeline, count=12):
    return pipeline.collate(pipeline.prepare_batch([{"text": text} for text, _ in pairs(count)]))


@pytest.mark.parametrize(
    "settings",
    [
        {"beams": 1},
        {"beams": 2},
        {"beams": 4},
        {"beams": 4, "length_penalty": 0.0},
        {"beams": 3, "length_penalty": 2.0},
        {"beams": 5, "length_penalty": -1.0, "max_new_tokens": 5},
    ],
    ids=str,
)
def test_the_same_texts_as_transformers_generates(model, network, graphs, feeds, settings):
    pipeline = searching(model, **settings)
    engine = {"generator": TRAINING.generator(network, pipeline)}
    ended = 0
    for given in (feeds, real_feeds(pipeline)):
        mine, theirs = pipeline.run(graphs, given), pipeline.run(engine, given)
        assert mine[OUTPUT_IDS].tolist() == theirs[OUTPUT_IDS].tolist()
        assert mine[SCORES] == pytest.approx(theirs[SCORES], abs=2e-5)
        ended += int((mine[OUTPUT_IDS] == 1).any(axis=1).sum())
    assert ended or "max_new_tokens" in settings  # or the ends of texts were not compared


@pytest.mark.parametrize("said", [{"repetition_penalty": 9.0}, {"no_repeat_ngram_size": 1}, {"forced_bos_token_id": 7}])
def test_what_a_model_says_of_its_search_beside_the_settings_is_not_followed(model, graphs, said):
    network, pipeline = TRAINING.load(str(model.path), [], {}), searching(model)
    network.generation_config.update(**said)
    given = real_feeds(pipeline)
    theirs = pipeline.run({"generator": TRAINING.generator(network, pipeline)}, given)
    assert pipeline.run(graphs, given)[OUTPUT_IDS].tolist() == theirs[OUTPUT_IDS].tolist()


class InTorch:
    """A graph before it is exported."""

    def __init__(self, module, inputs, outputs):
        self.module, self.inputs, self.outputs = module.eval(), inputs, outputs

    def run(self, given):
        with torch.inference_mode():
            answered = self.module(*[torch.from_numpy(given[name]) for name in self.inputs])
        return {name: values.numpy() for name, values in zip(self.outputs, answered, strict=True)}


@pytest.mark.parametrize("family", ["T5", "MT5", "UMT5"])
def test_one_step_at_a_time_gives_the_logits_of_every_family(model, feeds, family):
    torch.manual_seed(5)
    kind = getattr(transformers, f"{family}ForConditionalGeneration")
    network = kind(
        getattr(transformers, f"{family}Config")(
            vocab_size=300, d_model=32, d_kv=8, d_ff=64, num_layers=3, num_heads=4, initializer_factor=3.0
        )
    ).eval()
    cross, past, present = (names(prefix, 3) for prefix in ("cross.", "past.", "present."))
    steps = InTorch(Step(network), ["token", "attention_mask", *cross, *past], ["logits", *present])
    roles = {"encoder": InTorch(Encoder(network), ["input_ids", "attention_mask"], cross), "decoder": steps}
    decoding, tokens = Decoding(roles, feeds), np.random.default_rng(1).integers(3, 300, (7, 6))
    mine = np.stack([decoding.step(tokens[:, place]) for place in range(6)], axis=1)
    with torch.inference_mode():
        given = {name: torch.from_numpy(values) for name, values in feeds.items()}
        theirs = network(**given, decoder_input_ids=torch.from_numpy(tokens)).logits.numpy()
    assert np.abs(mine - theirs).max() < 1e-4 * np.abs(theirs).max()


@pytest.mark.parametrize("beams", [1, 3])
def test_a_row_is_answered_alike_alone_and_beside_longer_ones(model, graphs, feeds, beams):
    pipeline = searching(model, beams=beams)
    together = pipeline.run(graphs, feeds)
    for row, length in enumerate(feeds["attention_mask"].sum(axis=1)):
        alone = pipeline.run(graphs, {name: values[row : row + 1, :length] for name, values in feeds.items()})
        assert alone[OUTPUT_IDS].tolist() == together[OUTPUT_IDS][row : row + 1].tolist()
        assert alone[SCORES] == pytest.approx(together[SCORES][row : row + 1], abs=2e-5)


def test_nothing_stands_behind_the_end_and_an_answer_is_cut_off_at_its_most(model, graphs):
    pipeline = searching(model)
    ids = pipeline.run(graphs, real_feeds(pipeline, 30))[OUTPUT_IDS]
    assert ids.shape == (30, MOST)
    assert ids.dtype == np.int32
    for row in ids.tolist():
        written = [token for token in row if token != NOTHING]
        assert row == written + [NOTHING] * (MOST - len(written))
        assert 1 not in written[:-1]
        assert written[-1] == 1 or len(written) == MOST


def test_the_score_is_the_mean_log_probability_of_a_token(model, network, graphs):
    pipeline = searching(model)
    given = real_feeds(pipeline, 3)
    answered = pipeline.run(graphs, given)
    for row in range(3):
        ids = answered[OUTPUT_IDS][row]
        ids = ids[ids != NOTHING].astype(np.int64)
        forced = torch.from_numpy(np.concatenate([[0], ids[:-1]])[None])
        one = {name: torch.from_numpy(values[row : row + 1]) for name, values in given.items()}
        with torch.inference_mode():
            logits = network(**one, decoder_input_ids=forced).logits[0].log_softmax(dim=-1)
        assert answered[SCORES][row] == pytest.approx(float(logits[torch.arange(len(ids)), ids].mean()), abs=1e-5)


def test_forced_logits_of_the_graphs_are_those_of_the_model(model, network, graphs, feeds):
    pipeline = searching(model)
    answered = pipeline.run(graphs, feeds)

    class Model:
        def run(self, given):
            with torch.inference_mode():
                outputs = TRAINING.forward(network, {name: torch.from_numpy(values) for name, values in given.items()})
            return {name: values.numpy() for name, values in outputs.items()}

    mine, theirs = (pipeline.forced(roles, feeds, answered)["logits"] for roles in (graphs, {"model": Model()}))
    longest = int((answered[OUTPUT_IDS] != NOTHING).sum(axis=1).max())
    assert mine.shape == theirs.shape == (7, longest, network.config.vocab_size)
    assert np.abs(mine - theirs).max() < 1e-4
    assert np.abs(theirs).max() > 1  # or nothing was compared


def test_a_stream_is_the_greedy_answer_piece_by_piece(model, graphs):
    pipeline = searching(model, beams=4)  # a stream cannot take back what it said: it is greedy all the same
    assert isinstance(pipeline, Streaming)
    assert isinstance(pipeline, Generative)
    greedy = searching(model)
    for text, _ in pairs(8):
        given = pipeline.collate([pipeline.prepare({"text": text})])
        pieces = list(pipeline.stream(graphs, given))
        assert "".join(pieces) == greedy.decode(greedy.run(graphs, given))["text"][0]
        assert len(pieces) > 1
        assert all("\N{REPLACEMENT CHARACTER}" not in piece for piece in pieces)


def test_who_stops_asking_for_a_stream_stops_its_work(model, graphs):
    pipeline = searching(model)
    steps = 0

    class Counting:
        def run(self, given):
            nonlocal steps
            steps += 1
            return graphs["decoder"].run(given)

    given = real_feeds(pipeline, 1)
    pieces = pipeline.stream({"encoder": graphs["encoder"], "decoder": Counting()}, given)
    next(pieces)
    taken = steps
    pieces.close()
    assert 1 <= taken == steps <= 4


def test_the_decoded_text_is_without_its_end(model):
    pipeline = searching(model)
    wanted = ["一二三", "零"]
    rows = pipeline.encode_targets(wanted, MOST)
    ids = np.full((2, MOST), NOTHING, dtype=np.int32)
    for row, tokens in enumerate(rows):
        assert tokens[-1] == 1
        ids[row, : len(tokens)] = tokens
    decoded = pipeline.decode({OUTPUT_IDS: ids, SCORES: np.zeros(2, dtype=np.float32)})
    assert decoded["text"].tolist() == wanted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"generation": []}, "not complete"),
        ({"generation": {"beams": 1e400, "max_new_tokens": 8, "length_penalty": 1.0}}, "not complete"),
        ({"generation": {"beams": 1, "max_new_tokens": 8, "length_penalty": 1e400}}, "length_penalty must be"),
        ({"end_ids": None}, "not complete"),
        ({"max_length": -1}, "max_length is -1"),
        ({"tokenizer": "../tokenizer.json"}, "leaves the package"),
    ],
)
def test_a_package_that_does_not_say_how_to_search_is_refused_in_words(tiny_t5_package, change, message):
    with pytest.raises(BadInput, match=message):
        Seq2SeqPipeline.open(tiny_t5_package.path, {**tiny_t5_package.info["pipeline"], **change})
