from __future__ import annotations

import pytest

from modelyard.serve.held import HeldBytes
from modelyard.serve.problems import Problem


def test_requests_together_hold_no_more_than_the_limit() -> None:
    held = HeldBytes(100)
    held.hold(60)
    with pytest.raises(Problem, match="more than 100 bytes") as caught:
        held.hold(41)
    assert (caught.value.status, caught.value.retry_after) == (429, 1)
    assert held.now == 60  # what was refused is not counted
    held.hold(40)
    held.hold(0)
    held.release(60)
    held.hold(60)
    assert held.now == 100
