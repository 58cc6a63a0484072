"""Class names in the order of the logits: as they were given, or as config.json has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.errors import BadConfig, BadInput

UNNAMED = re.compile(r"LABEL_\d+")
CLASSIFIERS = ("ForSequenceClassification", "ForImageClassification")


def labels_of(described: Mapping[str, Any], asked: Sequence[str] | None, where: str) -> tuple[str, ...]:
    """described: config.json. Raises BadInput where nothing says how many classes there are, or there is one only."""
    found = _named(described, where)
    if asked is not None:
        if found and len(asked) != len(found):
            raise BadConfig(
                f"{len(asked)} labels were given, the model has {len(found)} classes: {', '.join(found)}",
                where="--labels",
                next=f"give {len(found)} names in the order of the logits",
            )
        return _distinct(asked, "--labels")
    if len(found) < 2:
        raise BadInput(
            "config.json names one class only" if found else "config.json names no classes (id2label)",
            where=where,
            next="say them in the order of the logits: --labels negative,positive",
        )
    return _distinct(found, where)


def unnamed(labels: Sequence[str]) -> bool:
    """Whether nobody gave the classes names: LABEL_0, LABEL_1, ..."""
    return all(UNNAMED.fullmatch(label) for label in labels)


def _named(described: Mapping[str, Any], where: str) -> list[str]:
    """id2label in the order of the ids, or LABEL_n for `num_labels`; empty when it says neither."""
    named = described.get("id2label")
    if isinstance(named, Mapping) and named:
        try:
            by_id = {int(key): str(value) for key, value in named.items()}
        except (TypeError, ValueError):
            by_id = {}
        if sorted(by_id) != list(range(len(named))):
            raise BadInput("id2label does not number its classes from 0", where=where, next="give --labels")
        return [by_id[place] for place in range(len(by_id))]
    count = described.get("num_labels")
    if count is None and str((described.get("architectures") or [""])[0]).endswith(CLASSIFIERS):
        count = 2  # what transformers takes where nothing is said
    return [f"LABEL_{place}" for place in range(count)] if isinstance(count, int) and 0 < count < 100_000 else []


def _distinct(labels: Sequence[str], where: str) -> tuple[str, ...]:
    twice = [label for place, label in enumerate(labels) if label in labels[:place]]
    if twice or not all(label.strip() for label in labels):
        raise BadInput(
            f"the label {twice[0]!r} stands twice" if twice else "a label is empty", where=where, next="name each class"
        )
    return tuple(labels)
