"""Best responses of a fleet, the uncoordinated schedule, and what a schedule costs its drivers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.domain import Fleet, Horizon, Schedule, Tariff
from hubwise.domain.arrays import Array
from hubwise.drivers import kernel


@dataclass(frozen=True, slots=True)
class Bounds:
    """What each session can do in a slot and over its stay; arrays of shape (sessions,) [kWh].

    Parameters
    ----------
    up, down
        Most energy put into, and drawn from, the battery in one slot.
    target
        Least energy at departure: the required energy (or the reserve, where that is more), or all
        that the stay allows.
    top
        Most energy at any time; a vehicle that arrives fuller than its maximum may stay so.
    """

    up: Array
    down: Array
    target: Array
    top: Array


def bounds(fleet: Fleet, slot_hours: float) -> Bounds:
    """Bounds of every session, for slots of ``slot_hours`` [h]."""
    up = fleet.charge_efficiency * fleet.charge_kw_max * slot_hours
    down = fleet.discharge_kw_max * slot_hours / fleet.discharge_efficiency
    top = np.maximum(fleet.max_kwh, fleet.arrival_kwh)
    stay = fleet.departure_slot - fleet.arrival_slot
    reachable = np.minimum(top, fleet.arrival_kwh + up * stay)
    wanted = np.maximum(fleet.required_kwh, fleet.reserve_kwh)
    return Bounds(up, down, np.minimum(wanted, reachable), top)


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
        Posted prices, free of same-slot arbitrage.
    parallel
        Whether to use all cores; the answer is the same to the bit.

    Returns
    -------
    schedule
        A best response of every session.
    cost
        What it costs, wear included and the worth of energy above the required taken off; shape
        (sessions,) [currency].
    """
    schedule = _blank(len(fleet), horizon.slots)
    cost = np.empty(len(fleet))
    limits = bounds(fleet, horizon.slot_hours)
    respond = kernel.respond_on_all_cores if parallel else kernel.respond
    respond(
        0, len(fleet), tariff.charge_price, tariff.discharge_price, fleet.hub, fleet.arrival_slot,
        fleet.departure_slot, limits.up, limits.down, fleet.charge_efficiency,
        fleet.discharge_efficiency, fleet.wear_cost, fleet.arrival_kwh, limits.target,
        fleet.reserve_kwh, limits.top, fleet.surplus_value, fleet.discharge_limit_kwh,
        fleet.charge_kw_max, fleet.discharge_kw_max, horizon.slot_hours,
        schedule.charge_kw, schedule.discharge_kw, schedule.energy_kwh, cost,
    )  # fmt: skip
    return schedule, cost - fleet.surplus_value * (limits.target - fleet.required_kwh)


def schedule_of(fleet: Fleet, change_kwh: Array, horizon: Horizon) -> Schedule:
    """The schedule with battery energy changes ``change_kwh``; shape (sessions, slots)."""
    schedule = _blank(*change_kwh.shape)
    kernel.enact_all(
        change_kwh, fleet.arrival_kwh, fleet.charge_efficiency, fleet.discharge_efficiency,
        fleet.charge_kw_max, fleet.discharge_kw_max, horizon.slot_hours,
        schedule.charge_kw, schedule.discharge_kw, schedule.energy_kwh,
    )  # fmt: skip
    return schedule


def _blank(sessions: int, slots: int) -> Schedule:
    """A schedule to be written; in one block, which the allocator keeps at hand where it fits."""
    return Schedule(*np.empty((3, sessions, slots)))


def uncoordinated(fleet: Fleet, horizon: Horizon) -> Schedule:
    """Plug in and charge at full power at once, up to the target of `bounds`; never discharge."""
    limits = bounds(fleet, horizon.slot_hours)
    slot = np.arange(horizon.slots)
    plugged = (slot >= fleet.arrival_slot[:, None]) & (slot < fleet.departure_slot[:, None])
    could_have = np.cumsum(plugged * limits.up[:, None], axis=1)
    wanted = np.maximum(limits.target - fleet.arrival_kwh, 0.0)[:, None]
    reached = np.minimum(could_have, wanted)
    return schedule_of(fleet, np.diff(reached, axis=1, prepend=0.0), horizon)


def schedule_cost(fleet: Fleet, tariff: Tariff, schedule: Schedule, horizon: Horizon) -> Array:
    """What a schedule costs each driver, as `best_response` counts it; shape (sessions,)."""
    charged, discharged = schedule.charge_kw, schedule.discharge_kw
    wear = fleet.wear_cost / fleet.discharge_efficiency
    trade = (
        tariff.charge_price[fleet.hub] * charged - tariff.discharge_price[fleet.hub] * discharged
    )
    surplus = schedule.energy_kwh[:, -1] - fleet.required_kwh
    paid: Array = horizon.slot_hours * (trade.sum(axis=1) + wear * discharged.sum(axis=1))
    return paid - fleet.surplus_value * surplus
