"""The `split:` block of modelyard.yaml."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from modelyard.config import Share, StageConfig

SIDES = ("train", "validation", "test")


class Shares(StageConfig):
    """The share of the rows that each side gets, in expectation."""

    train: Share = 0.8
    validation: Share = 0.1
    test: Share = 0.1

    @model_validator(mode="after")
    def _whole(self) -> Shares:
        total = self.train + self.validation + self.test
        if abs(total - 1.0) > 1e-6:
            raise ValueError(f"the shares add up to {total:.3g}, they must add up to 1")
        if min(self.train, self.validation, self.test) <= 0:
            raise ValueError("every side needs a share above 0")
        return self


class SplitConfig(StageConfig):
    """Groups are never cut; shares and strata are therefore met in expectation, and the deviation is reported."""

    shares: Shares = Shares()
    group: tuple[str, ...] = ()  # besides the group columns that ingest was told
    near_duplicates: bool = True  # texts that differ only in case, blanks and punctuation stay on one side
    strata: tuple[str, ...] = ()  # columns whose shares are reported beside the label's
    keep_split: bool = True  # a side that the source gave, or an earlier split, stays
    seed: int = 0
    balance: Literal["warn", "stop", "off"] = "warn"
    max_imbalance: Share = 0.20  # (largest class - smallest class) / largest class
    max_set_aside: Share = 0.10  # rows that would leak between the sides of the source's own split
    min_rows_per_class: int = Field(1, ge=0)  # of each class on each side; 0 holds nothing back

    @field_validator("group", "strata", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value
