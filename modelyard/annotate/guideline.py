"""The guideline: what each label means, as a file that people write and a page that lies beside their work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import Field, field_validator

from modelyard.config import StageConfig, parse_yaml, read_text, validate
from modelyard.errors import BadConfig
from modelyard.fields import Answerable
from modelyard.fields import Field as Kind
from modelyard.store.digests import digest_json

UNUSABLE = "?"  # what people write who can give an item no label: broken, not of this kind, not to be told


class Meaning(StageConfig):
    """boundary: cases at the edge, with the side that they lie on. variants: forms that the label takes, with examples
    of each."""

    definition: str = ""
    boundary: tuple[str, ...] = ()
    variants: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    examples: tuple[str, ...] = ()
    counter_examples: tuple[str, ...] = ()

    @field_validator("variants", mode="before")
    @classmethod
    def _bare_names(cls, value: Any) -> Any:
        if isinstance(value, list):
            return {str(name): () for name in value}
        return {name: examples or () for name, examples in value.items()} if isinstance(value, dict) else value


class Guideline(StageConfig):
    """name: what the labels are kept under; another name begins anew. labels: a list, or a mapping to their meaning."""

    name: str = Field(pattern=r"^\w[\w.-]{0,59}$")
    title: str = ""
    labels: dict[str, Meaning]

    @field_validator("labels", mode="before")
    @classmethod
    def _bare_list(cls, value: Any) -> Any:
        if isinstance(value, list):
            twice = next((name for name in value if value.count(name) > 1), None)
            if twice is not None:
                raise ValueError(f"the label {twice} stands twice")
            return {str(name): {} for name in value}
        return {str(name): meaning or {} for name, meaning in value.items()} if isinstance(value, dict) else value

    @field_validator("labels")
    @classmethod
    def _can_be_told_apart(cls, labels: dict[str, Meaning]) -> dict[str, Meaning]:
        folded = [name.casefold() for name in labels]
        if len(labels) < 2:
            raise ValueError("a guideline needs two labels at least")
        for name in labels:
            if name != " ".join(name.split()) or name in ("", UNUSABLE):
                raise ValueError(f"{name!r} cannot be a label: {UNUSABLE} has a meaning, and blanks are not seen")
            if folded.count(name.casefold()) > 1:
                raise ValueError(f"{name} and another label differ in case alone: in a spreadsheet they are one")
        return labels

    @property
    def digest(self) -> str:
        return digest_json(self.model_dump(mode="json"))

    def without_example(self) -> list[str]:
        """Variants of which the guideline shows none."""
        return [
            f"{label}: {variant}"
            for label, meaning in self.labels.items()
            for variant, examples in meaning.variants.items()
            if not examples
        ]


def read_guideline(path: Path, kind: Kind) -> Guideline:
    """Raises BadConfig with file and line for what is wrong in it, or is no value of the target's kind of field."""
    value, lines = parse_yaml(read_text(path), path.name)
    if not isinstance(value, dict):
        raise BadConfig(
            f"{path.name} holds no guideline", where=f"{path.name}, line 1", next="write `name:` and `labels:` in it"
        )
    guideline = validate(Guideline, value, path.name, lines)
    for name in guideline.labels:
        try:
            ok = kind.read(name) == name
        except ValueError:
            ok = False
        if not ok or not isinstance(kind, Answerable):
            raise BadConfig(f"{name!r} is no value of a column of kind {kind.name}", where=path.name, next="rename it")
    return guideline


def page(guideline: Guideline, version: int) -> str:
    """The guideline in Markdown, as it lies beside the work."""
    lines = [f"# {guideline.title or guideline.name}, version {version}", ""]
    lines += [f"Write one of these into the column `label`: {', '.join(guideline.labels)}."]
    lines += [f"Write `{UNUSABLE}` where none can be given, and why into `comment`. Empty means: not done yet.", ""]
    for name, meaning in guideline.labels.items():
        lines += [f"## {name}", "", *([meaning.definition, ""] if meaning.definition else [])]
        for title, said in (
            ("At the edge", meaning.boundary),
            ("Examples", meaning.examples),
            ("Not this", meaning.counter_examples),
            *((f"As {variant}", examples or ("(no example yet)",)) for variant, examples in meaning.variants.items()),
        ):
            if said:
                lines += [f"{title}:", "", *(f"- {' '.join(each.split())}" for each in said), ""]
    return "\n".join(lines)
