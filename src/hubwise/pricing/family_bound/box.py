"""Boxes of prices, and the hubs that post the same ones: what answers in a box cost at least."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hubwise.dispatch import (
    Dispatch,
    Problem,
    least_cost,
    places_of,
    prices_of_limits,
    session_units,
)
from hubwise.domain.arrays import Array, Index
from hubwise.drivers import Batteries
from hubwise.pricing.family import Family
from hubwise.pricing.family_bound.least import SessionRuns, find_runs, least_in_box

# Boxes this small are not cut, and prices this near are lawful [currency/kWh].
SMALL = 1e-7
# Places for what a session's sets of answers cost.
PLACES = 128


@dataclass(frozen=True, slots=True)
class Box:
    """Lowest and highest prices, told from the first group's charge price, the level.

    ``low``, ``high``: shape (2 groups - 1,): the other groups' charge prices, then all discharge
    prices; ``level``: the level's own, shape (2,) [currency/kWh].
    """

    low: Array
    high: Array
    level: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Part:
    """Hubs that post the same prices: their sessions, their groups, and the bounds of both.

    ``excess`` is counted from ``free``, the least that the sessions can cost at all. No session
    costs more than ``out``: there it is worth more where it stays out. ``apart``: most that a price
    may be above another of its kind, if any rule says so; shape (2, groups, groups)
    [currency/kWh]. ``levels_max``: most different prices of a kind.
    """

    units: Batteries
    sessions: SessionRuns
    chosen: Index
    out: Array
    groups: Index
    low: Array
    high: Array
    headroom: Array
    both_ways: float
    apart: Array | None = None
    levels_max: float = np.inf

    def excess(self, box: Box) -> float:
        """What answers in the box cost more than the cheapest of all, at least [currency]."""
        free = np.minimum(self.sessions.free[self.chosen], self.out)
        return float((np.minimum(self.least(box), self.out) - free).sum())

    def least(self, box: Box) -> Array:
        """The least that each session can cost with an answer in the box; (chosen,) [currency]."""
        charge = np.zeros((2, int(self.groups.max()) + 1))
        discharge = np.zeros_like(charge)
        others = len(self.groups) - 1
        for side, ends in enumerate((box.low, box.high)):
            charge[side, self.groups[1:]] = ends[:others]
            discharge[side, self.groups] = ends[others:]
        least = np.empty(len(self.chosen))
        level = np.array(box.level)
        least_in_box(
            self.units, self.sessions, self.chosen, level, charge, discharge, self.both_ways, least
        )
        return least

    def whole(self) -> Box:
        """The box of all lawful prices."""
        level = (float(self.low[0, 0]), float(self.high[0, 0]))
        lowest = [self.low[0, 1:] - level[1], self.low[1] - level[1] / self.both_ways]
        highest = [self.high[0, 1:] - level[0], self.high[1] - level[0] / self.both_ways]
        return Box(np.concatenate(lowest), np.concatenate(highest), level)

    def at(self, prices: Array) -> Box:
        """The box of one price vector, shape (2, groups of all hubs)."""
        charge, discharge = prices[:, self.groups]
        level = float(charge[0])
        point = np.concatenate([charge[1:] - level, discharge - level / self.both_ways])
        return Box(point, point, (level, level))

    def prices(self, box: Box) -> Array:
        """The prices in the middle of a box, shape (2, groups); 0 of groups that are others'."""
        others = len(self.groups) - 1
        point, level = 0.5 * (box.low + box.high), 0.5 * sum(box.level)
        prices = np.zeros((2, int(self.groups.max()) + 1))
        prices[0, self.groups] = level
        prices[0, self.groups[1:]] += point[:others]
        prices[1, self.groups] = point[others:] + level / self.both_ways
        return prices

    def trimmed(self, box: Box) -> Box | None:
        """The box without what no lawful tariff has; ``None`` where nothing is left."""
        others = len(self.groups) - 1
        low, high = box.low.copy(), box.high.copy()
        from_charge = np.concatenate([[0.0], high[:others]])
        # Discharge prices stay below every line in the charge price, at some level.
        intercept, slope = self.headroom[:, :, None]
        tilt = (slope - 1.0 / self.both_ways) * np.array(box.level)[None, :]
        room = intercept + slope * from_charge + tilt.max(axis=1, keepdims=True)
        high[others:] = np.minimum(high[others:], room.min(axis=0, initial=np.inf) + SMALL)
        needed = (low[None, others:] - intercept - tilt.max(axis=1, keepdims=True)) / slope
        least = needed.max(axis=0, initial=-np.inf) - SMALL
        low[:others] = np.maximum(low[:others], least[1:])
        if self.apart is not None:
            low, high = self._tied(self.apart, low, high)
        level = self._levels(box.level, low, high)
        charge = np.r_[0.0, low[:others]], np.r_[0.0, high[:others]]
        for ends in (charge, (low[others:], high[others:])):
            if np.isfinite(self.levels_max) and least_levels(*ends) > self.levels_max:
                return None
        if least[0] > 0.0 or (low > high).any() or level[0] > level[1] + SMALL:
            return None
        return Box(low, high, (min(level), level[1]))

    def _tied(self, apart: Array, low: Array, high: Array) -> tuple[Array, Array]:
        """The box without what is farther from other prices of its kind than rules allow."""
        others = len(self.groups) - 1
        ends = [
            (np.r_[0.0, low[:others]], np.r_[0.0, high[:others]]),
            (low[others:], high[others:]),
        ]
        found = [
            (
                np.maximum(least, (least[:, None] - tie).max(axis=0) - SMALL),
                np.minimum(most, (most + tie).min(axis=1) + SMALL),
            )
            for (least, most), tie in zip(ends, apart, strict=True)
        ]
        (low_in, high_in), (low_out, high_out) = found
        if low_in[0] > 0.0 or high_in[0] < 0.0:  # not even the level by itself is left
            high_in[1:] = -np.inf
        return np.r_[low_in[1:], low_out], np.r_[high_in[1:], high_out]

    def _levels(self, level: tuple[float, float], low: Array, high: Array) -> tuple[float, float]:
        """The levels at which some price in ``low`` to ``high`` keeps every bound."""
        others = len(self.groups) - 1
        least = [self.low[0, 1:] - high[:others], (self.low[1] - high[others:]) * self.both_ways]
        most = [self.high[0, 1:] - low[:others], (self.high[1] - low[others:]) * self.both_ways]
        bottom = np.concatenate(least).max(initial=level[0])
        return float(bottom), float(np.concatenate(most).min(initial=level[1]))


