"""Each rule on texts that show what it does, and what it leaves alone."""

from __future__ import annotations

import random

import ftfy
import polars as pl
import pytest
from ftfy.badness import BADNESS_RE
from hypothesis import given
from hypothesis import strategies as st

from modelyard.stages.clean.batch import TextBatch
from modelyard.stages.clean.rules import RULES
from modelyard.stages.clean.rules.mojibake import suspect_pattern, without_verbose


def batch(*texts: str) -> TextBatch:
    return TextBatch(pl.Series(texts, dtype=pl.String), pl.Series([None] * len(texts), dtype=pl.String))


def after(rule: str, *texts: str) -> list[str]:
    return RULES[rule](batch(*texts)).text.to_list()


def test_mojibake_is_undone_and_counted() -> None:
    repaired = RULES["mojibake"](batch("cafÃ© del mar", "plain", "itâ€™s", "中文没问题", "naïve café"))
    assert repaired.text.to_list() == ["café del mar", "plain", "it’s", "中文没问题", "naïve café"]
    assert repaired.repaired == {"mojibake": 2}


@given(st.text(st.characters(max_codepoint=0x2FFF, exclude_categories=["Cs"]), max_size=12))
def test_the_pattern_flags_what_ftfy_flags(text: str) -> None:
    assert pl.Series([text]).str.contains(suspect_pattern())[0] == bool(BADNESS_RE.search(text))


@pytest.mark.parametrize("codec", ["cp1252", "latin-1", "cp1251", "macroman"])
def test_no_mojibake_that_ftfy_repairs_is_missed(codec: str) -> None:
    words = ["l’été", "“naïve”", "über", "señor", "Привет", "100 €", "plain", "—", "œuvre", "Ångström"]
    pick = random.Random(7)
    texts = []
    for _ in range(300):
        text = " ".join(pick.choices(words, k=4))
        texts.append(text.encode().decode(codec, "ignore"))
    assert after("mojibake", *texts) == [ftfy.fix_encoding(text) for text in texts]


def test_a_verbose_pattern_keeps_blanks_in_classes_only() -> None:
    assert without_verbose("a b # comment\n | [ #x] \\ ") == r"ab|[\x{20}#x]\ "


def test_nfc_composes_and_changes_nothing_that_is_seen() -> None:
    assert after("nfc", "cafe\u0301", "Ａ ﬁ ²", "plain") == ["café", "Ａ ﬁ ²", "plain"]


def test_nfkc_folds_compatibility_forms() -> None:
    assert after("nfkc", "Ａ ﬁ ²") == ["A fi 2"]


def test_controls_go_and_joined_emoji_stay() -> None:
    family = "👨\u200d👩\u200d👧"
    assert after("control_characters", "a\x00b\x07c\x85d\ufeff", f"{family}\tx\ny") == ["abcd", f"{family}\tx\ny"]


def test_whitespace_is_made_one_kind() -> None:
    assert after("whitespace", "  a   b\r\nc\rd\t\te  ", "\u3000中文\u00a0x ") == ["a b\nc\nd e", "中文 x"]


@given(st.text(max_size=30), st.sampled_from(sorted(RULES)))
def test_a_rule_applied_twice_changes_nothing_more(text: str, rule: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return
    once = after(rule, text)
    assert after(rule, *once) == once


def test_a_dropped_row_keeps_its_first_reason() -> None:
    dropped = batch("a", "b").drop(pl.Series([True, False]), "first").drop(pl.Series([True, True]), "second")
    assert dropped.dropped.to_list() == ["first", "second"]
