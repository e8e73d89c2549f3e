"""Intervals, not points: what a figure is over several draws of the fleet."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from hubwise.domain.plain import number

CONFIDENCE = 0.95
HOW = (
    "mean over the draws, the 95 % interval of that mean (Student's t), and the least and the "
    "greatest of the draws"
)

Result = dict[str, object]
Interval = dict[str, float]


def intervals(results: Sequence[Result]) -> dict[str, Interval]:
    """The interval of every figure that is a number in each of the ``results`` (one a draw)."""
    keys = [key for key in results[0] if all(_is_number(result.get(key)) for result in results)]
    return {key: interval([number(result[key]) for result in results]) for key in keys}


def interval(values: Sequence[float]) -> Interval:
    """Mean, its 95 % interval, and the range; of two values at least."""
    sample = np.asarray(values)
    mean, spread = float(sample.mean()), float(sample.std(ddof=1))
    half = float(stdtrit(len(sample) - 1, (1 + CONFIDENCE) / 2)) * spread / np.sqrt(len(sample))
    return {
        "mean": mean,
        "low": mean - float(half),
        "high": mean + float(half),
        "least": float(sample.min()),
        "greatest": float(sample.max()),
    }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
