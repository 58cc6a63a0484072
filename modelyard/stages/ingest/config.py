"""The `ingest:` block of modelyard.yaml."""

from __future__ import annotations

import codecs
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from modelyard.config import Share, StageConfig

Format = Literal["csv", "tsv", "jsonl", "parquet", "huggingface"]


class ColumnNames(StageConfig):
    """Which column of the source is what; what is not named is guessed, and the guess is reported."""

    text: str | None = None
    label: str | None = None
    group: tuple[str, ...] = ()  # rows that share a value here stay on one side of the split

    @field_validator("group", mode="before")
    @classmethod
    def _one_or_more(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_role_each(self) -> ColumnNames:
        roles = [name for name in (self.text, self.label, *self.group) if name is not None]
        twice = next((name for name in roles if roles.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"the column {twice} is given two roles (text, label, group); it can have one")
        return self


class IngestConfig(StageConfig):
    """What is not given here is found by looking at the source."""

    format: Format | None = None  # by the ending of the name when not given
    encoding: str | None = None  # strict UTF-8, then GB18030, when not given
    delimiter: str | None = Field(None, min_length=1, max_length=1)
    header: bool | None = None  # whether the first row of a CSV or TSV file names the columns; found when not given
    columns: ColumnNames = ColumnNames()
    max_set_aside: Share = 0.1  # with more bad rows than this the file is not what it seems
    max_row_characters: int = Field(1 << 20, ge=1)
    max_columns: int = Field(1000, ge=1)

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
