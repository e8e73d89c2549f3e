"""Schedules that chargers can follow, once prices stand: packed, and stations make up for it.

Packing moves a driver's energy among slots that cost it the same, so that regret stays zero. What
the hubs' totals then differ by, station batteries take where there are any; where a promise or a
limit would be missed, everybody is dispatched once more, aiming inside it.
"""

from __future__ import annotations

from dataclasses import replace

from hubwise.dispatch import (
    Baseline,
    feeder_limits,
    pack,
    with_participants,
    with_schedule,
)
from hubwise.plan.ac_dispatch import ONWARD_ROUNDS, Aim, ac_dispatch, missed_kw
from hubwise.plan.ramp import ramp_excess_kw
from hubwise.plan.turn import Turn
from hubwise.pricing import account_of

# What a start counts, first as much as is worth having, then less where that costs too much.
STARTS = (2.0, 0.2, 0.0)
# How often it is packed, each time aiming further inside what was missed.
TRIES = 5
# Aim inside by so many times what was missed.
BEYOND = 1.5
# What following may cost, as a share of the profit; beyond, schedules stay as they were.
WORTH = 1e-3
# Missing a limit by so much more is not to miss it by more [kW].
SAME_KW = 1e-3


def packed(turn: Turn, baseline: Baseline) -> Turn:
    """The turn with schedules that chargers can follow, where they cost next to nothing.

    No promise or limit is missed for it that was kept, or by more than it was.
    """
    missed = _missed(turn, baseline)
    least = missed + SAME_KW if missed > 0.0 else 0.0
    enough = _profit(turn) - WORTH * abs(_profit(turn))
    for start in STARTS:
        found = _within(turn, baseline, least, start)
        if found is not None and _profit(found) >= enough:
            return found
    return turn


def _within(turn: Turn, baseline: Baseline, least: float, start: float) -> Turn | None:
    """The turn packed so that nothing is missed by more than ``least``; None where that fails."""
    caution = 0.0
    for _ in range(TRIES):
        found = _packed(turn, start)
        missed = _missed(found, baseline)
        if missed <= least:
            return found
        caution += BEYOND * missed
        turn = _inside(turn, baseline, caution)
    return None


def _packed(turn: Turn, start: float) -> Turn:
    """The turn with its schedule packed; stations keep the hubs' draw as far as they can."""
    done = turn.dispatch
    schedule = pack(turn.problem, turn.tariff, done.schedule, done.marginal_price, start)
    dispatch = with_schedule(turn.problem, done, schedule)
    return replace(turn, schedule=with_participants(turn.problem, schedule), dispatch=dispatch)


def _inside(turn: Turn, baseline: Baseline, caution_kw: float) -> Turn:
    """The turn dispatched onward, inside its promise and limits by ``caution_kw``."""
    found = ac_dispatch(
        turn.situation, turn.tariff, baseline, warm=turn.dispatch.warm(), rounds=ONWARD_ROUNDS,
        aim=Aim(caution_kw, turn.head_kw),
    )  # fmt: skip
    schedule = with_participants(found.problem, found.dispatch.schedule)
    return replace(turn, schedule=schedule, problem=found.problem, dispatch=found.dispatch)


def _missed(turn: Turn, baseline: Baseline) -> float:
    """By how much the worst promise or limit is missed under AC power flow [kW]."""
    situation, hub_kw = turn.situation, turn.dispatch.hub_kw
    limits = feeder_limits(situation.feeder, situation.hubs.bus, hub_kw)
    missed = float(missed_kw(situation, limits, baseline.span_kw, hub_kw).max())
    return max(missed, ramp_excess_kw(situation, hub_kw))


def _profit(turn: Turn) -> float:
    dispatch = turn.dispatch
    return account_of(turn.problem, turn.tariff, dispatch.schedule, dispatch.stations)[0].profit
