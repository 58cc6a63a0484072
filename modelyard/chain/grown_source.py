"""What this workspace made of the data before they grew."""

from __future__ import annotations

import contextlib
from pathlib import Path

from modelyard.chain.workspace import Workspace
from modelyard.errors import Damaged
from modelyard.stages.ingest import Earlier, has_grown
from modelyard.store import Report


def before_it_grew(workspace: Workspace, source: Path, digest: str, settings: str) -> str:
    """The digest of the newest Dataset that an ingest with these settings made of the beginning of this source, empty
    when there is none.

    digest: the source's. Data that were ingested before keep what they were ingested behind: what came since, or was
    freed, makes theirs no other Dataset.
    """
    made = [
        result
        for result in reversed(workspace.ledger.results())
        if result.stage == "ingest" and result.inputs.get("settings") == settings
    ]
    for result in made:
        if result.inputs["source"] == digest:
            return result.inputs["earlier"]
    for output in dict.fromkeys(result.output for result in made):
        earlier = earlier_ingest(workspace, output)
        if earlier is not None and has_grown(source, earlier.extent):
            return output
    return ""


def earlier_ingest(workspace: Workspace, output: str) -> Earlier | None:
    """That Dataset and how far its source was read, when all of it is still in the store and rows can follow."""
    for result in reversed(workspace.ledger.results()):
        if result.stage == "ingest" and result.output == output:
            with contextlib.suppress(Damaged):
                extent = workspace.store.get(Report, result.report).info["details"].get("extent")
                return Earlier(workspace.store.dataset(output), extent) if extent else None
    return None
