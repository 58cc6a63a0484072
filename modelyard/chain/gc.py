"""Freeing what no version and no recent run needs: mark from the ledger, sweep the store."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from modelyard.chain.workspace import Workspace
from modelyard.errors import Damaged
from modelyard.ledger import Result
from modelyard.store import Artifact, Dataset, Model, Package, Report
from modelyard.store.atomic import remove_unheld

KEEP_RUNS = 10
SCRATCH_DAYS = 7
KINDS: dict[str, type[Dataset] | type[Artifact]] = {kind.__name__: kind for kind in (Dataset, Model, Package, Report)}
FOLDERS = {Dataset: "datasets", Model: "models", Package: "packages", Report: "reports"}


@dataclass(frozen=True)
class Item:
    """Something that is freed: where it lies and its size in bytes."""

    kind: str
    path: Path
    size: int


@dataclass
class Freed:
    """What was freed, or would be; what a running process holds is left and counted."""

    items: list[Item] = field(default_factory=list)
    in_use: int = 0

    @property
    def size(self) -> int:
        return sum(item.size for item in self.items)

    def by_kind(self) -> dict[str, tuple[int, int]]:
        """Kind to (count, bytes)."""
        kinds: dict[str, tuple[int, int]] = {}
        for item in self.items:
            count, size = kinds.get(item.kind, (0, 0))
            kinds[item.kind] = (count + 1, size + item.size)
        return kinds


@dataclass(frozen=True)
class Needed:
    """Digests by folder of the store, and the keys of cached results and work in progress."""

    digests: dict[str, set[str]]
    keys: set[str]


def free(workspace: Workspace, *, keep_runs: int = KEEP_RUNS, dry_run: bool = False) -> Freed:
    """Free everything in the store that nothing needs; with `dry_run` only say what that is.

    Needed are the package and the report of every version; of a version that an alias points at also all that it was
    made from (reports, model and data); all that the newest `keep_runs` good runs and whatever ran since made;
    checkpoints of unfinished work younger than SCRATCH_DAYS. Holds the workspace. Raises Damaged, having freed nothing,
    when a Dataset that is needed cannot be read.
    """
    with workspace.locked():
        needed = mark(workspace, keep_runs)
        doomed = list(_unneeded(workspace.store.root, needed))
        if dry_run:
            return Freed(doomed)
        # First what names an object, then the object: whatever kills this, nothing names what is gone.
        known = workspace.ledger.results()
        workspace.ledger.forget_results([result.key for result in known if not _is_whole(result, needed)])
        freed = Freed()
        with workspace.store.new_directory() as aside:
            for item in doomed:
                if remove_unheld(item.path, aside):
                    freed.items.append(item)
                else:
                    freed.in_use += 1
        return freed


def mark(workspace: Workspace, keep_runs: int) -> Needed:
    """What versions, aliases and recent runs need."""
    ledger, store = workspace.ledger, workspace.store
    digests: dict[str, set[str]] = {folder: set() for folder in (*FOLDERS.values(), "objects")}
    keys: set[str] = set()
    results = {result.key: result for result in ledger.results()}

    def keep(result: Result) -> None:
        keys.add(result.key)
        digests[FOLDERS[KINDS[result.kind]]].add(result.output)
        digests["reports"].add(result.report)

    pointed = ledger.pointed_at()
    for version in ledger.versions():
        digests["packages"].add(version.package)
        digests["reports"].add(version.report)
        if (version.name, version.version) in pointed:
            for result in _lineage(results.values(), (version.package, version.report)):
                keep(result)
    for stage in ledger.stages_since(keep_runs):
        if stage.report is not None:
            digests["reports"].add(stage.report)
        if stage.key in results:
            keep(results[stage.key])
    for digest in digests["datasets"]:
        if (store.root / "datasets" / f"{digest}.json").is_file():
            digests["objects"].update(_objects(workspace, digest))
    return Needed(digests, keys)


def _lineage(results: Iterable[Result], made: Iterable[str]) -> Iterator[Result]:
    """The results that made those digests, what went into them, and so on back to the data."""
    makers: dict[str, list[Result]] = {}
    for result in results:
        for digest in {result.output, result.report}:
            makers.setdefault(digest, []).append(result)
    waiting, seen = list(made), set(made)
    while waiting:
        for result in makers.get(waiting.pop(), []):
            yield result
            fresh = set(result.inputs.values()) - seen
            seen |= fresh
            waiting.extend(fresh)


def _objects(workspace: Workspace, digest: str) -> set[str]:
    try:
        return set(workspace.store.described(digest).files())
    except Damaged as error:
        error.next = "nothing was freed; remove that file and run the chain again"
        raise


def _is_whole(result: Result, needed: Needed) -> bool:
    outputs = needed.digests[FOLDERS[KINDS[result.kind]]]
    return result.output in outputs and result.report in needed.digests["reports"]


def _unneeded(root: Path, needed: Needed) -> Iterator[Item]:
    for kind in ("datasets", "models", "packages", "reports"):
        for path in sorted((root / kind).glob("[!.]*")):
            if path.name.removesuffix(".json") not in needed.digests[kind]:
                yield Item(kind, path, _size(path))
    for path in sorted((root / "objects").glob("*/*.*")):
        if path.name.partition(".")[0] not in needed.digests["objects"]:
            yield Item("objects", path, _size(path))
    oldest = time.time() - SCRATCH_DAYS * 86400
    for path in sorted((root / "scratch").glob("*")):
        if path.name in needed.keys or _touched(path) < oldest:
            yield Item("scratch", path, _size(path))


def _size(path: Path) -> int:
    files = path.rglob("*") if path.is_dir() else [path]
    return sum(file.stat().st_size for file in files if file.is_file())


def _touched(path: Path) -> float:
    return max(each.stat().st_mtime for each in (path, *path.rglob("*")))
