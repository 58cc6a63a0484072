"""A whole project that takes seconds: a tiny BERT, 300 reviews, short loads; run, killed and looked at from outside."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.rows import write_csv
from tests.unit.tiny_bert import make_base, reviews

ROWS = 300
STAGES = ("ingest", "clean", "split", "train", "export", "optimize", "evaluate", "release")
PURE = ("ingest", "clean", "split", "train", "export")  # what does not depend on measured time
LIMIT_S = 300.0

YAML = """\
data: reviews.csv
train: {{base: '{base}', epochs: 4, base_lr: 0.04, max_length: 32, checkpoint_steps: 2}}
optimize: {{requests: 20, load_seconds: 1}}
evaluate: {{requests: 40, load_seconds: 2}}
release: {{override: short loads say little}}
"""


@dataclass(frozen=True)
class Ended:
    """A command that has ended; what it printed."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads(self.stdout)
        return loaded

    def digests(self, stages: tuple[str, ...] = PURE) -> dict[str, str]:
        return {stage["name"]: stage["digest"] for stage in self.json["stages"] if stage["name"] in stages}

    def outcomes(self) -> dict[str, str]:
        return {stage["name"]: stage["outcome"] for stage in self.json["stages"]}


def make_project(folder: Path) -> Path:
    """reviews.csv, modelyard.yaml and the base model."""
    folder.mkdir(exist_ok=True)
    base = make_base(folder / "base")
    write_csv(folder / "reviews.csv", ("text", "label"), reviews(ROWS))
    (folder / "modelyard.yaml").write_text(YAML.format(base=base))
    return folder


def _at(workspace: Path) -> list[str]:
    return ["--workspace", str(workspace)]


@contextlib.contextmanager
def started(project: Path, workspace: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """`modelyard run --json` under way; killed when the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "modelyard", "run", "--threads", "1", "--json", *_at(workspace), *arguments],
        cwd=project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def modelyard(project: Path, workspace: Path, verb: str, *arguments: str) -> Ended:
    """Any verb, to its end."""
    done = subprocess.run(
        [sys.executable, "-m", "modelyard", verb, *arguments, "--json", *_at(workspace)],
        cwd=project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def run(project: Path, workspace: Path, *arguments: str) -> Ended:
    """`modelyard run`, to its end."""
    return modelyard(project, workspace, "run", "--threads", "1", *arguments)


def killed(
    project: Path, workspace: Path, seconds: float, *, after: str | None = None, arguments: tuple[str, ...] = ()
) -> Ended | None:
    """A run that gets SIGKILL so long after its start, or after the stage `after` told its end.

    None when it was killed, else how it ended before.
    """
    ended = stopped_by(signal.SIGKILL, project, workspace, seconds, after=after, arguments=arguments)
    return None if ended.code == -signal.SIGKILL else ended


def stopped_by(
    number: int,
    project: Path,
    workspace: Path,
    seconds: float,
    *,
    after: str | None = None,
    arguments: tuple[str, ...] = (),
) -> Ended:
    """A run that gets a signal so long after its start, or after the stage `after` told its end."""
    with started(project, workspace, *arguments) as process:
        told = []
        if after is not None:
            assert process.stderr is not None
            for line in process.stderr:
                told.append(line)
                if line.startswith(f"{after} "):
                    break
        try:
            stdout, stderr = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            process.send_signal(number)
            stdout, stderr = process.communicate(timeout=LIMIT_S)
        return Ended(process.returncode, stdout, "".join(told) + stderr)


def children_of(workspace: Path) -> list[str]:
    """Command lines of processes that name the workspace: servers that a run started."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            words = path.read_bytes().decode(errors="replace").split("\0")
            if int(path.parent.name) != os.getpid() and any(str(workspace) in word for word in words):
                found.append(" ".join(words))
    return found


def left_over(workspace: Path, within_s: float = 10.0) -> list[str]:
    """Servers that still run some seconds after their parent was killed."""
    until = time.monotonic() + within_s
    while (running := children_of(workspace)) and time.monotonic() < until:
        time.sleep(0.05)
    return running


def half_written(workspace: Path) -> list[str]:
    """What lies in the store that is no finished object: temporary folders and files, and anything in scratch."""
    store = workspace / "store"
    found = [*store.glob("temporary/*"), *store.glob("scratch/*"), *store.rglob(".modelyard-new-*")]
    return sorted(str(path.relative_to(store)) for path in {*found, *store.rglob("*.tmp")})


def wrong_objects(workspace: Path) -> list[str]:
    """Objects whose content does not match their name: none may ever be visible, at any moment."""
    from modelyard.store import Store
    from modelyard.store.digests import digest_file, digest_tree

    store = Store(workspace / "store")
    wrong = [path for path in store.root.glob("objects/*/*") if digest_file(path) != path.stem]
    for kind in ("models", "packages", "reports"):
        wrong += [path for path in store.root.glob(f"{kind}/[!.]*") if digest_tree(path) != path.name]
    for path in store.root.glob("datasets/[!.]*"):
        store.dataset(path.stem)
    return [str(path) for path in wrong]
