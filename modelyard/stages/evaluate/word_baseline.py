"""The baseline that any model must beat: TF-IDF of words and word pairs with logistic regression."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelyard.measure.examples import Examples
from modelyard.stages.evaluate.baseline import Baseline

STRENGTHS = (0.3, 1.0, 3.0, 10.0, 30.0)  # inverse regularisation; the one that is best on validation is taken
UNSPACED = 0.3  # a share of such letters above it: words are not parted by spaces


def _unspaced(texts: Sequence[str]) -> bool:
    """Whether the texts are mostly in a script without spaces (Han, Kana, Thai): then characters are the words."""
    sample = "".join(texts[:500])
    letters = [character for character in sample if character.isalpha()]
    return sum("฀" <= c <= "๿" or "぀" <= c <= "鿿" for c in letters) > UNSPACED * max(len(letters), 1)


def word_baseline(train: Examples, validation: Examples, test: Examples) -> Baseline | None:
    """Fit on the train side, choose the regularisation on validation, measure on test. None without any word,
    or with one class to learn alone."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    if len(set(train.targets)) < 2:
        return None
    texts = train.texts
    characters = _unspaced(texts)
    kind = {"analyzer": "char", "ngram_range": (1, 2)} if characters else {"ngram_range": (1, 2)}
    vectorizer = TfidfVectorizer(sublinear_tf=True, min_df=2 if len(train) > 1000 else 1, **kind)
    try:
        rows = vectorizer.fit_transform(texts)
    except ValueError:  # an empty vocabulary: emoji, punctuation
        return None
    held, asked = vectorizer.transform(validation.texts), vectorizer.transform(test.texts)
    best, best_accuracy, best_strength = None, -1.0, 0.0
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength, max_iter=1000).fit(rows, train.targets)
        accuracy = float(np.mean(model.predict(held) == np.array(validation.targets)))
        if accuracy > best_accuracy:
            best, best_accuracy, best_strength = model, accuracy, strength
    assert best is not None
    grams = "characters and pairs of them" if characters else "words and word pairs"
    return Baseline(
        float(np.mean(best.predict(asked) == np.array(test.targets))),
        f"TF-IDF of {grams}, logistic regression, C = {best_strength:g} chosen on validation, same split:"
        f" {len(train):,} train and {len(test):,} test rows",
    )
