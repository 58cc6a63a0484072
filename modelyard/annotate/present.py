"""What there is to label: rows of the data without a label, and gold items among them; as people see them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

from modelyard.errors import BadConfig, BadInput
from modelyard.fields import Answerable, Field, Filed
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID, PartView
from modelyard.store.row_id_columns import show_row_ids
from modelyard.tasks.task import Task

OWN_COLUMNS = ("id", "label", "comment", "work", "guideline")  # of a work file, beside the inputs
PICTURES = "pictures"
# What a spreadsheet takes for a formula, and may run: such a text is written behind an apostrophe.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def kind_of(task: Task) -> Field:
    """The kind of field of the target. Raises BadConfig for one that no cell of a table can hold the answer of."""
    kind = task.kinds[task.target_field]
    if not isinstance(kind, Answerable):
        raise BadConfig(
            f"the target of {task.name} is of kind {kind.name}, which is not labelled in a CSV file",
            where="annotate",
            next="take a task whose target is a label; labels that were made elsewhere come in with the data "
            "(docs/pictures.md)",
        )
    return kind


def answerable(kind: Field) -> Answerable:
    assert isinstance(kind, Answerable)
    return kind


def item_id(shown: str) -> str:
    """A row_id as a spreadsheet leaves it alone: it begins with a letter, so that no id is a number in disguise."""
    return f"i{shown}"


def digest_of(cells: Sequence[str]) -> str:
    """What a person saw, whatever a spreadsheet makes of blanks and line ends: BLAKE2b-128."""
    digest = blake2b(digest_size=16)
    for cell in cells:
        digest.update(" ".join(cell.split()).encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


@dataclass
class Present:
    """columns: names of the inputs as work files have them. rows: items of the data, in their order. gold: the known
    label of every gold item, whether it is one of the rows or not. cells: what a person sees of each item."""

    columns: tuple[str, ...] = ()
    rows: dict[str, None] = field(default_factory=dict)
    gold: dict[str, str] = field(default_factory=dict)
    cells: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sources: tuple[tuple[Dataset, tuple[str, ...]], ...] = ()

    @property
    def hidden(self) -> list[str]:
        """Gold items that are no rows of the data, in the order of their file."""
        return [item for item in self.gold if item not in self.rows]

    def shown(self, items: Collection[str]) -> dict[str, str]:
        return {item: digest_of(self.cells[item]) for item in items}

    def files(self, wanted: Collection[str], kinds: Mapping[str, Field]) -> Iterator[tuple[str, str, bytes]]:
        """Item, name and content of the files that cells of these items name: one pass over the data."""
        for dataset, names in self.sources:
            filed = [name for name in names if isinstance(kinds[dataset.column(name).field], Filed)]
            for view in dataset.views() if filed else ():
                table = view.read([ROW_ID, *filed])
                items = [item_id(each) for each in show_row_ids(table[ROW_ID]).to_pylist()]
                for place, item in enumerate(items):
                    if item in wanted and item in self.cells:
                        for name in filed:
                            yield item, self.cells[item][names.index(name)], table[name][place].as_py()


def look_at(dataset: Dataset, gold: Dataset | None, task: Task, labels: Collection[str]) -> Present:
    """The rows of `dataset` that have no label, and the rows of `gold`, which all have one.

    Raises BadInput where a label, of the data or of the gold, is none of the guideline's.
    """
    names = _inputs(dataset, task)
    columns: list[str] = []
    for name in names:
        while name in (*OWN_COLUMNS, *columns):
            name += "_"
        columns.append(name)
    found = Present(tuple(columns), sources=((dataset, names),))
    for view in dataset.views():
        for item, cells, label in _items(view, names, task, labels, "the data"):
            if label is None:
                found.rows[item], found.cells[item] = None, cells
    if gold is not None:
        own = _inputs(gold, task)
        found.sources += ((gold, own),)
        for view in gold.views():
            for item, cells, label in _items(view, own, task, labels, "the gold items"):
                if label is None:
                    continue
                first = item.partition(".")[0]  # of exact twins
                if found.gold.setdefault(first, label) != label:
                    raise BadInput(
                        f"the gold items say {found.gold[first]!r} and {label!r} of one and the same",
                        where=f"item {first}",
                        next="keep the row that is right",
                    )
                found.cells.setdefault(first, cells)
    return found


def _inputs(dataset: Dataset, task: Task) -> tuple[str, ...]:
    """Columns by the order of the task, so that two Datasets with other names for them are alike."""
    by_public = {column.public: column.name for column in dataset.with_role("input")}
    named = [by_public[public] for public in task.columns if public in by_public]
    return tuple(named) if len(named) == len(task.columns) else tuple(c.name for c in dataset.with_role("input"))


def _items(
    view: PartView, names: Sequence[str], task: Task, labels: Collection[str], whose: str
) -> Iterator[tuple[str, tuple[str, ...], str | None]]:
    dataset = view.dataset
    target = [column.name for column in dataset.with_role("target")]
    kinds = {name: task.kinds[dataset.column(name).field] for name in names}
    table = view.read([ROW_ID, *names, *target])
    items = [item_id(each) for each in show_row_ids(table[ROW_ID]).to_pylist()]
    given = table[target[0]].to_pylist() if target else [None] * len(items)
    for place, (item, label) in enumerate(zip(items, given, strict=True)):
        if label is not None and label not in labels:
            raise BadInput(
                f"a row of {whose} has the label {label!r}, which the guideline does not have",
                where=f"item {item}",
                next=f"the guideline has {', '.join(labels)}: add it there, or mend the row",
            )
        cells = tuple(_cell(kinds[name], table[name][place].as_py(), item, name) for name in names)
        yield item, cells, label


def _cell(kind: Field, value: Any, item: str, name: str) -> str:
    if isinstance(kind, Filed):
        return f"{PICTURES}/{item}{kind.file_ending(value)}"
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text
