"""Each rule on texts that show what it does, and what it leaves alone."""

from __future__ import annotations

import random
import unicodedata

import ftfy
import polars as pl
import pytest
from ftfy.badness import BADNESS_RE
from hypothesis import given
from hypothesis import strategies as st

from modelyard.stages.clean.repair import repair
from modelyard.stages.clean.rules import RULES
from modelyard.stages.clean.rules.mojibake import suspect_pattern, without_verbose


def after(rule: str, *texts: str) -> list[str]:
    """Through the stage's own door: what is not suspected is not repaired."""
    found = repair(pl.Series(texts, dtype=pl.String), [RULES[rule]])
    now = list(texts)
    for place, text in zip(found.places.tolist(), found.after, strict=True):
        now[place] = text
    assert found.counts.total() == len(found.places) == sum(a != b for a, b in zip(texts, now, strict=True))
    return now


def test_mojibake_is_undone_and_counted() -> None:
    texts = ("cafÃ© del mar", "plain", "itâ€™s", "中文没问题", "naïve café")
    assert after("mojibake", *texts) == ["café del mar", "plain", "it’s", "中文没问题", "naïve café"]
    assert repair(pl.Series(texts), [RULES["mojibake"]]).counts == {"mojibake": 2}


SIGNS = st.text(st.sampled_from("aB1 \t\r\n\x00\x7f\x85\xa0\u3000éÃ©â€™\ufeffe\u0301ﬁ中"), max_size=12)


@given(st.lists(SIGNS, max_size=6), st.sampled_from(sorted(RULES)))
def test_a_text_that_a_rule_does_not_suspect_is_one_that_it_leaves_alone(texts: list[str], rule: str) -> None:
    series = pl.Series(texts, dtype=pl.String)
    unsuspected = series.filter(~RULES[rule].suspects(series))
    assert RULES[rule].repair(unsuspected).to_list() == unsuspected.to_list()


@given(st.lists(SIGNS, max_size=8))
def test_all_rules_on_the_suspects_give_what_all_rules_on_all_texts_give(texts: list[str]) -> None:
    whole = pl.Series(texts, dtype=pl.String)
    for rule in RULES.values():
        whole = rule.repair(whole)
    found = repair(pl.Series(texts, dtype=pl.String), list(RULES.values()))
    now = list(texts)
    for place, text in zip(found.places.tolist(), found.after, strict=True):
        now[place] = text
    assert now == whole.to_list()


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


def test_no_character_that_nfc_changes_is_unsuspected() -> None:
    every = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    moved = [c for c in every if unicodedata.combining(c) or unicodedata.normalize("NFC", c) != c]
    seconds = [chr(int(unicodedata.decomposition(c).split()[1], 16)) for c in every if _composes(c)]
    suspects = RULES["nfc"].suspects(pl.Series([*moved, *seconds, "\u1161", "\u11a8"]))
    assert suspects.all()
    assert not RULES["nfc"].suspects(pl.Series(["plain", "naïve", "中文", "Привет", "한국어", "—", "🎉"])).any()


def _composes(character: str) -> bool:
    decomposed = unicodedata.decomposition(character)
    return " " in decomposed and not decomposed.startswith("<")


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
