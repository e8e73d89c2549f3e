"""What a day does to a cell: temperature, states of charge, cycles counted by rainflow."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

import numpy as np

from hubwise.battery import kernel
from hubwise.domain.arrays import Array

# Most cycles of a day that are told apart; shallower ones go together.
CYCLES = 8
# Rates below this are rest [1/h].
REST = 1e-2
KELVIN = 273.15


class Depth(Enum):
    """Which depth cycles are given: each its own, or all that of the day's deepest.

    The published models were fitted to tests of equal cycles and do not say. BLAST-Lite takes the
    deepest; each cycle's own is the usual practice of fatigue counting, and does not charge a
    small cycle at the price of a deep one.
    """

    EACH = "each"
    DEEPEST = "deepest"


@dataclass(frozen=True, slots=True)
class Stress:
    """A day, or any other period, of many batteries.

    Parameters
    ----------
    temperature_k
        Shape (sessions, points) or (sessions, 1) [K].
    soc
        State of charge, as a share; shape (sessions, points).
    weight
        Weight of each point in a mean over time; sums to 1; shape (points,).
    depth
        Depth of each cycle, as a share of the capacity; shape (sessions, cycles).
    share
        Share of each cycle in the throughput; sums to 1, or 0 at rest; shape (sessions, cycles).
    rate
        Mean over time of the current's size [1/h]; shape (sessions,).
    full_cycles
        Equivalent full cycles in the period; shape (sessions,).
    days
        Length of the period [d].
    """

    temperature_k: Array
    soc: Array
    weight: Array
    depth: Array
    share: Array
    rate: Array
    full_cycles: Array
    days: float

    def mean(self, values: Array) -> Array:
        """Mean over time of values at the points; shape (sessions,)."""
        mean: Array = values @ self.weight if values.shape[1] > 1 else values[:, 0]
        return mean

    def over_cycles(self, values: Array) -> Array:
        """Mean over the throughput of values at the cycles; shape (sessions,)."""
        mean: Array = (values * self.share).sum(axis=1)
        return mean

    @property
    def mean_temperature_k(self) -> Array:
        """Mean temperature; shape (sessions, 1) [K]."""
        return self.mean(self.temperature_k)[:, None]


def battery_stress(
    soc: Array, temperature_c: Array, hours: Array, *, depth: Depth = Depth.EACH
) -> Stress:
    """The stress of a period that is repeated.

    Parameters
    ----------
    soc
        State of charge, as a share; shape (sessions, points).
    temperature_c
        Shape (sessions, points), or (sessions,) where it stays the same [°C].
    hours
        Time of the points [h]; shape (points,). From the last point to the first, of the next
        repetition, no time goes by.
    depth
        Which depth cycles are given.
    """
    span = float(hours[-1] - hours[0])
    step = np.diff(hours)
    weight = np.zeros(len(hours))
    weight[:-1] += step / (2.0 * span)
    weight[1:] += step / (2.0 * span)
    warmth = temperature_c if temperature_c.ndim == 2 else temperature_c[:, None]
    current = np.abs(np.diff(soc, axis=1)) / step
    deep, share, full_cycles = _cycles(soc, depth)
    return Stress(
        temperature_k=warmth + KELVIN,
        soc=soc,
        weight=weight,
        depth=deep,
        share=share,
        rate=np.where(current < REST, 0.0, current) @ step / span,
        full_cycles=full_cycles,
        days=span / 24.0,
    )


def count_cycles(soc: Array, most: int = CYCLES) -> tuple[Array, Array]:
    """Count the cycles of closed paths by rainflow.

    Parameters
    ----------
    soc
        State of charge, as a share; the first point follows the last; shape (sessions, points).
    most
        How many cycles to tell apart.

    Returns
    -------
    depth
        Of the deepest cycles, deepest first, 0 for none; shape (sessions, most).
    full_cycles
        Sum of all depths: equivalent full cycles; shape (sessions,).
    """
    depth, total = np.empty((len(soc), most)), np.empty(len(soc))
    kernel.count_all(np.ascontiguousarray(soc), depth, total)
    return depth, total


def _cycles(soc: Array, depth: Depth) -> tuple[Array, Array, Array]:
    """Depth and share of cycles, and equivalent full cycles."""
    each, total = count_cycles(soc, CYCLES if depth is Depth.EACH else 1)
    used = np.where(total > 0.0, total, 1.0)
    share = each / used[:, None]
    # Cycles that are not told apart go with the shallowest one that is.
    share[:, -1] += (total - each.sum(axis=1)) / used
    return each, share, total


def same_energy(stress: Stress, left: Array) -> Stress:
    """The same energies in batteries of which ``left``, a share of the capacity, is left.

    The day's highest state of charge stays where it is, and all swings below it grow.
    """
    top = stress.soc.max(axis=1, keepdims=True)
    grown = top - (top - stress.soc) / left[:, None]
    return replace(
        stress,
        soc=np.maximum(grown, 0.0),
        depth=np.minimum(stress.depth / left[:, None], 1.0),
    )


def same_shares(stress: Stress, left: Array) -> Stress:
    """The same states of charge in batteries of which ``left`` is left: less energy is moved."""
    return replace(stress, rate=stress.rate * left, full_cycles=stress.full_cycles * left)
