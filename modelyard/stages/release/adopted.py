"""What is beside the point for a model that came from elsewhere: no stage of ours made it."""

from __future__ import annotations

from dataclasses import replace

from modelyard.stages.release.evidence import Evidence
from modelyard.stages.release.rules import Rule

# Held against the model in PyTorch, which an .onnx file or a Package does not bring.
_OF_PYTORCH = ("latency_cut", "cost_cut", "graph_gain", "eager_")
# Held against a baseline that is trained on train rows, of which rows to judge by may have none.
_OF_TRAIN_ROWS = ("_over_baseline",)


def beside_the_point(rule: Rule, evidence: Evidence) -> bool:
    """Whether a figure that was not measured is no gap in the evidence, since nothing could have measured it."""
    if not evidence.has("adopt"):
        return False
    if not any(evidence.has(stage) for stage in rule.stages):
        return True
    if rule.name.endswith(_OF_TRAIN_ROWS):
        return not evidence.value("sides", "rows_train")
    if rule.name == "size_ratio":
        return evidence.detail("adopt", "quantised") is True  # there is no float graph to be smaller than
    return rule.name.startswith(_OF_PYTORCH) and evidence.detail("adopt", "kind") == "package"


def named(rule: Rule, evidence: Evidence) -> Rule:
    """The golden set of a graph that came as it is holds its own answers, not those of a float model."""
    own = rule.name == "golden_set" and evidence.mapping("adopt", "source").get("form") == "text_onnx"
    return replace(rule, label="golden_set_own") if own else rule
