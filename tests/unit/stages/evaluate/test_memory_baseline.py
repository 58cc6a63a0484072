from __future__ import annotations

import pytest

from modelyard.measure.examples import Examples
from modelyard.stages.evaluate.memory_baseline import memory_baseline, nearest


def examples(*rows: tuple[str, str]) -> Examples:
    return Examples([{"text": source} for source, _ in rows], [target for _, target in rows], [], {})


KNOWN = examples(("delete the volume", "删除卷"), ("create a network", "创建网络"), ("the network is down", "网络故障"))


def test_it_answers_what_the_most_alike_source_had():
    asked = ["delete this volume", "creating networks", "is the network down?"]
    assert nearest([item["text"] for item in KNOWN.items], asked) == [0, 1, 2]


def test_its_value_is_the_chrf_of_those_answers():
    test = examples(("delete the volumes", "删除卷"), ("create one network", "创建网络"))
    baseline = memory_baseline(KNOWN, KNOWN, test)
    assert baseline is not None
    assert baseline.value == pytest.approx(1.0)
    assert "3 train and 2 test rows" in baseline.how
    wrong = memory_baseline(KNOWN, KNOWN, examples(("delete the volumes", "移动磁盘")))
    assert wrong is not None
    assert wrong.value == 0.0


def test_sources_in_a_script_without_blanks_are_told_apart_by_characters():
    assert nearest(["删除卷", "创建网络"], ["创建一个网络", "请删除卷"]) == [1, 0]


def test_only_blank_sources_have_no_memory():
    assert memory_baseline(examples(("…", "a"), ("—", "b")), KNOWN, KNOWN) is not None
    assert memory_baseline(examples((" ", "a"), ("\n", "b")), KNOWN, KNOWN) is None
