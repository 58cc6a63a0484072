"""The other process of `runtimes.apart`: opens a graph and runs it on what it is sent, until nobody is there."""

from __future__ import annotations

import json
import os
import queue
import resource
import signal
import sys
import threading
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from modelyard.errors import ModelyardError
from modelyard.runtimes.apart import DONE, FAILED
from modelyard.runtimes.onnxruntime import OnnxGraph, open_graph
from modelyard.runtimes.tensor_golden import pack, read_tensors
from modelyard.tasks.tensor.datatypes import datatype_of


def main(descriptor: str, threads: str, *files: str) -> None:
    connection = Connection(int(descriptor))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a graph that ends us leaves nothing behind
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who asked ends us
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_work, args=(connection, requests, [*map(Path, files)], int(threads)), daemon=True).start()
    try:
        while True:
            requests.put(connection.recv_bytes())
    except (EOFError, OSError):
        os._exit(0)  # nobody is there any more: a run that does not end would keep us


def _work(connection: Connection, requests: queue.SimpleQueue[bytes], files: list[Path], threads: int) -> None:
    try:
        graph = open_graph(files, threads)
    except ModelyardError as error:
        connection.send_bytes(FAILED + error.message.encode())
        return
    connection.send_bytes(DONE + json.dumps({"inputs": graph.inputs, "outputs": graph.outputs}).encode())
    while True:
        connection.send_bytes(_run(graph, requests.get()))


def _run(graph: OnnxGraph, request: bytes) -> bytes:
    try:
        (feeds,) = read_tensors(request)
        answer = graph.run(feeds)
        # A sequence, or a type that NumPy does not have, no pipeline reads.
        known = {n: a for n, a in answer.items() if isinstance(a, np.ndarray) and datatype_of(a) is not None}
        return DONE + pack([known])
    except Exception as error:  # every runtime has classes of its own
        return FAILED + (str(error) or type(error).__name__).encode(errors="replace")


if __name__ == "__main__":
    main(*sys.argv[1:])
