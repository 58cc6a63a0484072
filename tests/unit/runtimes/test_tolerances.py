from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from modelyard.runtimes.golden import FIRST, Replay
from modelyard.runtimes.tolerances import rounded_up, tolerance


@given(st.floats(1e-6, 1e6))
def test_a_tolerance_is_rounded_up_to_one_two_or_five(value):
    rounded = rounded_up(value)
    assert value <= rounded * (1 + 1e-9)
    assert rounded <= 2.5 * value * (1 + 1e-9)
    assert f"{rounded:e}"[:3] in ("1.0", "2.0", "5.0")


def test_a_tolerance_leaves_room_over_what_was_seen():
    seen = Replay(max_abs=0.2, agreement=0.97, checked=64, passed=True, reason="")
    assert tolerance(seen) == {"max_abs": 0.5, "agreement": 0.9}
    exact = Replay(max_abs=1e-6, agreement=1.0, checked=64, passed=True, reason="")
    assert tolerance(exact) == {"max_abs": 0.001, "agreement": 0.95}


def test_the_inputs_that_a_server_replays_count_by_themselves():
    """Three of the first eight, and no other of 64: a server on this machine must not refuse what was measured here."""
    seen = Replay(0.2, 61 / 64, 64, True, "", differing=(0, 3, 7))
    assert tolerance(seen)["agreement"] == 0.55


@given(st.integers(1, 64), st.sets(st.integers(0, 63)))
def test_what_was_measured_passes_by_its_own_tolerance(checked, places):
    differing = tuple(sorted(place for place in places if place < checked))
    agreement = tolerance(Replay(0.1, 1 - len(differing) / checked, checked, True, "", differing))["agreement"]
    for count in (min(FIRST, checked), checked):
        assert sum(place < count for place in differing) <= math.ceil((1 - agreement) * count - 1e-9)
