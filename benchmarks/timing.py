"""Seconds of a call: repeated, and in turn with what it is compared with."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from time import perf_counter, thread_time

# What runs on one core is counted in seconds of that core, so that others' work on a shared machine
# does not count; what may use several cores is counted by the wall clock.
ONE_CORE = thread_time
WALL = perf_counter


def seconds(call: Callable[[], object], clock: Callable[[], float] = ONE_CORE) -> float:
    """Seconds that one call takes, on one core or by another clock."""
    began = clock()
    call()
    return clock() - began


def in_turn(*calls: Callable[[], object], repeats: int) -> list[float]:
    """Median seconds of each call on one core, called in turn so that a slow spell slows all alike.

    Each is first called once without being counted (numba compiles then).
    """
    for call in calls:
        call()
    turns = [[seconds(call) for call in calls] for _ in range(repeats)]
    return [median(column) for column in zip(*turns, strict=True)]
