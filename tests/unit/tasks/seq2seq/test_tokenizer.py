from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from transformers import AutoTokenizer

from modelyard.tasks.seq2seq.recipes import END, PAD, UNKNOWN
from modelyard.tasks.seq2seq.tokenizer import LEAST, learn_tokenizer, write_tokenizer

TEXTS = ["twenty-three of forty", "twenty-four", "二十三", "2,310", "twenty times 23"]
LEARNED = learn_tokenizer(iter(TEXTS * 3), 300)


@given(st.text(max_size=20).filter(lambda text: "\r" not in text))
def test_every_text_is_written_back_as_it_was(text):
    ids = LEARNED.encode(text).ids
    assert ids[-1] == END
    assert LEARNED.decode(ids, skip_special_tokens=True) == text


def test_the_same_texts_give_the_same_tokenizer():
    assert LEARNED.to_str() == learn_tokenizer(iter(TEXTS * 3), 300).to_str()
    assert LEAST < LEARNED.get_vocab_size() <= 300


def test_digits_stand_alone_and_what_comes_often_is_one_token():
    assert LEARNED.encode("2310").tokens == ["2", "3", "1", "0", "</s>"]
    assert len(LEARNED.encode("twenty").ids) == 2


def test_transformers_opens_it(tmp_path):
    write_tokenizer(LEARNED, tmp_path)
    opened = AutoTokenizer.from_pretrained(tmp_path)
    assert opened("twenty-three 二十三").input_ids == LEARNED.encode("twenty-three 二十三").ids
    assert (opened.pad_token_id, opened.eos_token_id, opened.unk_token_id) == (PAD, END, UNKNOWN)
