"""What chargers can: a least power, whole steps, so many starts; and what a schedule leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.domain import Fleet, Schedule
from hubwise.domain.arrays import Array, Flags

# Powers that differ by less are the same [kW].
SAME_KW = 1e-6


@dataclass(frozen=True, slots=True)
class Side:
    """What one charger can in one direction.

    Parameters
    ----------
    most
        In every slot of the stay; shape (slots of the stay,) [kW].
    least, step
        Least power other than none, and what it is set in; 0 for any [kW].
    starts
        How often it may start; infinite for no limit.
    there
        Share of every slot in which the car is there, and which least and step count for; shape
        (slots of the stay,), or one for all.
    """

    most: Array
    least: float
    step: float = 0.0
    starts: float = np.inf
    there: Array | float = 1.0

    def share(self) -> Array:
        """``there`` of every slot; shape (slots of the stay,)."""
        return np.array(np.broadcast_to(self.there, self.most.shape), float)


def unfollowed(fleet: Fleet, schedule: Schedule) -> Flags:
    """The sessions whose chargers cannot follow their schedules; shape (sessions,)."""
    there = fleet.presence(schedule.charge_kw.shape[1])
    charge = off_least(schedule.charge_kw, there * fleet.least_charge_kw[:, None])
    discharge = off_least(schedule.discharge_kw, there * fleet.least_discharge_kw[:, None])
    left: Flags = np.any(charge | discharge, axis=1)
    return left


def weak_slots(fleet: Fleet, schedule: Schedule) -> int:
    """In how many slots a charger would have to do less than it can, both ways."""
    there = fleet.presence(schedule.charge_kw.shape[1])
    charge = off_least(schedule.charge_kw, there * fleet.least_charge_kw[:, None])
    discharge = off_least(schedule.discharge_kw, there * fleet.least_discharge_kw[:, None])
    return int(charge.sum() + discharge.sum())


def starts_of(schedule: Schedule) -> int:
    """How often chargers start, both ways."""
    return sum(
        int((on & ~np.pad(on, ((0, 0), (1, 0)))[:, :-1]).sum())
        for on in (schedule.charge_kw > SAME_KW, schedule.discharge_kw > SAME_KW)
    )


def off_least(power: Array, least: Array) -> Flags:
    """Where something flows, and less than a charger can hold; all (sessions, slots) [kW]."""
    found: Flags = (power > SAME_KW) & (power < least - SAME_KW)
    return found
