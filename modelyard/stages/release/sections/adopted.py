"""Where a model that was not trained here came from, and what its files said."""

from __future__ import annotations

from modelyard.stages.release.blocks import Block, Facts, Section, Sentence, shown
from modelyard.stages.release.evidence import Evidence
from modelyard.stages.release.words import Words


def adopted(evidence: Evidence, words: Words) -> Section | None:
    if not evidence.has("adopt"):
        return None
    source = evidence.mapping("adopt", "source")
    name = shown(source.get("name"), 80)
    items = [(words("adopted.source"), name)]
    form = f"adopted.form_{source.get('form')}"
    if words.has(form):
        items.append((words("adopted.form"), words(form)))
    for key in ("task", "architecture", "output", "opset"):
        value = evidence.detail("adopt", key)
        if value is not None:
            items.append((words(f"adopted.{key}"), shown(value, 120)))
    labels = evidence.detail("adopt", "labels")
    if isinstance(labels, list) and labels:
        more = ["..."] if len(labels) > 20 else []
        items.append((words("adopted.labels"), words.listed([shown(label, 40) for label in labels[:20]] + more)))
    pipeline = evidence.mapping("adopt", "pipeline")
    for key in ("max_length", "pooling"):
        if pipeline.get(key) is not None:
            items.append((words(f"adopted.{key}"), shown(pipeline[key], 40)))
    quantised = evidence.detail("adopt", "quantised")
    if isinstance(quantised, bool):
        items.append((words("adopted.quantised"), words(f"adopted.quantised_{'yes' if quantised else 'no'}")))
    blocks: list[Block] = [Facts(tuple(items))]
    if source.get("form") == "text_onnx":
        blocks.append(Sentence(words("adopted.not_held")))
    return Section("adopted", words("section.adopted"), words("adopted.finding", name=name), blocks)