def least_levels(low: Array, high: Array) -> int:
    """Of how few prices one lies between each ``low`` and its ``high``."""
    count, price = 0, -np.inf
    for k in np.argsort(high, kind="stable"):
        if low[k] > price + 2.0 * SMALL:
            count, price = count + 1, high[k]
    return count


def parts_of(
    problem: Problem, family: Family, prices: Dispatch, out: Array | None = None
) -> list[Part]:
    """The sets of hubs with prices of their own, at a dispatch's prices of the shared limits.

    ``out``: what a session costs at most before it is worth more out, if any may stay out; shape
    (sessions,) [currency].
    """
    most = np.full(len(problem.fleet), np.inf) if out is None else out
    units = session_units(problem.fleet, problem.situation.horizon, own=True)
    sessions = _sessions(problem, units, family, prices)
    # From here on, where it draws says what a kWh costs: see `prices_of_limits`.
    units = units._replace(hub=places_of(problem))
    both = problem.fleet.charge_efficiency * problem.fleet.discharge_efficiency
    both_ways = float(np.median(both))
    headroom = _tightest_lines(family.headroom)
    parts = []
    for row in np.unique(family.group, axis=0):
        groups = np.unique(row)
        hubs = np.flatnonzero((family.group == row).all(axis=1))
        # Who was offered another list before does not answer to these prices.
        answers = problem.fleet.lists == problem.fleet.hub
        chosen = np.flatnonzero(np.isin(problem.fleet.hub, hubs) & answers)
        lawful = family.low[:, groups], family.high[:, groups], headroom
        part = Part(units, sessions, chosen, most[chosen], groups, *lawful, both_ways)
        for sign in family.signs:
            if np.array_equal(sign.members, groups):
                apart = sign.apart * 10.0**-family.decimals
                part = replace(part, apart=apart, levels_max=sign.levels_max)
        parts.append(part)
    return parts


def _tightest_lines(headroom: Array) -> Array:
    """Of parallel lines (intercept, slope) the lowest; shape (2, lines)."""
    slopes, which = np.unique(headroom[1], return_inverse=True)
    lowest = np.full(len(slopes), np.inf)
    np.minimum.at(lowest, which, headroom[0])
    return np.stack([lowest, slopes])


def _sessions(problem: Problem, units: Batteries, family: Family, at: Dispatch) -> SessionRuns:
    situation, size = problem.situation, len(problem.fleet)
    horizon, price = situation.horizon, prices_of_limits(problem, at)
    sessions = SessionRuns(
        first=np.zeros((size, horizon.slots + 1), np.int64),
        runs=np.zeros(size, np.int64),
        group=np.zeros((size, horizon.slots), np.int64),
        floor=np.zeros((size, horizon.slots)),
        top=np.zeros((size, horizon.slots + 1)),
        up=np.zeros((size, horizon.slots)),
        down=np.zeros((size, horizon.slots)),
        price=price,
        charge_worth=problem.terms.charge,
        discharge_worth=problem.terms.discharge,
        free=least_cost(problem, price),
        key=np.zeros((size, PLACES), np.int64),
        kept=np.zeros((size, PLACES)),
    )
    find_runs(units, sessions, family.group)
    return sessions
