from __future__ import annotations

import asyncio
import time

from modelyard.serve.alarms import TICK_S, Alarms


def test_an_alarm_rings_once_after_its_time_and_a_cleared_one_never() -> None:
    async def test() -> list[tuple[str, float]]:
        rang: list[tuple[str, float]] = []
        alarms, started = Alarms(), time.perf_counter()
        alarms.set(0.05, lambda: rang.append(("late", time.perf_counter() - started)))
        alarms.set(0.0, lambda: rang.append(("soon", time.perf_counter() - started)))
        alarms.clear(alarms.set(0.01, lambda: rang.append(("never", 0.0))))
        await asyncio.sleep(0.3)
        # The clock stood still meanwhile; it starts again.
        alarms.set(0.0, lambda: rang.append(("again", 0.0)))
        await asyncio.sleep(0.1)
        return rang

    rang = asyncio.run(test())
    assert [name for name, _ in rang] == ["soon", "late", "again"]
    assert rang[1][1] >= 0.05 - TICK_S / 10
