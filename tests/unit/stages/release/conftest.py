from __future__ import annotations

import importlib.util
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from modelyard.run import Run
from modelyard.stages.release import Commands, ReleaseConfig, release
from modelyard.store import Report


def _load_evidence() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release_evidence", Path(__file__).with_name("evidence.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def evidence() -> ModuleType:
    return _load_evidence()


@dataclass(frozen=True)
class Released:
    """A release report, opened."""

    report: Report
    run: Run

    @property
    def html(self) -> str:
        return (self.report.path / "report.html").read_text(encoding="utf-8")

    def page(self, language: str) -> str:
        """The page that lies beside report.html, in another language."""
        return (self.report.path / f"report.{language}.html").read_text(encoding="utf-8")

    @property
    def card(self) -> str:
        return (self.report.path / "README.md").read_text(encoding="utf-8")

    @property
    def json(self) -> dict[str, Any]:
        return json.loads((self.report.path / "report.json").read_bytes())

    def figure(self, name: str) -> dict[str, Any]:
        return next(figure for figure in self.json["figures"] if figure["name"] == name)


@pytest.fixture
def released(tmp_path: Path, evidence: ModuleType) -> Callable[..., Released]:
    """Release a package by the given contents of its stages' reports."""
    store = evidence.new_store(tmp_path)
    package = evidence.package(store)

    def make(
        contents: dict[str, Any] | None = None,
        version: int | None = 3,
        history: tuple[Report, ...] = (),
        commands: Commands | None = None,
        **config: Any,
    ) -> Released:
        run = Run(store)
        given = evidence.contents() if contents is None else contents
        reports = evidence.reports(store, given)
        report = release(package, reports, ReleaseConfig(**config), run, version, history, commands)
        return Released(report, run)

    return make
