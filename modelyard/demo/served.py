"""The released model, served as a user would serve it, asked over REST and gRPC by plain clients."""

from __future__ import annotations

import contextlib
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.errors import EnvironmentProblem
from modelyard.measure.launch import HOST, free_port, launched
from modelyard.measure.load import request_body
from modelyard.serve.protocol import SERVICE, messages
from modelyard.tasks.pipeline import Array
from modelyard.tasks.tensor.datatypes import DTYPES, split_bytes

Row = dict[str, Any]


@dataclass(frozen=True)
class Served:
    """A server with one model: its ports and its process."""

    model: str
    http: int
    grpc: int
    pid: int
    start_s: float

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.http}/v2/models/{self.model}"


@contextlib.contextmanager
def served(model: str, alias: str, workspace: Path) -> Iterator[Served]:
    """`modelyard serve MODEL@ALIAS` as a process, ready; stopped when the block ends."""
    http, grpc = free_port(), free_port()
    command = [sys.executable, "-P", "-m", "modelyard", "serve", f"{model}@{alias}", "--workspace", str(workspace)]
    command += ["--http", str(http), "--grpc", str(grpc), "--no-access-log"]
    started = time.perf_counter()
    with launched(command, http, what=f"the server of {model}@{alias}") as pid:
        yield Served(model, http, grpc, pid, time.perf_counter() - started)


def ask_rest(server: Served, name: str, items: Sequence[str | bytes]) -> list[Row]:
    """One V2 request over REST, `name` being the input: what is answered to each item."""
    headers, body = request_body(name, items)
    request = urllib.request.Request(f"{server.url}/infer", body, headers)  # noqa: S310 - our own server's address
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            outputs = json.load(answer)["outputs"]
    except urllib.error.HTTPError as error:
        with error:
            raise EnvironmentProblem(f"the server answered {error.code}: {error.read().decode()}") from None
    return _rows({each["name"]: np.array(each["data"]).reshape(each["shape"]) for each in outputs})


def ask_grpc(server: Served, name: str, items: Sequence[str | bytes]) -> list[Row]:
    """The same over gRPC."""
    import grpc

    kinds = messages()
    request = kinds["ModelInferRequest"](model_name=server.model)
    tensor = request.inputs.add(name=name, datatype="BYTES", shape=[len(items)])
    tensor.contents.bytes_contents.extend(item if isinstance(item, bytes) else item.encode() for item in items)
    with grpc.insecure_channel(f"{HOST}:{server.grpc}") as channel:
        infer = channel.unary_unary(
            f"/{SERVICE}/ModelInfer",
            request_serializer=kinds["ModelInferRequest"].SerializeToString,
            response_deserializer=kinds["ModelInferResponse"].FromString,
        )
        answer = infer(request, timeout=30)
    raw = answer.raw_output_contents
    return _rows({each.name: _values(each, raw[place] if raw else None) for place, each in enumerate(answer.outputs)})


def _values(output: Any, raw: bytes | None) -> Array:
    """An output of a ModelInferResponse, whichever way it carries its contents."""
    if output.datatype == "BYTES":
        given = split_bytes(raw) if raw is not None else output.contents.bytes_contents
        values: Array = np.array([item.decode() for item in given])
    elif raw is not None:
        values = np.frombuffer(raw, dtype=DTYPES[output.datatype])
    else:
        values = np.array([*output.contents.fp32_contents, *output.contents.int_contents])
    return values.reshape(list(output.shape))


def _rows(outputs: Mapping[str, Array]) -> list[Row]:
    """{output: value} of each item; where `count` says how many places of an item are filled, those alone."""
    items = len(next(iter(outputs.values())))
    rows = [{name: array[item].tolist() for name, array in outputs.items()} for item in range(items)]
    return [
        {name: value[: row["count"]] if isinstance(value, list) else value for name, value in row.items()}
        if "count" in row
        else row
        for row in rows
    ]


def statistics(server: Served) -> dict[str, Any]:
    """The percentiles that the server keeps itself."""
    with urllib.request.urlopen(f"{server.url}/stats", timeout=30) as answer:  # noqa: S310
        loaded: dict[str, Any] = json.load(answer)
        return loaded
