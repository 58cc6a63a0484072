"""Run the lanes of the test command one after the other: `python -m tests.lanes lint unit e2e`.

A lane that fails does not keep the next from running, so that one run tells everything; the exit code is that of the
whole. A lane also fails when it runs past its limit, when it ran no test, or when it left a process running: a server
that outlives its test is a fault of the product. Ends with the time of every lane.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
NO_TESTS_RAN = 5  # pytest's exit code
MEMORY_LIMIT = 12 << 30  # bytes a process may hold: a test that asks for more fails, and the machine lives
PR_SET_CHILD_SUBREAPER = 36  # <linux/prctl.h>: orphans of our children become our children

Command = list[str]
PYTEST: Command = [sys.executable, "-m", "pytest", "-q", "--durations=5", "-m"]
# lane -> its commands, and the minutes it may take
LANES: dict[str, tuple[list[Command], int]] = {
    "lint": (
        [
            [str(BIN / "ruff"), "check", "."],
            [str(BIN / "ruff"), "format", "--check", "."],
            [str(BIN / "mypy")],
            [str(BIN / "lint-imports"), "--no-logo"],
        ],
        10,
    ),
    "unit": ([[*PYTEST, "not e2e and not slow"]], 20),
    "e2e": ([[*PYTEST, "e2e and not slow"]], 40),
    "slow": ([[*PYTEST, "slow", "--slow"]], 120),
}


def adopt_orphans() -> None:
    """Have the kernel hand us what our children leave running, so that it can be seen (Linux only)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def children() -> dict[int, str]:
    """Our running children: process id -> command line. Those that have ended are reaped on the way."""
    listing = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    running = {}
    for pid in map(int, listing.read_text().split() if listing.exists() else []):
        if os.waitpid(pid, os.WNOHANG)[0] == 0:
            running[pid] = Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ").strip()
    return running


def left_running(grace: float = 5.0) -> dict[int, str]:
    """What is still running after a lane and a moment to stop by itself; it is stopped before this returns."""
    deadline = time.monotonic() + grace
    while (running := children()) and time.monotonic() < deadline:
        time.sleep(0.1)
    while remaining := children():  # stopping one may hand us its own children
        for pid in remaining:
            os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    return running


def run_command(command: Command, deadline: float) -> str | None:
    """Run one command to its end. Returns what is wrong, or None."""
    shown = " ".join([Path(command[0]).name, *command[1:]])
    print(f"\n$ {shown}", flush=True)
    process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL)
    try:
        code = process.wait(max(1.0, deadline - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)  # pytest then says where it was
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        return f"{shown}: stopped, it ran past the limit of its lane"
    except BaseException:
        process.kill()
        process.wait()
        raise
    if code == NO_TESTS_RAN and "pytest" in command:
        return f"{shown}: ran no test"
    return f"{shown}: exit {code}" if code else None


def run_lane(lane: str) -> tuple[list[str], float]:
    """All commands of a lane. Returns what is wrong, and the seconds it took."""
    commands, minutes = LANES[lane]
    started = time.monotonic()
    wrong = []
    for command in commands:
        if problem := run_command(command, started + 60 * minutes):
            wrong.append(problem)
        wrong += [f"left running: {pid} {text}" for pid, text in left_running().items()]
    return wrong, time.monotonic() - started


def main(lanes: list[str]) -> int:
    if not lanes or set(lanes) - LANES.keys():
        print(f"usage: python -m tests.lanes {' '.join(f'[{lane}]' for lane in LANES)}", file=sys.stderr)
        return 2
    adopt_orphans()
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_LIMIT, resource.getrlimit(resource.RLIMIT_DATA)[1]))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        outcomes = {lane: run_lane(lane) for lane in lanes}
    finally:
        left_running(grace=0)
    print()
    for lane, (wrong, seconds) in outcomes.items():
        print(f"{lane:<6}{'failed' if wrong else 'passed':<8}{int(seconds // 60):>3} min {seconds % 60:>4.1f} s")
        for problem in wrong:
            print(f"      {problem}")
    return 1 if any(wrong for wrong, _ in outcomes.values()) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
