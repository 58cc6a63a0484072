"""On which machine it was measured, and the digests of what the report rests on."""

from __future__ import annotations

from typing import Any

from modelyard.stages.release.blocks import Block, Cell, Facts, Section, Sentence, shown, table
from modelyard.stages.release.evidence import Evidence
from modelyard.stages.release.words import Words
from modelyard.store import Package

# What makes times of two machines comparable.
_SAME = ("cpu", "cores", "cpu_flags", "gpu")
_TIMED = ("evaluate", "optimize", "train")


def environment(evidence: Evidence, words: Words) -> Section | None:
    measured = [stage for stage in _TIMED if evidence.environment(stage)]
    if not measured:
        return None
    machines = [(stage, evidence.environment(stage)) for stage in measured]
    first = machines[0][1]
    blocks: list[Block] = [Facts(_facts(first, words), words("environment.of", stage=machines[0][0]))]
    for stage, machine in machines[1:]:
        if any(machine.get(key) != first.get(key) for key in _SAME):
            blocks.insert(0, Sentence(words("environment.differs")))
            blocks.append(Facts(_facts(machine, words), words("environment.of", stage=stage)))
    finding = words("environment.finding", cpu=shown(first.get("cpu"), 80), cores=first.get("cores"))
    return Section("environment", words("section.environment"), finding, blocks)


def _facts(machine: dict[str, Any], words: Words) -> tuple[tuple[str, str], ...]:
    items = []
    for key in ("cpu", "cores", "cpu_flags", "gpu", "system", "python"):
        value = machine.get(key)
        text = ", ".join(map(str, value)) if isinstance(value, list) else shown(value, 120)
        items.append((words(f"environment.{key}"), text if value else words("environment.none")))
    libraries = machine.get("libraries")
    if isinstance(libraries, dict):
        items += [(str(name), shown(version, 40)) for name, version in sorted(libraries.items())]
    return tuple(items)


def provenance(package: Package, evidence: Evidence, words: Words) -> Section:
    rows: list[list[str | Cell]] = [[words("provenance.package"), Cell(package.digest, code=True)]]
    rows += [
        [words("provenance.report_of", stage=stage), Cell(report.digest, code=True)]
        for stage, report in evidence.reports.items()
    ]
    columns = [words("provenance.what"), words("provenance.digest")]
    blocks: list[Block] = [table(words("provenance.digests"), columns, rows)]
    origin = [(str(key), shown(_flat(value), 240)) for key, value in sorted(package.provenance.items())]
    if origin:
        blocks.append(Facts(tuple(origin), words("provenance.came_from")))
    finding = words("provenance.finding", digest=package.digest[:12])
    return Section("provenance", words("section.provenance"), finding, blocks)


def _flat(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_flat(one)}" for key, one in sorted(value.items()))
    return ", ".join(_flat(one) for one in value) if isinstance(value, list) else str(value)
