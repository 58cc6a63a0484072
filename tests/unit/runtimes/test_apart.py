"""A graph in a process of its own answers as it does here, and ends nothing but that process."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from modelyard.errors import Damaged
from modelyard.runtimes.apart import GraphApart, RunFailed
from modelyard.runtimes.onnxruntime import open_graph
from modelyard.runtimes.tensor_golden import pack
from tests.graphs import endless, graph, node, saved

LEAST = np.iinfo(np.int32).min


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()}


def test_answers_are_bit_by_bit_those_of_the_graph_opened_here(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x w", "y"), node("Identity", "words", "said"), node("ReduceSum", "x", "sum", keepdims=0)]
    inputs = [("x", "FLOAT", ["n", 3]), ("words", "STRING", [None])]
    outputs = [("y", "FLOAT", ["n", 2]), ("said", "STRING", [None]), ("sum", "FLOAT", [])]
    weights = {"w": np.random.default_rng(1).standard_normal((3, 2)).astype(np.float32)}
    path = saved(graph(nodes, inputs, outputs, weights), tmp_path / "g.onnx")
    here = open_graph([path], threads=1)
    with GraphApart([path], 1, 60) as apart:
        assert (apart.inputs, apart.outputs) == (here.inputs, here.outputs)
        for rows in (1, 5, 0):
            x = np.random.default_rng(rows).standard_normal((rows, 3)).astype(np.float32)
            feeds = {"x": x, "words": np.array(["", "数据\0"], dtype=object)}
            wanted, found = here.run(feeds), apart.run(feeds)
            assert list(found) == list(wanted)
            for name, array in wanted.items():
                assert (found[name].dtype, found[name].shape) == (array.dtype, np.shape(array))
                np.testing.assert_array_equal(found[name], array)


def test_what_the_graph_does_not_take_is_said_in_the_words_of_the_runtime(tmp_path: Path) -> None:
    path = saved(graph([node("Identity", "x", "y")], [("x", "FLOAT", ["n"])], [("y", "FLOAT", ["n"])]), tmp_path / "g")
    with GraphApart([path], 1, 60) as apart:
        with pytest.raises(RunFailed, match="Invalid rank for input: x"):
            apart.run({"x": np.zeros((2, 2), np.float32)})
        with pytest.raises(RunFailed, match="the graph takes x: x not given"):
            apart.run({"z": np.ones(2, np.float32)})
        assert apart.run({"x": np.ones(2, np.float32)})["y"].tolist() == [1.0, 1.0]


def test_a_file_that_is_no_graph_does_not_open(tmp_path: Path) -> None:
    before = children()
    (tmp_path / "g.onnx").write_bytes(b"nothing")
    with pytest.raises(Damaged, match=r"g\.onnx does not open in ONNX Runtime"):
        GraphApart([tmp_path / "g.onnx"], 1, 60)
    assert children() == before


def test_a_run_that_does_not_end_is_stopped_and_the_next_one_answers(tmp_path: Path) -> None:
    before = children()
    path = saved(endless(), tmp_path / "g.onnx")
    with GraphApart([path], 1, 60) as apart:
        assert apart.run({"x": np.float32(-1)})["y"] == -1.0
        apart._limit_s = 1.0
        with pytest.raises(RunFailed, match="it took longer than 1 s \(limit_s\), and was stopped"):
            apart.run({"x": np.array(1, np.float32)})
        assert children() == before
        apart._limit_s = 60.0
        assert apart.run({"x": np.array(-2, np.float32)})["y"] == -2.0
    assert children() == before


def test_a_run_that_ends_its_process_says_how_and_the_next_one_answers(tmp_path: Path) -> None:
    divided = graph([node("Div", "x by", "y")], [("x", "INT32", []), ("by", "INT32", [])], [("y", "INT32", [])])
    with GraphApart([saved(divided, tmp_path / "g.onnx")], 1, 60) as apart:
        if os.uname().machine == "x86_64":  # others answer
            with pytest.raises(RunFailed, match="it ended the process with SIGFPE"):
                apart.run({"x": np.array(LEAST, np.int32), "by": np.array(-1, np.int32)})
        assert apart.run({"x": np.array(7, np.int32), "by": np.array(2, np.int32)})["y"] == 3


def test_the_process_ends_with_the_one_that_asked_also_in_the_middle_of_a_run(tmp_path: Path) -> None:
    """As when it is killed: its end of the connection is closed, and nothing else."""
    apart = GraphApart([saved(endless(), tmp_path / "g.onnx")], 1, 60)
    process = apart._process
    assert process is not None
    apart._connection.send_bytes(pack([{"x": np.array(1, np.float32)}]))
    time.sleep(0.2)
    assert process.poll() is None
    apart._connection.close()
    assert process.wait(10) == 0
