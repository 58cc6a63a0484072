"""Templates: a folder each, with a commented modelyard.yaml and a tiny example of the data it names."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from modelyard.chain.project import FILE
from modelyard.errors import BadInput, EnvironmentProblem
from modelyard.store.atomic import write_bytes

TEMPLATES = {
    "text_classification": "one text in, one class of a closed set out: reviews, tickets, intents",
    "image_classification_keras": "one picture in, one class of a closed set out, by a network of yours in Keras",
}


def template_files(name: str) -> dict[str, bytes]:
    """Path of a file, seen from the template's folder, to content. Raises BadInput with the templates there are."""
    if name not in TEMPLATES:
        close = difflib.get_close_matches(name, TEMPLATES, n=1)
        raise BadInput(
            f"{name} is neither a template nor a file or folder",
            where=name,
            next=f"did you mean {close[0]}?" if close else f"templates: {', '.join(TEMPLATES)}; or check the path",
        )
    folder = Path(__file__).parent / name
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def shortened(files: Sequence[str]) -> str:
    """Names of files in a line: of those in a folder, the folder and how many there are."""
    tops = Counter(file.partition("/")[0] for file in files)
    return ", ".join(top if top in files else f"{top}/ ({count} files)" for top, count in tops.items())


def write_template(name: str, folder: Path, *, force: bool = False) -> list[str]:
    """Write a template's files; answers their paths, seen from the folder.

    Raises BadInput when one is there already, or a folder of them, before any is written, unless `force`. That writes
    over modelyard.yaml only: data that lie there are neither replaced by an example nor mixed with it.
    """
    files = template_files(name)
    there = [file for file in files if (folder / file.partition("/")[0]).exists()]
    if there and not force:
        raise BadInput(
            f"{shortened(there)} {'is' if len(there) == 1 else 'are'} there already; nothing was written",
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
    return list(files)
