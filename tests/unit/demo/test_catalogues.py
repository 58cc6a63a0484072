from __future__ import annotations

import gettext
import io
import struct

import pytest

from modelyard.demo.catalogues import read_catalogue
from modelyard.errors import BadInput

MESSAGES = {
    "": "Content-Type: text/plain; charset=UTF-8\n",
    "Delete": "删除",
    "menu\x04Open": "打开",
    "%d file\0%d files": "%d 个文件\0",
}


def compiled(order: str = "<") -> bytes:
    """The catalogue as msgfmt writes it."""
    keys = sorted(MESSAGES)
    texts = [text.encode() for text in (*keys, *(MESSAGES[key] for key in keys))]
    head = 28
    place, table, body = head + 8 * len(texts), b"", b""
    for text in texts:
        table += struct.pack(f"{order}2I", len(text), place + len(body))
        body += text + b"\0"
    count = len(keys)
    return struct.pack(f"{order}7I", 0x950412DE, 0, count, head, head + 8 * count, 0, 0) + table + body


@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
def test_it_reads_what_gettext_reads(order):
    read = dict(read_catalogue(compiled(order)))
    assert read == {"": MESSAGES[""], "Delete": "删除", "Open": "打开", "%d file": "%d 个文件"}
    known = gettext.GNUTranslations(io.BytesIO(compiled(order)))
    assert known.gettext("Delete") == read["Delete"]
    assert known.pgettext("menu", "Open") == read["Open"]


@pytest.mark.parametrize(
    "content", [b"", b"no catalogue at all", compiled()[:40], compiled().replace("删".encode(), b"\xff\xff\xff")]
)
def test_what_is_no_catalogue_is_refused(content):
    with pytest.raises(BadInput, match="no compiled catalogue"):
        list(read_catalogue(content))
