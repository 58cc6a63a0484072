"""A CSV of any size, composed from real sentences: what ingest, clean and split are measured on.

The text is COMPOSED, not real: each row strings together 4 to 32 real sentences of one class and one source (the
sentiment data of the demo: Hutto and Gilbert 2014, vaderSentiment 3.3.2), about 1 kB a row, columns
`text,label,source`. The sentences are real, commas and quotes as they come; their order and company are drawn by
seed. A known share of rows are exact twins: text, label and source copied from a row anywhere before. A known share
is damaged on purpose, since the source is almost clean: in their first sentence apostrophes became the mojibake of a
typographic one, and a control character was put in. The same size, seed and shares give the same bytes.

    python benchmarks/text_corpus.py corpus.csv --gigabytes 5

prints {"composed", "rows", "bytes", "twins", "damaged", "sha256", "seconds"}.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.demo.sentiment import rated_texts

COMPOSED = "composed by recombining real sentences; no row is a real document"
HEADER = b"text,label,source\n"
BLOCK = 8192  # rows that are drawn, joined and written at once: about 8 MB
SENTENCES = (4, 32)  # at least, at most
TARGET = (600, 1400)  # bytes of text a row, drawn evenly: the last sentence may go over it
REMEMBERED = 65536  # rows that twins are copied from: an even sample of all rows before
MOJIBAKE, CONTROL = "â€™", "\x0b"

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Corpus:
    """What was written. twins: rows whose text stood in an earlier row; damaged: rows with mojibake or a control."""

    rows: int
    bytes: int
    twins: int
    damaged: int
    sha256: str


class Pieces:
    """Byte strings that rows are joined from: for each sentence its opening form (`"text`), its inner form (` text`)
    and its damaged opening; for each class and source the end of a row (`",label,source` and a line feed)."""

    def __init__(self) -> None:
        strata: dict[tuple[str, str], list[str]] = {}
        for rated in rated_texts():
            strata.setdefault((rated.label, rated.domain), []).append(rated.text.replace('"', '""'))
        texts = [text for members in strata.values() for text in members]
        opening = [f'"{text}' for text in texts]
        inner = [f" {text}" for text in texts]
        damaged = [f'"{CONTROL}{text}'.replace("'", MOJIBAKE) for text in texts]
        ends = [f'",{label},{source}\n' for label, source in strata]
        self.forms = [text.encode() for text in (*opening, *inner, *damaged, *ends)]
        self.lengths: Array = np.array([len(form) for form in self.forms], dtype=np.int64)
        self.sentences = len(texts)
        self.counts: Array = np.array([len(members) for members in strata.values()])
        self.firsts: Array = np.concatenate([[0], np.cumsum(self.counts)[:-1]])

    def draw(self, rows: int, damaged: float, generator: np.random.Generator) -> Array:
        """Indices into `forms`, int32 [rows, most sentences + 1], the end of the row last; -1 where there is none."""
        most = SENTENCES[1]
        stratum = generator.choice(len(self.counts), rows, p=self.counts / self.counts.sum())
        place = (generator.random((rows, most)) * self.counts[stratum, None]).astype(np.int64)
        sentence = self.firsts[stratum, None] + place
        before = np.cumsum(self.lengths[sentence], axis=1) - self.lengths[sentence]
        wanted = before < generator.integers(*TARGET, rows)[:, None]
        wanted[:, : SENTENCES[0]] = True
        forms = np.where(wanted, sentence + self.sentences, -1)
        hurt = generator.random(rows) < damaged
        forms[:, 0] = sentence[:, 0] + np.where(hurt, 2 * self.sentences, 0)
        ends = 3 * self.sentences + stratum
        return np.concatenate([forms, ends[:, None]], axis=1).astype(np.int32)

    def is_damaged(self, rows: Array) -> Array:
        """bool [rows]"""
        damaged: Array = rows[:, 0] >= 2 * self.sentences
        return damaged

    def sizes(self, rows: Array) -> Array:
        """Bytes of each row, int64 [rows]."""
        sizes: Array = np.where(rows >= 0, self.lengths[rows], 0).sum(axis=1)
        return sizes

    def join(self, rows: Array) -> bytes:
        return b"".join(map(self.forms.__getitem__, rows[rows >= 0].tolist()))


def write_corpus(path: Path, size: int, seed: int = 0, twins: float = 0.05, damaged: float = 0.01) -> Corpus:
    """Write rows until the file has `size` bytes (the last row is whole). twins, damaged: shares of the rows."""
    pieces = Pieces()
    generator = np.random.default_rng(seed)
    memory: Array = np.empty((0, SENTENCES[1] + 1), dtype=np.int32)
    digest = hashlib.sha256(HEADER)
    count, written, twin_count, damaged_count, block = 0, len(HEADER), 0, 0, 0
    with path.open("wb") as file:
        file.write(HEADER)
        while written < size:
            rows = pieces.draw(BLOCK, damaged, generator)
            twin = generator.random(BLOCK) < twins
            twin[0] &= block > 0
            originals = np.flatnonzero(~twin)
            if block:
                source = memory[generator.integers(len(memory), size=BLOCK)]
            else:  # the first block copies from its own earlier rows
                before = np.maximum(np.cumsum(~twin), 1)
                source = rows[originals[(generator.random(BLOCK) * before).astype(np.int64)]]
            fresh = rows[originals]
            rows[twin] = source[twin]
            memory = _remember(memory, fresh, block, generator)
            ends = written + np.cumsum(pieces.sizes(rows))
            kept = min(int(np.searchsorted(ends, size)) + 1, BLOCK)
            content = pieces.join(rows[:kept])
            digest.update(content)
            file.write(content)
            count, written, block = count + kept, written + len(content), block + 1
            twin_count += int(twin[:kept].sum())
            damaged_count += int(pieces.is_damaged(rows[:kept]).sum())
    return Corpus(count, written, twin_count, damaged_count, digest.hexdigest())


def _remember(memory: Array, fresh: Array, blocks_before: int, generator: np.random.Generator) -> Array:
    """The sample with the rows of one more block: all of them while there is room, then their even share of places."""
    room = REMEMBERED - len(memory)
    if room > 0:
        return np.concatenate([memory, fresh[:room]])
    share = min(len(fresh), REMEMBERED // (blocks_before + 1))
    memory[generator.choice(REMEMBERED, share, replace=False)] = fresh[generator.permutation(len(fresh))[:share]]
    return memory


def main() -> None:
    parser = argparse.ArgumentParser(description="Compose a CSV of any size from real sentences.")
    parser.add_argument("path", type=Path)
    parser.add_argument("--gigabytes", type=float, default=1.0, help="10^9 bytes")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--twins", type=float, default=0.05, help="share of rows that are exact twins")
    parser.add_argument("--damaged", type=float, default=0.01, help="share of rows with mojibake and a control")
    given = parser.parse_args()
    start = time.perf_counter()
    corpus = write_corpus(given.path, int(given.gigabytes * 1e9), given.seed, given.twins, given.damaged)
    seconds = round(time.perf_counter() - start, 1)
    print(json.dumps({"composed": COMPOSED, **asdict(corpus), "seconds": seconds}, indent=2))


if __name__ == "__main__":
    main()
