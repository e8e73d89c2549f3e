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
    """

    most: Array
    least: float
    step: float = 0.0
    starts: float = np.inf


def unfollowed(fleet: Fleet, schedule: Schedule) -> Flags:
    """The sessions whose chargers cannot follow their schedules; shape (sessions,)."""
    charge = off_least(schedule.charge_kw, fleet.least_charge_kw)
    discharge = off_least(schedule.discharge_kw, fleet.least_discharge_kw)
    left: Flags = np.any(charge | discharge, axis=1)
    return left


def off_least(power: Array, least: Array) -> Flags:
    """Where something flows, and less than a charger can hold; (sessions, slots)."""
    found: Flags = (power > SAME_KW) & (power < least[:, None] - SAME_KW)
    return found
