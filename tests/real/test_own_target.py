"""A task with its own target, kind of field, metric and outputs goes through the chain; the package is not changed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from modelyard.tasks.own import code_digest
from tests.real.command import modelyard
from tests.real.servers import serving
from tests.rows import write_csv
from tests.unit.tiny_bert import make_base, reviews

pytestmark = pytest.mark.e2e

EXAMPLE = Path(__file__).parents[2] / "examples" / "star_rating"


def test_a_target_of_its_own_kind_is_learned_judged_by_its_own_metric_and_served(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    shutil.copytree(EXAMPLE, tmp_path / "stars", ignore=shutil.ignore_patterns("__pycache__"))
    rated = [(text, "★★★★½" if label == "positive" else "1.5/5") for text, label in reviews(300)]
    write_csv(tmp_path / "reviews.csv", ("text", "stars"), [*rated, ("a film like no other", "nine")])
    (tmp_path / "modelyard.yaml").write_text(
        f"data: reviews.csv\ntask: ./stars\n"
        f"train: {{base: '{base}', epochs: 6, base_lr: 0.04, max_length: 32}}\n"
        f"optimize: {{variants: [int8], requests: 20, load_seconds: 1}}\nevaluate: {{requests: 20, load_seconds: 1}}\n"
        f"release: {{gates: {{metric: 0.7}}}}\n"
    )
    code, answer, stderr = modelyard(tmp_path, "run", "--threads", "1")
    assert code == 0, stderr
    assert "reviews.csv  UTF-8, comma, 300 rows: text (text), stars (stars)" in stderr
    assert "within_half_a_star 1.000 on validation" in stderr
    report = json.loads(Path(answer["report"]).with_name("report.json").read_bytes())
    figures = {figure["name"]: figure for figure in report["figures"]}
    assert figures["within_half_a_star"]["value"] > 0.9 and figures["within_half_a_star"]["kind"] == "gate"
    assert figures["within_half_a_star_lost"]["unit"] == "points"
    assert not {"accuracy", "macro_f1", "ece", "class_imbalance"} & set(figures)
    assert figures["eager_within_half_a_star"]["how"] == "there is no eager baseline of the task star_rating"
    html = Path(answer["report"]).read_text("utf-8")
    assert "accuracy" not in html[html.index("<body") : html.index('<details id="provenance"')].lower()
    assert "within_half_a_star 1.000 on validation" in html

    package = tmp_path / ".modelyard/store/packages" / answer["stages"][5]["digest"]
    assert json.loads((package / "package.json").read_bytes())["golden"]["agreement"] == "none"
    with serving(tmp_path / "server", str(package), "--allow-code", code_digest(EXAMPLE)) as server:
        bad, good = (text for text, _ in reviews(2))
        answered = server.infer(good, bad, model="reviews")
        assert answered.status == 200
        (stars,) = answered.json["outputs"]
        assert (stars["name"], stars["datatype"], stars["shape"]) == ("stars", "FP32", [2])
        assert stars["data"] == pytest.approx([4.5, 1.5], abs=0.5)
