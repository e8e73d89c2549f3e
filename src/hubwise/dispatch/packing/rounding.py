"""Rounding the rest away: whose charger cannot follow gets the cheapest schedule that it can.

That costs the driver a little above its least. The operator asked for it and credits it. One after
the other takes what the others leave of circuits and phases, so that none is passed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.dispatch.packing.chargers import Side, left_of
from hubwise.dispatch.packing.jobs import PASSED, drawn_line_kw, most_over, pack
from hubwise.dispatch.packing.one_stay import Felt, laid
from hubwise.dispatch.packing.runs import Stay, fill
from hubwise.dispatch.packing.steps import Allowed, LinesLeft, with_powers
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.ties import Held
from hubwise.domain import Schedule, Tariff
from hubwise.domain.arrays import Array, Flags, Index

# Powers that differ by less are the same [kW].
SAME = 1e-9


def round_off(
    problem: Problem,
    tariff: Tariff,
    schedule: Schedule,
    marginal_price: Array,
    start: float = 2.0,
    *,
    line_kw: Array | None = None,
) -> Schedule:
    """The participants' schedule with nothing left that a charger cannot follow, where that can be.

    Parameters are those of `hubwise.dispatch.pack`.

    Returns
    -------
    Schedule
        Of the sessions that could not be followed, each the cheapest for its driver that can and
        that circuits and phases leave room for; the others' as they were. Energy keeps all its
        bounds, and no circuit or phase is passed that was not, or by more than it was. What cannot
        be rounded stays.
    """
    horizon = problem.situation.horizon
    # A device's own schedule is its own.
    left = np.flatnonzero(left_of(problem.fleet, schedule, horizon).any & problem.fleet.delegates)
    if not len(left):
        return schedule
    flows = drawn_line_kw(problem, schedule) if line_kw is None else line_kw
    lines = LinesLeft.of(problem, flows)
    rounded, done = _filled(problem, tariff, schedule, left, lines)
    packed = pack(
        problem, tariff, rounded, marginal_price, start,
        only=done, towards=schedule, line_kw=lines.load,
    )  # fmt: skip
    # Packing keeps energies at each price, which may be of no other whole steps.
    worse = left_of(problem.fleet, rounded, horizon).less_than(
        left_of(problem.fleet, packed, horizon)
    )
    if not worse.any():
        return packed
    some = Held(worse, rounded).into(packed)
    moved = lines.load + drawn_line_kw(problem, some) - drawn_line_kw(problem, rounded)
    passes = len(problem.lines) > 0 and (
        most_over(problem, moved) > max(most_over(problem, flows), 0.0) + PASSED
    )
    return rounded if passes else some


def _filled(
    problem: Problem, tariff: Tariff, schedule: Schedule, left: Index, lines: LinesLeft
) -> tuple[Schedule, Flags]:
    """Each of ``left`` at its cheapest, one after the other; and who is. Moves what flows.

    Whom the others left no room is asked again once they have moved.
    """
    felt = Felt.of(problem, tariff)
    charge, discharge = schedule.charge_kw.copy(), schedule.discharge_kw.copy()
    done = np.zeros(len(problem.fleet), bool)
    for _ in range(2 if len(problem.lines) else 1):
        for i in left[~done[left]].tolist():
            here, stay = felt.slots(i), felt.stay(schedule, i)
            stay = _within(stay, lines.allowed(i, here))
            filled = fill(stay)
            if filled is None:
                continue
            powers = laid(stay, filled)
            charge[i, here], discharge[i, here] = powers
            lines.move(i, here, powers[0] - powers[1] - stay.charged + stay.discharged)
            done[i] = True
    return with_powers(problem, charge, discharge), done


def _within(stay: Stay, lines: Allowed) -> Stay:
    """The stay with powers that circuits and phases leave it, in whole steps where it has any."""
    net = stay.charged - stay.discharged
    return replace(
        stay,
        charge=_capped(stay.charge, net + lines.up),
        discharge=_capped(stay.discharge, lines.down - net),
    )


def _capped(side: Side, most: Array) -> Side:
    """A side that no more than ``most`` flows on; shape (slots of the stay,) [kW]."""
    less = most < side.most - SAME
    if not less.any():
        return side
    cap, share = np.maximum(most, 0.0), side.share()
    if side.step > 0.0:
        step = side.step * share
        cap = np.floor(cap / step + SAME) * step
    cap = np.where(cap >= side.least * share - SAME, cap, 0.0)
    return replace(side, most=np.where(less, np.minimum(cap, side.most), side.most))
