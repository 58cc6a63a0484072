from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from modelyard.tasks.seq2seq.pieces import text_pieces
from modelyard.tasks.seq2seq.tokenizer import learn_tokenizer

TOKENIZER = learn_tokenizer(iter(["a text of words", "一二三"]), 0)  # no merges: each byte is a token


def text_of(ids):
    return TOKENIZER.decode(list(ids), skip_special_tokens=True)


@given(st.text(max_size=12))
def test_pieces_are_the_text_cut_between_characters(text):
    ids = TOKENIZER.encode(text).ids[:-1]
    every = list(text_pieces(ids, text_of))
    assert len(every) - len(ids) in (0, 1)  # one token at a time, and what is left behind the last
    pieces = [piece for piece in every if piece]
    assert "".join(pieces) == text == text_of(ids)
    if "\N{REPLACEMENT CHARACTER}" not in text:
        assert len(pieces) == len(text)


def test_a_piece_comes_as_soon_as_its_last_byte_is_there():
    asked = []

    def tokens():
        for token in TOKENIZER.encode("é好!").ids[:-1]:
            asked.append(token)
            yield token

    pieces = filter(None, text_pieces(tokens(), text_of))
    assert (next(pieces), len(asked)) == ("é", 2)
    assert (next(pieces), len(asked)) == ("好", 5)
    assert (next(pieces), len(asked)) == ("!", 6)


@given(st.lists(st.integers(min_value=3, max_value=258), max_size=10))
def test_bytes_that_are_no_text_are_not_lost(ids):
    assert "".join(text_pieces(ids, text_of)) == text_of(ids)


def test_a_decoder_that_takes_back_what_it_wrote_is_waited_for():
    written = {1: "ab", 2: "a-", 3: "abc"}
    assert list(text_pieces([7, 7, 7], lambda ids: written[len(ids)])) == ["ab", "", "c"]
