"""The one line that `modelyard run` prints of an evaluation."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.chain.headlines import headline
from tests.rows import new_run


@pytest.mark.parametrize(
    ("metric", "how", "said"),
    [
        ("accuracy", "TF-IDF of words", "accuracy 0.850 (TF-IDF baseline 0.700), P50"),
        ("accuracy", "colours of 4 x 4 pixels", "accuracy 0.850 (baseline 0.700), P50"),
        ("map", "windows of 4 sizes", "map 0.850 (baseline 0.700), P50"),
        ("spearman", None, "spearman 0.850, P50"),
    ],
)
def test_a_figure_stands_beside_its_own_baseline(tmp_path: Path, metric: str, how: str | None, said: str) -> None:
    run = new_run(tmp_path)
    run.details["metric"] = {"name": metric, "share": True}
    run.record(metric, 0.85, how="80 test rows")
    run.record("latency_p50_ms", 4.1, how="as served")
    if how is not None:
        run.record(f"baseline_{metric}", 0.7, how=how)
    assert headline("evaluate", run.report("evaluate")).startswith(said)
