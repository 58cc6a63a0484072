"""The baseline of the headline figures: the eager model behind a plain handler, as a process."""

from __future__ import annotations

import contextlib
import http.client
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.errors import EnvironmentProblem
from modelyard.measure.eager_handler import KINDS
from modelyard.measure.launch import HOST, Target, free_port, launched
from modelyard.measure.load import request_body
from modelyard.tasks.pipeline import Array, Tensors

NAME = "eager"
ANSWERS_AT_ONCE = 16
SETTING = "eager float32, torch 1 thread, raw ASGI handler on uvicorn, no batching"


def how(loader: str) -> str:
    """What the baseline is, in words. loader: of the Model."""
    named = {"transformers": "transformers", "keras": "Keras on PyTorch,"}
    return f"{named.get(loader, 'PyTorch')} {SETTING}"


def kind_of(eager: str | None, framework: str) -> str | None:
    """Which baseline answers as a model does that is written in the framework; None: there is none.

    eager: as its task names it."""
    kind = eager if framework == "torch" else f"{framework}_{eager}"
    return kind if kind in KINDS else None


@contextlib.contextmanager
def served_eagerly(
    model: Path,
    max_length: int,
    kind: str,
    input_name: str,
    *,
    generation: Mapping[str, Any] | None = None,
    limit_s: float = 120.0,
) -> Iterator[Target]:
    """A model's directory behind `eager_handler`, as that kind of model; stopped when the block ends.

    generation: the settings of the search, of a model that writes its answers."""
    port = free_port()
    command = [sys.executable, "-P", "-m", "modelyard.measure.eager_handler"]
    command += [kind, str(model), str(port), str(max_length)]
    if generation is not None:
        command.append(json.dumps(dict(generation)))
    environment = {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    with launched(command, port, what="the eager baseline", limit_s=limit_s, environment=environment) as pid:
        yield Target(NAME, port, f"/v2/models/{NAME}/infer", input_name, pid)


def answers(target: Target, texts: Sequence[str | bytes]) -> Tensors:
    """The outputs that the server gives for all texts, for its quality (not for time): ANSWERS_AT_ONCE a request."""
    parts: dict[str, list[Array]] = {}
    connection = http.client.HTTPConnection(HOST, target.port, timeout=120)
    try:
        for start in range(0, len(texts), ANSWERS_AT_ONCE):
            headers, request = request_body(target.input, texts[start : start + ANSWERS_AT_ONCE])
            connection.request("POST", target.path, request, headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status != 200:
                raise EnvironmentProblem(
                    f"the eager baseline answered {answer.status}", where=body[:200].decode(errors="replace")
                )
            for output in json.loads(body)["outputs"]:
                kind = {"BYTES": object, "INT32": np.int32}.get(output["datatype"], np.float32)
                parts.setdefault(output["name"], []).append(
                    np.array(output["data"], dtype=kind).reshape(output["shape"])
                )
    finally:
        connection.close()
    return {name: np.concatenate(arrays) for name, arrays in parts.items()}
