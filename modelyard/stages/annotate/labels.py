"""The labels of a moment: what the stage is handed, and the digest that it is keyed by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from modelyard.annotate.board import Item, Vote
from modelyard.annotate.guideline import UNUSABLE, Guideline
from modelyard.fields import Answerable
from modelyard.store.digests import canonical_json, digest_json


@dataclass(frozen=True)
class Labels:
    """items: decided ones, gold items among them. gold: the known label of each gold item. target, field: the public
    name of the column of labels and its kind of field; kind: that field."""

    guideline: Guideline
    version: int
    items: Sequence[Item]
    gold: Mapping[str, str]
    target: str
    field: str
    kind: Answerable

    @cached_property
    def by_item(self) -> dict[str, Item]:
        return {item.item: item for item in self.items}

    @cached_property
    def digest(self) -> str:
        """Of the labels, who gave them, and by which guideline."""
        return digest_json(
            {
                "guideline": self.guideline.digest,
                "version": self.version,
                "items": sorted([item.item, item.batch, item.round, self.votes(item)] for item in self.items),
                "gold": dict(self.gold),
            }
        )

    def decision(self, item: str) -> str | None:
        """The label of a row: the known one of a gold item, else the decision; None where it is that there is none."""
        known = self.gold.get(item)
        label = known if known is not None else self.by_item[item].label
        return None if label == UNUSABLE else label

    def votes(self, item: Item) -> str:
        """Canonical JSON by which a label is traced to who gave it."""

        def shown(vote: Vote) -> dict[str, Any]:
            return {"annotator": vote.annotator, "label": vote.label, "guideline": vote.version}

        said: dict[str, Any] = {
            "decided": "gold" if item.item in self.gold else "agreed" if item.agreed else "arbiter",
            "votes": [shown(vote) for vote in item.votes],
            "batch": item.batch,
            "round": item.round,
        }
        if item.arbiter is not None:
            said["arbiter"] = shown(item.arbiter)
        return canonical_json(said).decode()
