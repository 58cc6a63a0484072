"""Which column is the text, which the label or another of the task's: as named, else by name, else by content; never in
silence."""

from __future__ import annotations

import difflib
import re
import shlex
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from modelyard.errors import BadInput

# Names that people give such columns; the first of each is the public name, which wins over the others.
NAMES = {
    "text": (
        *("text", "review", "content", "sentence", "comment", "body", "message", "tweet", "review_text", "texts"),
        *("文本", "内容", "评论", "句子", "正文", "评价", "评论内容", "文字"),
    ),
    "label": (
        *("label", "labels", "class", "category", "sentiment", "target", "polarity", "intent"),
        *("标签", "类别", "分类", "情感", "标注", "情感倾向"),
    ),
    "image": ("image", "img", "picture", "photo", "图片", "图像", "照片"),
    "boxes": ("boxes", "objects", "bboxes", "bounding_boxes", "annotations", "标注框"),
}
# Where a text is to be written, too: further names of the one that is read, and those of the one that is written.
READ = ("source", "src", "input", "original", "en", "english", "question", "原文", "源文", "英文", "输入")
WRITTEN = ("target", "tgt", "translation", "output", "reference", "zh", "chinese", "answer", "译文", "中文", "输出")
SAMPLE = 2000
SHORTEST_TEXT = (
    12.0  # mean bytes in UTF-8 (a Chinese character is three) of a column that may be text, when its name says nothing
)
LONGEST_LABEL = 60
MOST_CLASSES = 50


@dataclass(frozen=True)
class Found:
    """The column of a public name; how: `named` (by config, or it has the public name), `by name`, `by content`."""

    column: str
    how: str


def find_columns(
    sample: Mapping[str, Sequence[Any]],
    wanted: Mapping[str, str],
    named: Mapping[str, str],
    taken: Sequence[str],
    where: str,
) -> dict[str, Found]:
    """The column of each public name in `wanted` (public name -> kind of field).

    named: those that the user named; taken: columns with another role, which are not candidates. The only text and the
    label are also looked for by content; other columns go by their names.
    Raises BadInput when a named column is not there, none fits, or more than one fits.
    """
    names = [name for name in sample if name not in taken]
    found: dict[str, Found] = {}
    for public, column in named.items():
        found[public] = Found(existing(column, list(sample), where), "named")
    for public in wanted:
        if public not in found:
            free = [name for name in names if name not in {other.column for other in found.values()}]
            by_name = _by_name(public, free, _names(public, wanted))
            if len(by_name) > 1:
                raise _ambiguous(public, by_name, where)
            if by_name:
                found[public] = Found(by_name[0], "named" if by_name[0] == public else "by name")
    # The text before the label: what is not the text may be the label.
    for public in sorted(wanted, key=lambda name: wanted[name], reverse=True):
        if public not in found:
            free = [name for name in names if name not in {other.column for other in found.values()}]
            alone = list(wanted.values()).count(wanted[public]) == 1
            look = _LOOKS.get(wanted[public]) if alone else None
            fitting = look({name: sample[name] for name in free}) if look else []
            if len(fitting) > 1:
                raise _ambiguous(public, fitting, where)
            if not fitting:
                raise BadInput(
                    f"no column looks like the {public}; the columns are {', '.join(sample)}",
                    where=where,
                    next=_lift(public, sample, free)
                    or _only_files(sample, free)
                    or _advice(public, _nearest_to_text(sample, free)),
                )
            found[public] = Found(fitting[0], "by content")
    return found


def existing(column: str, names: Sequence[str], where: str) -> str:
    """The name itself. Raises BadInput with the nearest one."""
    if column in names:
        return column
    close = difflib.get_close_matches(column, names, n=1)
    raise BadInput(
        f"there is no column {column}; the columns are {', '.join(names)}",
        where=where,
        next=f"did you mean {close[0]}?" if close else "name one of them",
    )


def _advice(public: str, column: str) -> str:
    key = f"ingest.columns.{public}={column}"
    return f"write `ingest: {{columns: {{{public}: {column}}}}}` in modelyard.yaml, or: --set {shlex.quote(key)}"


