"""A guideline is short to write, and what is wrong in it is named by its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.annotate.guideline import page, read_guideline
from modelyard.errors import BadConfig
from modelyard.fields import FIELDS

FULL = """\
name: mood
title: The mood of a review
labels:
  good:
    definition: The writer would see it again.
    boundary: [Praise for one actor in a film that is panned is bad.]
    variants:
      irony: [What a joy to leave early.]
      understatement: []
    examples: [A film well worth seeing.]
    counter_examples: [It ended at last.]
  bad:
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "guideline.yaml"
    path.write_text(text, "utf-8")
    return path


def test_a_list_of_labels_is_a_guideline(tmp_path: Path) -> None:
    read = read_guideline(written(tmp_path, "name: mood\nlabels: [yes, no, 3]\n"), FIELDS["label"])
    assert list(read.labels) == ["yes", "no", "3"]


def test_its_page_holds_all_that_was_written(tmp_path: Path) -> None:
    read = read_guideline(written(tmp_path, FULL), FIELDS["label"])
    shown = page(read, 2)
    assert shown.startswith("# The mood of a review, version 2\n")
    for said in ("one of these", "good, bad", "would see it again", "is panned is bad", "leave early", "ended at last"):
        assert said in shown
    assert read.without_example() == ["good: understatement"]
    assert "As understatement:\n\n- (no example yet)" in shown


def test_its_digest_follows_its_content(tmp_path: Path) -> None:
    one = read_guideline(written(tmp_path, FULL), FIELDS["label"])
    again = read_guideline(written(tmp_path, "# a comment\n" + FULL), FIELDS["label"])
    other = read_guideline(written(tmp_path, FULL.replace("again", "twice")), FIELDS["label"])
    assert one.digest == again.digest != other.digest


@pytest.mark.parametrize(
    ("text", "said", "where"),
    [
        ("name: mood\nlabels: [good]\n", "two labels at least", "line 2"),
        ("name: mood\nlabels: [good, good]\n", "good stands twice", "line 2"),
        ("name: mood\nlabels: [Good, good]\n", "differ in case alone", "line 2"),
        ("name: mood\nlabels: [good, '?']\n", "'?' cannot be a label", "line 2"),
        ("name: mood\nlabels: [good, bad]\nlabel: x\n", "unknown key label", "line 3"),
        ("labels: [good, bad]\n", "the key name is missing", "key name"),
        ("- good\n", "holds no guideline", "line 1"),
        ("name: mood\nlabels:\n  good: {exmples: [a]}\n  bad:\n", "unknown key exmples", "line 3"),
    ],
)
def test_what_is_wrong_is_named_by_its_line(tmp_path: Path, text: str, said: str, where: str) -> None:
    with pytest.raises(BadConfig) as caught:
        read_guideline(written(tmp_path, text), FIELDS["label"])
    assert said in caught.value.message
    assert where in str(caught.value.where)
