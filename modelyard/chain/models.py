"""What was released: names, versions, aliases; moving an alias forward and back."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import Any

from modelyard.chain.workspace import Workspace
from modelyard.errors import BadInput, Damaged, GateFailed
from modelyard.ledger import Minted, Move
from modelyard.store import Package, Report


@dataclass(frozen=True)
class Version:
    """One version as `modelyard models` shows it. failed: names of gates that failed; metric: what it is judged by, and
    value: by how much; here: its package is there."""

    minted: Minted
    aliases: tuple[str, ...]
    gates: int
    failed: tuple[str, ...]
    metric: str
    value: float | None
    p50_ms: float | None
    here: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.minted.name,
            "version": self.minted.version,
            "aliases": list(self.aliases),
            "package": self.minted.package,
            "passed": self.minted.passed,
            "override": self.minted.override,
            "gates": self.gates,
            "gates_failed": list(self.failed),
            self.metric: self.value,
            "latency_p50_ms": self.p50_ms,
            "here": self.here,
            "created": f"{self.minted.created:%Y-%m-%dT%H:%M:%SZ}",
        }


def released(workspace: Workspace, name: str | None = None) -> list[Version]:
    """All versions, of one name or of all, oldest first. Raises BadInput for a name that there is not."""
    if name is not None:
        known_name(workspace, name)
    names = {minted.name for minted in workspace.ledger.versions(name)}
    aliases = {each: workspace.ledger.aliases(each) for each in names}
    return [_version(workspace, minted, aliases[minted.name]) for minted in workspace.ledger.versions(name)]


def _version(workspace: Workspace, minted: Minted, aliases: dict[str, int]) -> Version:
    info: dict[str, Any] = {}
    if workspace.store.has(Report, minted.report):
        info = workspace.store.get(Report, minted.report).info
    figures, gates = info.get("figures", {}), info.get("gates", [])
    metric = str(info.get("details", {}).get("metric", {}).get("name", "accuracy"))
    return Version(
        minted,
        tuple(alias for alias, version in aliases.items() if version == minted.version),
        len(gates),
        tuple(gate["name"] for gate in gates if not gate["passed"]),
        metric,
        figures.get(metric, {}).get("value"),
        figures.get("latency_p50_ms", {}).get("value"),
        workspace.store.has(Package, minted.package),
    )


def known_name(workspace: Workspace, name: str) -> None:
    """Raises BadInput with the names there are."""
    names = sorted({minted.name for minted in workspace.ledger.versions()})
    if name in names:
        return
    close = difflib.get_close_matches(name, names, n=1)
    advice = f"did you mean {close[0]}?" if close else f"there are: {', '.join(names)}"
    raise BadInput(f"no version of {name} was released here", next=advice if names else "modelyard run releases one")


def promote(
    workspace: Workspace, name: str, version: int, alias: str = "champion", override: str | None = None
) -> Move | None:
    """Point the alias at a version; None when it stands there already.

    Raises GateFailed for a version whose gates failed, unless `override` says why; the reason is kept with the move.
    """
    known_name(workspace, name)
    minted = workspace.ledger.version(name, version)
    if not workspace.store.has(Package, minted.package):
        raise Damaged(
            f"the package of {name}:{version} is not in the store",
            where=str(workspace.root),
            next="copy the whole workspace, or promote another version",
        )
    if override is not None and not override.strip():
        raise BadInput("an override needs its reason, in words", where="--override")
    if not minted.passed and override is None and workspace.ledger.alias(name, alias) != version:
        report = workspace.store.get(Report, minted.report) if workspace.store.has(Report, minted.report) else None
        failed = next((gate for gate in report.info["gates"] if not gate["passed"]), None) if report else None
        value, bar = (failed["value"], failed["bar"]) if failed else (None, None)
        raise GateFailed(
            failed["name"] if failed else "gates",
            float("nan") if value is None else value,
            float("nan") if bar is None else bar,
            f"{name}:{version} did not pass its gates" + (f": {failed['name']}" if failed else ""),
            where=str(report.path / "report.html") if report else None,
            next=f"promote another version, or say why: modelyard promote {name} {version} --override REASON",
        )
    return workspace.ledger.point(name, alias, version, None if minted.passed else override)


def rollback(workspace: Workspace, name: str, alias: str = "champion", only_from: int | None = None) -> Move | None:
    """Take the last move of the alias back. only_from: do nothing, and answer None, unless it stands there.

    Raises BadInput when there is nothing to take back.
    """
    known_name(workspace, name)
    if only_from is not None and workspace.ledger.alias(name, alias) != only_from:
        return None
    return workspace.ledger.undo(name, alias)
