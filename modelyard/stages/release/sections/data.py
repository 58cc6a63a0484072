"""What came in, what was set aside, repaired and dropped and why, and how the rows were split."""

from __future__ import annotations

from typing import Any

from modelyard.stages.release.blocks import Block, Cell, Facts, Section, Sentence, charts, shown, source, table
from modelyard.stages.release.charts import Bar, Chart, bars
from modelyard.stages.release.evidence import Evidence
from modelyard.stages.release.numbers import finite
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
        said.append(words("data.rows_in", rows=words.count(rows_in)))
    aside = finite(evidence.detail("ingest", "set_aside_count"))
    if aside:
        said.append(words("data.aside", rows=words.count(aside)))
    clean_in, clean_out = evidence.value("clean", "rows_in"), evidence.value("clean", "rows_out")
    if clean_in is not None and clean_out is not None:
        said.append(words("data.dropped", rows=words.count(clean_in - clean_out)))
    sides = [evidence.value("split", f"rows_{side}") for side in SIDES]
    if evidence.has("sides"):
        choosing, judging = (evidence.value("sides", f"rows_{side}") for side in SIDES[1:])
        said.append(words("data.judged", choosing=words.count(choosing), judging=words.count(judging)))
    elif all(side is not None for side in sides):
        said.append(words("data.sides", sides=" / ".join(words.count(side) for side in sides)))
    return words.listed(said) or words("section.not_measured")


def _came_in(evidence: Evidence, words: Words) -> list[Block]:
    items = []
    for name in ("format", "encoding", "delimiter"):
        value = evidence.detail("ingest", name)
        if value:
            text = words.separator(str(value)) if name == "delimiter" else str(value).upper()
            items.append((words(f"data.{name}"), text))
    # Columns of our own (row_id, source_line) say nothing about the user's data.
    columns = [column for column in evidence.rows("ingest", "columns") if column.get("role") != "system"]
    if columns:
        named = [f"{shown(column.get('name'), 40)} ({_role(column, words)})" for column in columns[:20]]
        items.append((words("data.columns"), words.listed(named)))
    guessed = evidence.mapping("ingest", "guessed")
    if guessed:
        items.append(
            (words("data.guessed"), words.listed([f"{key}: {shown(how, 80)}" for key, how in guessed.items()]))
        )
    return [Facts(tuple(items))] if items else []


def _role(column: dict[str, Any], words: Words) -> str:
    if column.get("role") == "target" and column.get("field") != "label":
        return words("data.role_number", field=column.get("field"))
    key = f"data.role_{column.get('role')}"
    return words(key) if words.has(key) else str(column.get("role"))


def _balance(evidence: Evidence, words: Words) -> Chart | None:
    counts = {str(label): finite(number) for label, number in evidence.mapping("split", "class_counts").items()}
    known = [(label, number) for label, number in counts.items() if number is not None]
    if len(known) < 2:
        return None
    imbalance = evidence.value("split", "class_imbalance")
    title = words("chart.balance", difference=words.percent(imbalance), bar=words.percent(0.20))
    colours = {label: index for index, label in enumerate(sorted(counts))}
    largest = sorted(known, key=lambda one: -one[1])
    rows = largest if len(largest) <= 12 else largest[:6] + largest[-6:]
    total = sum(number for _, number in known) or 1.0
    drawn = [
        Bar(label, number, f"{words.count(number)} ({words.percent(number / total)})", colours[label])
        for label, number in rows
    ]
    axis = words("axis.rows")
    drawing = bars(drawn, title=title, axis=axis, written=words.count)
    note = (
        words("chart.balance_cut", shown=words.count(12), all=words.count(len(known))) if len(rows) < len(known) else ""
    )
    return Chart("class_counts", title, drawing, ("label", "rows"), tuple(largest), note)


