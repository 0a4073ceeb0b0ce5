"""Seconds of a run on the processor."""

from __future__ import annotations

import time
from collections.abc import Callable

Run = Callable[[], object]
Clock = Callable[[Run, int], float]


def clock(threads: int) -> Clock:
    """Return the function that times so many calls, which are done when they return, and returns the seconds of one.

    With one thread they are seconds of the processor: what other programs take in the meantime does not count. Those of
    several threads are added up in it, so that there only the clock on the wall tells.
    """
    now = time.process_time if threads == 1 else time.perf_counter

    def seconds(run: Run, calls: int) -> float:
        start = now()
        for _ in range(calls):
            run()
        return (now() - start) / calls

    return seconds
