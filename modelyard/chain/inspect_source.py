"""Looking at a user's own file before anything runs: what it is, what was assumed, and what stops a training."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from modelyard.chain.project import Project
from modelyard.errors import BadConfig, BadInput
from modelyard.stages.ingest import Peek, peek
from modelyard.stages.split import SplitConfig
from modelyard.store.dataset import SPLIT
from modelyard.tasks import Task, hold_trainable, load_task

# Columns that say who or what a row comes from: rows that share such a value resemble each other.
GROUP_NAME = re.compile(
    r"(?:^|_)(?:user|author|writer|reviewer|customer|client|account|person|speaker|patient|student|worker|document"
    r"|doc|article|page|book|session|thread|conversation|dialog|dialogue|call|ticket|video|episode|household)"
    r"(?:_?(?:id|no|nr|number|name|key|uuid))?$"
    r"|^(?:用户|作者|客户|会话|对话|文档|文章|患者|病人|学生|说话人)(?:_?id|编号|名|名称)?$",
    re.IGNORECASE,
)
FEWEST_GROUPS = 20
LARGEST_GROUP = 0.1  # of the rows: a larger one would decide the split alone
FEW_ROWS = 300
MANY_CLASSES = 20
SHOWN_CLASSES = 4


@dataclass(frozen=True)
class Group:
    """A column whose rows stay on one side of the split: its distinct values; how: `named` or `by name`."""

    column: str
    values: int
    how: str


@dataclass(frozen=True)
class Look:
    """What a source is and what was assumed of it. rows: the usable ones that were read; whole: those are all.

    columns: public name of the task to column of the source, inputs first, `target` being the last; kinds: their kinds
    of field; how: how each was found; classes: rows of each class, empty where the target is no label.
    group_like: what is said of columns that look like groups and were not taken.
    """

    file: str
    task: str
    details: dict[str, Any]
    rows: int
    whole: bool
    columns: dict[str, str]
    kinds: dict[str, str]
    target: str
    how: dict[str, str]
    classes: dict[str, int]
    groups: tuple[Group, ...]
    group_like: tuple[str, ...]
    others: tuple[str, ...]
    set_aside: dict[str, int]
    set_aside_count: int
    first_set_aside: str | None
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "task": self.task,
            **{key: self.details.get(key) for key in ("format", "encoding", "delimiter", "header")},
            "rows": self.rows,
            "all_rows_read": self.whole,
            **{public: {"column": column, "how": self.how[public]} for public, column in self.columns.items()},
            "classes": self.classes,
            "groups": [{"column": g.column, "values": g.values, "how": g.how} for g in self.groups],
            "other_columns": list(self.others),
            "set_aside": self.set_aside,
            "notes": [*self.group_like, *self.notes],
        }

    def kind(self) -> str:
        """`UTF-8, comma`, as a person says it."""
        known = {
            "jsonl": "JSON Lines",
            "parquet": "Parquet",
            "huggingface": "Hugging Face layout",
            "modelyard": "written by Modelyard",
            "coco": "COCO",
            "yolo": "YOLO",
            "imagefolder": "pictures",
        }
        encoding = str(self.details.get("encoding") or "").upper()
        parts = [encoding + (" (GBK)" if encoding == "GB18030" else ""), self.details.get("delimiter")]
        parts += [known.get(self.details["format"]), "no header" if self.details.get("header") is False else None]
        return ", ".join(str(part) for part in parts if part)

    def shown_classes(self, most: int = SHOWN_CLASSES) -> str:
        """`2 classes: positive 53 %, negative 47 %`, the largest first."""
        ranked = Counter(self.classes).most_common(most)
        shown = ", ".join(f"{_short(name)} {count / self.rows:.0%}".replace("%", " %") for name, count in ranked)
        return f"{len(self.classes)} classes: {shown}{', ...' if len(self.classes) > most else ''}"

    def lines(self) -> list[str]:
        """What is printed before the chain runs: what was found, then what was assumed and the key that changes it."""
        rows = f"{self.rows:,} rows" if self.whole else f"the first {self.rows:,} rows"
        named = [f"{column} ({self._told(public)})" for public, column in self.columns.items()]
        return [f"{self.kind()}, {rows}: {', '.join(named)}", *self._assumed()]

    def _told(self, public: str) -> str:
        return self.shown_classes() if public == self.target and self.classes else self.kinds[public]

    def _assumed(self) -> list[str]:
        said = [
            f"{public}: column {column}, {self.how[public]}   (change: ingest.columns.{public})"
            for public, column in self.columns.items()
            if self.how[public] != "named"
        ]
        if self.groups:
            said += [
                f"{group.column} ({group.values:,} values): all rows of one stay on one side of the split   "
                f"(change: ingest.columns.group)"
                for group in self.groups
            ]
        elif not self.group_like:
            said.append("no group column found: near duplicates are kept on one side   (change: split.group)")
        if count := self.set_aside_count:
            reasons = ", ".join(f"{count:,} × {reason}" for reason, count in list(self.set_aside.items())[:3])
            said.append(f"{count:,} of {self.rows + count:,} rows set aside: {reasons}; first: {self.first_set_aside}")
        return [*said, *self.group_like, *self.notes]


def look(project: Project, *, propose: bool = True) -> Look:
    """Look at the project's data, with its settings. propose: a group column that fits by name is taken.

    Raises BadInput for what would stop the chain before training ends, with what to write.
    """
    task = load_task(project.task)
    _hold_task(task, project)
    source = project.source()
    seen = peek(source, project.ingest)
    looked_for = (*task.columns, *(() if project.ingest.unlabelled else (task.target,)))
    columns = {public: seen.found[public].column for public in looked_for}
    _hold_requests(task, seen, columns, project)
    names = {column.name for column in seen.columns}
    for key, wanted in (("split.group", project.split.group), ("split.strata", project.split.strata)):
        for name in wanted:
            if name not in names:
                raise BadConfig(
                    f"{key} names {name}, which is no column of {source.name}",
                    where=project.place(key),
                    next=f"its columns: {', '.join(column.name for column in seen.columns if column.role != 'system')}",
                )
    counts: Counter[str] = Counter()
    if task.target_field == "label" and task.target in columns:
        target = columns[task.target]
        counts.update(seen.table[target].to_pylist())
        _hold_classes(counts, target, seen, source, project.split)
    groups, group_like = _groups(seen, project.split, propose)
    return Look(
        file=source.name,
        task=project.task,
        details=seen.details,
        rows=seen.table.num_rows,
        whole=seen.whole,
        columns=columns,
        kinds={**task.columns, task.target: task.target_field},
        target=task.target,
        how={public: found.how for public, found in seen.found.items()},
        classes=dict(counts.most_common()),
        groups=groups,
        group_like=tuple(group_like),
        others=tuple(
            column.name
            for column in seen.columns
            if column.role == "meta" and column.name not in {group.column for group in groups}
        ),
        set_aside=dict(seen.tally.reasons.most_common()),
        set_aside_count=seen.tally.aside,
        first_set_aside=next((f"{bad.file}, line {bad.line}" for bad in seen.tally.shown), None),
        notes=(*seen.notes, *_further_notes(seen, counts)),
    )


def _hold_task(task: Task, project: Project) -> None:
    """Raises BadConfig for a task that the chain cannot carry to its end: one that is not trained, or has no metric."""
    try:
        hold_trainable(task)
    except BadConfig as error:
        raise BadConfig(error.message, where=project.place("task"), next=error.next) from None
    if task.metric is None:
        raise BadConfig(
            f"the task {task.name} has no metric: nothing says which of two answers is better",
            where=project.place("task"),
            next="give it one: `metric = Accuracy()`, or a Metric of its own (docs/own-task.md)",
        )


def _hold_requests(task: Task, seen: Peek, columns: dict[str, str], project: Project) -> None:
    """Raises BadConfig for a task whose rows stand for several requests: it can be measured, and not trained."""
    if not seen.table.num_rows:
        return
    first = seen.table.slice(0, 1)
    row = {public: first[columns[public]][0].as_py() for public in task.columns}
    requests = len(task.items([row]))
    if requests != 1:
        raise BadConfig(
            f"a row of the task {task.name} stands for {requests} requests: the chain trains on rows that are requests",
            where=project.place("task"),
            next="train with a task whose rows are requests; a model that exists: modelyard release MODEL --data DATA",
        )


def _hold_classes(counts: Counter[str], label: str, seen: Peek, source: Path, split: SplitConfig) -> None:
    """Raises BadInput for a label that nothing can be trained on."""
    rows = seen.table.num_rows
    others = [column.name for column in seen.columns if column.role == "meta"]
    another = f"name another column: --set ingest.columns.label={others[0]}" if others else "give rows of other classes"
    if len(counts) > MANY_CLASSES and len(counts) * 2 > rows:
        raise BadInput(
            f"the column {label} has {len(counts):,} different values in {rows:,} rows: these are not classes",
            where=str(source),
            next=another if others else "give a column with one of a few class names in every row",
        )
    if not seen.whole:
        return
    if len(counts) == 1:
        raise BadInput(
            f"all {rows:,} rows have one label, {_short(next(iter(counts)))}: there is nothing to tell apart",
            where=f"{source}, column {label}",
            next=f"a classifier needs rows of two classes at least; {another}",
        )
    needed = 3 * split.min_rows_per_class
    small = {name: count for name, count in counts.items() if count < needed}
    if small:
        shown = ", ".join(f"{_short(name)} ({count})" for name, count in sorted(small.items())[:5])
        raise BadInput(
            f"too few rows of {len(small)} of {len(counts)} classes: {shown}{', ...' if len(small) > 5 else ''}",
            where=f"{source}, column {label}",
            next=f"train, validation and test need rows of each class, {needed} in all at the very least: bring more, "
            f"merge small classes, or leave their rows out",
        )


def _groups(seen: Peek, split: SplitConfig, propose: bool) -> tuple[tuple[Group, ...], list[str]]:
    """The group columns that were named or are taken, and what is said of those that were not."""
    named = [column.name for column in seen.columns if column.role == "group" or column.name in split.group]
    groups = [Group(name, _distinct(seen.table[name]), "named") for name in named]
    if groups:
        return tuple(groups), []
    notes = []
    for column in seen.columns:
        if column.role != "meta" or not GROUP_NAME.search(column.name.strip().replace(" ", "_").replace("-", "_")):
            continue
        counts = Counter(value for value in seen.table[column.name].to_pylist() if value is not None)
        if not counts or max(counts.values()) == 1:
            continue
        if not propose:
            notes.append(
                f"{column.name} repeats: rows of one may resemble each other   (keep them together: split.group)"
            )
        elif len(counts) < FEWEST_GROUPS or max(counts.values()) > LARGEST_GROUP * seen.table.num_rows:
            notes.append(
                f"{column.name} is not used to keep rows together: {len(counts):,} values, the largest has "
                f"{max(counts.values()) / seen.table.num_rows:.0%} of the rows   (change: split.group)"
            )
        else:
            groups.append(Group(column.name, len(counts), "by name"))
    return tuple(groups), notes


def _further_notes(seen: Peek, counts: Counter[str]) -> list[str]:
    said = []
    if any(column.name == SPLIT for column in seen.columns):
        said.append("the split that the data came with is kept   (change: split.keep_split)")
    if seen.details.get("encoding") == "gb18030":
        said.append("not UTF-8: read as GB18030, which holds GBK   (change: ingest.encoding)")
    if seen.whole and seen.table.num_rows < FEW_ROWS:
        said.append(f"{seen.table.num_rows:,} rows are few: expect wide intervals, a few hundred a class are a start")
    folded = Counter(name.casefold() for name in counts)
    alike = [name for name in counts if folded[name.casefold()] > 1]
    if alike:
        said.append(f"classes that differ only in case are kept apart: {', '.join(map(_short, sorted(alike)[:6]))}")
    return said


def _distinct(values: pa.ChunkedArray) -> int:
    return len(values.unique())


def _short(name: str) -> str:
    """A class name on one line."""
    shown = " ".join(name.split())
    return shown if len(shown) <= 40 else shown[:37] + "..."
