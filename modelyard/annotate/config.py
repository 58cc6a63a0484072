"""The `annotate:` block of modelyard.yaml."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from modelyard.config import Share, StageConfig

# A person's name is part of file names on any system.
Person = Annotated[str, StringConstraints(pattern=r"^\w[\w.-]{0,38}\w$|^\w$")]


class AnnotateConfig(StageConfig):
    """Who labels what by which guideline, and what must hold. Paths are seen from modelyard.yaml.

    gate: `resolved` holds the arbiter's decisions to the pair's answers, `blind` the pair's answers to each other, both
    also the decisions on gold items; `none` holds nothing.
    """

    guideline: str = Field(min_length=1)
    annotators: tuple[Person, ...] = Field(min_length=2)  # each batch goes to two of them
    arbiter: Person  # gets what the two disagree on
    gold: str | None = None  # rows with known labels, hidden among the others
    folder: str = Field("annotate", min_length=1)  # where the work files lie
    batch_size: int = Field(200, ge=1)
    gold_per_batch: int = Field(10, ge=0)
    gate: Literal["resolved", "blind", "none"] = "resolved"
    bar: Share = 0.95
    rounds: int = Field(2, ge=1)  # how often a batch is labelled at most: one below the bar goes back before the last

    @field_validator("annotators", mode="before")
    @classmethod
    def _as_said(cls, value: Any) -> Any:
        return tuple(str(each) for each in value) if isinstance(value, list | tuple) else value

    @model_validator(mode="after")
    def _different_people(self) -> AnnotateConfig:
        folded = [name.casefold() for name in (*self.annotators, self.arbiter)]
        twice = next((name for name in folded if folded.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"annotators and arbiter must be different people; {twice} stands twice")
        return self
