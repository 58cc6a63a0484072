"""docs/annotate.md, followed command by command: two people err with a known rate, an arbiter decides."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from modelyard.cli import group
from tests.annotators import errs, fill
from tests.real.servers import serving
from tests.rows import write_csv
from tests.unit.tiny_bert import make_base, reviews

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "annotate.md").read_text("utf-8")
COMMANDS = [line for line in PAGE.splitlines() if line.startswith("modelyard ")]
GUIDELINE, PROJECT = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
TRUTH = dict(reviews(460))
TEXTS = list(TRUTH)
PEOPLE = {"anna": errs(TRUTH, 0.03), "ben": errs(TRUTH, 0.03), "chen": errs(TRUTH, 0.0)}
SHORT = """\
name: mood
train: {{base: '{base}', epochs: 5, base_lr: 0.04, max_length: 32}}
optimize: {{requests: 20, load_seconds: 1}}
evaluate: {{requests: 40, load_seconds: 1}}
release: {{override: short loads say little}}
"""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the guide begins with: 300 texts, 40 gold items, the two files that it shows."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODELYARD_WORKSPACE", raising=False)
    (tmp_path / "guideline.yaml").write_text(GUIDELINE)
    (tmp_path / "modelyard.yaml").write_text(PROJECT + SHORT.format(base=make_base(tmp_path / "base")))
    write_csv(tmp_path / "texts.csv", ("text",), [(text,) for text in TEXTS[:300]])
    write_csv(tmp_path / "gold.csv", ("text", "label"), [(text, TRUTH[text]) for text in TEXTS[-40:]])
    return tmp_path


def typed(line: str, *more: str) -> dict[str, Any]:
    program, *words = shlex.split(line)
    assert program == "modelyard"
    result = CliRunner().invoke(group, [*words, *more, "--json"])
    assert result.exit_code == 0, f"{line}\n{result.stderr}"
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.mark.e2e
def test_every_command_of_the_guide_does_what_it_says(desk: Path) -> None:
    run, again, import_, agreement, review, reopen, assign, give, export, of_files = COMMANDS
    opened = typed(run)
    assert opened["waiting"] | {"next": ""} == {
        "for": "labels", "whom": "anna (0 of 320), ben (0 of 320)", "done": 0, "of": 640, "next": "",
    }  # fmt: skip
    folder = desk / "annotate"
    fill(folder, {"anna": PEOPLE["anna"]}, most=150)
    given = typed(give)  # 60 rows of 210 are left to anna
    assert given["moved"] == 60
    fill(folder, {"ben": PEOPLE["ben"], "dora": PEOPLE["chen"]})
    shutil.copy(folder / "ben" / "batch-002-ben.csv", desk / "back-from-anna.csv")
    taken = typed(import_)
    assert (taken["taken"], taken["refused_count"]) == (110, 0)
    assert 0.9 <= typed(agreement)["figures"]["blind_agreement"]["value"] <= 1.0
    torn = typed(again)
    assert torn["outcome"] == "waiting"
    assert re.fullmatch(r"chen \(0 of \d+\)", torn["waiting"]["whom"])
    assert 5 <= len(typed(review)["disagreements"]) <= 35
    fill(folder, {"chen": PEOPLE["chen"]})
    labels = typed(export)
    assert (labels["outcome"], [gate["name"] for gate in labels["gates"]]) == (
        "done",
        ["resolved_agreement", "gold_accuracy"],
    )
    assert labels["figures"]["gold_accuracy"]["value"] == 1.0
    assert {row["annotator"] for row in typed(assign)["assigned"]} == {"anna", "ben", "chen", "dora"}
    assert typed(reopen)["files"] != []
    for name in ("anna", "ben", "chen", "known"):
        shutil.copy(desk / "labels.csv", desk / f"{name}.csv")
    assert typed(of_files)["figures"]["blind_agreement"]["value"] == 1.0


@pytest.mark.slow
def test_the_chain_goes_on_to_a_served_package_and_new_rows_open_new_work_alone(desk: Path) -> None:
    def modelyard(*words: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-m", "modelyard", *words, "--json"], cwd=desk, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer

    for _ in range(2):
        assert modelyard("run")["outcome"] == "waiting"
        fill(desk / "annotate", PEOPLE)
    ended = modelyard("run", "--threads", "1")
    assert ended["outcome"] == "done"
    report = json.loads((Path(ended["report"]).parent / "report.json").read_text("utf-8"))
    held = {one["name"]: one["passed"] for one in report["figures"] if (one["row"], one["kind"]) == ("R6", "gate")}
    assert held == {"resolved_agreement": True, "gold_accuracy": True}
    with serving(desk / "server", "mood@champion", "--workspace", str(desk / ".modelyard")) as server:
        assert server.infer("the film was superb", model="mood").status == 200
    write_csv(desk / "texts.csv", ("text",), [(text,) for text in TEXTS[:330]])
    waiting = modelyard("run")["waiting"]
    assert waiting["of"] - waiting["done"] == 2 * (30 + 10)
