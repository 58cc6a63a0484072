"""Where an output is made: `.NAME.work` beside it, which the same command finds again after a kill."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from modelyard.errors import FAILS_AGAIN
from modelyard.full_disk import full_disk
from modelyard.store.atomic import BUILDING, ensure_directory, write_bytes
from modelyard.store.digests import digest_json
from modelyard.store.lock import locked

LOCK = "lock"
WORK = "work"  # the digest of what is made there


def work_folder_of(out: Path) -> Path:
    """On the disk of the output, so that the last step is a rename."""
    return out.with_name(f".{out.name}.work")


@contextlib.contextmanager
def work_folder(out: Path, identity: Any, say: Callable[[str], None] = lambda message: None) -> Iterator[Path]:
    """The folder, held alone: what lies there was left by a try of the same work that did not come to its end.

    identity: JSON of all that the work depends on; what another work left there is removed, and `say` hears of it.
    It goes with the end of the block. It stays when the block was broken off (a kill, Ctrl-C, a full disk) and the same
    command can go on; not when that would only fail again. Raises EnvironmentProblem when a process works there already
    or the disk ran full in the block, whichever library wrote.
    """
    work = work_folder_of(out)
    with _held(work):
        try:
            _empty_for(work, digest_json(identity), say)
            yield work
        except FAILS_AGAIN:
            _remove(work)
            raise
        except Exception as error:
            if problem := full_disk(error, work):
                raise problem from error
            raise
        else:
            _remove(work)


@contextlib.contextmanager
def _held(work: Path) -> Iterator[None]:
    while True:
        with contextlib.ExitStack() as stack:
            try:
                ensure_directory(work)
                stack.enter_context(
                    locked(work / LOCK, "working at the same output", "wait for it, or give another --out")
                )
            except FileNotFoundError:  # its holder came to its end in this moment
                continue
            yield
            return


def _empty_for(work: Path, digest: str, say: Callable[[str], None]) -> None:
    """Remove what is not of this work: first what it said it was, so that a kill leaves nothing that looks whole."""
    said = work / WORK
    if said.is_file() and said.read_text() == digest:
        return
    if said.is_file():
        say(f"{work.name} held an unfinished try with other settings or inputs: begun anew")
    said.unlink(missing_ok=True)
    for path in work.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()
    write_bytes(said, digest.encode())


def _remove(work: Path) -> None:
    """Under a name that whoever writes in this folder next takes for abandoned, should this be killed."""
    with contextlib.suppress(OSError):  # no room for the name: as it lies
        work = work.rename(tempfile.mkdtemp(prefix=BUILDING, dir=work.parent))
    shutil.rmtree(work, ignore_errors=True)
