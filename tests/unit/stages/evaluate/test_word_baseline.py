from __future__ import annotations

from modelyard.measure.examples import Examples
from modelyard.stages.evaluate.word_baseline import word_baseline


def examples(rows: list[tuple[str, str]]) -> Examples:
    return Examples(
        [{"text": text} for text, _ in rows], [label for _, label in rows], [str(n) for n in range(len(rows))], {}
    )


def test_words_that_tell_the_class_are_learned_from_the_train_side_alone():
    train = examples([("a good film", "positive"), ("a bad film", "negative")] * 20)
    test = examples([("good book", "positive"), ("bad book", "negative"), ("bad", "positive"), ("good", "positive")])
    found = word_baseline(train, train, test)
    assert found.value == 0.75
    assert "words and word pairs" in found.how
    assert "40 train and 4 test rows" in found.how


def test_one_class_alone_teaches_nothing():
    train = examples([("a good film", "positive"), ("a fine film", "positive")])
    assert word_baseline(train, train, examples([("a bad film", "negative")])) is None


def test_word_order_counts_through_pairs():
    train = examples([("not good at all", "negative"), ("good not bad", "positive")] * 20)
    assert word_baseline(train, train, examples([("not good", "negative"), ("not bad", "positive")])).value == 1.0


def test_a_script_without_spaces_is_cut_into_characters():
    train = examples([("这部电影很好看", "positive"), ("这部电影很难看", "negative")] * 20)
    test = examples([("书很好看", "positive"), ("书很难看", "negative")])
    found = word_baseline(train, train, test)
    assert found.value == 1.0
    assert "characters" in found.how
