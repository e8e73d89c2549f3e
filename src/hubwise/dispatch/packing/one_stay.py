"""One session's stay, as its driver feels it and its charger can."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch.packing.chargers import SAME_KW, Side, off_least, off_steps
from hubwise.dispatch.packing.runs import Filled, Stay, begins, laid_out
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.stays import Stays, stays_of
from hubwise.domain import Fleet, Schedule, Tariff
from hubwise.domain.arrays import Array
from hubwise.drivers import felt_tariff

# Energy may pass its bounds by so much [kWh].
PASSED_KWH = 1e-8


@dataclass(frozen=True, slots=True)
class Felt:
    """All stays of a problem at its drivers' felt prices.

    Parameters
    ----------
    fleet
        Participants.
    tariff
        The prices that they feel, by price list.
    stays
        Their bounds.
    there
        Share of each slot in which a car is there; shape (sessions, slots).
    hours
        Length of a slot [h].
    """

    fleet: Fleet
    tariff: Tariff
    stays: Stays
    there: Array
    hours: float

    @classmethod
    def of(cls, problem: Problem, tariff: Tariff) -> Felt:
        """The stays of a problem at posted prices."""
        horizon = problem.situation.horizon
        fleet, felt = felt_tariff(problem.fleet, tariff, problem.terms)
        there = problem.fleet.presence(horizon.slots)
        return cls(fleet, felt, stays_of(problem), there, horizon.slot_hours)

    def slots(self, i: int) -> slice:
        """The slots of a session's stay."""
        units = self.stays.units
        return slice(int(units.arrival[i]), int(units.departure[i]))

    def stay(self, schedule: Schedule, i: int) -> Stay:
        """One session's stay, scheduled so far as ``schedule`` has it."""
        fleet, units, here, hours = self.fleet, self.stays.units, self.slots(i), self.hours
        rows, row = slice(self.stays.first[i], self.stays.last[i] + 1), fleet.lists[i]
        out = float(hours / units.discharge_eff[i])
        step, starts = float(fleet.steps_kw[i]), float(fleet.most_starts[i])
        least, back = float(fleet.least_charge_kw[i]), float(fleet.least_discharge_kw[i])
        there = self.there[i, here]
        return Stay(
            charge=Side(_here(units.charge_kw[i], here), least, step, starts, there),
            discharge=Side(_here(units.discharge_kw[i], here), back, step, starts, there),
            charge_price=hours * self.tariff.charge_price[row, here],
            discharge_price=hours * self.tariff.discharge_price[row, here] - out * units.wear[i],
            charged=schedule.charge_kw[i, here],
            discharged=schedule.discharge_kw[i, here],
            floor=self.stays.floor[rows],
            top=self.stays.top[rows],
            into=float(hours * units.charge_eff[i]),
            out=out,
            start=float(units.start[i]),
            limit=float(units.limit[i]),
            surplus=float(units.surplus[i]),
        )


def laid(stay: Stay, filled: tuple[Filled, Filled]) -> tuple[Array, Array]:
    """What is charged and discharged in the slots of a stay, as it was filled; [kW]."""
    first = begins(stay)
    return (
        laid_out(filled[0], first, stay.charged, stay.charge),
        laid_out(filled[1], first, stay.discharged, stay.discharge),
    )


def left_in(stay: Stay, powers: tuple[Array, Array]) -> tuple[int, int, int]:
    """What the charger cannot follow: weak slots, starts above what was asked, slots off step."""
    starts = weak = off = 0
    for side, power in zip((stay.charge, stay.discharge), powers, strict=True):
        there, on = side.share(), power > SAME_KW
        begun = int(on[0]) + int((on[1:] & ~on[:-1]).sum())
        starts += int(max(begun - side.starts, 0.0))
        weak += int(off_least(power, side.least * there).sum())
        off += int(off_steps(power, side.step * there, side.most).sum())
    return weak, starts, off


def keeps(stay: Stay, powers: tuple[Array, Array]) -> bool:
    """Whether energy keeps its bounds, or passes them by no more than it did; and flows one way."""
    if ((powers[0] > 0.0) & (powers[1] > 0.0)).any():
        return False
    before, after = (
        stay.start + np.cumsum(stay.into * up - stay.out * down)
        for up, down in ((stay.charged, stay.discharged), powers)
    )
    low, high = np.minimum(stay.floor, before), np.maximum(stay.top, before)
    return bool(((after >= low - PASSED_KWH) & (after <= high + PASSED_KWH)).all())


def _here(most: Array, here: slice) -> Array:
    """Highest power in the slots of a stay, where it is one for all as well."""
    size = here.stop - here.start
    power: Array = np.full(size, most[0]) if len(most) == 1 else most[here]
    return power
