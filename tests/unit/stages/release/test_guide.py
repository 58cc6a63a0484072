"""docs/report.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from modelyard.config import validate
from modelyard.stages.release import ReleaseConfig
from modelyard.stages.release.rules import RULES, gate_rule

GUIDE = (Path(__file__).resolve().parents[4] / "docs" / "report.md").read_text("utf-8")


def _part(title: str) -> str:
    return GUIDE.split(f"## {title}\n")[1].split("\n## ")[0]


def test_the_gates_in_the_guides_yaml_are_taken():
    block = re.search(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL).group(1)
    config = validate(ReleaseConfig, yaml.safe_load(block)["release"], "docs/report.md")
    assert config.gates == {"accuracy": 0.84, "latency_p99_ms": 50, "size_ratio": 3}


def test_the_guide_lists_every_figure_that_can_be_a_gate_on_its_better_side():
    listed: dict[str, str] = {}
    for line in _part("Gates of your own").splitlines():
        if line.startswith("| `"):
            names, _, side = (cell.strip() for cell in line.strip("|").split("|"))
            listed |= {gate_rule(name).name: side.replace(" ", "_") for name in re.findall(r"`(\w+)`", names)}
    assert listed == {rule.name: rule.comparison for rule in RULES if rule.comparison in ("at_least", "at_most")}


def test_the_settings_that_the_guide_sets_exist(released):
    made = released(language="zh", override="the pilot ends on Friday", gates={"accuracy": 0.9})
    assert made.json["verdict"].startswith("强制发布") and made.json["verdict"].endswith("the pilot ends on Friday")


def test_the_files_that_the_guide_names_are_written(released):
    made = released()
    for name in ("report.html", "report.zh.html", "report.json", "README.md", "data"):
        assert (made.report.path / name).exists()
        assert f"`{name}" in GUIDE
