"""The data of a chart as CSV (RFC 4180), safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from urllib.parse import quote

from modelyard.stages.release.charts import Chart

# A cell of text that begins so is run as a formula by spreadsheets (OWASP, CSV injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_text(chart: Chart) -> str:
    """A header and a line a row; numbers in full; text that would be a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(chart.columns)
    for row in chart.rows:
        writer.writerow([f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell for cell in row])
    return out.getvalue()


def data_link(text: str) -> str:
    """A link that holds the file itself, so that the page needs nothing beside it."""
    return "data:text/csv;charset=utf-8," + quote(text)
