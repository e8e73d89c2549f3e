"""From prices that are any numbers to prices that can be posted."""

from __future__ import annotations

import numpy as np

from hubwise.domain.arrays import Array
from hubwise.pricing.family import Family

# Prices of the program that differ by less are equal [currency/kWh].
EQUAL = 1e-7
# What is this near to a tick stands on it [ticks].
ON_TICK = 1e-6


def rounded(family: Family, prices: Array, count: int, seed: int = 0) -> list[Array]:
    """Lawful price vectors in ticks near ``prices``: the nearest, and at most ``count`` others.

    At the optimum drivers are indifferent, so that half a tick decides what whole classes do: each
    price goes up or down at random, equal ones alike.
    """
    tick = 10.0**-family.decimals
    _, same = np.unique(np.round(prices / EQUAL), return_inverse=True)
    same = same.reshape(prices.shape)
    rng = np.random.default_rng(seed)
    stands = np.abs(prices / tick - np.round(prices / tick)) < ON_TICK
    trials = [prices]
    for _ in range(count):
        up = rng.integers(0, 2, int(same.max()) + 1)[same]
        trials.append(np.where(stands, prices, tick * (np.floor(prices / tick + ON_TICK) + up)))
    lawful = [family.project(each) for each in trials]
    return list({each.tobytes(): each for each in lawful}.values())
