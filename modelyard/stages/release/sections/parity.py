"""Whether the exported graph answers as the trained model does."""

from __future__ import annotations

from modelyard.stages.release.blocks import Block, Facts, Section, shown, table
from modelyard.stages.release.evidence import Evidence
from modelyard.stages.release.numbers import finite
from modelyard.stages.release.words import Words


def parity(evidence: Evidence, words: Words) -> Section | None:
    if not evidence.has("export"):
        return None
    cases = evidence.rows("export", "parity")
    blocks: list[Block] = []
    if cases:
        kinds = any(case.get("kind") for case in cases)
        unit = words.said(shown(evidence.detail("export", "parity_unit") or "tokens", 40))
        rows = [
            [
                *([words.said(shown(case.get("kind") or "", 40))] if kinds else []),
                words.count(case.get("batch")),
                words.count(case.get("length")),
                words.significant(case.get("max_abs")),
            ]
            for case in cases
        ]
        columns = [words("parity.batch"), words("parity.length", unit=unit), words("parity.max_abs")]
        if kinds:
            columns.insert(0, words("parity.kind"))
        bar = next((gate.bar for gate in evidence.gates() if gate.name == "parity"), None)
        note = words.of(evidence.metric, "parity.note", bar=words.written_bar(bar, "number")) if bar is not None else ""
        blocks.append(
            table(words("parity.cases"), columns, rows, numeric=range(len(columns) - 3, len(columns)), note=note)
        )
    facts = []
    for name in ("opset", "nodes"):
        value = evidence.detail("export", name)
        if value is not None:
            facts.append(
                (words(f"parity.{name}"), words.count(value) if finite(value) is not None else shown(value, 200))
            )
    if finite(evidence.detail("export", "float_bytes")) is not None:
        facts.append((words("parity.float_bytes"), words.size(evidence.detail("export", "float_bytes"))))
    values = [evidence.value("export", f"{side}_{evidence.metric.name}") for side in ("model", "graph")]
    if None not in values:
        facts.append((words.of(evidence.metric, "parity.accuracy"), words.listed([f"{value:.4f}" for value in values])))
    if facts:
        blocks.append(Facts(tuple(facts)))
    worst = evidence.value("export", "parity_max_abs")
    number = evidence.value("export", "parity_cases") or len(cases)
    finding = words("section.not_measured")
    if worst is not None:
        finding = words("parity.finding", worst=words.significant(worst), cases=words.count(number))
    return Section("parity", words("section.parity"), finding, blocks)
