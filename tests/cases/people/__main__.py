"""Write the table of docs/files-we-accept.md anew: `python -m tests.cases.people`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.cases.people.files import SENT
from tests.cases.people.table import HEAD, PAGE, attempt


def main() -> int:
    lines = list(HEAD)
    for sent in SENT:
        with tempfile.TemporaryDirectory() as folder:
            lines.append(attempt(sent, Path(folder)).row())
    page = PAGE.read_text("utf-8")
    start = page.index(HEAD[0])
    end = page.index("\n\n", start) if "\n\n" in page[start:] else len(page)
    PAGE.write_text(page[:start] + "\n".join(lines) + (page[end:] or "\n"), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
