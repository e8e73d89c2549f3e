"""Best responses of a fleet, the uncoordinated schedule, and what a schedule costs its drivers."""

from __future__ import annotations

import numpy as np

from hubwise.domain import Fleet, Horizon, Schedule, Tariff
from hubwise.domain.arrays import Array, Index
from hubwise.drivers import kernel
from hubwise.drivers.batteries import batteries_of
from hubwise.drivers.kernel import Batteries


def best_response(
    fleet: Fleet, tariff: Tariff, horizon: Horizon, *, parallel: bool = True
) -> tuple[Schedule, Array]:
    """The cheapest schedule of every session at posted prices, and its cost.

    Every session answers, participating or not. Exact: the method is dynamic programming on a
    convex piecewise-linear value function (see `kernel`), not an approximation on a grid.

    Parameters
    ----------
    fleet
        The sessions.
    tariff
        Prices that drivers feel, free of same-slot arbitrage; shape (lists, slots).
    parallel
        Whether to use all cores; the answer is the same to the bit.

    Returns
    -------
    schedule
        A best response of every session.
    cost
        What it costs, wear included and the worth of energy above the required taken off; shape
        (sessions,) [currency].

    Raises
    ------
    ValueError
        If a session was offered a list that the tariff does not hold.
    """
    check_lists(fleet.lists, tariff)
    schedule = _blank(len(fleet), horizon.slots)
    cost = np.empty(len(fleet))
    batteries = batteries_of(fleet, horizon)
    # One batch gives other cores nothing to do.
    several = parallel and len(fleet) > kernel.BATCH
    respond = kernel.respond_on_all_cores if several else kernel.respond
    respond(
        0, len(fleet), batteries, tariff.charge_price, tariff.discharge_price, horizon.slot_hours,
        schedule.charge_kw, schedule.discharge_kw, schedule.energy_kwh, cost,
    )  # fmt: skip
    return schedule, cost - fleet.surplus_value * (batteries.target - fleet.required_kwh)


def check_lists(lists: Index, tariff: Tariff) -> None:
    """Refuse price lists beyond the tariff's rows, which compiled code would read past its end."""
    rows = len(tariff.charge_price)
    if len(lists) and not 0 <= lists.min() <= lists.max() < rows:
        wrong = int(lists.max() if lists.max() >= rows else lists.min())
        raise ValueError(
            f"a session was offered price list {wrong}, and the tariff holds lists 0 to {rows - 1}"
        )


def schedule_of(batteries: Batteries, change_kwh: Array, horizon: Horizon) -> Schedule:
    """The schedule with battery energy changes ``change_kwh``; shape (sessions, slots)."""
    schedule = _blank(*change_kwh.shape)
    kernel.enact_all(
        batteries, change_kwh, horizon.slot_hours,
        schedule.charge_kw, schedule.discharge_kw, schedule.energy_kwh,
    )  # fmt: skip
    return schedule


def _blank(sessions: int, slots: int) -> Schedule:
    """A schedule to be written; in one block, which the allocator keeps at hand where it fits."""
    return Schedule(*np.empty((3, sessions, slots)))


def uncoordinated(fleet: Fleet, horizon: Horizon) -> Schedule:
    """Plug in and charge at full power at once, up to the least energy at departure.

    Up to more where a bound says that more must be held in a slot to come. Never discharge, but
    where a bound says that so much may not be held any longer. A stay that has begun before goes on
    from where this had brought it (``Fleet.at_once_kwh``).
    """
    fleet = fleet.charging_at_once()
    batteries = batteries_of(fleet, horizon)
    if fleet.bounds is not None:
        change = np.zeros((len(fleet), horizon.slots))
        kernel.charge_at_once(batteries, change)
        return schedule_of(batteries, change, horizon)
    slot = np.arange(horizon.slots)
    plugged = (slot >= fleet.arrival_slot[:, None]) & (slot < fleet.departure_slot[:, None])
    could_have = np.cumsum(plugged * batteries.up, axis=1)
    wanted = np.maximum(batteries.target - fleet.arrival_kwh, 0.0)[:, None]
    reached = np.minimum(could_have, wanted)
    return schedule_of(batteries, np.diff(reached, axis=1, prepend=0.0), horizon)


def schedule_cost(fleet: Fleet, tariff: Tariff, schedule: Schedule, horizon: Horizon) -> Array:
    """What a schedule costs each driver, as `best_response` counts it; shape (sessions,)."""
    charged, discharged = schedule.charge_kw, schedule.discharge_kw
    wear = fleet.wear_cost / fleet.discharge_efficiency
    offered = fleet.lists
    trade = tariff.charge_price[offered] * charged - tariff.discharge_price[offered] * discharged
    surplus = schedule.energy_kwh[:, -1] - fleet.required_kwh
    paid: Array = horizon.slot_hours * (trade.sum(axis=1) + wear * discharged.sum(axis=1))
    return paid - fleet.surplus_value * surplus
