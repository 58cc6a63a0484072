"""Keeping back a version whose gates failed, after its report was written."""

from __future__ import annotations

import json
import math
from typing import Any

from modelyard.errors import GateFailed
from modelyard.run import Gate, Run
from modelyard.store import Report


def report_json(report: Report) -> dict[str, Any]:
    """The content of a release report's report.json."""
    content: dict[str, Any] = json.loads((report.path / "report.json").read_bytes())
    return content


def hold_gates(report: Report, run: Run, override: str | None = None) -> None:
    """Raise GateFailed for the first gate of a release report that failed.

    With an override (given here, or in the report) nothing is raised: the reason is kept in the run's details,
    and the listener is told. All gates are recorded in the run either way.
    """
    content = report_json(report)
    gates = content["gates"]
    failed = [gate for gate in gates if not gate["passed"]]
    run.gates.extend(
        Gate(gate["name"], gate["value"], gate["bar"], gate["comparison"], gate["passed"])
        for gate in gates
        if gate["value"] is not None
    )
    reason = override or content["override"]
    if not failed:
        return
    if reason:
        names = [gate["name"] for gate in failed]
        run.details["override"] = {"reason": reason, "gates": names}
        run.warn(f"{', '.join(names)} failed and was overridden: {reason}")
        return
    first = failed[0]
    value = math.nan if first["value"] is None else first["value"]
    raise GateFailed(
        first["name"],
        value,
        first["bar"],
        content["verdict"],
        where=str(report.path / "report.html"),
        next="open the report: it says what to do; or release it all the same with "
        "--set 'release.override=WHY', and the reason stays on record",
    )
