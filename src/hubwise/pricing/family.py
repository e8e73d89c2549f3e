"""Tariff families: which prices an operator is free to choose, as a vector of numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hubwise.domain import Fleet, Horizon, PriceRules, Scenario, Tariff

Array = NDArray[np.float64]
FAMILIES = ("flat", "time-of-use", "hourly")


@dataclass(frozen=True, slots=True)
class Family:
    """A tariff family: one charge and one discharge price per group of slots.

    A price vector has shape (2, groups): charge prices, then discharge prices.

    Parameters
    ----------
    group
        Group of each slot; shape (slots,).
    hubs
        Number of hubs; all of them post the same prices.
    low, high
        Bounds of the price vector; shape (2, groups) [currency/kWh].
    headroom
        Lines (intercept, slope) in the charge price that the discharge price must stay below, or
        buying and selling in one slot would pay; shape (2, lines).
    average_cap
        Highest time-average of the charge price [currency/kWh].
    decimals
        Posted prices are rounded to this many decimals.
    """

    group: NDArray[np.int64]
    hubs: int
    low: Array
    high: Array
    headroom: Array
    average_cap: float
    decimals: int

    @property
    def groups(self) -> int:
        """Number of groups."""
        return int(self.low.shape[1])

    def project(self, prices: Array) -> Array:
        """The nearest lawful price vector, rounded as posted: bounds, average cap, no arbitrage."""
        tick = 10.0**-self.decimals
        charge = np.clip(prices[0], self.low[0], self.high[0])
        charge = np.clip(self._capped(charge), self.low[0], self.high[0])
        charge = np.clip(_round(charge, tick), _up(self.low[0], tick), _down(self.high[0], tick))
        intercept, slope = self.headroom[:, :, None]
        free = np.min(intercept + slope * charge, axis=0, initial=np.inf)
        ceiling = _down(np.minimum(self.high[1], free), tick)
        discharge = np.clip(_round(prices[1], tick), _up(self.low[1], tick), ceiling)
        return np.stack([charge, np.minimum(discharge, ceiling)])

    def tariff(self, prices: Array) -> Tariff:
        """The posted tariff of a price vector."""
        rows = np.repeat(prices[:, None, self.group], self.hubs, axis=1)
        return Tariff(np.ascontiguousarray(rows[0]), np.ascontiguousarray(rows[1]))

    def vector(self, charge: Array, discharge: Array, weight: Array) -> Array:
        """Means of slot prices in every group; arrays of shape (2,) x (slots,) weights."""
        size = self.groups
        means = []
        for values, weights in zip((charge, discharge), weight, strict=True):
            total = np.bincount(self.group, weights + 1e-9, size)
            means.append(np.bincount(self.group, values * (weights + 1e-9), size) / total)
        return np.stack(means)

    def _capped(self, charge: Array) -> Array:
        """Lower all charge prices alike until their time-average meets the cap."""
        if not np.isfinite(self.average_cap):
            return charge
        share = np.bincount(self.group, minlength=self.groups) / len(self.group)
        low, high = 0.0, float(np.max(charge - self.low[0]))
        if share @ charge <= self.average_cap:
            return charge
        for _ in range(60):
            cut = 0.5 * (low + high)
            if share @ np.maximum(charge - cut, self.low[0]) > self.average_cap:
                low = cut
            else:
                high = cut
        lowered: Array = np.maximum(charge - high - 10.0**-self.decimals, self.low[0])
        return lowered


def _round(values: Array, tick: float) -> Array:
    return np.round(values / tick) * tick + 0.0  # no negative zero on a price list


def _down(values: Array, tick: float) -> Array:
    return np.floor(values / tick + 1e-9) * tick


def _up(values: Array, tick: float) -> Array:
    return np.ceil(values / tick - 1e-9) * tick


def make_family(scenario: Scenario, name: str | None = None) -> Family:
    """The tariff family ``name`` (default: the scenario's own) under the scenario's price rules.

    Raises
    ------
    ValueError
        If the family is unknown, or the rules leave a group no lawful price.
    """
    rules = scenario.rules
    name = name or rules.family
    group = _groups(name, rules, scenario.horizon)
    size = int(group.max()) + 1
    low = np.full((2, size), -np.inf)
    high = np.full((2, size), np.inf)
    least = (rules.charge_price_min, rules.discharge_price_min)
    most = (rules.charge_price_max, rules.discharge_price_max)
    for k in range(2):
        np.maximum.at(low[k], group, least[k])
        np.minimum.at(high[k], group, most[k])
    if (low > high).any():
        raise ValueError(
            f"the price rules leave no lawful price in group {np.argwhere(low > high)}"
        )
    headroom = _headroom(scenario.fleet)
    intercept, slope = headroom[:, :, None]
    # Below this charge price even the least discharge price would invite going in a circle.
    low[0] = np.max((low[1] - intercept) / slope, axis=0, initial=-np.inf).clip(low[0])
    if (low > high).any():
        stuck = sorted(set(np.nonzero(low > high)[1].tolist()))
        raise ValueError(f"the price rules leave no lawful price in groups {stuck} of {name}")
    return Family(group, len(scenario.hubs), low, high, headroom, rules.average_cap, rules.decimals)


def _groups(name: str, rules: PriceRules, horizon: Horizon) -> NDArray[np.int64]:
    if name == "flat":
        return np.zeros(horizon.slots, np.int64)
    if name == "time-of-use":
        return np.unique(rules.block, return_inverse=True)[1].astype(np.int64)
    if name == "hourly":
        per_hour = 60 // horizon.slot_minutes
        return np.arange(horizon.slots) // per_hour
    raise ValueError(f"unknown tariff family {name!r}; known: {', '.join(FAMILIES)}")


def _headroom(fleet: Fleet) -> Array:
    """Lines that discharge prices stay below: r <= (c + w*eta_in) / (eta_in*eta_out) for all."""
    two_way = fleet.participating & (fleet.discharge_kw_max > 0.0)
    charge_eff = fleet.charge_efficiency[two_way]
    discharge_eff = fleet.discharge_efficiency[two_way]
    lines = np.stack([fleet.wear_cost[two_way] / discharge_eff, 1.0 / (charge_eff * discharge_eff)])
    return np.unique(lines, axis=1) if two_way.any() else lines
