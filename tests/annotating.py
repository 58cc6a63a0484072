"""A project whose rows are labelled by three people, and what goes through it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from modelyard.chain.project import Project, load_project
from modelyard.chain.runner import ChainOutcome, run_chain
from modelyard.chain.workspace import Workspace
from modelyard.store import Dataset
from tests.annotators import Answer, errs, fill
from tests.rows import Heard, column, write_csv
from tests.unit.tiny_bert import reviews

LABELS = ("negative", "neutral", "positive")
TRUTH = dict(reviews(400))
RIGHT = errs(TRUTH, 0.0)
YAML = """\
data: reviews.csv
name: mood
annotate:
  guideline: guideline.yaml
  annotators: [anna, ben]
  arbiter: chen
  batch_size: 20
"""


def make(folder: Path, rows: int = 50, gold: int = 0, **settings: object) -> Project:
    """A project of reviews without labels; the gold items come from behind them."""
    texts = list(TRUTH)
    write_csv(folder / "reviews.csv", ("text", "source"), [(text, "shop") for text in texts[:rows]])
    if gold:
        write_csv(folder / "gold.csv", ("text", "label"), [(text, TRUTH[text]) for text in texts[-gold:]])
        settings["gold"] = "gold.csv"
    (folder / "guideline.yaml").write_text(f"name: mood\nlabels: [{', '.join(LABELS)}]\n")
    (folder / "modelyard.yaml").write_text(YAML)
    return load_project(folder, settings={"annotate": settings})


def go(project: Project, workspace: Workspace, last: str = "annotate", heard: Heard | None = None) -> ChainOutcome:
    return run_chain(project, workspace, heard or Heard(), last=last)


def labelled(project: Project, workspace: Workspace, people: Mapping[str, Answer], rounds: int = 4) -> ChainOutcome:
    """People fill in what is open until the chain goes on."""
    for _ in range(rounds):
        chain = go(project, workspace)
        if chain.outcome != "waiting":
            return chain
        fill(project.beside("annotate"), people)
    return go(project, workspace)


def but(wrong: Mapping[int, str]) -> Answer:
    """Right, but for the reviews of these numbers."""
    texts = list(TRUTH)
    others = {texts[number]: label for number, label in wrong.items()}
    return lambda text, stem: others.get(text) or TRUTH[text]


def as_labels(dataset: object) -> dict[object, object]:
    assert isinstance(dataset, Dataset)
    return dict(zip(column(dataset, "text"), column(dataset, "label"), strict=True))
