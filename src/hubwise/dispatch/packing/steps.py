"""Steps and starts: what packing left off steps, or starts too often, is laid otherwise.

What one driver moves at one price may flow in any slots of that price. First powers are rounded to
whole steps where they are, one slot of a price taking what remains; whoever could be followed
better is asked of a program of its stay. Energy at every price stays, and with it what it costs.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch.packing.chargers import Side, left_of, off_steps
from hubwise.dispatch.packing.one_stay import Felt, keeps, laid, left_in
from hubwise.dispatch.packing.runs import Stay, fit
from hubwise.dispatch.packing.whole_steps import Slots, candidates, fulls
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.stays import stays_of
from hubwise.domain import Schedule, Tariff
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.drivers import schedule_of

# Powers that differ by less are the same [kW].
SAME = 1e-9
# A circuit is not passed where it is passed by no more than this [kW].
PASSED_KW = 1e-7

Powers = tuple[Array, Array]
"""What is charged and discharged in the slots of a stay [kW]."""


def in_steps(
    problem: Problem, tariff: Tariff, schedule: Schedule, line_kw: Array, held: Flags
) -> Schedule:
    """The schedule, nearer to what chargers' steps and starts allow, at the same cost.

    Parameters
    ----------
    problem, tariff
        Participants, at posted prices.
    schedule
        Of the participants; (sessions, slots).
    line_kw
        What flows through circuits and phases; (lines, slots) [kW].
    held
        Whose energy may not move; shape (sessions,).
    """
    fleet = problem.fleet
    left = left_of(fleet, schedule, problem.situation.horizon)
    asked = np.flatnonzero(((left.off_step > 0) | (left.starts > 0)) & ~held)
    if not len(asked):
        return schedule
    felt, lines = Felt.of(problem, tariff), LinesLeft.of(problem, line_kw)
    charge, discharge = schedule.charge_kw.copy(), schedule.discharge_kw.copy()
    for i in asked.tolist():
        stay, here = felt.stay(schedule, i), felt.slots(i)
        powers = as_followed(stay, lines.allowed(i, here))
        charge[i, here], discharge[i, here] = powers
        lines.move(i, here, powers[0] - powers[1] - stay.charged + stay.discharged)
    return with_powers(problem, charge, discharge)


def with_powers(problem: Problem, charge: Array, discharge: Array) -> Schedule:
    """The schedule of participants with these powers; (sessions, slots) [kW]."""
    fleet, horizon = problem.fleet, problem.situation.horizon
    change = horizon.slot_hours * charge * fleet.charge_efficiency[:, None]
    change -= horizon.slot_hours * discharge / fleet.discharge_efficiency[:, None]
    return schedule_of(stays_of(problem).units, change, horizon)


@dataclass(frozen=True, slots=True)
class Allowed:
    """How much more, and how much less, a session may draw; (slots of the stay,) or all alike [kW].

    Parameters
    ----------
    up, down
        Not below 0.
    """

    up: Array
    down: Array

    def allow(self, change: Array) -> bool:
        """Whether a session may draw so much more; shape (slots of the stay,) [kW]."""
        return bool(((change <= self.up + PASSED_KW) & (-change <= self.down + PASSED_KW)).all())


# Where nothing is limited.
FREE = Allowed(np.array(np.inf), np.array(np.inf))


@dataclass(frozen=True, slots=True)
class LinesLeft:
    """Circuits and phases: what flows through them, and through which each session draws.

    Parameters
    ----------
    load, limit
        What flows, shape (lines, slots), and the most that may, either way, shape (lines,) [kW].
    begin
        The entries of session i are those from ``begin[i]`` to before ``begin[i + 1]``.
    line, share
        Which line each entry is of, and which share of what the session draws flows through it.
    """

    load: Array
    limit: Array
    begin: Index
    line: Index
    share: Array

    @classmethod
    def of(cls, problem: Problem, line_kw: Array) -> LinesLeft:
        """Those of a problem with what flows through them; shape (lines, slots) [kW]."""
        session, line, share = problem.lines.of_spots(problem.fleet.spots)
        begin = np.searchsorted(session, np.arange(len(problem.fleet) + 1))
        return cls(line_kw.copy(), problem.lines.limit_kw, begin, line, share)

    def allowed(self, i: int, here: slice) -> Allowed:
        """How much more, or less, a session may draw."""
        rows = slice(self.begin[i], self.begin[i + 1])
        line, share = self.line[rows], self.share[rows, None]
        up, down = (
            ((self.limit[line, None] - sign * self.load[line, here]) / share).min(
                axis=0, initial=np.inf
            )
            for sign in (1.0, -1.0)
        )
        return Allowed(np.maximum(up, 0.0), np.maximum(down, 0.0))

    def move(self, i: int, here: slice, change: Array) -> None:
        """A session draws so much more; shape (slots of the stay,) [kW]."""
        for e in range(self.begin[i], self.begin[i + 1]):
            self.load[self.line[e], here] += self.share[e] * change


def as_followed(stay: Stay, lines: Allowed = FREE) -> Powers:
    """The stay's powers of which the charger can follow most; as they are where nothing is better.

    Energy at every price stays, and its bounds hold.
    """
    best = _rounded(stay, lines)
    if left_in(stay, best) <= (0, 0, _fewest_odd(stay)):
        return best
    tried = _fitted(stay)
    if tried is None or left_in(stay, tried) >= left_in(stay, best) or not keeps(stay, tried):
        return best
    allowed = lines.allow(tried[0] - tried[1] - stay.charged + stay.discharged)
    return tried if allowed else best


def _classes(stay: Stay, way: int, power: Array) -> list[Index]:
    """The slots in use of each price; ``way`` 0 for charging, 1 for discharging."""
    price = (stay.charge_price, stay.discharge_price)[way]
    on = power > SAME
    return [np.flatnonzero(on & (price == one)) for one in np.unique(price[on])]


def _fewest_odd(stay: Stay) -> int:
    """Fewer slots cannot be off step: one for every price whose energy is no whole steps."""
    fewest = 0
    for way, (side, power) in enumerate(_sides(stay)):
        for slots in _classes(stay, way, power) if side.step > 0.0 else ():
            most = side.most[slots]
            if (side.share()[slots] == 1.0).all() and np.ptp(most) == 0.0:
                total = float(power[slots].sum())
                fewest += fulls(total, float(most[0]), side.step, len(power)) is None
    return fewest


def _sides(stay: Stay) -> tuple[tuple[Side, Array], tuple[Side, Array]]:
    return (stay.charge, stay.charged), (stay.discharge, stay.discharged)


def _rounded(stay: Stay, lines: Allowed) -> Powers:
    """Powers in whole steps where something flows, but for one slot of each price."""
    best = [stay.charged, stay.discharged]
    for way, (side, power) in enumerate(_sides(stay)):
        if side.step == 0.0:
            continue
        cap = np.minimum(side.most, power + (lines.up, lines.down)[way])
        there = side.share()
        for slots in _classes(stay, way, power):
            least, step = side.least * there[slots], side.step * there[slots]
            used = Slots(power[slots], cap[slots], side.most[slots], least, step)
            for found in candidates(used):
                trial = [one.copy() for one in best]
                trial[way][slots] = found
                less = left_in(stay, (trial[0], trial[1])) < left_in(stay, (best[0], best[1]))
                if less and keeps(stay, (trial[0], trial[1])):
                    best = trial
                    break
    return best[0], best[1]


def _fitted(stay: Stay) -> Powers | None:
    """What a program of the stay finds, the energy at each price to the digit; None for nothing."""
    filled = fit(stay)
    if filled is None:
        return None
    powers = laid(stay, filled)
    for way, ((side, was), power) in enumerate(zip(_sides(stay), powers, strict=True)):
        price = (stay.charge_price, stay.discharge_price)[way]
        odd = off_steps(power, side.step * side.share(), side.most)
        for one in np.unique(price):
            same = price == one
            rest = float(was[same].sum() - power[same].sum())
            # What a program's tolerance leaves goes into one slot, off step where there is any.
            fits = same & (power > SAME) & (power + rest <= side.most) & (power + rest > 0.0)
            if rest != 0.0 and not fits.any():
                return None
            if rest != 0.0:
                power[np.flatnonzero(fits)[np.argmax(odd[fits])]] += rest
    return powers
