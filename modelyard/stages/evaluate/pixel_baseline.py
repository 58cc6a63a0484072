"""The baseline of classifiers of pictures: their colours and the gradients in them, with logistic regression."""

from __future__ import annotations

import numpy as np

from modelyard.measure.examples import Examples
from modelyard.media.framing import Framing
from modelyard.media.pixels import decode_image
from modelyard.stages.evaluate.baseline import Baseline
from modelyard.stages.evaluate.gradients import gradient_histograms, grey
from modelyard.tasks.pipeline import Array

PICTURES = 5000  # of the train side that are given to learn from
SIDE, CELL = 32, 4  # a picture once scaled, a cell of its gradients
PATCH = 4  # pixels of a side that share one colour
STRENGTHS = (0.1, 1.0, 10.0)  # inverse regularisation; the one that is best on validation is taken


def pixel_baseline(train: Examples, validation: Examples, test: Examples) -> Baseline | None:
    """Fit on the train side, choose the regularisation on validation, measure on test. None with one class to learn."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    if len(set(train.targets)) < 2:
        return None
    scaler = StandardScaler()
    rows = scaler.fit_transform(_features(train))
    held, asked = scaler.transform(_features(validation)), scaler.transform(_features(test))
    best, best_accuracy, best_strength = None, -1.0, 0.0
    for strength in STRENGTHS:
        model = LogisticRegression(C=strength / rows.shape[1], max_iter=200).fit(rows, train.targets)
        accuracy = float(np.mean(model.predict(held) == np.array(validation.targets)))
        if accuracy > best_accuracy:
            best, best_accuracy, best_strength = model, accuracy, strength
    assert best is not None
    return Baseline(
        float(np.mean(best.predict(asked) == np.array(test.targets))),
        f"colours of {PATCH} x {PATCH} pixels and histograms of gradients of pictures scaled to {SIDE} x {SIDE}, "
        f"logistic regression, C = {best_strength:g} / {rows.shape[1]} features chosen on validation, same split:"
        f" {len(train):,} train and {len(test):,} test rows",
    )


def _features(examples: Examples) -> Array:
    """float32 [rows, features]"""
    framing, patches = Framing(SIDE), SIDE // PATCH
    found = []
    for item in examples.items:
        pixels = framing.frame(decode_image(next(iter(item.values())))).transpose(1, 2, 0)
        colours = pixels.reshape(patches, PATCH, patches, PATCH, 3).mean(axis=(1, 3)).ravel()
        found.append(np.concatenate([colours, gradient_histograms(grey(pixels)[None], CELL)[0]]))
    features: Array = np.stack(found).astype(np.float32)
    return features
