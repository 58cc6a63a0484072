"""Who gave the labels, and how far they agree: by label, pair, person and batch."""

from __future__ import annotations

from typing import Any

from modelyard.stages.release.blocks import Block, Cell, Facts, Section, Sentence, shown, table
from modelyard.stages.release.evidence import Evidence
from modelyard.stages.release.numbers import finite
from modelyard.stages.release.words import Words

SHOWN_BATCHES = 20


def annotation(evidence: Evidence, words: Words) -> Section | None:
    if not evidence.has("annotate"):
        return None
    blocks: list[Block] = [_facts(evidence, words)]
    if evidence.detail("annotate", "two_classes"):
        blocks.append(Sentence(words("annotation.vacuous")))
    if evidence.value("annotate", "gold_accuracy") is None:
        blocks.append(Sentence(words("annotation.no_gold")))
    blocks += [
        *_table("per_label", ("label", "said", "decided", "agreement"), evidence, words),
        *_table("per_pair", ("pair", "items", "agreement", "cohen_kappa"), evidence, words),
        *_table("per_annotator", ("annotator", "role", "answers", "kept", "gold", "gold_items"), evidence, words),
        *_table(
            "per_batch",
            ("batch", "round", "items", "blind", "resolved", "gold", "gold_items", "state"),
            evidence,
            words,
        ),
    ]
    return Section("annotation", words("section.annotation"), _finding(evidence, words), blocks)


def _finding(evidence: Evidence, words: Words) -> str:
    def share(name: str) -> str:
        return words.share(evidence.value("annotate", name))

    people = evidence.detail("annotate", "people")
    return words(
        "annotation.finding",
        rows=words.count(evidence.value("annotate", "rows_out")),
        people=words.count(len(people)),
        blind=share("blind_agreement"),
        resolved=share("resolved_agreement"),
        gold=share("gold_accuracy"),
    )


def _facts(evidence: Evidence, words: Words) -> Facts:
    guideline = evidence.mapping("annotate", "guideline")
    people = evidence.detail("annotate", "people")
    items = [
        (words("annotation.people"), words.listed([shown(name, 40) for name in people])),
        (
            words("annotation.guideline"),
            words(
                "annotation.guideline_of",
                name=shown(guideline.get("name"), 60),
                version=words.count(evidence.value("annotate", "guideline_version")),
                digest=str(guideline.get("digest"))[:12],
            ),
        ),
    ]
    versions = guideline.get("answers_by_version")
    if isinstance(versions, dict) and len(versions) > 1:
        said = [f"{version}: {words.count(count)}" for version, count in versions.items()]
        items.append((words("annotation.versions"), words.listed(said)))
    came = finite(evidence.detail("annotate", "came_with_a_label"))
    if came:
        items.append((words("annotation.came"), words.count(came)))
    dropped = sum(finite(count) or 0 for count in evidence.mapping("annotate", "dropped").values())
    if dropped:
        items.append((words("annotation.unusable"), words.count(dropped)))
    return Facts(tuple(items))


def _table(name: str, columns: tuple[str, ...], evidence: Evidence, words: Words) -> list[Block]:
    rows = evidence.rows("annotate", name)
    if not rows:
        return []
    notes = [words(f"annotation.{name}_note")] if words.has(f"annotation.{name}_note") else []
    if len(rows) > SHOWN_BATCHES:
        worst = sorted(rows, key=lambda row: finite(row.get("blind")) or 0.0)[:SHOWN_BATCHES]
        notes.append(words("annotation.per_batch_cut", shown=words.count(len(worst)), all=words.count(len(rows))))
        rows = sorted(worst, key=lambda row: finite(row.get("batch")) or 0)
    cells = [[_cell(column, row, words) for column in columns] for row in rows]
    numeric = [place for place, column in enumerate(columns) if column not in ("label", "pair", "annotator", "role")]
    titles = [words(f"annotation.{column}") for column in columns]
    return [
        table(words(f"annotation.{name}"), titles, cells, numeric=numeric, note=words("list.sentences").join(notes))
    ]


def _cell(column: str, row: dict[str, Any], words: Words) -> str | Cell:
    if column == "state":
        below = bool(row.get("below"))
        return Cell(words("annotation.below" if below else "annotation.held"), tone="fail" if below else "pass")
    value = row.get(column)
    if column == "role":
        return words(f"annotation.role_{value}")
    if column in ("label", "pair", "annotator"):
        return shown(value, 60)
    counted = ("said", "decided", "items", "answers", "gold_items", "batch", "round")
    return words.count(value) if column in counted else words.share(value)
