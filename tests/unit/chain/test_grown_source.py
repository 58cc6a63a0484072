"""Data that grow in a workspace: no part is written again, no row changes its id or its side."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.chain.gc import free
from modelyard.chain.headlines import headline
from modelyard.chain.project import load_project
from modelyard.chain.runner import ChainOutcome, run_chain
from modelyard.chain.workspace import Workspace
from modelyard.store import Dataset
from tests.unit.tiny_bert import reviews


def run(folder: Path, workspace: Workspace, rows: int, **settings: object) -> ChainOutcome:
    """To split, on so many of the same rows."""
    lines = ["text,label", *(f"{text},{label}" for text, label in reviews(220)[:rows])]
    (folder / "reviews.csv").write_text("\n".join(lines) + "\n")
    return run_chain(load_project(folder, str(folder / "reviews.csv"), dict(settings)), workspace, last="split")


def made(chain: ChainOutcome, name: str) -> Dataset:
    stage = chain.stage(name)
    assert stage is not None
    assert isinstance(stage.output, Dataset)
    return stage.output


def said(chain: ChainOutcome) -> str:
    stage = chain.stage("ingest")
    assert stage is not None
    return f"{stage.outcome}: {headline('ingest', stage.report)}"


def test_rows_that_are_appended_leave_parts_ids_and_sides_as_they_were(tmp_path: Path, workspace: Workspace) -> None:
    before = run(tmp_path, workspace, 200)
    after = run(tmp_path, workspace, 210)
    assert said(before) == "done: 200 rows (csv, utf-8), 2 classes"
    assert said(after) == "done: 210 rows, 10 of them new (csv, utf-8), 2 classes"
    assert made(after, "ingest").parts[:-1] == made(before, "ingest").parts
    tables = [made(chain, "split").read(["row_id", "split"]).to_pylist() for chain in (before, after)]
    sides = [{row["row_id"]: row["split"] for row in table} for table in tables]
    assert len(sides[0]) > 150
    assert sides[0].items() <= sides[1].items()


def test_data_that_were_seen_before_come_from_the_cache_whatever_was_freed(
    tmp_path: Path, workspace: Workspace
) -> None:
    first = run(tmp_path, workspace, 200)
    run(tmp_path, workspace, 210)
    assert free(workspace, keep_runs=1).items
    assert said(run(tmp_path, workspace, 210)).startswith("cached: ")
    again = run(tmp_path, workspace, 200)  # freed, and made again of the file as it is
    assert said(again).startswith("done: 200 rows (")
    assert made(again, "ingest").digest == made(first, "ingest").digest
    assert said(run(tmp_path, workspace, 210)).startswith("cached: ")
    third = run(tmp_path, workspace, 220)
    assert said(third).startswith("done: 220 rows, 20 of them new")


@pytest.mark.parametrize("change", ["settings", "content"])
def test_a_file_that_did_not_only_grow_is_read_anew(change: str, tmp_path: Path, workspace: Workspace) -> None:
    before = run(tmp_path, workspace, 200)
    if change == "settings":
        after = run(tmp_path, workspace, 210, ingest={"max_columns": 7})
    else:
        lines = ["text,label", *(f"{text} ...,{label}" for text, label in reviews(210))]
        (tmp_path / "reviews.csv").write_text("\n".join(lines) + "\n")
        after = run_chain(load_project(tmp_path, str(tmp_path / "reviews.csv")), workspace, last="split")
    assert said(after).startswith("done: 210 rows (")
    assert len(made(after, "ingest").parts) == len(made(before, "ingest").parts) == 1


def test_a_part_that_is_lost_is_made_again_from_the_file(tmp_path: Path, workspace: Workspace) -> None:
    before = run(tmp_path, workspace, 200)
    workspace.store.object(made(before, "ingest").parts[0].files[1].digest, "parquet").unlink()
    after = run(tmp_path, workspace, 210)
    assert said(after).startswith("done: 210 rows (")
