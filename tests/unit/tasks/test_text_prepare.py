from __future__ import annotations

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.errors import BadConfig, BadInput
from modelyard.tasks import load_task
from modelyard.tasks.text.directory import open_prepare
from modelyard.tasks.text.prepare import TextPrepare

TEXTS = [
    "A plain sentence.",
    "Grüße, naïve café — “quoted” … and 1,234.50 €",
    "好看的电影，值得一看！",
    "emoji 🎉👩‍👩‍👧‍👦 and flags 🇩🇪",
    "mixed 中文 and English\twith\ttabs\nand lines",
    "[CLS] the [MASK] special [SEP] words",
    "\u0000\u200bodd\ufeff controls\u202e",
    "اللغة العربية",
    "a" * 300,
    "the film was long and " * 40,
]


@pytest.fixture(scope="module")
def byte_level_base(tiny_base, tmp_path_factory):
    """The same, with a byte-level BPE tokenizer as GPT and RoBERTa types have, which pads with 1."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("bpe")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS, trainer)
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>").save_pretrained(folder)
    config = json.loads((tiny_base / "config.json").read_bytes())
    (folder / "config.json").write_text(json.dumps({**config, "pad_token_id": 1}))
    return folder


@pytest.mark.parametrize("max_length", [8, 64])
@pytest.mark.parametrize("kind", ["word piece", "byte level"])
def test_tokens_are_those_of_transformers(tiny_base, byte_level_base, kind, max_length):
    from transformers import AutoTokenizer

    base = tiny_base if kind == "word piece" else byte_level_base
    reference = AutoTokenizer.from_pretrained(base)
    prepare, _ = open_prepare(base, max_length)
    wanted = reference(TEXTS, truncation=True, max_length=max_length, padding=True, return_tensors="np")
    items = prepare.batch([{"text": text} for text in TEXTS])
    feeds = prepare.collate(items)
    for name in ("input_ids", "attention_mask"):
        assert feeds[name].dtype == np.int64
        np.testing.assert_array_equal(feeds[name], wanted[name])
    whole = reference(TEXTS, truncation=False)["input_ids"]
    assert [item.truncated for item in items] == [len(ids) > max_length for ids in whole]


@given(text=st.text(min_size=1, max_size=80).filter(str.strip))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
def test_alone_in_a_batch_and_as_bytes_a_text_is_the_same(tiny_base, text):
    prepare, _ = _opened(tiny_base)
    alone, (together,), encoded = prepare({"text": text}), prepare.batch([{"text": text}]), None
    encoded = prepare({"text": text.encode()})
    assert alone.size == together.size == encoded.size == len(alone.features["input_ids"]) <= 32
    assert alone.features["input_ids"].tolist() == together.features["input_ids"].tolist()
    assert alone.features["input_ids"].tolist() == encoded.features["input_ids"].tolist()


_cache: dict = {}


def _opened(base):
    if base not in _cache:
        _cache[base] = open_prepare(base, 32)
    return _cache[base]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({}, "missing"),
        ({"text": ""}, "empty"),
        ({"text": " \n\t\u3000"}, "empty"),
        ({"text": b"  "}, "empty"),
        ({"text": b"caf\xe9 au lait"}, "byte 3 is 0xe9"),
        ({"text": "half \ud83d"}, "half a surrogate pair at character 5"),
        ({"text": 7}, "int, not a string"),
    ],
    ids=str,
)
def test_what_is_no_text_is_refused_in_words(tiny_base, item, message):
    prepare, _ = _opened(tiny_base)
    with pytest.raises(BadInput, match=message) as caught:
        prepare(item)
    assert caught.value.where == "text"
    assert caught.value.next
    with pytest.raises(BadInput, match=message) as caught:
        prepare.batch([{"text": "good"}, item])
    assert caught.value.where == "item 1"


def test_padding_is_on_the_right_with_the_pad_id(byte_level_base):
    prepare, spec = open_prepare(byte_level_base, 64)
    assert spec == {"max_length": 64, "feeds": ["input_ids", "attention_mask"], "pad_id": 1}
    feeds = prepare.collate(prepare.batch([{"text": "a"}, {"text": "abcdefgh xyz"}]))
    assert feeds["input_ids"][0, 1:].tolist() == [1] * (feeds["input_ids"].shape[1] - 1)
    assert feeds["attention_mask"].sum(axis=1).tolist() == [1, feeds["input_ids"].shape[1]]


def test_what_the_tokenizer_file_says_about_length_is_overruled(tiny_base, tmp_path):
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tiny_base / "tokenizer.json"))
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=128)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    prepare = TextPrepare.open(tmp_path / "tokenizer.json", 16, ["input_ids"], 0)
    assert prepare({"text": "the film was long and long"}).size > 4


def test_a_length_beyond_the_model_is_refused(tiny_base):
    with pytest.raises(BadConfig, match="at most 64"):
        open_prepare(tiny_base, 65)


@pytest.mark.parametrize("content", [None, b"{}", b"not json"])
def test_a_package_without_a_usable_tokenizer_is_refused(tmp_path, content):
    (tmp_path / "package.json").write_text('{"labels": ["a", "b"]}')
    if content is not None:
        (tmp_path / "tokenizer.json").write_bytes(content)
    spec = {"tokenizer": "tokenizer.json", "max_length": 8, "feeds": ["input_ids"], "pad_id": 0}
    with pytest.raises(BadInput, match="tokenizer"):
        load_task("text_classification").open_pipeline(tmp_path, spec)


def test_a_tokenizer_outside_the_package_is_refused(tmp_path):
    (tmp_path / "package.json").write_text('{"labels": ["a", "b"]}')
    spec = {"tokenizer": "../tokenizer.json", "max_length": 8, "feeds": ["input_ids"], "pad_id": 0}
    with pytest.raises(BadInput, match="leaves the package"):
        load_task("text_classification").open_pipeline(tmp_path, spec)


def test_the_serving_half_loads_no_training_stack(tiny_base, tmp_path):
    shutil.copy(tiny_base / "tokenizer.json", tmp_path / "tokenizer.json")
    (tmp_path / "package.json").write_text('{"labels": ["a", "b"]}')
    code = f"""
import sys
from pathlib import Path
from modelyard.tasks import load_task
spec = {{"tokenizer": "tokenizer.json", "max_length": 8, "feeds": ["input_ids"], "pad_id": 0}}
pipeline = load_task("text_classification").open_pipeline(Path({str(tmp_path)!r}), spec)
pipeline.collate([pipeline.prepare({{"text": "hello"}})])
print(sorted({{"torch", "transformers", "pandas", "polars", "pyarrow"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
