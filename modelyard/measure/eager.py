"""The baseline of the headline figures: the eager model behind a plain handler, as a process."""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from modelyard.errors import EnvironmentProblem
from modelyard.measure.launch import HOST, Target, free_port, launched

NAME = "eager"
ANSWERS_AT_ONCE = 16
HOW = "transformers eager float32, torch 1 thread, raw ASGI handler on uvicorn, no batching"


@contextlib.contextmanager
def served_eagerly(model: Path, max_length: int, *, limit_s: float = 120.0) -> Iterator[Target]:
    """A Hugging Face classifier behind `eager_handler`; stopped when the block ends."""
    port = free_port()
    command = [sys.executable, "-P", "-m", "modelyard.measure.eager_handler", str(model), str(port), str(max_length)]
    environment = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    with launched(command, port, what="the eager baseline", limit_s=limit_s, environment=environment) as pid:
        yield Target(NAME, port, f"/v2/models/{NAME}/infer", "text", pid)


def answers(target: Target, texts: Sequence[str]) -> list[str]:
    """The labels that the server gives, for accuracy (not for time): ANSWERS_AT_ONCE texts a request."""
    labels: list[str] = []
    connection = http.client.HTTPConnection(HOST, target.port, timeout=120)
    try:
        for start in range(0, len(texts), ANSWERS_AT_ONCE):
            part = list(texts[start : start + ANSWERS_AT_ONCE])
            tensor = {"name": target.input, "datatype": "BYTES", "shape": [len(part)], "data": part}
            connection.request("POST", target.path, json.dumps({"inputs": [tensor]}).encode())
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise EnvironmentProblem(
                    f"the eager baseline answered {answer.status}", where=body[:200].decode(errors="replace")
                )
            outputs = {output["name"]: output["data"] for output in json.loads(body)["outputs"]}
            labels.extend(outputs["label"])
    finally:
        connection.close()
    return labels
