"""Templates: a folder each, with a commented modelyard.yaml and a tiny example of the data it names."""

from __future__ import annotations

import difflib
from pathlib import Path

from modelyard.chain.project import FILE
from modelyard.errors import BadInput, EnvironmentProblem
from modelyard.store.atomic import write_bytes

TEMPLATES = {"text_classification": "one text in, one class of a closed set out: reviews, tickets, intents"}


def template_files(name: str) -> dict[str, bytes]:
    """File name to content. Raises BadInput with the templates there are."""
    if name not in TEMPLATES:
        close = difflib.get_close_matches(name, TEMPLATES, n=1)
        raise BadInput(
            f"{name} is neither a template nor a file or folder",
            where=name,
            next=f"did you mean {close[0]}?" if close else f"templates: {', '.join(TEMPLATES)}; or check the path",
        )
    folder = Path(__file__).parent / name
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def write_template(name: str, folder: Path, *, force: bool = False) -> list[Path]:
    """Write a template's files. Raises BadInput when one is there already, before any is written, unless `force`.

    `force` writes over modelyard.yaml only: data that lie there are never replaced by an example.
    """
    files = template_files(name)
    there = [file for file in files if (folder / file).exists()]
    if there and not force:
        raise BadInput(
            f"{', '.join(there)} {'is' if len(there) == 1 else 'are'} there already; nothing was written",
            where=str(folder),
            next=f"use an empty folder; --force writes {FILE} anew and leaves data alone",
        )
    files = {file: content for file, content in files.items() if file == FILE or file not in there}
    try:
        for file, content in files.items():
            write_bytes(folder / file, content)
    except OSError as error:
        raise EnvironmentProblem(
            f"{error.filename or folder} cannot be written: {error.strerror}", where=str(folder)
        ) from error
    return [folder / file for file in files]
