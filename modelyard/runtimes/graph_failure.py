"""What ONNX Runtime says when a graph does not run, without the places in its own source."""

from __future__ import annotations

import re
from dataclasses import dataclass

LENGTH = 300
_HEAD = re.compile(r"^\[ONNXRuntimeError\] : \d+ : \w+ : ")
_NODE = re.compile(
    r"^Non-zero status code returned while running (?P<op>\S+) node\. Name:'(?P<name>[^']*)' Status Message: "
)
_SOURCE = re.compile(r"\S*/onnxruntime/\S+:\d+ .*?\)(?:::<lambda\(\)>)? (?=\S)")


@dataclass(frozen=True)
class GraphFailure:
    """words: what went wrong; op and node: where, empty when it is no node that failed (a wrong rank, say)."""

    words: str
    op: str = ""
    node: str = ""

    def __str__(self) -> str:
        if not self.op:
            return self.words
        return f"node {self.node or '(without a name)'} ({self.op}): {self.words}"


def graph_failure(error: Exception) -> GraphFailure:
    """Read from the message of any runtime's exception."""
    text = _HEAD.sub("", " ".join(str(error).split()))
    op = name = ""
    while node := _NODE.match(text):  # a node in a branch is told behind the one that holds the branch
        op, name, text = node["op"], node["name"], text[node.end() :]
    return GraphFailure(_SOURCE.sub("", text)[:LENGTH].rstrip() or type(error).__name__, op, name)
