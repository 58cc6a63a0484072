from __future__ import annotations

import base64

import numpy as np

from modelyard.measure.examples import Examples
from modelyard.media.pixels import decode_image
from modelyard.run import Run
from modelyard.stages.evaluate.classes import Answers
from modelyard.stages.evaluate.config import EvaluateConfig
from modelyard.stages.evaluate.labelled import record_classes
from tests.pictures import encoded


def wrong(items):
    run = Run()
    answers = Answers(np.array([0, 0, 0]), np.array([0, 1, 1]), np.array([0.5, 0.6, 0.9]), ["no", "yes"])
    test = Examples(items, ["no", "yes", "yes"], ["r0", "r1", "r2"], {"source_line": ["2", "3", "4"]})
    record_classes(answers, test, EvaluateConfig(), run)
    return run.details["examples_wrong"]


def test_the_wrong_answers_are_shown_the_surest_first_with_text_and_line():
    first, second = wrong([{"text": "a"}, {"text": "b"}, {"text": "c" * 600}])
    assert first == {"row_id": "r2", "text": "c" * 500, "label": "yes", "predicted": "no", "score": 0.9, "line": "4"}
    assert (second["text"], second["line"]) == ("b", "3")


def test_a_picture_is_shown_small():
    (first, _) = wrong([{"image": encoded(seed, 200, 100)} for seed in range(3)])
    assert decode_image(base64.b64decode(first["picture"])).shape == (32, 64, 3)
    assert (first["text"], first["row_id"]) == ("", "r2")


def test_a_file_is_not_shown_as_a_text():
    assert [one["text"] for one in wrong([{"image": b"\x89PNG"}] * 3)] == ["", ""]
