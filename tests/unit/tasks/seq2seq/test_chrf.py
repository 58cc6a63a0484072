from __future__ import annotations

import numpy as np
import pytest
import sacrebleu
from hypothesis import given
from hypothesis import strategies as st

from modelyard.measure.worth import worth_interval
from modelyard.tasks.seq2seq.chrf import Chrf

METRIC = Chrf()
TEXTS = st.text(alphabet="ab 好人.\n", max_size=14)


def value(answers: list[str], wanted: list[str]) -> float:
    return METRIC.value(METRIC.evidence({"text": np.array(answers, dtype=object)}, wanted))


@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=6))
def test_it_is_what_sacrebleu_gives(rows):
    answers, wanted = [answer for answer, _ in rows], [target for _, target in rows]
    assert value(answers, wanted) == pytest.approx(sacrebleu.corpus_chrf(answers, [wanted]).score / 100, abs=1e-12)


def test_the_same_text_is_1_and_nothing_in_common_is_0():
    assert value(["the cat", "一只猫"], ["the cat", "一只猫"]) == 1.0
    assert value(["xyz"], ["abc"]) == 0.0
    assert value([""], ["abc"]) == 0.0


def test_a_worked_value():
    # abc for abcd: characters 3/3 and 3/4, pairs 2/2 and 2/3, triples 1/1 and 1/2; quadruples only the wanted text has.
    recall = (3 / 4 + 2 / 3 + 1 / 2) / 3
    assert value(["abc"], ["abcd"]) == pytest.approx(5 * recall / (4 + recall))


def test_rows_can_be_drawn_again_from_the_evidence():
    answers = ["good text", "bad", "fine words here"] * 20
    wanted = ["good text", "day", "fine word here"] * 20
    evidence = METRIC.evidence({"text": np.array(answers, dtype=object)}, wanted)
    low, high = worth_interval(METRIC, evidence, resamples=200)
    assert low < METRIC.value(evidence) < high
