"""What a stay allows, written down afresh from the model: bounds on energy, charging at once."""

from __future__ import annotations

import numpy as np

from hubwise.domain import Fleet, Horizon
from hubwise.domain.arrays import Array


def reachable_kwh(fleet: Fleet, horizon: Horizon) -> Array:
    """Energy at the end of each slot when charging at full power; shape (sessions, slots) [kWh]."""
    plugged = slots_plugged_in(fleet, horizon)
    step = fleet.charge_kw_max * fleet.charge_efficiency * horizon.slot_hours
    return np.minimum(fleet.arrival_kwh[:, None] + step[:, None] * plugged, _top(fleet)[:, None])


def target_kwh(fleet: Fleet, horizon: Horizon) -> Array:
    """Least energy at departure: as required, or all that the stay allows; shape (sessions,)."""
    wanted = np.maximum(fleet.required_kwh, fleet.reserve_kwh)
    target: Array = np.minimum(wanted, reachable_kwh(fleet, horizon)[:, -1])
    return target


def least_kwh(fleet: Fleet, horizon: Horizon) -> Array:
    """Least energy at the end of each slot of the stay; shape (sessions, slots) [kWh].

    The reserve, or, for a vehicle that arrived below it, what full power can reach; the target of
    `target_kwh` from departure on.
    """
    floor = np.minimum(fleet.reserve_kwh[:, None], reachable_kwh(fleet, horizon))
    gone = np.arange(horizon.slots) >= fleet.departure_slot[:, None] - 1
    return np.where(gone, target_kwh(fleet, horizon)[:, None], floor)


def most_kwh(fleet: Fleet, horizon: Horizon) -> Array:
    """Most energy at the end of each slot; shape (sessions, slots) [kWh]."""
    return np.repeat(_top(fleet)[:, None], horizon.slots, axis=1)


def charging_at_once_kwh(fleet: Fleet, horizon: Horizon) -> Array:
    """Energy when plugging in and charging at once to the target; shape (sessions, slots) [kWh]."""
    wanted = np.maximum(target_kwh(fleet, horizon), fleet.arrival_kwh)
    return np.minimum(reachable_kwh(fleet, horizon), wanted[:, None])


def charging_at_once_kw(fleet: Fleet, horizon: Horizon) -> Array:
    """Power at the charger when charging at once; shape (sessions, slots) [kW]."""
    energy = charging_at_once_kwh(fleet, horizon)
    change = np.diff(energy, axis=1, prepend=fleet.arrival_kwh[:, None])
    power: Array = change / (fleet.charge_efficiency[:, None] * horizon.slot_hours)
    return power


def slots_plugged_in(fleet: Fleet, horizon: Horizon) -> Array:
    """Slots of the stay up to the end of each slot; shape (sessions, slots)."""
    done = np.arange(1, horizon.slots + 1) - fleet.arrival_slot[:, None]
    stay = (fleet.departure_slot - fleet.arrival_slot)[:, None]
    plugged: Array = np.clip(done, 0, stay).astype(float)
    return plugged


def _top(fleet: Fleet) -> Array:
    return np.maximum(fleet.max_kwh, fleet.arrival_kwh)
