"""A confusion matrix: rows are the true labels, shaded by the share of each row, with the counts written."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from modelyard.stages.release.charts.canvas import WIDTH, Canvas, shortened, text_width
from modelyard.stages.release.numbers import Numbers


def heat_map(
    labels: Sequence[str],
    counts: Sequence[Sequence[float]],
    *,
    title: str,
    true_axis: str,
    predicted_axis: str,
    numbers: Numbers,
) -> Markup:
    """counts[i][j]: rows of true label i that were predicted as j."""
    size = len(labels)
    left = max(text_width(true_axis) + 20, min(128.0, max(text_width(label) for label in labels) + 16))
    cell = min(120.0, (WIDTH - left - 8) / size)
    tall = min(cell, 56.0) if size > 2 else 64.0
    top = 44.0
    canvas = Canvas(top + tall * size + 12, title, WIDTH)
    canvas.text(left - 8, 14, true_axis, "axis-title", "end")
    canvas.text(left + 1, 14, predicted_axis, "axis-title")
    for row, label in enumerate(labels):
        total = sum(counts[row])
        middle = top + row * tall + tall / 2
        canvas.text(left - 8, middle + 4, shortened(label, left - 12), "name", "end")
        canvas.text(left + row * cell + cell / 2, top - 8, shortened(label, cell - 4), "name", "middle")
        for column, number in enumerate(counts[row]):
            part = number / total if total else 0.0
            x, y = left + column * cell, top + row * tall
            canvas.rect(x + 1, y + 1, cell - 2, tall - 2, "heat", fill_opacity=0.04 + 0.96 * part)
            tone = "on-heat" if part > 0.5 else "on-paper"
            if cell >= 48 and tall >= 44:
                canvas.text(x + cell / 2, middle, numbers.count(number), f"cell {tone}", "middle")
                canvas.text(x + cell / 2, middle + 16, numbers.percent(part), f"cell-share {tone}", "middle")
            else:
                canvas.text(x + cell / 2, middle + 4, numbers.count(number), f"cell {tone}", "middle")
    return canvas.markup()
