"""One command as a fresh process, measured from outside: time, CPU seconds, resident memory of its tree, disk used.

Linux only: memory comes from /proc. Anonymous pages (RssAnon: what the program holds) and file pages (RssFile:
memory-mapped files, which the kernel drops when memory is short) are told apart.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SAMPLE_S = 0.02
DISK_SAMPLES = 50  # a look at the disk every so many samples of memory


@dataclass(frozen=True)
class Measured:
    """Seconds and MB (10^6 bytes). peak_rss_mb: the sum over the process tree at its highest; the kernel's own mark
    (VmHWM) where that is higher. Pages that processes share are counted in each. disk: of the watched folder."""

    seconds: float
    cpu_seconds: float
    peak_rss_mb: float
    peak_anon_mb: float
    peak_file_mb: float
    processes: int
    peak_disk_mb: float
    disk_mb: float


def measure(command: Sequence[str | Path], watched: Path, *, cwd: Path, env: dict[str, str]) -> Measured:
    """Raises SystemExit with the end of what it said when the command fails."""
    with tempfile.TemporaryFile() as said:
        start = time.perf_counter()
        process = subprocess.Popen([str(word) for word in command], stdout=said, stderr=said, cwd=cwd, env=env)
        watcher = _Watcher(process.pid, watched)
        watcher.start()
        # Not Popen.wait: the usage of this one child is wanted.
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        watcher.stop()
        if process.returncode:
            said.seek(0)
            end = said.read().decode(errors="replace")[-2000:]
            raise SystemExit(f"{' '.join(map(str, command))[:200]} ended with {process.returncode}:\n{end}")
    disk = disk_used(watched)
    return Measured(
        seconds,
        usage.ru_utime + usage.ru_stime,
        max(watcher.rss, watcher.highest) * 1024 / 1e6,
        watcher.anon * 1024 / 1e6,
        watcher.file * 1024 / 1e6,
        watcher.processes,
        max(watcher.disk, disk) / 1e6,
        disk / 1e6,
    )


class _Watcher(threading.Thread):
    """Samples a process tree until it is stopped. kB, the highest of each; `highest`: the largest VmHWM of one
    process (not ru_maxrss, which a process inherits from the one that started it)."""

    def __init__(self, pid: int, watched: Path) -> None:
        super().__init__(daemon=True)
        self.rss = self.anon = self.file = self.highest = self.processes = self.disk = 0
        self._pid = pid
        self._watched = watched
        self._ended = threading.Event()

    def run(self) -> None:
        count = 0
        while not self._ended.is_set():
            tree = [memory for pid in _tree(self._pid) if (memory := _memory(pid))]
            self.processes = max(self.processes, len(tree))
            self.rss = max(self.rss, sum(memory.get("VmRSS", 0) for memory in tree))
            self.anon = max(self.anon, sum(memory.get("RssAnon", 0) for memory in tree))
            self.file = max(self.file, sum(memory.get("RssFile", 0) for memory in tree))
            self.highest = max([self.highest, *(memory.get("VmHWM", 0) for memory in tree)])
            if count % DISK_SAMPLES == 0:
                self.disk = max(self.disk, disk_used(self._watched))
            count += 1
            self._ended.wait(SAMPLE_S)

    def stop(self) -> None:
        self._ended.set()
        self.join()


def _memory(pid: int) -> dict[str, int]:
    """The memory lines of /proc/PID/status, kB; empty when the process is gone."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return {}
    lines = (line.split() for line in text.splitlines() if line.startswith(("Vm", "Rss")))
    return {words[0].rstrip(":"): int(words[1]) for words in lines}


def _tree(pid: int) -> list[int]:
    """The process and all below it."""
    found = [pid]
    for parent in found:
        try:
            for task in Path(f"/proc/{parent}/task").iterdir():
                found.extend(map(int, (task / "children").read_text().split()))
        except OSError:
            continue
    return found


def disk_used(folder: Path) -> int:
    """Bytes on disk of everything below the folder, a file with several links once."""
    blocks: dict[tuple[int, int], int] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                stat = (Path(place) / name).lstat()
            except OSError:
                continue
            blocks[stat.st_dev, stat.st_ino] = stat.st_blocks * 512
    return sum(blocks.values())
