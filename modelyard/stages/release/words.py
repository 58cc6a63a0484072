"""The sentences and numbers of one language. Code asks for a key; a further language is a further table."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from modelyard.stages.release.evidence import Judging
from modelyard.stages.release.languages.adopted import CHINESE as CHINESE_ADOPTED
from modelyard.stages.release.languages.adopted import ENGLISH as ENGLISH_ADOPTED
from modelyard.stages.release.languages.annotation import CHINESE as CHINESE_ANNOTATION
from modelyard.stages.release.languages.annotation import ENGLISH as ENGLISH_ANNOTATION
from modelyard.stages.release.languages.chinese import TABLE as CHINESE_TABLE
from modelyard.stages.release.languages.chinese_said import in_chinese
from modelyard.stages.release.languages.english import TABLE as ENGLISH_TABLE
from modelyard.stages.release.languages.metric import CHINESE as CHINESE_METRIC
from modelyard.stages.release.languages.metric import ENGLISH as ENGLISH_METRIC
from modelyard.stages.release.numbers import CHINESE, ENGLISH, Numbers, Style


@dataclass(frozen=True)
class Language:
    """table: sentences by key. said: what a stage said (in English, the language of the code) for this reader."""

    table: dict[str, str]
    style: Style
    said: Callable[[str], str]
    tag: str  # of the lang attribute (BCP 47)


LANGUAGES = {
    "en": Language(
        ENGLISH_TABLE | ENGLISH_ADOPTED | ENGLISH_ANNOTATION | ENGLISH_METRIC, ENGLISH, lambda text: text, "en"
    ),
    "zh": Language(CHINESE_TABLE | CHINESE_ADOPTED | CHINESE_ANNOTATION | CHINESE_METRIC, CHINESE, in_chinese, "zh-CN"),
}


class Words(Numbers):
    """The sentences of one language; `{name}` in them is filled with the given values, which are never read as
    sentences themselves."""

    def __init__(self, language: str = "en") -> None:
        spoken = LANGUAGES[language]
        super().__init__(spoken.style)
        self.language = language
        self.tag = spoken.tag
        self.said = spoken.said
        self._table = spoken.table

    def __call__(self, key: str, **values: Any) -> str:
        return self._table[key].format(**values)

    def of(self, metric: Judging, key: str, **values: Any) -> str:
        """The sentence of the key, written for accuracy, as it is said of another metric (`KEY.metric`)."""
        said = f"{key}.metric"
        named = metric.name != "accuracy" and self.has(said)
        return self(said if named else key, metric=self.metric(metric), **values)

    def metric(self, metric: Judging) -> str:
        """What people call it."""
        return self(f"metric.{metric.name}") if self.has(f"metric.{metric.name}") else metric.name

    def has(self, key: str) -> bool:
        return key in self._table

    def tally(self, key: str, n: int, total: int) -> str:
        """The form for one, or for any other total."""
        return self(f"{key}.{'one' if total == 1 else 'other'}", n=n, total=total)

    def listed(self, items: list[str]) -> str:
        """Items of a list in a sentence."""
        return self("list.between").join(items)

    def separator(self, delimiter: str) -> str:
        """What people call a delimiter, given as the character or by its English name."""
        names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe"}
        key = f"separator.{names.get(delimiter, delimiter)}"
        return self(key) if self.has(key) else delimiter
