"""Pairs of texts with how alike they are, COMPOSED from WordNet: what models that embed texts are tried on.

WordNet (Princeton University; Debian's package wordnet-base puts it under /usr/share/wordnet) has several words for a
meaning and explains it in a gloss, often in two parts with a semicolon between them. A text is a word with a part of
its gloss, as in a dictionary. The score of a pair follows from where its texts stand, not from what people said:

    1.0  one meaning: two of its words, each with another part of its gloss
    0.5  a meaning and the one two steps above it (the hypernym of its hypernym)
    0.0  two meanings of different fields (WordNet's lexicographer files), drawn at random

A third of the rows each, three nouns to a verb (column `kind`), no meaning twice on the left. The same files, rows and
seed give the same bytes. No network.

    python benchmarks/wordnet_pairs.py pairs.csv --rows 2000 --wordnet /usr/share/wordnet

prints {"composed", "rows", "scores", "sha256"}.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np

COMPOSED = "composed from WordNet glosses; scores follow from the places of the meanings, nobody rated the pairs"
WORDNET = Path("/usr/share/wordnet")
KINDS = ("noun", "verb")
SAME, ABOVE, UNRELATED = 1.0, 0.5, 0.0
LEAST_WORDS = 3  # a shorter explanation is one word said for another
EXAMPLE = re.compile(r';?\s*"[^"]*"?')
WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Meaning:
    """A synset: kind: noun or verb; field: number of its lexicographer file; above: offsets of its hypernyms."""

    kind: str
    field: int
    words: tuple[str, ...]
    above: tuple[str, ...]
    explanations: tuple[str, ...]

    def text(self, which: int) -> str:
        """Its first (0) or last (-1) word with that part of its gloss."""
        return f"{self.words[which]}: {self.explanations[which]}"


def explanations(gloss: str) -> tuple[str, ...]:
    """The ways in which a gloss explains its meaning, without its examples and its notes in brackets at the start."""
    parts = (part.strip() for part in EXAMPLE.sub("", gloss).split(";"))
    plain = (re.sub(r"^\([^)]*\)\s*", "", part) for part in parts)
    return tuple(part for part in plain if len(WORD.findall(part)) >= LEAST_WORDS)


def read_meanings(folder: Path, kind: str) -> dict[str, Meaning]:
    """Offset to meaning, of those that are explained; the format is wndb(5WN)."""
    found = {}
    for line in (folder / f"data.{kind}").read_text("utf-8").splitlines():
        if line.startswith(" "):
            continue  # the licence
        head, _, gloss = line.partition("|")
        fields = head.split()
        after_words = 4 + 2 * int(fields[3], 16)
        words = tuple(word.replace("_", " ") for word in fields[4:after_words:2])
        pointers = fields[after_words + 1 :]
        above = tuple(
            pointers[place + 1] for place in range(0, 4 * int(fields[after_words]), 4) if pointers[place] in ("@", "@i")
        )
        said = explanations(gloss)
        if said:
            found[fields[0]] = Meaning(kind, int(fields[1]), words, above, said)
    return found


def compose(meanings: dict[str, Meaning], count: int, random: np.random.Generator) -> list[tuple[str, str, float, str]]:
    """`count` pairs of one kind, a third of each score as far as the meanings go, in the order of their drawing."""
    offsets = sorted(meanings)
    wanted = {SAME: count // 3, ABOVE: count // 3, UNRELATED: count - 2 * (count // 3)}
    pairs: list[tuple[str, str, float, str]] = []
    for place in random.permutation(len(offsets)):
        meaning = meanings[offsets[place]]
        score, other = SAME, meaning.text(-1)
        if not wanted[SAME] or len(meaning.explanations) < 2 or len(meaning.words) < 2:
            steps = [meanings[offset] for offset in meaning.above if offset in meanings]
            above = [meanings[offset] for step in steps for offset in step.above if offset in meanings]
            if wanted[ABOVE] and above:
                score, other = ABOVE, above[0].text(0)
            elif wanted[UNRELATED]:
                stranger = meanings[offsets[int(random.integers(len(offsets)))]]
                if stranger.field == meaning.field:
                    continue
                score, other = UNRELATED, stranger.text(0)
            else:
                continue
        wanted[score] -= 1
        pairs.append((meaning.text(0), other, score, meaning.kind))
        if not any(wanted.values()):
            break
    return pairs


def write_pairs(path: Path, folder: Path, rows: int, seed: int) -> dict[str, object]:
    random = np.random.default_rng(seed)
    found = []
    for kind, share in zip(KINDS, (rows - rows // 4, rows // 4), strict=True):
        found += compose(read_meanings(folder, kind), share, random)
    order = random.permutation(len(found))
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["text_a", "text_b", "score", "kind"])
    writer.writerows(found[place] for place in order)
    content = buffer.getvalue().encode()
    path.write_bytes(content)
    scores = Counter(str(score) for _, _, score, _ in found)
    digest = hashlib.sha256(content).hexdigest()
    return {"composed": COMPOSED, "rows": len(found), "scores": dict(sorted(scores.items())), "sha256": digest}


def main() -> None:
    parser = argparse.ArgumentParser(description=f"Write a CSV of pairs of texts and scores, {COMPOSED}.")
    parser.add_argument("csv", type=Path)
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--wordnet", type=Path, default=WORDNET, help="folder of data.noun, data.verb")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    missing = [name for name in (f"data.{kind}" for kind in KINDS) if not (given.wordnet / name).is_file()]
    if missing:
        parser.error(f"{given.wordnet} has no {missing[0]}; Debian: apt install wordnet-base; or --wordnet FOLDER")
    print(json.dumps(write_pairs(given.csv, given.wordnet, given.rows, given.seed)))


if __name__ == "__main__":
    main()
