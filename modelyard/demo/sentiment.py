"""Four-domain English sentiment: movie reviews, product reviews, newspaper editorials, tweets, with human ratings.

Source: Hutto and Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis of Social Media Text",
ICWSM 2014; the ratings lie in the source archive of vaderSentiment 3.3.2 (MIT). Each text has a mean rating from
-4 to 4. Two classes: the sign of the mean; |mean| <= 0.2 is set aside as undecided.
"""

from __future__ import annotations

import csv
import io
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from modelyard.errors import BadInput
from modelyard.store.atomic import write_bytes
from modelyard.training.downloads import SENTIMENT, fetch

RESOURCE = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
DOMAINS = {
    "movies": "movieReviewSnippets_GroundTruth.txt",
    "products": "amazonReviewSnippets_GroundTruth.txt",
    "editorials": "nytEditorialSnippets_GroundTruth.txt",
    "tweets": "tweets_GroundTruth.txt",
}
UNDECIDED = 0.2
SEED = 20140601


@dataclass(frozen=True)
class Rated:
    """One text; `document` is the review or editorial that its sentence stands in, itself where it stands alone."""

    text: str
    label: str
    domain: str
    document: str


def rated_texts() -> Iterator[Rated]:
    """All texts with a decided rating, domain by domain, in file order."""
    with tarfile.open(fetch(SENTIMENT)) as outer:
        inner_file = outer.extractfile(RESOURCE)
        if inner_file is None:
            raise BadInput(f"{SENTIMENT.file} holds no {RESOURCE}")
        inner_bytes = inner_file.read()
    with tarfile.open(fileobj=io.BytesIO(inner_bytes)) as inner:
        for domain, file in DOMAINS.items():
            member = inner.extractfile(f"hutto_ICWSM_2014/{file}")
            if member is None:
                raise BadInput(f"{RESOURCE} holds no {file}")
            # Not splitlines(): it would cut a text at a Unicode line separator.
            for line in member.read().decode("utf-8").rstrip("\r\n").split("\n"):
                identity, mean, text = line.rstrip("\r").split("\t", 2)
                if abs(float(mean)) > UNDECIDED:
                    label = "positive" if float(mean) > 0 else "negative"
                    yield Rated(text, label, domain, f"{domain}-{identity.partition('_')[0]}")


def stratified(rows: list[Rated], count: int, seed: int = SEED) -> list[Rated]:
    """`count` rows, each domain and class in its share of the whole (largest remainders), in the order of `rows`."""
    if count >= len(rows):
        return rows
    strata: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        strata[row.domain, row.label].append(index)
    exact = {key: count * len(members) / len(rows) for key, members in strata.items()}
    quota = {key: int(share) for key, share in exact.items()}
    by_remainder = sorted(exact, key=lambda key: (quota[key] - exact[key], key))
    for key in by_remainder[: count - sum(quota.values())]:
        quota[key] += 1
    generator = np.random.default_rng(seed)
    chosen = [generator.choice(strata[key], quota[key], replace=False) for key in sorted(strata)]
    return [rows[index] for index in np.sort(np.concatenate(chosen))]


def write_sentiment_csv(path: Path, count: int | None) -> int:
    """Write text, label, domain, document as CSV; all rows when `count` is None. Answers the number of rows."""
    rows = list(rated_texts())
    chosen = rows if count is None else stratified(rows, count)
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["text", "label", "domain", "document"])
    writer.writerows([row.text, row.label, row.domain, row.document] for row in chosen)
    write_bytes(path, buffer.getvalue().encode())
    return len(chosen)
