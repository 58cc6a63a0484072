"""What came in, what was set aside, repaired and dropped and why, and how the rows were split."""

from __future__ import annotations

from modelyard.stages.release.blocks import Block, Facts, Section, Sentence, charts, shown, table
from modelyard.stages.release.charts import Bar, Chart, bars
from modelyard.stages.release.evidence import Evidence
from modelyard.stages.release.numbers import count, finite, percent
from modelyard.stages.release.words import Words

SIDES = ("train", "validation", "test")


def data(evidence: Evidence, words: Words) -> Section | None:
    if not any(evidence.has(stage) for stage in ("ingest", "clean", "split")):
        return None
    blocks: list[Block] = [
        *_came_in(evidence, words),
        *charts(_balance(evidence, words)),
        *_split(evidence, words),
        *_cleaned(evidence, words),
        *_set_aside(evidence, words),
    ]
    return Section("data", words("section.data"), _finding(evidence, words), blocks)


def _finding(evidence: Evidence, words: Words) -> str:
    said = []
    rows_in = evidence.value("ingest", "rows_in") or evidence.value("clean", "rows_in")
    if rows_in is not None:
        said.append(words("data.rows_in", rows=count(rows_in)))
    aside = finite(evidence.detail("ingest", "set_aside_count"))
    if aside:
        said.append(words("data.aside", rows=count(aside)))
    clean_in, clean_out = evidence.value("clean", "rows_in"), evidence.value("clean", "rows_out")
    if clean_in is not None and clean_out is not None:
        said.append(words("data.dropped", rows=count(clean_in - clean_out)))
    sides = [evidence.value("split", f"rows_{side}") for side in SIDES]
    if all(side is not None for side in sides):
        said.append(words("data.sides", sides=" / ".join(count(side) for side in sides)))
    return ", ".join(said) or words("section.not_measured")


def _came_in(evidence: Evidence, words: Words) -> list[Block]:
    items = []
    for name in ("format", "encoding", "delimiter"):
        value = evidence.detail("ingest", name)
        if value:
            items.append((words(f"data.{name}"), words.separator(str(value)) if name == "delimiter" else str(value)))
    columns = evidence.rows("ingest", "columns")
    if columns:
        named = ", ".join(f"{shown(c.get('name'), 40)} ({c.get('role')}: {c.get('field')})" for c in columns[:20])
        items.append((words("data.columns"), named))
    return [Facts(tuple(items))] if items else []


def _balance(evidence: Evidence, words: Words) -> Chart | None:
    counts = {str(label): finite(number) for label, number in evidence.mapping("split", "class_counts").items()}
    known = [(label, number) for label, number in counts.items() if number is not None]
    if len(known) < 2:
        return None
    imbalance = evidence.value("split", "class_imbalance")
    title = words("chart.balance", difference=percent(imbalance), bar=percent(0.20))
    colours = {label: index for index, label in enumerate(sorted(counts))}
    largest = sorted(known, key=lambda one: -one[1])
    rows = largest if len(largest) <= 12 else largest[:6] + largest[-6:]
    total = sum(number for _, number in known) or 1.0
    drawn = [
        Bar(label, number, f"{count(number)} ({percent(number / total)})", colours[label]) for label, number in rows
    ]
    axis = words("axis.rows")
    drawing = bars(drawn, title=title, axis=axis, written=count)
    note = words("chart.balance_cut", shown=count(12), all=count(len(known))) if len(rows) < len(known) else ""
    return Chart("class_counts", title, drawing, ("label", "rows"), tuple(largest), note)


def _split(evidence: Evidence, words: Words) -> list[Block]:
    split = evidence.mapping("split", "split")
    labels = sorted({str(label) for side in split.values() if isinstance(side, dict) for label in side})
    if not labels:
        return []
    rows = []
    for label in labels:
        numbers = [(split.get(side) or {}).get(label, 0) for side in SIDES]
        rows.append([shown(label, 60), *(count(number) for number in numbers)])
    totals = [sum(finite(n) or 0 for n in (split.get(side) or {}).values()) for side in SIDES]
    rows.append([words("data.total"), *(count(total) for total in totals)])
    columns = [words("data.label"), *(words(f"data.{side}") for side in SIDES)]
    deviation = evidence.value("split", "strata_deviation")
    note = words("data.deviation", deviation=percent(deviation)) if deviation is not None else ""
    leakage = evidence.mapping("split", "leakage")
    if leakage:
        named = "; ".join(f"{str(key).replace('_', ' ')}: {_plain(value)}" for key, value in leakage.items())
        note = " ".join(part for part in (note, words("data.leakage", named=named)) if part)
    return [table(words("data.split"), columns, rows, numeric=(1, 2, 3), note=note)]


def _plain(value: object) -> str:
    """A count, or what a list or a mapping holds, on one line."""
    if isinstance(value, dict):
        return ", ".join(f"{str(key).replace('_', ' ')} {_plain(one)}" for key, one in value.items()) or "-"
    if isinstance(value, list):
        return ", ".join(shown(one, 40) for one in value) or "-"
    return count(value) if finite(value) is not None else shown(value, 60)


def _cleaned(evidence: Evidence, words: Words) -> list[Block]:
    rows = [
        [words(f"data.{what}_word"), shown(reason, 80), count(number)]
        for what in ("dropped", "repaired")
        for reason, number in sorted(evidence.mapping("clean", what).items(), key=lambda one: -(finite(one[1]) or 0))
    ]
    if not rows:
        return [Sentence(words("data.all_clean"))] if evidence.has("clean") else []
    columns = [words("data.action"), words("data.reason"), words("axis.rows")]
    blocks: list[Block] = [table(words("data.cleaned"), columns, rows, numeric=(2,))]
    examples = evidence.rows("clean", "dropped_examples")
    if examples:
        lines = [[shown(one.get("reason"), 60), shown(one.get("text"), 200)] for one in examples[:8]]
        caption = words("data.dropped_examples", shown=count(len(lines)), all=count(len(examples)))
        blocks.append(table(caption, [words("data.reason"), words("data.text")], lines))
    return blocks


def _set_aside(evidence: Evidence, words: Words) -> list[Block]:
    rows = evidence.rows("ingest", "set_aside")
    if not rows:
        return []
    lines = [[shown(one.get("file"), 60), count(one.get("line")), shown(one.get("reason"), 120)] for one in rows[:10]]
    total = finite(evidence.detail("ingest", "set_aside_count")) or len(rows)
    caption = words("data.set_aside", shown=count(len(lines)), all=count(total))
    return [table(caption, [words("data.file"), words("data.line"), words("data.reason")], lines, numeric=(1,))]