def _split(evidence: Evidence, words: Words) -> list[Block]:
    split = evidence.mapping("split", "split")
    labels = sorted({str(label) for side in split.values() if isinstance(side, dict) for label in side})
    if not labels:
        return []
    rows = []
    for label in labels:
        numbers = [(split.get(side) or {}).get(label, 0) for side in SIDES]
        rows.append([shown(label, 60), *(words.count(number) for number in numbers)])
    totals = [sum(finite(n) or 0 for n in (split.get(side) or {}).values()) for side in SIDES]
    rows.append([words("data.total"), *(words.count(total) for total in totals)])
    columns = [words("data.label"), *(words(f"data.{side}") for side in SIDES)]
    deviation = evidence.value("split", "strata_deviation")
    note = words("data.deviation", deviation=words.points(deviation)) if deviation is not None else ""
    said = [note, _kept_together(evidence, words), _groups(evidence, words)]
    note = words("list.sentences").join(part for part in said if part)
    return [table(words("data.split"), columns, rows, numeric=(1, 2, 3), note=note)]


def _kept_together(evidence: Evidence, words: Words) -> str:
    leakage = evidence.mapping("split", "leakage")
    checked = leakage.get("checked")
    if not isinstance(checked, list):
        return ""
    named = words.listed([words.said(shown(one, 40)) for one in checked])
    crossing, aside = leakage.get("groups_on_two_sides"), leakage.get("set_aside")
    return words("data.leakage", checked=named, crossing=words.count(crossing), aside=words.count(aside))


def _groups(evidence: Evidence, words: Words) -> str:
    groups = evidence.mapping("split", "groups")
    columns = groups.get("columns")
    if not isinstance(columns, list) or not columns:
        return ""
    return words(
        "data.groups", groups=words.count(groups.get("count")), columns=words.listed([shown(c, 40) for c in columns]),
        several=words.count(groups.get("of_several_rows")), largest=words.rows(groups.get("largest")),
    )  # fmt: skip


def _cleaned(evidence: Evidence, words: Words) -> list[Block]:
    rows = [
        [words(f"data.{what}_word"), words.said(shown(reason, 80)), words.count(number)]
        for what in ("dropped", "repaired")
        for reason, number in sorted(evidence.mapping("clean", what).items(), key=lambda one: -(finite(one[1]) or 0))
    ]
    if not rows:
        return [Sentence(words("data.all_clean"))] if evidence.has("clean") else []
    columns = [words("data.action"), words("data.reason"), words("axis.rows")]
    blocks: list[Block] = [table(words("data.cleaned"), columns, rows, numeric=(2,))]
    examples = evidence.rows("clean", "dropped_examples")
    if examples:
        lines: list[list[str | Cell]] = [
            [words.said(shown(one.get("reason"), 60)), Cell(source(one), short=True), shown(one.get("text"), 200)]
            for one in examples[:8]
        ]
        caption = words("data.dropped_examples", shown=words.count(len(lines)), all=words.count(len(examples)))
        blocks.append(table(caption, [words("data.reason"), words("quality.source"), words("data.text")], lines))
    return blocks + _repaired(evidence, words)


def _repaired(evidence: Evidence, words: Words) -> list[Block]:
    examples = evidence.rows("clean", "repaired_examples")
    if not examples:
        return []
    lines: list[list[str | Cell]] = [
        [Cell(source(one), short=True), Cell(shown(one.get("before"), 160), code=True),
         Cell(shown(one.get("after"), 160), code=True)]
        for one in examples[:8]
    ]  # fmt: skip
    caption = words("data.repaired_examples", shown=words.count(len(lines)), all=words.count(len(examples)))
    columns = [words("quality.source"), words("data.before"), words("data.after")]
    return [table(caption, columns, lines, note=words("data.repaired_note"))]


def _set_aside(evidence: Evidence, words: Words) -> list[Block]:
    rows = evidence.rows("ingest", "set_aside")
    if not rows:
        return []
    blocks: list[Block] = []
    reasons = evidence.mapping("ingest", "set_aside_reasons")
    if len(reasons) > 1:
        counted = [[words.said(shown(reason, 160)), words.count(number)] for reason, number in reasons.items()]
        columns = [words("data.reason"), words("axis.rows")]
        blocks.append(table(words("data.aside_reasons"), columns, counted, numeric=(1,)))
    lines = [
        [shown(one.get("file"), 60), words.count(one.get("line")), words.said(shown(one.get("reason"), 160))]
        for one in rows[:10]
    ]
    total = finite(evidence.detail("ingest", "set_aside_count")) or len(rows)
    caption = words("data.set_aside", shown=words.count(len(lines)), all=words.count(total))
    columns = [words("data.file"), words("data.line"), words("data.reason")]
    return [*blocks, table(caption, columns, lines, numeric=(1,))]
