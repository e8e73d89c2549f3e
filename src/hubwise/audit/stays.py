"""What a stay allows, written down afresh from the model: bounds on energy, charging at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.audit.once import once
from hubwise.domain import Fleet, Horizon
from hubwise.domain.arrays import Array, Flags


@dataclass(frozen=True, slots=True)
class Limits:
    """What every session may do in every slot; arrays of shape (sessions, slots).

    Parameters
    ----------
    charge_kw, discharge_kw
        Most power at the charger, 0 outside the stay [kW].
    reachable_kwh
        Energy at the end of the slot when charging at full power [kWh].
    least_kwh, most_kwh
        Least and most energy at the end of the slot, as far as power can keep them [kWh].
    """

    charge_kw: Array
    discharge_kw: Array
    reachable_kwh: Array
    least_kwh: Array
    most_kwh: Array


@once
def limits_of(fleet: Fleet, horizon: Horizon) -> Limits:
    """The limits of all stays, slot by slot: power first, the most energy before the least."""
    shape = (len(fleet), horizon.slots)
    slot = np.arange(horizon.slots)
    stay = (slot >= fleet.arrival_slot[:, None]) & (slot < fleet.departure_slot[:, None])
    charge = np.where(stay, fleet.charge_kw_max[:, None], 0.0)
    discharge = np.where(stay, fleet.discharge_kw_max[:, None], 0.0)
    wished = np.where(stay, fleet.reserve_kwh[:, None], -np.inf)
    allowed = np.broadcast_to(np.maximum(fleet.max_kwh, fleet.arrival_kwh)[:, None], shape)
    if fleet.bounds is not None:
        charge = np.minimum(charge, fleet.bounds.charge_kw)
        discharge = np.minimum(discharge, fleet.bounds.discharge_kw)
        wished = np.where(stay, np.maximum(wished, fleet.bounds.least_kwh), -np.inf)
        allowed = np.where(stay, np.minimum(allowed, fleet.bounds.most_kwh), np.inf)
    there = shares_there(fleet, stay)
    charge, discharge = charge * there, discharge * there
    put_in = horizon.slot_hours * charge * fleet.charge_efficiency[:, None]
    taken = horizon.slot_hours * discharge / fleet.discharge_efficiency[:, None]
    high, low = fleet.arrival_kwh.copy(), fleet.arrival_kwh.copy()
    reach, least, most = np.empty(shape), np.empty(shape), np.empty(shape)
    for t in range(horizon.slots):
        most[:, t] = np.maximum(allowed[:, t], low - taken[:, t])
        least[:, t] = np.minimum(np.minimum(wished[:, t], high + put_in[:, t]), most[:, t])
        high = np.minimum(high + put_in[:, t], most[:, t])
        low = np.maximum(low - taken[:, t], least[:, t])
        reach[:, t] = high
    return Limits(charge, discharge, reach, least, most)


def shares_there(fleet: Fleet, stay: Flags) -> Array:
    """Share of each slot that a car is there: less where it comes or leaves inside the slot.

    ``stay``: the slots of each stay; both of shape (sessions, slots).
    """
    there, everybody = stay.astype(float), np.arange(len(fleet))
    if fleet.late is not None:
        there[everybody, fleet.arrival_slot] -= fleet.late
    if fleet.early is not None:
        there[everybody, fleet.departure_slot - 1] -= fleet.early
    return there


def target_kwh(fleet: Fleet, horizon: Horizon) -> Array:
    """Least energy at departure: as required, or all that the stay allows; shape (sessions,)."""
    wanted = np.maximum(fleet.required_kwh, fleet.reserve_kwh)
    target: Array = np.minimum(wanted, limits_of(fleet, horizon).reachable_kwh[:, -1])
    return target


def least_kwh(fleet: Fleet, horizon: Horizon) -> Array:
    """Least energy at the end of each slot of the stay; shape (sessions, slots) [kWh].

    What is wished, or what full power can reach; the target of `target_kwh` from departure on.
    """
    gone = np.arange(horizon.slots) >= fleet.departure_slot[:, None] - 1
    floor = limits_of(fleet, horizon).least_kwh
    return np.where(gone, target_kwh(fleet, horizon)[:, None], floor)


def most_kwh(fleet: Fleet, horizon: Horizon) -> Array:
    """Most energy at the end of each slot; shape (sessions, slots) [kWh]."""
    return limits_of(fleet, horizon).most_kwh


@once
def charging_at_once_kwh(fleet: Fleet, horizon: Horizon) -> Array:
    """Energy when plugging in and charging at once to the target; shape (sessions, slots) [kWh].

    To the most that must be held from then on, if that is more; no further than may be held from
    then on, but where more has to be held before. Above what may be held it is drawn down, where it
    can be. A stay that has begun before goes on from where this had brought it.
    """
    fleet = fleet.charging_at_once()
    limits, least = limits_of(fleet, horizon), least_kwh(fleet, horizon)
    may = np.minimum.accumulate(limits.most_kwh[:, ::-1], axis=1)[:, ::-1]
    must, keeps = least.copy(), limits.most_kwh.copy()
    put_in = horizon.slot_hours * limits.charge_kw * fleet.charge_efficiency[:, None]
    taken = horizon.slot_hours * limits.discharge_kw / fleet.discharge_efficiency[:, None]
    for t in range(horizon.slots - 2, -1, -1):
        must[:, t] = np.maximum(must[:, t], must[:, t + 1] - put_in[:, t + 1])
        keeps[:, t] = np.minimum(keeps[:, t], keeps[:, t + 1] + taken[:, t + 1])
    now = fleet.arrival_kwh.copy()
    energy = np.empty(limits.charge_kw.shape)
    for t in range(horizon.slots):
        ahead = least[:, t:].max(axis=1)
        wanted = np.maximum(np.minimum(ahead, may[:, t]), must[:, t])
        wanted = np.minimum(np.maximum(wanted, now), keeps[:, t])
        now = np.clip(wanted, now - taken[:, t], now + put_in[:, t])
        energy[:, t] = now
    return energy


@once
def at_once_kw(fleet: Fleet, horizon: Horizon) -> tuple[Array, Array]:
    """Power in and out at the charger when charging at once; each (sessions, slots) [kW]."""
    fleet = fleet.charging_at_once()
    energy = charging_at_once_kwh(fleet, horizon)
    change = np.diff(energy, axis=1, prepend=fleet.arrival_kwh[:, None]) / horizon.slot_hours
    put_in = np.maximum(change, 0.0) / fleet.charge_efficiency[:, None]
    taken = np.maximum(-change, 0.0) * fleet.discharge_efficiency[:, None]
    return put_in, taken
