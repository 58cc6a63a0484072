"""A package served as a user would serve it: `modelyard serve`, one worker, as a process."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator

from modelyard.errors import EnvironmentProblem
from modelyard.measure.launch import Target, free_port, launched
from modelyard.measure.load import run_load
from modelyard.store import Package
from modelyard.tasks import CODE


@contextlib.contextmanager
def served(package: Package, variant: str, *, limit_s: float = 60.0) -> Iterator[Target]:
    """The package behind `modelyard serve`, ready; stopped when the block ends, whatever happens in it.

    Raises EnvironmentProblem with the end of the server's log when it does not become ready.
    """
    port = free_port()
    command = [
        sys.executable,
        "-P",
        "-m",
        "modelyard",
        "serve",
        str(package.path),
        "--http",
        str(port),
        "--grpc",
        "off",
    ]
    command += ["--variant", variant, "--workers", "1", "--no-access-log"]
    if CODE in package.info:
        # Whoever measures has opened the package's pipeline in this process already, so its code was allowed.
        command += ["--allow-code", str(package.info[CODE])]
    with launched(command, port, what=f"the server of variant {variant}", limit_s=limit_s) as pid:
        path = f"/v2/models/{package.name}/infer"
        yield Target(variant, port, path, package.info["signature"]["inputs"][0]["name"], pid)


def time_to_first_answer(package: Package, variant: str, text: str | bytes) -> float:
    """Seconds from starting the process to the first answer. Raises EnvironmentProblem when there is none."""
    started = time.perf_counter()
    with served(package, variant) as target:
        load = run_load(target, [text], 1)
        if load.failures:
            raise EnvironmentProblem("the first request to the server failed", where=load.failures[0])
        return time.perf_counter() - started
