"""Schedules that chargers can follow, once prices stand: packed, and stations make up for it.

Packing moves a driver's energy among slots that cost it the same, so that regret stays zero. What
the hubs' totals then differ by, stations are dispatched to once more, exactly where that is quick;
where a promise or a limit would still be missed, everybody is dispatched again, aiming inside it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.dispatch import EXACTLY, Baseline, feeder_limits, pack, round_off, with_participants
from hubwise.domain import Schedule
from hubwise.plan.ac_dispatch import ONWARD_ROUNDS, ROUNDS, Aim, ac_dispatch, missed_kw
from hubwise.plan.ramp import ramp_excess_kw
from hubwise.plan.turn import Turn
from hubwise.pricing import account_of

# What a start counts, first as much as is worth having, then less where that costs too much.
STARTS = (2.0, 0.2, 0.0)
# How often it is packed, each time aiming further inside what was missed.
TRIES = 5
# Aim inside by so many times what was missed.
BEYOND = 1.5
# Most participants to whom stations are dispatched by one linear program.
MOST_CARS = 10_000
# What following may cost, as a share of the profit; beyond, schedules stay as they were.
WORTH = 1e-3
# Missing a limit by so much more is not to miss it by more [kW].
SAME_KW = 1e-3


def rounded(turn: Turn, baseline: Baseline) -> Turn:
    """The turn with nothing left that a charger cannot follow, at a cost that drivers are credited.

    Where that would miss a promise or limit that was kept, the turn as it was.
    """
    found = _within(turn, baseline, _allowed_kw(turn, baseline), STARTS[0], rounds=True)
    return turn if found is None else found


def packed(turn: Turn, baseline: Baseline) -> Turn:
    """The turn with schedules that chargers can follow, where they cost next to nothing.

    No promise or limit is missed for it that was kept, or by more than it was.
    """
    least = _allowed_kw(turn, baseline)
    profit = _profit(turn)
    enough = profit - WORTH * abs(profit)
    for start in STARTS:
        found = _within(turn, baseline, least, start)
        if found is not None and _profit(found) >= enough:
            return found
    return turn


def _allowed_kw(turn: Turn, baseline: Baseline) -> float:
    """By how much promises and limits may be missed: no more than they are [kW]."""
    missed = _missed(turn, baseline)
    return missed + SAME_KW if missed > 0.0 else 0.0


def _within(
    turn: Turn, baseline: Baseline, least: float, start: float, *, rounds: bool = False
) -> Turn | None:
    """The turn packed so that nothing is missed by more than ``least``; None where that fails."""
    caution = 0.0
    # Who limits fade is not dispatched anew.
    limited = np.isfinite(turn.problem.fleet.fade_limit_per_year).any()
    for _ in range(1 if limited else TRIES):
        found = _packed(turn, baseline, start, rounds=rounds)
        missed = _missed(found, baseline)
        if missed <= least:
            return found
        caution += BEYOND * missed
        turn = _inside(turn, baseline, caution)
    return None


def _packed(turn: Turn, baseline: Baseline, start: float, *, rounds: bool) -> Turn:
    """The turn with its schedule packed, or rounded as well, and stations dispatched to it."""
    done = turn.dispatch
    flows = done.line_kw
    schedule = pack(
        turn.problem, turn.tariff, done.schedule, done.marginal_price, start, line_kw=flows
    )
    if rounds:
        schedule = round_off(turn.problem, turn.tariff, schedule, done.marginal_price, start)
    how = EXACTLY if len(turn.problem.fleet) <= MOST_CARS else ROUNDS
    return _onward(turn, baseline, Aim(head_kw=turn.head_kw), how, schedule)


def _inside(turn: Turn, baseline: Baseline, caution_kw: float) -> Turn:
    """The turn dispatched onward, inside its promise and limits by ``caution_kw``."""
    return _onward(turn, baseline, Aim(caution_kw, turn.head_kw), ONWARD_ROUNDS)


def _onward(
    turn: Turn, baseline: Baseline, aim: Aim, rounds: int, sessions: Schedule | None = None
) -> Turn:
    """The turn dispatched onward from where it is."""
    found = ac_dispatch(
        turn.situation, turn.tariff, baseline, warm=turn.dispatch.warm(), sessions=sessions,
        rounds=rounds, aim=aim,
    )  # fmt: skip
    schedule = with_participants(found.problem, found.dispatch.schedule)
    return replace(turn, schedule=schedule, problem=found.problem, dispatch=found.dispatch)


def _missed(turn: Turn, baseline: Baseline) -> float:
    """By how much the worst promise or limit is missed under AC power flow [kW]."""
    situation, hub_kw = turn.situation, turn.dispatch.hub_kw
    limits = feeder_limits(situation.feeder, situation.hubs.bus, hub_kw)
    flows = hub_kw, turn.dispatch.line_kw
    missed = float(missed_kw(situation, limits, baseline.span_kw, *flows).max())
    return max(missed, ramp_excess_kw(situation, hub_kw))


def _profit(turn: Turn) -> float:
    dispatch = turn.dispatch
    return account_of(turn.problem, turn.tariff, dispatch.schedule, dispatch.stations)[0].profit
