"""A battery's life: what is lost as days go by."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from hubwise.battery.cells import Model
from hubwise.battery.stress import Stress, same_energy, same_shares
from hubwise.battery.trajectory import Curve
from hubwise.domain.arrays import Array

Worn = Callable[[Stress, Array], Stress]

# How often, in a life, swings are referred anew to the capacity that is left.
STEPS = 6
# Electrode material beyond what a new cell needs.
SPARE = 0.01
# Least capacity that swings are referred to: no model is meant to go that far.
LEAST_LEFT = 0.3


@dataclass(frozen=True, slots=True)
class Lost:
    """What batteries have lost; arrays of shape (sessions,), shares of the capacity when new.

    Parameters
    ----------
    calendar, cycles
        Lithium lost with time, and with cycles.
    electrode
        Electrode material lost with cycles.
    """

    calendar: Array
    cycles: Array
    electrode: Array

    @property
    def capacity(self) -> Array:
        """Capacity lost: lithium's, or electrode's where that is scarcer; shape (sessions,)."""
        lost: Array = np.maximum(self.calendar + self.cycles, self.electrode - SPARE)
        return lost

    @property
    def left(self) -> Array:
        """Capacity left; shape (sessions,)."""
        left: Array = np.maximum(1.0 - self.capacity, LEAST_LEFT)
        return left


def new(batteries: int) -> Lost:
    """Batteries that have lost nothing."""
    return Lost(np.zeros(batteries), np.zeros(batteries), np.zeros(batteries))


def age(
    model: Model, lost: Lost, stress: Stress, times: Array | float, worn: Worn = same_energy
) -> Lost:
    """What is lost after a period has been repeated.

    Parameters
    ----------
    model
        The cell's.
    lost
        What was lost before.
    stress
        The period's, in a new battery.
    times
        How often it is repeated; shape (sessions,) or the same for all.
    worn
        What the period is to a battery that has lost capacity.
    """
    now = worn(stress, lost.left)
    days = now.days * times / model.day
    cycles = now.full_cycles * times
    return Lost(
        model.calendar(now).after(lost.calendar, days),
        _cycled(model.cycles(now), lost.cycles, cycles / model.cycle),
        lost.electrode
        if model.electrode is None
        else _cycled(model.electrode(now), lost.electrode, cycles),
    )


def _cycled(curve: Curve, lost: Array, cycles: Array) -> Array:
    """Loss after more cycles; without cycles, as before."""
    return np.where(cycles > 0.0, curve.after(lost, cycles), lost)


def repeat(
    model: Model, stress: Stress, days: Array, lost: Lost | None = None, steps: int = STEPS
) -> Lost:
    """What is lost when a period is repeated for ``days``; swings grow as capacity goes.

    Parameters
    ----------
    model
        The cell's.
    stress
        The period's, in a new battery.
    days
        For how long; shape (sessions,) [d].
    lost
        What was lost before; nothing by default.
    steps
        How often the swings are referred anew to the capacity that is left.
    """
    lost = new(len(stress.soc)) if lost is None else lost
    for _ in range(steps):
        lost = age(model, lost, stress, days / (stress.days * steps))
    return lost


def follow(model: Model, periods: Iterable[Stress], worn: Worn = same_shares) -> list[Lost]:
    """What is lost after each of consecutive periods, from new; states of charge are as given."""
    lost: Lost | None = None
    course = []
    for stress in periods:
        before = new(len(stress.soc)) if lost is None else lost
        lost = age(model, before, stress, 1.0, worn)
        course.append(lost)
    return course
