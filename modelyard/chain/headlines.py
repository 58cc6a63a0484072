"""The one figure of each stage that matters, as a person reads it."""

from __future__ import annotations

from typing import Any

from modelyard.store import Report

NO_DATA = "no data"


def headline(stage: str, report: Report | None) -> str:
    """One short line; empty when the stage has no Report."""
    if report is None:
        return ""
    return _LINES[stage](_Evidence(report.info))


class _Evidence:
    """Figures and details with a word where there is no value."""

    def __init__(self, info: dict[str, Any]) -> None:
        self.details: dict[str, Any] = info["details"]
        self._figures = info["figures"]
        self.gates = info["gates"]

    def number(self, name: str, form: str = ",.0f", scale: float = 1.0, unit: str = "") -> str:
        value = self._figures.get(name, {}).get("value")
        return NO_DATA if value is None else format(value * scale, form) + unit

    def has(self, name: str) -> bool:
        return name in self._figures

    def how(self, name: str) -> str:
        return str(self._figures.get(name, {}).get("how", ""))

    def share(self, name: str) -> str:
        return self.number(name, ".0f", 100, " %")


def _reasons(counts: dict[str, int]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in sorted(counts.items(), key=lambda item: -item[1])[:3])


def _adopt(e: _Evidence) -> str:
    labels = e.details.get("labels", [])
    classes = f", {len(labels)} classes" if labels else ""
    return f"a {e.details['kind']} of the task {e.details['task']}{classes}"


def _sides(e: _Evidence) -> str:
    train = f", {e.number('rows_train')} of train" if e.number("rows_train") != "0" else ""
    return f"{e.number('rows_validation')} rows to choose by, {e.number('rows_test')} to judge by{train}"


def _ingest(e: _Evidence) -> str:
    aside = e.details.get("set_aside_count", 0)
    reasons = f", {aside:,} set aside: {e.details['set_aside'][0]['reason']}" if aside else ""
    how = ", ".join(str(e.details[key]) for key in ("format", "encoding") if e.details.get(key))
    classes = e.details.get("class_counts", {})
    counted = f", {len(classes)} classes" if classes else ""
    new = f", {e.number('rows_new')} of them new" if e.has("rows_new") else ""
    return f"{e.number('rows_out')} rows{new} ({how}){counted}{reasons}"


def _clean(e: _Evidence) -> str:
    repaired, dropped = e.details.get("repaired", {}), e.details.get("dropped", {})
    parts = [
        f"{sum(repaired.values()):,} repaired" if repaired else "nothing to repair",
        f"{sum(dropped.values()):,} dropped ({_reasons(dropped)})" if dropped else "none dropped",
    ]
    return ", ".join(parts)


def _annotate(e: _Evidence) -> str:
    if not e.details["people"]:
        return f"{e.number('rows_out')} rows came with a label"
    said = [f"blind agreement {e.number('blind_agreement', '.3f')} (kappa {e.number('cohen_kappa', '.2f')})"]
    said.append(f"resolved {e.number('resolved_agreement', '.3f')}")
    said.append(f"gold {e.number('gold_accuracy', '.3f')}")
    return f"{e.number('rows_out')} rows labelled by {len(e.details['people'])} people, {', '.join(said)}"


def _split(e: _Evidence) -> str:
    sides = " / ".join(e.number(f"rows_{side}") for side in ("train", "validation", "test"))
    if not e.has("class_imbalance"):
        return sides
    return f"{sides}, class counts differ by {e.share('class_imbalance')} (bar 20 %)"


def _augment(e: _Evidence) -> str:
    return f"{e.number('rows_derived')} rows made of {e.number('rows_in')}, for the train side alone"


def _train(e: _Evidence) -> str:
    name = e.details.get("main_metric", "accuracy")
    return f"{name} {e.number(f'validation_{name}', '.3f')} on validation, epoch {e.number('best_epoch', '.3g')}"


def _export(e: _Evidence) -> str:
    return f"parity {e.number('parity_max_abs', '.1e')} (bar 1e-03) over {e.number('parity_cases')} cases"


def _optimize(e: _Evidence) -> str:
    return str(e.details.get("why", ""))


def _evaluate(e: _Evidence) -> str:
    name = e.details.get("metric", {}).get("name", "accuracy")
    baseline = e.number(f"baseline_{name}", ".3f")
    plain = "TF-IDF baseline" if e.how(f"baseline_{name}").startswith("TF-IDF") else "baseline"
    beside = f" ({plain} {baseline})" if baseline != NO_DATA else ""
    p50, p99 = (e.number(f"latency_p{rank}_ms", ".1f", unit=" ms") for rank in (50, 99))
    return f"{name} {e.number(name, '.3f')}{beside}, P50 {p50}, P99 {p99}"


def _release(e: _Evidence) -> str:
    passed = sum(gate["passed"] for gate in e.gates)
    return f"{passed} of {len(e.gates)} gates"


_LINES = {
    "adopt": _adopt,
    "sides": _sides,
    "ingest": _ingest,
    "clean": _clean,
    "annotate": _annotate,
    "split": _split,
    "augment": _augment,
    "train": _train,
    "export": _export,
    "optimize": _optimize,
    "evaluate": _evaluate,
    "release": _release,
}
