"""Charts as inline SVG, one kind a file. Colours are classes: the page's style sheet gives them, light and dark."""

from modelyard.stages.release.charts.bars import Bar, bars
from modelyard.stages.release.charts.canvas import Chart
from modelyard.stages.release.charts.ecdf import Percentiles, ecdf
from modelyard.stages.release.charts.heat_map import heat_map
from modelyard.stages.release.charts.interval_dots import Dot, interval_dots
from modelyard.stages.release.charts.line import Series, lines
from modelyard.stages.release.charts.reliability import Bin, reliability

__all__ = [
    "Bar",
    "Bin",
    "Chart",
    "Dot",
    "Percentiles",
    "Series",
    "bars",
    "ecdf",
    "heat_map",
    "interval_dots",
    "lines",
    "reliability",
]