def _nearest_to_text(sample: Mapping[str, Sequence[Any]], free: Sequence[str]) -> str:
    """The column of the longest values: what may have been meant."""
    sizes = {name: fmean(map(len, present)) for name in free if (present := _present(sample[name]))}
    return max(sizes, key=lambda name: sizes[name], default=free[0] if free else "NAME")


def _lift(public: str, sample: Mapping[str, Sequence[Any]], free: Sequence[str]) -> str | None:
    """What to do when the values lie inside objects, which are kept but not looked into."""
    for name in free:
        first = next((value for value in sample[name] if value is not None), None)
        inside = first if isinstance(first, dict) else None
        if inside:
            key = public if public in inside else next(iter(inside))
            return f"{name} holds objects: give the {public} a key of its own, as {{{public}: .{name}.{key}}} in jq"
    return None


def _only_files(sample: Mapping[str, Sequence[Any]], free: Sequence[str]) -> str | None:
    """What to do when what is left are pictures or the like, which no column of rows is made of."""
    if not free or not all(isinstance(value, bytes) for name in free for value in sample[name] if value is not None):
        return None
    return f"{', '.join(free)} holds files: name a task that reads them, --set task=NAME"


def _ambiguous(public: str, columns: Sequence[str], where: str) -> BadInput:
    return BadInput(
        f"more than one column may be the {public}: {', '.join(columns)}",
        where=where,
        next=_advice(public, columns[0]),
    )


def _names(public: str, wanted: Mapping[str, str]) -> tuple[str, ...]:
    """What people call the column of this public name, where these are wanted."""
    if wanted.get("target") == "text":
        return {"text": (*NAMES["text"], *READ), "target": WRITTEN}.get(public, ())
    return NAMES.get(public, ())


def _by_name(public: str, free: Sequence[str], names: Sequence[str]) -> list[str]:
    """Exactly the public name, else every one of `names`."""
    folded = {name: folded_name(name) for name in free}
    exact = [name for name in free if folded[name] == public]
    return exact[:1] or [name for name in free if folded[name] in names]


def reads_like_text(values: Sequence[Any]) -> bool:
    """Whether most values are different texts of words: neither classes, numbers, ids nor files."""
    present = _present(values)
    return len(set(present)) * 2 > len(present) and sum(map(_has_words, present)) * 2 > len(present)


def folded_name(name: str) -> str:
    """`Review Text`, `review-text` and `review_text` are one name."""
    return re.sub(r"[\s_-]+", "_", name.strip().casefold())


def _present(values: Sequence[Any]) -> list[str]:
    return [value for value in values[:SAMPLE] if isinstance(value, str) and value.strip()]


def _texts(sample: Mapping[str, Sequence[Any]]) -> list[str]:
    """The column of the longest values that read like sentences, with any other that comes near it."""
    sizes = {
        name: fmean(len(value.encode("utf-8", "surrogatepass")) for value in present)
        for name, values in sample.items()
        if (present := _present(values)) and reads_like_text(values)
    }
    longest = max(sizes.values(), default=0.0)
    return [name for name, size in sizes.items() if size >= SHORTEST_TEXT and size * 2 >= longest]


def _has_words(value: str) -> bool:
    """Letters for the most part, with blanks between them or of a script that has none: no id, address or date."""
    value = value[:1000]
    letters = [character for character in value if character.isalpha()]
    if len(letters) * 2 < sum(not character.isspace() for character in value):
        return False
    return len(value.split()) > 1 or any(unicodedata.category(letter) == "Lo" for letter in letters)


def _labels(sample: Mapping[str, Sequence[Any]]) -> list[str]:
    """Columns of a few short values that come back."""
    fitting = []
    for name, values in sample.items():
        present = [str(value).strip() for value in values[:SAMPLE] if value is not None and str(value).strip()]
        classes = set(present)
        if 2 <= len(classes) <= min(MOST_CLASSES, len(present) // 2) and max(map(len, classes)) <= LONGEST_LABEL:
            fitting.append(name)
    return fitting


_LOOKS = {"text": _texts, "label": _labels}
