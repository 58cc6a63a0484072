"""The released model, served as a user would serve it, asked over REST and gRPC by plain clients."""

from __future__ import annotations

import contextlib
import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.errors import EnvironmentProblem
from modelyard.measure.launch import HOST, free_port, launched
from modelyard.serve.protocol import SERVICE, messages


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


def ask_rest(server: Served, texts: Sequence[str]) -> list[dict[str, Any]]:
    """One V2 request over REST: [{label, score}] a text."""
    body = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [len(texts)], "data": list(texts)}]}
    request = urllib.request.Request(  # noqa: S310 - the address is our own server's
        f"{server.url}/infer", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            outputs = {output["name"]: output["data"] for output in json.load(answer)["outputs"]}
    except urllib.error.HTTPError as error:
        with error:
            raise EnvironmentProblem(f"the server answered {error.code}: {error.read().decode()}") from None
    return [{"label": label, "score": score} for label, score in zip(outputs["label"], outputs["score"], strict=True)]


def ask_grpc(server: Served, texts: Sequence[str]) -> list[dict[str, Any]]:
    """One V2 request over gRPC: [{label, score}] a text."""
    import grpc

    kinds = messages()
    request = kinds["ModelInferRequest"](model_name=server.model)
    tensor = request.inputs.add(name="text", datatype="BYTES", shape=[len(texts)])
    tensor.contents.bytes_contents.extend(text.encode() for text in texts)
    with grpc.insecure_channel(f"{HOST}:{server.grpc}") as channel:
        infer = channel.unary_unary(
            f"/{SERVICE}/ModelInfer",
            request_serializer=kinds["ModelInferRequest"].SerializeToString,
            response_deserializer=kinds["ModelInferResponse"].FromString,
        )
        answer = infer(request, timeout=30)
    return _rows(answer)


def _rows(answer: Any) -> list[dict[str, Any]]:
    """The label and score of a ModelInferResponse, whichever way it carries its contents."""
    import numpy as np

    values: dict[str, list[Any]] = {}
    for index, output in enumerate(answer.outputs):
        if answer.raw_output_contents:
            raw = answer.raw_output_contents[index]
            if output.datatype == "BYTES":
                values[output.name] = [item.decode() for item in _bytes_items(raw)]
            else:
                values[output.name] = np.frombuffer(raw, dtype="<f4").tolist()
        elif output.datatype == "BYTES":
            values[output.name] = [item.decode() for item in output.contents.bytes_contents]
        else:
            values[output.name] = list(output.contents.fp32_contents)
    return [{"label": label, "score": score} for label, score in zip(values["label"], values["score"], strict=True)]


def _bytes_items(raw: bytes) -> Iterator[bytes]:
    """Elements of a BYTES tensor: each behind its length, four bytes, little-endian."""
    place = 0
    while place < len(raw):
        size = int.from_bytes(raw[place : place + 4], "little")
        yield raw[place + 4 : place + 4 + size]
        place += 4 + size


def statistics(server: Served) -> dict[str, Any]:
    """The percentiles that the server keeps itself."""
    with urllib.request.urlopen(f"{server.url}/stats", timeout=30) as answer:  # noqa: S310
        loaded: dict[str, Any] = json.load(answer)
        return loaded
