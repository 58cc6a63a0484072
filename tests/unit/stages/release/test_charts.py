from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from modelyard.stages.release.charts import (
    Bar,
    Bin,
    Dot,
    Percentiles,
    Series,
    bars,
    ecdf,
    heat_map,
    interval_dots,
    lines,
    reliability,
)  # fmt: skip
from modelyard.stages.release.charts.axes import Scale, logarithmic_ticks, ticks
from modelyard.stages.release.charts.canvas import shortened, text_width
from modelyard.stages.release.charts.ecdf import samples_as_points
from modelyard.stages.release.charts.reliability import wilson
from modelyard.stages.release.numbers import Numbers

HOSTILE = '"><script>alert(1)</script>'
NUMBERS = Numbers()


def plain(value: float) -> str:
    return f"{value:g}"


DRAWINGS = {
    "bars": lambda text: bars([Bar(text, 3.0, text)], title=text, axis=text, written=plain, limit=2, limit_label=text),
    "dots": lambda text: interval_dots(
        [Dot(text, 0.8, (0.7, 0.9), text), Dot(text, 0.8, None, text)],
        title=text, axis=text, written=plain, reference=0.8, reference_label=text,
    ),
    "lines": lambda text: lines(
        [Series(text, ((1, 1.0), (2, 1.0))), Series(text, ((2, 1.0),), 1, dots=True)],
        title=text, x_axis=text, y_axis=text, x_written=plain, y_written=plain,
    ),
    "heat_map": lambda text: heat_map(
        [text, "b", "c"], [[1, 0, 0], [0, 0, 0], [1, 1, 1]], title=text, true_axis=text, predicted_axis=text,
        numbers=NUMBERS,
    ),
    "reliability": lambda text: reliability(
        [Bin(0.9, 1.0, 1.0)], title=text, x_axis=text, y_axis=text, diagonal=text, numbers=NUMBERS
    ),
    "ecdf": lambda text: ecdf(
        [Percentiles(text, ((5.0, 0.5), (5.0, 0.99)), 0), Percentiles(text, samples_as_points([3.0] * 30), 1, True)],
        title=text, x_axis=text, y_axis=text, written=plain, numbers=NUMBERS, limit=200, limit_label=text,
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", DRAWINGS)
def test_a_drawing_is_xml_has_title_and_axes_and_escapes_every_text(kind):
    drawing = str(DRAWINGS[kind](HOSTILE))
    root = ElementTree.fromstring(drawing)
    assert root.find("title").text == HOSTILE
    titles = [text.text for text in root.iter("text") if text.get("class") == "axis-title"]
    assert titles and set(titles) == {HOSTILE}
    assert not list(root.iter("script"))
    assert "nan" not in re.sub(r">[^<]*<", "><", drawing)


def test_ticks_are_round_and_lie_within():
    assert ticks(0, 238, 4) == [0, 50, 100, 150, 200]
    assert ticks(0.3, 1.0, 5) == [0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]
    assert ticks(5, 5) == [5]
    assert logarithmic_ticks(1, 230) == [1, 2, 5, 10, 20, 50, 100, 200]


def test_a_logarithmic_scale_gives_each_decade_the_same_room():
    scale = Scale(1, 100, 0, 200, logarithmic=True)
    assert [scale(1), scale(10), scale(100)] == [0, 100, 200]


def test_the_wilson_interval_agrees_with_a_hand_worked_value():
    # 80 of 100: centre 0.7889, half width 0.0777 (Wilson 1927)
    low, high = wilson(0.8, 100)
    assert low == pytest.approx(0.7112, abs=1e-4)
    assert high == pytest.approx(0.8666, abs=1e-4)


def test_an_empirical_distribution_ends_at_the_slowest_sample_and_one():
    points = samples_as_points(range(1, 1001), most=50)
    assert points[-1] == (1000, 1.0)
    assert points[0] == (1, 0.001)
    assert len(points) <= 52


def test_wide_characters_take_their_room():
    assert text_width("汉字") > text_width("ab") * 1.5
    assert text_width(shortened("汉字" * 40, 100)) <= 100
