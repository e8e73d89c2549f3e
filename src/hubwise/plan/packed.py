"""Schedules that chargers can follow, once prices stand: packed, and stations make up for it.

Packing moves a driver's energy among slots that cost it the same, so that regret stays zero. What
the hubs' totals then differ by, stations are dispatched to once more, exactly where that is quick;
where a promise or a limit would still be missed, everybody is dispatched again, aiming inside it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial

import numpy as np

from hubwise.dispatch import (
    EXACTLY,
    Baseline,
    feeder_limits,
    with_participants,
)
from hubwise.dispatch.packing import (
    Worth,
    follow_exactly,
    is_followable,
    left_of,
    pack,
    round_off,
    starts_of,
)
from hubwise.dispatch.ties import Held
from hubwise.domain import Schedule
from hubwise.domain.arrays import Array
from hubwise.ledger import sum_by_hub
from hubwise.plan.ac_dispatch import ONWARD_ROUNDS, ROUNDS, Aim, ac_dispatch, missed_kw
from hubwise.plan.ramp import ramp_excess_kw
from hubwise.plan.turn import Turn
from hubwise.plan.wear import fades_too_fast, wear_found
from hubwise.pricing import account_of

# What a start counts, first as much as is worth having, then less where that costs too much.
STARTS = (2.0, 0.2, 0.0)
# How often it is packed, each time aiming further inside what was missed.
TRIES = 5
# Aim inside by so many times what was missed: first by little more than it, which costs least.
JUST, BEYOND = 1.05, 1.5
# What following may cost, as a share of the profit; beyond, schedules stay as they were.
WORTH = 1e-3
# What a program of a small hub may spend, first more than that, as shares of it: mostly less is.
BUDGETS = (10.0, 1.0)
# Missing a limit by so much more is not to miss it by more [kW].
SAME_KW = 1e-3


Way = Callable[[Turn], Schedule | None]
"""Participants' schedule that chargers can better follow than the turn's; None for none."""


def rounded(turn: Turn, baseline: Baseline) -> Turn:
    """The turn with nothing left that a charger cannot follow, at a cost that drivers are credited.

    Where that would miss a promise or limit that was kept, the turn as it was.
    """
    found = _within(turn, baseline, _allowed_kw(turn, baseline), partial(_round, start=STARTS[0]))
    return turn if found is None else found


def packed(turn: Turn, baseline: Baseline, *, exactly: bool) -> Turn:
    """The turn with schedules that chargers can follow, where they cost next to nothing.

    No promise or limit is missed for it that was kept, or by more than it was. Where ``exactly``,
    small hubs on which packing leaves something are asked for the best by a program.
    """
    most_kw = _allowed_kw(turn, baseline)
    profit = _profit(turn)
    enough = profit - WORTH * abs(profit)

    def first(ways: Iterable[Way]) -> Turn | None:
        found = (_within(turn, baseline, most_kw, way) for way in ways)
        return next((one for one in found if one is not None and _profit(one) >= enough), None)

    found = first(partial(_pack, start=start) for start in STARTS)
    best = turn if found is None else found
    left = _left(best)
    # Found wear is that of schedules like these: a program moves more than packing does. Where a
    # promise or limit is missed at any rate, a program takes longest and is worth least.
    kept = not most_kw.any() and not wear_found(turn.situation)
    if exactly and left and kept and is_followable(turn.problem):
        budgets = (share * WORTH * abs(profit) for share in BUDGETS)
        better = first(partial(_choose, budget=budget, done=best) for budget in budgets)
        return best if better is None or _left(better) >= left else better
    return best


def _pack(turn: Turn, start: float) -> Schedule:
    done = turn.dispatch
    return pack(
        turn.problem, turn.tariff, done.schedule, done.marginal_price, start, line_kw=done.line_kw
    )


def _round(turn: Turn, start: float) -> Schedule:
    done, schedule = turn.dispatch, _pack(turn, start)
    problem, price = turn.problem, done.marginal_price
    moved = (schedule.charge_kw - schedule.discharge_kw) - (
        done.schedule.charge_kw - done.schedule.discharge_kw
    )
    flows = done.line_kw + problem.lines.loads(problem.fleet.spots, moved)
    return round_off(problem, turn.tariff, schedule, price, start, line_kw=flows)


def _choose(turn: Turn, budget: float, done: Turn) -> Schedule | None:
    """The best by a program, half of a budget for what cannot be followed and half for starts.

    Who limits fade does as in the turn ``done``, which is packed where that could be.
    """
    schedule = turn.dispatch.schedule
    limited = np.isfinite(turn.problem.fleet.fade_limit_per_year)
    if limited.any():
        schedule = Held(limited, done.dispatch.schedule).into(schedule)
    left, starts = _left(turn), starts_of(schedule)
    price = 0.5 * budget / max(left, 1)
    start = min(0.1 * price, 0.5 * budget / max(starts, 1))
    worth = Worth(price, start, above=price, off_step=0.5 * price)
    found = follow_exactly(turn.problem, turn.tariff, schedule, worth)
    return None if found is None else found.schedule


def _left(turn: Turn) -> int:
    """How many slots and starts chargers cannot follow."""
    horizon = turn.situation.horizon
    return left_of(turn.problem.fleet, turn.dispatch.schedule, horizon).count


def _allowed_kw(turn: Turn, baseline: Baseline) -> Array:
    """By how much each kind may be missed: no more than it is; see `_missed` [kW]."""
    missed = _missed(turn, baseline)
    return np.where(missed > 0.0, missed + SAME_KW, 0.0)


def _within(turn: Turn, baseline: Baseline, most_kw: Array, way: Way) -> Turn | None:
    """The turn done that way, so that no kind is missed by more than that; None if it fails."""
    caution = 0.0
    # Who limits fade is not dispatched anew.
    limited = np.isfinite(turn.problem.fleet.fade_limit_per_year).any()
    for _ in range(1 if limited else TRIES):
        schedule = way(turn)
        if schedule is None:
            return None
        schedule = _sparing(turn, schedule)
        first = missed = 0.0
        # What is missed by little stations make up for, by steps where programs leap to and fro.
        for inside, rounds in ((0.0, EXACTLY), (JUST, EXACTLY), (BEYOND, EXACTLY), (0.0, ROUNDS)):
            found = _with(turn, baseline, schedule, Aim(inside * first, turn.head_kw), rounds)
            missed = float((_missed(found, baseline) - most_kw).max())
            if missed <= 0.0:
                return found
            first = first or missed
        caution += BEYOND * missed
        turn = _inside(turn, baseline, caution)
    return None


def _sparing(turn: Turn, schedule: Schedule) -> Schedule:
    """The schedule; whose battery would fade faster than its driver accepts keeps its own."""
    participants = replace(turn.situation, fleet=turn.problem.fleet)
    over = fades_too_fast(participants, schedule)
    return Held(over, turn.dispatch.schedule).into(schedule) if over.any() else schedule


def _with(turn: Turn, baseline: Baseline, schedule: Schedule, aim: Aim, rounds: int) -> Turn:
    """The turn with another schedule of participants, and stations dispatched to it."""
    # Where feed-in is above the purchase price, a linear program would buy and sell at once.
    how = ROUNDS if turn.situation.market.sells_above else rounds
    return _onward(turn, baseline, aim, how, schedule)


def _inside(turn: Turn, baseline: Baseline, caution_kw: float) -> Turn:
    """The turn dispatched onward, inside its promise and limits by ``caution_kw``."""
    return _onward(turn, baseline, Aim(caution_kw, turn.head_kw), ONWARD_ROUNDS)


def _onward(
    turn: Turn, baseline: Baseline, aim: Aim, rounds: int, sessions: Schedule | None = None
) -> Turn:
    """The turn dispatched onward from where it is."""
    situation, limits = turn.situation, None
    if sessions is not None:
        # Where the feeder is linearised off by little, little is left of the promise unused.
        limits = feeder_limits(situation.feeder, situation.hubs.bus, _moved_kw(turn, sessions))
    found = ac_dispatch(
        situation, turn.tariff, baseline, warm=turn.dispatch.warm(), sessions=sessions,
        rounds=rounds, limits=limits, aim=aim,
    )  # fmt: skip
    schedule = with_participants(found.problem, found.dispatch.schedule)
    return replace(turn, schedule=schedule, problem=found.problem, dispatch=found.dispatch)


def _moved_kw(turn: Turn, sessions: Schedule) -> Array:
    """The hubs' net draw where participants do otherwise, and stations as they did [kW]."""
    done, fleet = turn.dispatch, turn.problem.fleet
    more = sessions.charge_kw - done.schedule.charge_kw
    less = sessions.discharge_kw - done.schedule.discharge_kw
    return done.hub_kw + sum_by_hub(len(turn.situation.hubs), fleet.hub, more - less)


def _missed(turn: Turn, baseline: Baseline) -> Array:
    """By how much each kind of promise and limit is missed under AC power flow; (5,) [kW].

    The kinds of `missed_kw`, and the ramp promise.
    """
    situation, hub_kw = turn.situation, turn.dispatch.hub_kw
    limits = feeder_limits(situation.feeder, situation.hubs.bus, hub_kw)
    flows = hub_kw, turn.dispatch.line_kw
    missed = missed_kw(situation, limits, baseline.span_kw, *flows)
    return np.append(missed, ramp_excess_kw(situation, hub_kw))


def _profit(turn: Turn) -> float:
    dispatch = turn.dispatch
    return account_of(turn.problem, turn.tariff, dispatch.schedule, dispatch.stations)[0].profit
