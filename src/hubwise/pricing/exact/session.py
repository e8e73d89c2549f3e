"""A driver's stay as the exact method needs it: runs of one price, and what bounds the duals.

Energies are counted in steps: what the charger puts into the battery in one slot at full power.

**Runs.** While price and floor stand still only the net movement matters to the driver, so the
conditions of optimality are written for runs of slots; paths inside a run stay free for the
operator.

**Worth.** Let buy = c / eta_in and sell = r * eta_out - w be the prices of a kWh in the battery,
and *worth* the dual of the energy balance: what another kWh at the end of a run is worth to the
driver. Worth falls from one run to the next only where the battery stands at its floor, and rises
only where it is full. Every optimal dual stays optimal when it is clipped to [least, most], where
*most* is the highest buy price of the stay, or the surplus value where that is more, and *least*
the lowest buy price:

- Clipping all runs alike never turns the order of two neighbours, so floors and tops keep theirs.
- From above: without arbitrage sell <= buy <= most. Where worth is above *most* the driver charges
  at full power and does not discharge; at *most* both are still right.
- From below: where worth is under *least* nobody charges, and no charging is asked at *least*. It
  remains to show that nobody discharges there. Suppose a driver does. Nobody charges until worth
  has risen, and it can only rise where the battery is full, which it cannot be after a discharge
  without charging; so worth stays low, and nobody charges, until departure. The last charging
  before was at a worth of at least *least*, so worth has fallen since, at the floor; or there was
  none. Either way the battery then held no more than required (the floor is never above it, nor
  the arrival energy), and after the discharge it holds less: a contradiction.
- Who arrives with more than required may part with energy that is worth only the surplus value at
  departure: then *least* is the lower of the two, and the same argument ends where worth is at
  least the surplus value because the battery is not full.

So bounds of the prices bound worth, and every other dual is a difference of two of these numbers:
the big-M constants of `answer` are those differences, none of them is guessed. In the same way
nobody leaves with more than required if the surplus value is below every lawful buy price.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch import Problem
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.drivers import bounds
from hubwise.pricing.family import Family


@dataclass(frozen=True, slots=True)
class Session:
    """One driver over its stay: n slots in k runs; energies in steps of ``step_kwh``.

    Parameters
    ----------
    hub, arrival
        Index of the hub, and the first slot.
    step_kwh
        What full power puts into the battery in one slot [kWh].
    up, down
        Most that is put in, and drawn, in one slot.
    start, target, top
        Energy at arrival, least at departure, most at any time.
    floor
        Least energy at the end of each slot; shape (n,).
    limit
        Most that may be drawn during the stay.
    run
        Run of each slot; shape (n,).
    length
        Slots in each run; shape (k,).
    group
        Group of prices of each run; shape (k,).
    low, high
        Least and most energy that can stand at the end of each run; shape (k,).
    buy, sell
        Lowest and highest price of a kWh put into, and drawn from, the battery in each run, wear
        taken off; shape (2, k) [currency/kWh].
    worth
        Lowest and highest worth of a kWh in the battery [currency/kWh].
    charge_efficiency, discharge_efficiency, wear_cost, surplus_value
        As in the fleet.
    ends_at_target
        Whether no lawful price can make the driver leave with more than required.
    """

    hub: int
    arrival: int
    step_kwh: float
    up: float
    down: float
    start: float
    target: float
    top: float
    floor: Array
    limit: float
    run: Index
    length: Index
    group: Index
    low: Array
    high: Array
    buy: Array
    sell: Array
    worth: tuple[float, float]
    charge_efficiency: float
    discharge_efficiency: float
    wear_cost: float
    surplus_value: float
    ends_at_target: bool

    @property
    def last_slot(self) -> Index:
        """Last slot of each run, counted from the arrival; shape (k,)."""
        return np.cumsum(self.length) - 1

    @property
    def may_sell(self) -> Flags:
        """Runs in which some lawful price may make the driver discharge; shape (k,)."""
        may_sell: Flags = (self.down > 0.0) & (self.sell[1] >= self.worth[0])
        return may_sell

    @property
    def limit_binds(self) -> bool:
        """Whether the driver's own limit on battery use can be reached."""
        return bool(self.limit < self.down * self.length[self.may_sell].sum())


def sessions(problem: Problem, family: Family) -> list[Session]:
    """Every participant's stay at the prices that a family allows.

    Raises
    ------
    ValueError
        If the family leaves prices unbounded.
    """
    if not (np.isfinite(family.low).all() and np.isfinite(family.high).all()):
        raise ValueError("the exact method needs lower and upper bounds of all prices")
    return [_stay(problem, family, i) for i in range(len(problem.fleet))]


def _stay(problem: Problem, family: Family, i: int) -> Session:
    fleet, horizon = problem.fleet, problem.situation.horizon
    hub, first, last = (int(c[i]) for c in (fleet.hub, fleet.arrival_slot, fleet.departure_slot))
    limits = bounds(fleet, horizon.slot_hours)
    step = float(limits.up[i] or limits.down[i] or 1.0)
    up, limit = limits.up[i] / step, fleet.discharge_limit_kwh[i] / step
    down = limits.down[i] / step if limit > 0.0 else 0.0
    start, target, top = fleet.arrival_kwh[i] / step, limits.target[i] / step, limits.top[i] / step
    reserve = np.minimum(fleet.reserve_kwh[i] / step, start + up * np.arange(last - first))
    groups = family.group[hub, first:last]
    begins = np.append(True, (np.diff(groups) != 0) | (np.diff(reserve) != 0.0))
    run = np.cumsum(begins) - 1
    length, group = np.bincount(run), groups[begins]
    charge_eff, discharge_eff = fleet.charge_efficiency[i], fleet.discharge_efficiency[i]
    wear, surplus = fleet.wear_cost[i], fleet.surplus_value[i]
    buy = np.stack([family.low[0, group], family.high[0, group]]) / charge_eff
    sell = np.stack([family.low[1, group], family.high[1, group]]) * discharge_eff - wear
    sell[1] = np.minimum(sell[1], buy[1])  # no arbitrage
    only_needs = start <= target and reserve.max() <= target
    least = float(buy[0].min()) if only_needs else min(float(buy[0].min()), surplus)
    ends_at_target = bool(only_needs and surplus < least)
    floor = np.append(reserve[1:], target)
    low, high = _reach(start, up, down, top, floor, run, ends_at_target=ends_at_target)
    return Session(
        hub, first, step, up, down, start, target, top, floor, limit, run, length, group, low,
        high, buy, sell, (least, max(float(buy[1].max()), surplus)), charge_eff, discharge_eff,
        wear, surplus, ends_at_target,
    )  # fmt: skip


def _reach(
    start: float,
    up: float,
    down: float,
    top: float,
    floor: Array,
    run: Index,
    *,
    ends_at_target: bool,
) -> tuple[Array, Array]:
    """Least and most energy that can stand at the end of each run, as seen from both ends."""
    slots = np.arange(1, len(floor) + 1)
    high = np.minimum(top, start + up * slots)
    if ends_at_target:
        high = np.minimum(high, floor[-1] + down * slots[::-1] - down)
    ahead = np.maximum.accumulate((floor - up * slots)[::-1])[::-1] + up * slots
    low = np.maximum(ahead, start - down * slots)
    last = np.flatnonzero(np.append(np.diff(run) != 0, True))
    return low[last], high[last]
