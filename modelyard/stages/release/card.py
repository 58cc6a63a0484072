"""README.md: a model card as Hugging Face reads it, with the figures in its front matter (model-index)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml

from modelyard.stages.release.blocks import shown
from modelyard.stages.release.evidence import Evidence
from modelyard.stages.release.judge import Judged
from modelyard.stages.release.next_steps import weak
from modelyard.stages.release.page import result
from modelyard.stages.release.verdict import Verdict
from modelyard.stages.release.words import Words
from modelyard.store import Package

# Names that the Hub knows for our tasks and metrics.
_PIPELINES = {
    "text_classification": "text-classification",
    "text_embedding": "sentence-similarity",
    "image_classification": "image-classification",
    "detection": "object-detection",
    "seq2seq": "text2text-generation",
}
_METRICS = (
    ("accuracy", "accuracy", "Accuracy"),
    ("macro_f1", "f1", "Macro F1"),
    ("spearman", "spearmanr", "Spearman of cosine and score"),
    ("map", "mean_average_precision", "mAP at IoU 0.50 to 0.95"),
    ("chrf", "chrf", "chrF, 0 to 1"),
)


def plain(value: Any, most: int = 120) -> str:
    """Text from the data inside Markdown: one line, with nothing that Markdown or HTML would act on."""
    return (
        re.sub(r"([\\`*_{}\[\]()#+!|<>~&])", r"\\\1", shown(value, most)).replace("\\<", "&lt;").replace("\\&", "&amp;")
    )


def front_matter(package: Package, judged: Sequence[Judged], license: str) -> dict[str, Any]:
    """The YAML block: license, tags, metrics, model-index (https://huggingface.co/docs/hub/model-cards)."""
    figures = {one.name: one for one in judged}
    pipeline = _PIPELINES.get(package.task, package.task.replace("_", "-"))
    metrics = [
        {"type": kind, "name": label, "value": round(value, 6)}
        for name, kind, label in _METRICS
        if name in figures and (value := figures[name].value) is not None
    ]
    front: dict[str, Any] = {
        "license": license,
        "pipeline_tag": pipeline,
        "tags": [pipeline, "onnx", "modelyard"],
        "metrics": [metric["type"] for metric in metrics],
    }
    if metrics:
        held_out = {"type": "held-out", "name": "held-out test split", "split": "test"}
        outcome = {"task": {"type": pipeline}, "dataset": held_out, "metrics": metrics}
        front["model-index"] = [{"name": package.name, "results": [outcome]}]
    return front


def card(
    package: Package,
    evidence: Evidence,
    judged: Sequence[Judged],
    verdict: Verdict,
    *,
    version: int | None,
    serve: str,
    license: str,
    description: str,
    words: Words,
) -> str:
    front = yaml.safe_dump(front_matter(package, judged, license), sort_keys=False, allow_unicode=True)
    title = plain(package.name) + (f" {words('page.version', version=version)}" if version is not None else "")
    parts = [f"# {title}", plain(verdict.sentence, 600)]
    if description:
        parts.append(plain(description, 2000))
    parts += [f"## {words('card.intended')}", _answers(package, words)]
    if verdict.released:
        parts += [words("card.serve"), f"```\n{serve}\n```"]
    parts += [f"## {words('card.figures')}", _figures(judged, words)]
    parts += [f"## {words('card.limits')}", _limits(evidence, words)]
    recipe = evidence.mapping("train", "recipe")
    if recipe:
        said = [
            f"- {plain(str(key).replace('_', ' '))}: {plain(_short(value, words))}"
            for key, value in sorted(recipe.items())
        ]
        seconds = evidence.value("train", "train_seconds")
        if seconds is not None:
            said.append(f"- {words.duration(seconds)}")
        parts += [f"## {words('card.training')}", "\n".join(said)]
    counts = evidence.mapping("split", "class_counts")
    if counts:
        lines = [f"- {plain(label)}: {words.count(number)}" for label, number in sorted(counts.items())[:50]]
        parts += [f"## {words('card.data')}", "\n".join(lines)]
    parts.append(words("card.full"))
    return f"---\n{front}---\n\n" + "\n\n".join(parts) + "\n"


def _answers(package: Package, words: Words) -> str:
    """What it gives for a request: one of its labels, boxes of them, a vector, or outputs by name."""
    labels = [plain(label) for label in package.info.get("labels", [])]
    named = ", ".join(labels[:20]) + (", ..." if len(labels) > 20 else "")
    inputs, outputs = ([one["name"] for one in package.info["signature"][side]] for side in ("inputs", "outputs"))
    if labels and inputs == ["text"] and {"label", "score"} <= set(outputs):
        return words("card.answers", labels=named)
    if labels and inputs == ["image"] and {"label", "score"} <= set(outputs):
        return words("card.names", labels=named)
    if labels and inputs == ["image"] and {"boxes", "labels", "scores"} <= set(outputs):
        return words("card.boxes", labels=named)
    if inputs == outputs[:1] == ["text"]:
        return words("card.writes")
    if package.task == "text_embedding":
        return words("card.embeds")
    return words("card.outputs", outputs=words.listed([plain(name) for name in outputs]))


def _short(value: Any, words: Words) -> str:
    return words.significant(value) if isinstance(value, float) else str(value)


def _figures(judged: Sequence[Judged], words: Words) -> str:
    columns = [words(f"page.{name}") for name in ("figure", "measured", "bar", "result", "how")]
    lines = [f"| {' | '.join(columns)} |", "| --- | ---: | --- | --- | --- |"]
    for one in judged:
        if one.value is not None or one.asked:
            row = [plain(one.label), one.shown(words), one.shown_bar(words), result(one, words)[0], plain(one.how, 400)]
            lines.append(f"| {' | '.join(row)} |")
    return "\n".join(lines)


def _limits(evidence: Evidence, words: Words) -> str:
    metric = evidence.metric
    overall = evidence.value("evaluate", metric.name)
    said = [
        f"- {plain(row.get('column'), 40)} = {plain(row.get('value'), 40)}: "
        f"{words.with_interval(row.get(metric.name), row.get('interval'), 'share')} / {words.share(overall)}"
        for row in evidence.rows("evaluate", "slices")
        if weak(row, overall)
    ]
    if said:
        return "\n".join(said)
    return words.of(metric, "card.no_limits") if evidence.rows("evaluate", "slices") else words("section.not_measured")
