"""What the stages say in English is said in Chinese, too."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import modelyard.stages
from modelyard.stages.release.languages.chinese_said import SAID, in_chinese

STAGES = Path(modelyard.stages.__file__).parent
SHOWN = ("train", "export", "optimize", "evaluate")
# Recorded, and on no page.
NOT_ON_THE_PAGE = {
    "golden_max_abs", "parity_cases", "model_", "graph_", "base_lr", "epochs", "train_seconds", "samples_per_s",
    "truncated_share", "validation_", "best_epoch",
}  # fmt: skip


def _sample(node: ast.expr) -> str | None:
    """The text of a literal, with 7 for whatever an f-string fills in; None for what is put together elsewhere."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        if any(isinstance(part, ast.FormattedValue) and _name(part) in _COMPOSED for part in node.values):
            return None
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
    return None


# Names that stand for a whole sentence or the beginning of one.
_COMPOSED = {"rows", "how", "count", "at_many", "speed.no_eager", "why", "kind.nothing"}


def _name(part: ast.FormattedValue) -> str:
    return ast.unparse(part.value)


def _hows() -> list[tuple[str, str]]:
    found = []
    for stage in SHOWN:
        for file in sorted((STAGES / stage).glob("*.py")):
            for call in ast.walk(ast.parse(file.read_text("utf-8"))):
                if not (isinstance(call, ast.Call) and ast.unparse(call.func) == "run.record"):
                    continue
                name = ast.unparse(call.args[0]).strip("f'\"")
                how = next((keyword.value for keyword in call.keywords if keyword.arg == "how"), None)
                sample = _sample(how) if how is not None else None
                if sample is not None and not any(name.startswith(hidden) for hidden in NOT_ON_THE_PAGE):
                    found.append((f"{stage}: {name}", sample.removeprefix("not measured: ")))
    return found


def test_how_a_figure_was_measured_is_said_in_chinese_for_every_stage():
    hows = _hows()
    assert len(hows) >= 8
    assert [name for name, how in hows if in_chinese(how) == how] == []


def test_a_sentence_within_a_sentence_is_turned_as_well():
    eager = "transformers eager float32, torch 1 thread, raw ASGI handler on uvicorn, no batching"
    said = in_chinese(
        f"against the eager model ({eager}): 1 - ours / its P50, in turns on the same inputs, 400 requests each,"
        " one at a time"
    )
    assert said == (
        "对比对象为 eager 模型（transformers eager float32，torch 单线程，uvicorn 上的普通 ASGI 处理函数，不合批）；"
        "1 − 本服务的 P50 / 其 P50，在相同输入上交替测量，各 400 次请求，逐个发送"
    )


def test_what_has_no_known_shape_is_shown_as_it_was_said():
    assert in_chinese("OSError: [Errno 5] {braces} stay") == "OSError: [Errno 5] {braces} stay"


def test_every_shape_hands_on_what_was_filled_in():
    for english, chinese in SAID:
        names = re.findall(r"{(\w+)}", english)
        assert len(names) == len(set(names)), english
        assert set(re.findall(r"{(\w+)}", chinese)) <= set(names), english
        filled = {name: f"<{index}>" for index, name in enumerate(names)}
        assert in_chinese(english.format(**filled)) == chinese.format(**filled), english
