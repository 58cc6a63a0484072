"""What a process and its children have used so far, read from /proc. Unknown (None) where there is no /proc."""

from __future__ import annotations

import os
from pathlib import Path


def _tree(pid: int) -> list[int]:
    """The process and all its descendants that live now."""
    found, waiting = [], [pid]
    while waiting:
        current = waiting.pop()
        found.append(current)
        for children in Path(f"/proc/{current}/task").glob("*/children"):
            try:
                waiting.extend(int(child) for child in children.read_text().split())
            except OSError:
                continue
    return found


def cpu_seconds(pid: int) -> float | None:
    """User and system CPU time of the process, its children, and children that ended (proc(5), fields 14-17).

    The resolution is one clock tick, 10 ms on most machines: meaningful over a whole load, not over one request.
    """
    ticks = 0
    for member in _tree(pid):
        try:
            fields = Path(f"/proc/{member}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            if member == pid:
                return None
            continue
        ticks += sum(int(value) for value in fields[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def resident_bytes(pid: int) -> int | None:
    """Resident memory of the process and its children (VmRSS): shared pages are counted once a process."""
    total = 0
    for member in _tree(pid):
        try:
            status = Path(f"/proc/{member}/status").read_text()
        except OSError:
            if member == pid:
                return None
            continue
        for line in status.splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1]) * 1024
    return total
