"""The day of a battery: the stay as scheduled, then driving, and round again."""

from __future__ import annotations

import numpy as np

from hubwise.battery import kernel
from hubwise.domain import Fleet, Horizon, Schedule
from hubwise.domain.arrays import Array


def without_discharging(fleet: Fleet, schedule: Schedule) -> Array:
    """Energy at the end of each slot had nothing been drawn; shape (sessions, slots) [kWh].

    The charging that puts back what was drawn is left out with it; all other charging stays where
    it is.
    """
    kept = np.empty_like(schedule.energy_kwh)
    kernel.put_back(fleet.arrival_kwh, np.ascontiguousarray(schedule.energy_kwh), kept)
    return kept


def days_soc(fleet: Fleet, energy_kwh: Array, horizon: Horizon) -> Array:
    """State of charge round the clock, from arrival to arrival; shape (sessions, slots + 1).

    Away from the hub, the vehicle draws its ``driving_kwh_per_day`` evenly in the first half of
    its absence; in the second it comes back to the energy it arrived with, charged elsewhere where
    that is more. The last point and the first are the same moment of two days.

    Parameters
    ----------
    energy_kwh
        At the end of each slot; shape (sessions, slots) [kWh].
    """
    after = np.arange(horizon.slots + 1)
    stay = (fleet.departure_slot - fleet.arrival_slot)[:, None]
    known = np.concatenate([fleet.arrival_kwh[:, None], energy_kwh], axis=1)
    plugged = np.take_along_axis(known, fleet.arrival_slot[:, None] + np.minimum(after, stay), 1)
    left = plugged[:, -1:]
    days = horizon.slots * horizon.slot_hours / 24.0
    driven = np.minimum(fleet.driving_kwh_per_day[:, None] * days, left)
    gone = 2.0 * (after - stay) / np.maximum(horizon.slots - stay, 1)
    away = left - driven * gone.clip(0.0, 1.0)
    away += (fleet.arrival_kwh[:, None] - (left - driven)) * (gone - 1.0).clip(0.0, 1.0)
    energy = np.where(after <= stay, plugged, away)
    share: Array = (energy / fleet.capacity_kwh[:, None]).clip(0.0, 1.0)
    return share


def drawn_kwh(fleet: Fleet, schedule: Schedule, horizon: Horizon) -> Array:
    """Energy drawn from each battery during its stay; shape (sessions,) [kWh]."""
    out = horizon.slot_hours * schedule.discharge_kw.sum(axis=1)
    drawn: Array = out / fleet.discharge_efficiency
    return drawn
