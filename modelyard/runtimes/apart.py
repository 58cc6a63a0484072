"""A graph in a process of its own: one that never ends, or ends its process, takes nobody with it.

ONNX Runtime cannot be told to stop, and some of its operators end the whole process on some inputs. Only data passes
between the two processes (safetensors, and words), no pickled objects.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Pipe
from pathlib import Path
from types import TracebackType
from typing import Self

from modelyard.errors import Damaged
from modelyard.runtimes.tensor_golden import pack, read_tensors
from modelyard.tasks.pipeline import Array, Tensors

DONE, FAILED = b"+", b"-"  # what an answer begins with
STOP_LIMIT_S = 5.0


class RunFailed(Exception):
    """In the words of the runtime, or how the process ended."""


class GraphApart:
    """Runs as the open graph of `runtimes.onnxruntime` does, on the CPU. What ends the process or takes longer than
    `limit_s` seconds fails as any other run does; the next one has a new process."""

    def __init__(self, files: Sequence[Path], threads: int, limit_s: float) -> None:
        """Raises Damaged when the graph does not open."""
        self._command = [str(threads), *map(str, files)]
        self._limit_s = limit_s
        self._process: subprocess.Popen[bytes] | None = None
        try:
            self._start()
        except RunFailed as error:
            raise Damaged(str(error), where=str(files[0])) from None

    def run(self, feeds: Mapping[str, Array]) -> Tensors:
        """Feeds by name to outputs by name. Raises RunFailed."""
        if self._process is None:
            self._start()
        (found,) = read_tensors(self._answer(pack([dict(feeds)])))
        return {name: found[name] for name in self.outputs if name in found}

    def close(self) -> None:
        """End the process."""
        if self._process is None:
            return
        self._connection.close()
        self._process.kill()
        self._process.wait(STOP_LIMIT_S)
        self._process = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        self._connection, theirs = Pipe()
        with theirs:
            # -P: nothing in the folder of the user is imported.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "modelyard.runtimes.apart_process", str(theirs.fileno()), *self._command],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
        try:
            names = json.loads(self._answer(None))
        except RunFailed:
            self.close()
            raise
        self.inputs: tuple[str, ...] = tuple(names["inputs"])
        self.outputs: tuple[str, ...] = tuple(names["outputs"])

    def _answer(self, request: bytes | None) -> bytes:
        """What the process says next. Raises RunFailed; a process that is of no use any more is ended."""
        assert self._process is not None
        try:
            if request is not None:
                self._connection.send_bytes(request)
            if not self._connection.poll(self._limit_s):
                self.close()
                raise RunFailed(f"it took longer than {self._limit_s:g} s (limit_s), and was stopped")
            answer = self._connection.recv_bytes()
        except (EOFError, OSError):
            status = self._process.wait(STOP_LIMIT_S)
            self.close()
            raise RunFailed(f"it ended the process with {_ending(status)}") from None
        except BaseException:  # Ctrl-C while it runs
            self.close()
            raise
        if answer.startswith(FAILED):
            raise RunFailed(answer[len(FAILED) :].decode(errors="replace"))
        return answer[len(DONE) :]


def _ending(status: int) -> str:
    """`SIGFPE`, or the exit status."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"
