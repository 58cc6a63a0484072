"""Signals: the first one asks, a moment later or with the second one the work is broken off."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator

import pytest

from modelyard.cli import stopping
from modelyard.cli.stopping import stoppable
from modelyard.errors import EnvironmentProblem


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(stopping, "GRACE_S", 0.2)
    before = [signal.getsignal(number) for number in (*stopping.SIGNALS, signal.SIGALRM)]
    yield
    assert [signal.getsignal(number) for number in (*stopping.SIGNALS, signal.SIGALRM)] == before


@pytest.mark.parametrize("number", stopping.SIGNALS)
def test_work_that_asks_ends_by_itself(number: int) -> None:
    with stoppable() as asked:
        assert not asked.is_set()
        os.kill(os.getpid(), number)
        assert asked.wait(1)
    time.sleep(0.3)  # nothing comes after the block


def test_work_that_does_not_ask_is_broken_off_a_moment_later() -> None:
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt), stoppable():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(30)
    assert 0.1 < time.monotonic() - started < 5


def test_the_second_signal_breaks_off_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stopping, "GRACE_S", 30)
    with pytest.raises(KeyboardInterrupt), stoppable():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(30)


def test_an_error_that_follows_from_the_signal_is_an_interruption_and_any_other_stays() -> None:
    with pytest.raises(KeyboardInterrupt), stoppable():
        os.kill(os.getpid(), signal.SIGINT)
        raise EnvironmentProblem("the server ended: it heard the same Ctrl-C")
    with pytest.raises(EnvironmentProblem), stoppable():
        raise EnvironmentProblem("the server ended by itself")


def test_an_ignored_signal_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with stoppable() as asked:
            os.kill(os.getpid(), signal.SIGINT)
            assert not asked.wait(0.1)
    finally:
        signal.signal(signal.SIGINT, before)


def test_in_another_thread_signals_are_not_touched() -> None:
    seen = []

    def work() -> None:
        with stoppable() as asked:
            seen.append(asked.is_set())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
