"""Prices with so many decimals: the next lower, and the next higher."""

from __future__ import annotations

import numpy as np

from hubwise.domain.arrays import Array


def down(values: Array, decimals: int) -> Array:
    """The next lower prices with so many decimals; those that have no more stay."""
    ticks = values * 10.0**decimals
    ticks = np.floor(ticks + 1e-9 + 1e-15 * np.abs(ticks))  # so much is rounding
    lower: Array = np.round(ticks * 10.0**-decimals, decimals) + 0.0
    return lower


def up(values: Array, decimals: int) -> Array:
    """The next higher prices with so many decimals; those that have no more stay."""
    return -down(-values, decimals) + 0.0


def in_ticks(values: Array, decimals: int) -> Array:
    """Prices with so many decimals as whole numbers; infinite ones stay."""
    ticks: Array = np.round(values * 10.0**decimals)
    return ticks


def in_money(ticks: Array, decimals: int) -> Array:
    """The same back again [currency/kWh]."""
    prices: Array = np.round(ticks * 10.0**-decimals, decimals) + 0.0
    return prices
