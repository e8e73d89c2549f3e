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

from hubwise.dispatch import Problem, session_units
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.drivers import Batteries
from hubwise.drivers.runs import fill_bounds
from hubwise.pricing.family import Family

AUTO = 'method "auto" takes them'


class UnsuitableError(ValueError):
    """What the program does not know: ``wrong`` says what it met, ``right`` what would help."""

    def __init__(self, wrong: str, right: str = AUTO) -> None:
        """Keep both, and say both in the message."""
        super().__init__(f"{wrong}; {right}")
        self.wrong, self.right = wrong, right

    def __reduce__(self) -> tuple[type[UnsuitableError], tuple[str, str]]:
        """Come through to another process whole."""
        return type(self), (self.wrong, self.right)


@dataclass(frozen=True, slots=True)
class Session:
    """One driver over its stay: n slots in k runs; energies in steps of ``step_kwh``.

    Parameters
    ----------
    hub, arrival, group_of_terms
        Index of the hub, the first slot, and the group whose terms are the driver's.
    step_kwh
        What full power puts into the battery in one slot [kWh].
    up, down
        Most that is put in, and drawn, in each slot; shape (n,).
    start, target
        Energy at arrival, and least at departure.
    floor, top
        Least and most energy at the end of each slot; shape (n,).
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
    group_of_terms: int
    step_kwh: float
    up: Array
    down: Array
    start: float
    target: float
    floor: Array
    top: Array
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
        may_sell: Flags = (self.most_down > 0.0) & (self.sell[1] >= self.worth[0])
        return may_sell

    @property
    def most_up(self) -> Array:
        """Most that is put in over each run; shape (k,)."""
        return np.bincount(self.run, self.up).astype(float)

    @property
    def most_down(self) -> Array:
        """Most that is drawn over each run; shape (k,)."""
        return np.bincount(self.run, self.down).astype(float)

    @property
    def limit_binds(self) -> bool:
        """Whether the driver's own limit on battery use can be reached."""
        return bool(self.limit < self.most_down[self.may_sell].sum())


def sessions(problem: Problem, family: Family) -> list[Session]:
    """Every participant's stay at the prices that a family allows.

    Raises
    ------
    UnsuitableError
        If the family leaves prices unbounded, or sessions have what the program does not know: an
        accepted price list, terms to drivers, a bound on energy that falls during the stay.
    """
    if not (np.isfinite(family.low).all() and np.isfinite(family.high).all()):
        raise UnsuitableError(
            "the exact method needs lower and upper bounds of all prices",
            "state price bounds in tariff_rules.csv",
        )
    if any(sign.counts for sign in family.signs):
        raise UnsuitableError("the exact method counts neither levels nor changes of prices")
    fleet = problem.fleet
    units = session_units(fleet, problem.situation.horizon, own=True)
    kept = fleet.lists != fleet.hub
    if kept.any():
        name = fleet.session[kept][0]
        raise UnsuitableError(
            f"the exact method takes no accepted price lists, and session {str(name)!r} keeps one"
        )
    if problem.terms.felt:
        raise UnsuitableError("the exact method takes no terms that drivers feel")
    return [_session(units, family, i, str(fleet.session[i])) for i in range(len(fleet))]


def _session(units: Batteries, family: Family, i: int, name: str) -> Session:
    hub, first, last = (int(c[i]) for c in (units.hub, units.arrival, units.departure))
    n = last - first
    up, down, before, top = np.empty(n), np.empty(n), np.empty(n), np.empty(n + 1)
    fill_bounds(
        units.up, units.down, units.least, units.most, i, first, units.start[i], up, down,
        before, top,
    )  # fmt: skip
    if (np.diff(top) < 0.0).any():
        raise UnsuitableError(
            "the exact method takes no highest energy that falls during a stay, and that of "
            f"session {name!r} falls"
        )
    step = float(up.max() or down.max() or 1.0)
    start, target = units.start[i] / step, units.target[i] / step
    up, limit, before, top = up / step, units.limit[i] / step, before / step, top[1:] / step
    down = down / step if limit > 0.0 else np.zeros(n)
    groups = family.group[hub, first:last]
    others = (np.diff(groups) != 0) | (np.diff(before) != 0.0) | (np.diff(top) != 0.0)
    begins = np.append(True, others)
    begins |= np.append(before[1:], target) < before  # a floor that falls holds up to there
    run = np.cumsum(begins) - 1
    length, group = np.bincount(run), groups[begins]
    charge_eff, discharge_eff = units.charge_eff[i], units.discharge_eff[i]
    wear, surplus = units.wear[i], units.surplus[i]
    buy = np.stack([family.low[0, group], family.high[0, group]]) / charge_eff
    sell = np.stack([family.low[1, group], family.high[1, group]]) * discharge_eff - wear
    sell[1] = np.minimum(sell[1], buy[1])  # no arbitrage
    only_needs = start <= target and before.max() <= target
    least = float(buy[0].min()) if only_needs else min(float(buy[0].min()), surplus)
    ends_at_target = bool(only_needs and surplus < least)
    floor = np.append(before[1:], target)
    low, high = _reach(start, up, down, top, floor, run, ends_at_target=ends_at_target)
    return Session(
        hub, first, int(units.group[i]), step, up, down, start, target, floor, top, limit, run,
        length, group, low, high, buy, sell, (least, max(float(buy[1].max()), surplus)),
        charge_eff, discharge_eff, wear, surplus, ends_at_target,
    )  # fmt: skip


def _reach(
    start: float,
    up: Array,
    down: Array,
    top: Array,
    floor: Array,
    run: Index,
    *,
    ends_at_target: bool,
) -> tuple[Array, Array]:
    """Least and most energy that can stand at the end of each run, as seen from both ends."""
    high, low = np.empty_like(floor), floor.copy()
    most, least = start, start
    for t in range(len(floor)):
        most, least = min(top[t], most + up[t]), least - down[t]
        high[t], low[t] = most, max(floor[t], least)
    if ends_at_target:
        high[-1] = min(high[-1], floor[-1])
    for t in range(len(floor) - 2, -1, -1):
        low[t] = max(low[t], low[t + 1] - up[t + 1])
        if ends_at_target:
            high[t] = min(high[t], high[t + 1] + down[t + 1])
    last = np.flatnonzero(np.append(np.diff(run) != 0, True))
    return low[last], high[last]
