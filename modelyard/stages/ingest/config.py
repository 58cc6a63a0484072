"""The `ingest:` block of modelyard.yaml."""

from __future__ import annotations

import codecs
import difflib
from typing import Any, Literal

from pydantic import ConfigDict, Field, field_validator, model_validator

from modelyard.config import Share, StageConfig
from modelyard.tasks import load_task

DirectoryFormat = Literal["huggingface", "imagefolder", "coco", "yolo"]
Format = Literal["csv", "tsv", "jsonl", "parquet"] | DirectoryFormat


class ColumnNames(StageConfig):
    """Which column of the source is what, by the task's public names (`text: review`); what is not named is guessed,
    and the guess is reported."""

    model_config = ConfigDict(extra="allow")

    __pydantic_extra__: dict[str, str]
    group: tuple[str, ...] = ()  # rows that share a value here stay on one side of the split

    @property
    def named(self) -> dict[str, str]:
        """Public name -> column of the source."""
        return dict(self.__pydantic_extra__ or {})

    @field_validator("group", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_role_each(self) -> ColumnNames:
        roles = [*self.named.values(), *self.group]
        twice = next((name for name in roles if roles.count(name) > 1), None)
        if twice is not None:
            roles_of_it = [public for public, column in self.named.items() if column == twice]
            roles_of_it += ["group"] if twice in self.group else []
            raise ValueError(f"the column {twice} is given two roles ({', '.join(roles_of_it)}); it can have one")
        return self


class IngestConfig(StageConfig):
    """What is not given here is found by looking at the source."""

    task: str = "text_classification"  # what the columns are for
    format: Format | None = None  # by the ending of the name when not given
    encoding: str | None = None  # strict UTF-8, then GB18030, when not given
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    header: bool | None = None  # whether the first row of a CSV or TSV file names the columns; found when not given
    columns: ColumnNames = ColumnNames()
    unlabelled: bool = False  # whether rows may lack their target: annotate makes it
    max_set_aside: Share = 0.1  # with more bad rows than this the file is not what it seems
    max_row_characters: int = Field(1 << 20, ge=1)
    max_columns: int = Field(1000, ge=1)

    @property
    def needed(self) -> tuple[str, ...]:
        """Roles of columns in which every row must have a value."""
        return ("input",) if self.unlabelled else ("input", "target")

    @field_validator("encoding")
    @classmethod
    def _known_codec(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            found = codecs.lookup(value)
        except LookupError:
            raise ValueError("Python knows no such encoding; common ones are utf-8, gb18030, cp1252, big5") from None
        if not found._is_text_encoding:
            raise ValueError("this codec does not make text")
        return found.name

    @model_validator(mode="after")
    def _columns_of_the_task(self) -> IngestConfig:
        if self.columns.named:
            task = load_task(self.task)
            known = [*task.columns, task.target]
            for public in self.columns.named:
                if public not in known:
                    close = difflib.get_close_matches(public, known, n=1)
                    advice = f"did you mean {close[0]}?" if close else f"they are {', '.join(known)}, group"
                    raise ValueError(f"columns.{public}: {task.name} has no such column; {advice}")
        return self
