from __future__ import annotations

import numpy as np

from modelyard.measure.examples import Examples
from modelyard.run import Run
from modelyard.stages.evaluate.evaluate import _record_eager_worth
from modelyard.stages.evaluate.speed import Speed
from modelyard.tasks.metric import Accuracy
from modelyard.tasks.text_embedding.similarity import SimilarityRanks


def answered(outputs):
    return Speed({}, 0.0, None, {name: np.array(values) for name, values in outputs.items()})


def test_fewer_rows_than_the_metric_itself_rests_on_are_said():
    test = Examples([{"text": "a"}] * 3, ["x", "y", "y"], ["0", "1", "2"], {})
    run = Run()
    _record_eager_worth(answered({"label": ["x", "x"]}), test, Accuracy(), run)
    figure = run.figures["eager_accuracy"]
    assert (figure.value, figure.how) == (0.5, "the eager model over the wire, the first 2 of 3 test rows")
    _record_eager_worth(answered({"label": ["x", "x", "y"]}), test, Accuracy(), run)
    assert run.figures["eager_accuracy"].how == "the eager model over the wire, 3 test rows"


def test_rows_of_one_wanted_value_have_no_ranks_and_the_report_is_written_all_the_same():
    test = Examples([{"text": "a"}] * 6, [1.0, 1.0, 0.0], ["0", "1", "2"], {})
    run = Run()
    _record_eager_worth(
        answered({"embedding": [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.1]]}), test, SimilarityRanks(), run
    )
    figure = run.figures["eager_spearman"]
    assert figure.value is None
    assert figure.how == "not measured: spearman has no value on the first 2 of 3 test rows"
