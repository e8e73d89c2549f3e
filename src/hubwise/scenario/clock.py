"""The local clock: hours of the day laid over the slots of a horizon."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from hubwise.domain import Horizon


def window_hours(window: str) -> tuple[float, float]:
    """Start and end of a window such as ``23:00-07:00`` [h]."""
    start, end = (int(hour) + int(minute) / 60 for hour, minute in map(_split, window.split("-")))
    return start, end


def _split(clock: str) -> tuple[str, str]:
    hour, _, minute = clock.partition(":")
    return hour, minute


def in_windows(horizon: Horizon, windows: Iterable[str]) -> NDArray[np.bool_]:
    """Slots that start within any window of the local clock; shape (slots,).

    A window that ends at or before its start goes on past midnight.
    """
    hours = horizon.local_hours()
    inside = np.zeros(horizon.slots, dtype=bool)
    for start, end in map(window_hours, windows):
        after, before = hours >= start, hours < end
        inside |= (after & before) if start < end else (after | before)
    return inside


def by_hour(
    horizon: Horizon, hours: Sequence[float], values: Sequence[float]
) -> NDArray[np.float64]:
    """An hour-of-day table laid over the slots; shape (slots,).

    A row holds from its hour of the local clock until the next row's; the table starts at 0.
    """
    order = np.argsort(hours)
    row = np.searchsorted(np.asarray(hours)[order], horizon.local_hours(), side="right") - 1
    return np.asarray(values, dtype=float)[order][row]
