"""The baseline of models that write texts: a translation memory, which answers what the most alike known source had.

Source: Arthern, "Machine translation and computerised terminology systems", 1979 (the idea); here alike by the cosine
of TF-IDF of words and of runs of 2 to 5 characters, each half of the weight.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelyard.measure.examples import Examples
from modelyard.stages.evaluate.baseline import Baseline
from modelyard.tasks.seq2seq.chrf import Chrf

AT_ONCE = 256  # sources that are looked up at once: of 100,000 known ones some 100 MB
MOST_GRAMS = 200_000


def memory_baseline(train: Examples, validation: Examples, test: Examples) -> Baseline | None:
    """Look every test source up among those of the train side. None where these are blank."""
    try:
        found = nearest(train.texts, test.texts)
    except ValueError:  # an empty vocabulary
        return None
    metric = Chrf()
    answers = np.array([train.targets[place] for place in found], dtype=object)
    return Baseline(
        metric.value(metric.evidence({"text": answers}, test.targets)),
        f"a translation memory: the target of the train row whose source is most alike (TF-IDF of words and of 2 to 5"
        f" characters), same split: {len(train):,} train and {len(test):,} test rows",
    )


def nearest(known: Sequence[str], asked: Sequence[str]) -> list[int]:
    """The place in `known` of what each is most alike; the first of those that are equally so."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    grams = make_union(
        TfidfVectorizer(analyzer=_words, sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, max_features=MOST_GRAMS),
    )
    memory = grams.fit_transform(known).T.tocsr()
    found: list[int] = []
    for start in range(0, len(asked), AT_ONCE):
        alike = grams.transform(asked[start : start + AT_ONCE]) @ memory
        found += np.asarray(alike.argmax(axis=1)).ravel().tolist()
    return found


def _words(text: str) -> list[str]:
    return text.casefold().split()
