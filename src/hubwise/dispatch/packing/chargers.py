"""What chargers can: a least power, whole steps, so many starts; and what a schedule leaves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.domain import Fleet, Horizon, Schedule
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.drivers import batteries_of

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


@dataclass(frozen=True, slots=True)
class Left:
    """What chargers cannot follow of a schedule; every array has shape (sessions,).

    Parameters
    ----------
    weak
        Slots below the least power, both ways.
    off_step
        Slots at a power that is neither a whole number of steps nor the highest, both ways.
    starts
        Starts above what was asked, both ways.
    """

    weak: Index
    off_step: Index
    starts: Index

    @property
    def any(self) -> Flags:
        """The sessions of which something is left; shape (sessions,)."""
        found: Flags = (self.weak > 0) | (self.off_step > 0) | (self.starts > 0)
        return found

    @property
    def count(self) -> int:
        """How much is left of all."""
        return int(self.weak.sum() + self.off_step.sum() + self.starts.sum())

    def less_than(self, other: Left) -> Flags:
        """Where less is left: weak slots first, then starts; shape (sessions,)."""
        less = self.off_step < other.off_step
        for mine, theirs in ((self.starts, other.starts), (self.weak, other.weak)):
            less = np.where(mine == theirs, less, mine < theirs)
        return less


def left_of(fleet: Fleet, schedule: Schedule, horizon: Horizon) -> Left:
    """What chargers cannot follow of their sessions' schedules."""
    there, units = fleet.presence(horizon.slots), batteries_of(fleet, horizon)
    step, starts = there * fleet.steps_kw[:, None], np.zeros(len(fleet), np.int64)
    weak, off = np.zeros((2, len(fleet)), np.int64)
    for power, most, least in (
        (schedule.charge_kw, units.charge_kw, fleet.least_charge_kw),
        (schedule.discharge_kw, units.discharge_kw, fleet.least_discharge_kw),
    ):
        weak += off_least(power, there * least[:, None]).sum(axis=1)
        off += off_steps(power, step, np.broadcast_to(most, power.shape)).sum(axis=1)
        above = _begun(power).sum(axis=1) - fleet.most_starts
        starts += np.maximum(above, 0.0).astype(np.int64)
    return Left(weak, off, starts)


def starts_of(schedule: Schedule) -> int:
    """How often chargers start, both ways."""
    return sum(int(_begun(power).sum()) for power in (schedule.charge_kw, schedule.discharge_kw))


def _begun(power: Array) -> Flags:
    """Where something begins to flow; both (sessions, slots) [kW]."""
    on = power > SAME_KW
    begun: Flags = on & ~np.pad(on, ((0, 0), (1, 0)))[:, :-1]
    return begun


def off_least(power: Array, least: Array) -> Flags:
    """Where something flows, and less than a charger can hold; all (sessions, slots) [kW]."""
    found: Flags = (power > SAME_KW) & (power < least - SAME_KW)
    return found


def off_steps(power: Array, step: Array, most: Array) -> Flags:
    """Where something flows that is neither whole steps nor all there can be; of one shape [kW].

    A step of 0 is any power.
    """
    rest = power - step * np.round(power / np.where(step > 0.0, step, 1.0))
    partial = (power > SAME_KW) & (power < most - SAME_KW)
    found: Flags = partial & (step > 0.0) & (np.abs(rest) > SAME_KW)
    return found
