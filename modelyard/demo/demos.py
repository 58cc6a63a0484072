"""What is shown of each task: its data, the project around them, and what the served model is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from modelyard.chain.templates import template_files
from modelyard.demo.digit_folders import DIGITS, write_digit_folders
from modelyard.demo.digit_scenes import write_digit_scenes
from modelyard.demo.sentiment import write_sentiment_csv
from modelyard.demo.served import Row
from modelyard.demo.spoken_forms import write_spoken_forms
from modelyard.errors import BadConfig
from modelyard.training.minilm import minilm

SENTENCES = (
    "An absolute joy from the first scene to the last.",
    "The battery died after two days and nobody answers my mails.",
    "I have no idea why this got good reviews, what a waste of an evening.",
)
PICTURES_SHOWN = 3


@dataclass(frozen=True)
class Demo:
    """data: the file or folder in the project's folder that `write` makes, of so many rows (None: all there are); rows:
    how many without being asked; most: how many there are.

    fetch: brings what else is needed into the user's cache. asked: the items that the served model is asked, by the
    name of its input; told: one of them and its answer, in a line; items: what people call them; baseline: what it is
    held against. beside: further files of the project, by name.
    """

    yaml: str
    data: str
    rows: int
    most: int
    write: Callable[[Path, int | None], int]
    fetch: Callable[[], object]
    input: str
    asked: Callable[[Path], Sequence[str | bytes]]
    told: Callable[[str | bytes, Row], str]
    items: str
    baseline: str
    beside: Callable[[], Mapping[str, bytes]] = dict
    framework: str = "torch"


TEXT = """\
# Four-domain English sentiment (movie and product reviews, editorials, tweets) on a small real BERT.
# Only what differs from the defaults stands here.
name: sentiment
task: text_classification
data: sentiment.csv
ingest:
  columns: {text: text, label: label, group: document}
train:
  base: minilm  # all-MiniLM-L6-v2 from the package index; any hub id or directory will do
"""

SCENES = """\
# Handwritten digits on photographs, composed (README.md in the data says how), found by a small detector made here.
# Only what differs from the task's defaults stands here.
name: digits
task: detection
data: scenes
train:
  epochs: 16
"""

FORMS = """\
# Numbers, dates, times and money between digits, English and Chinese words (forms.md says how the data were composed),
# written by a small T5 made here. Only what differs from the task's defaults stands here.
name: spoken-forms
task: seq2seq
data: forms.csv
train:
  base: t5-nano
  epochs: 16
  micro_batch_size: 64
"""

FORMS_SAID = """\
# forms.csv

Composed by a program (modelyard.demo.spoken_forms), every row of it; nobody said or wrote these texts. A row asks for
a value in another form: `text` begins with the form that is wanted, `target` is the one right answer. `kind` says
whether the value is a number, a date, a time or money, `direction` from which form to which.
"""

REQUESTS = ("Chinese: the twenty-third of May nineteen ninety-four", "digits: 三万零五十", "English: 十九点零五分")

FOLDERS = """\
# Handwritten digits (README.md in the data says whose), a folder a class, told apart by a small ResNet made here.
# Only what differs from the task's defaults stands here.
name: digit-names
task: image_classification
data: digits
train:
  image_size: 56
  epochs: 12
"""

FOLDERS_KERAS = """\
# Handwritten digits (README.md in the data says whose), a folder a class, told apart by the network in model.py.
# Only what differs from the task's defaults stands here.
name: digit-names
task: image_classification
data: digits
train:
  framework: keras
  base: model.py:build_model
  image_size: 28
  epochs: 10
  base_lr: 0.024
"""


def _keras_function() -> Mapping[str, bytes]:
    """The network of the template."""
    return {"model.py": template_files("image_classification_keras")["model.py"]}


def _forms(path: Path, count: int | None) -> int:
    return write_spoken_forms(path, DEMOS["seq2seq"].most if count is None else count)


def _told_written(item: str | bytes, answer: Row) -> str:
    return f"{item!s} -> {answer['text']}"


def _folders(path: Path, count: int | None) -> int:
    return write_digit_folders(path, DIGITS if count is None else count)


def _one_of_each(path: Path) -> list[bytes]:
    folders = [folder for folder in sorted(path.iterdir()) if folder.is_dir()]
    return [min(folder.iterdir()).read_bytes() for folder in folders[:PICTURES_SHOWN]]


def _told_name(item: str | bytes, answer: Row) -> str:
    return f"{answer['label']} {answer['score']:.3f}   a picture of {len(item):,} bytes"


def _scenes(path: Path, count: int | None) -> int:
    if count is None:
        return write_digit_scenes(path, DEMOS["detection"].most)
    return write_digit_scenes(path, count)


def _pictures(path: Path) -> list[bytes]:
    names = sorted((path / "images").iterdir())
    return [name.read_bytes() for name in names[:PICTURES_SHOWN]]


def _told_text(item: str | bytes, answer: Row) -> str:
    return f"{answer['label']} {answer['score']:.3f}   {item!s}"


def _told_boxes(item: str | bytes, answer: Row) -> str:
    sure = [
        f"{label} ({score:.2f}) at {box[0]:.0f}, {box[1]:.0f} to {box[2]:.0f}, {box[3]:.0f}"
        for label, score, box in zip(answer["labels"], answer["scores"], answer["boxes"], strict=True)
        if score >= 0.5
    ]
    return f"{len(sure)} digits: {'; '.join(sure)}" if sure else "no digit that it is sure of"


DEMOS: Mapping[str, Demo] = MappingProxyType(
    {
        "text_classification": Demo(
            TEXT, "sentiment.csv", 6000, 21_385, write_sentiment_csv, minilm, "text",
            lambda path: SENTENCES, _told_text, "texts", "TF-IDF + logistic regression",
        ),
        "image_classification": Demo(
            FOLDERS, "digits", DIGITS, DIGITS, _folders, lambda: None, "image",
            _one_of_each, _told_name, "pictures", "colours and gradients + logistic regression",
        ),
        "detection": Demo(
            SCENES, "scenes", 1000, 2000, _scenes, lambda: None, "image",
            _pictures, _told_boxes, "pictures", "windows of gradients + logistic regression",
        ),
        "seq2seq": Demo(
            FORMS, "forms.csv", 12_000, 30_000, _forms, lambda: None, "text",
            lambda path: REQUESTS, _told_written, "texts", "translation memory",
            lambda: {"forms.md": FORMS_SAID.encode()},
        ),
    }
)  # fmt: skip


def demo_of(task: str, framework: str) -> Demo:
    """Raises BadConfig for a task that is not shown in that framework."""
    shown = DEMOS[task]
    if framework == "torch":
        return shown
    if task != "image_classification":
        raise BadConfig(
            f"{task} is not shown in {framework}",
            where="--framework",
            next=f"modelyard demo --task image_classification --framework {framework}",
        )
    return replace(shown, yaml=FOLDERS_KERAS, beside=_keras_function, framework=framework)
