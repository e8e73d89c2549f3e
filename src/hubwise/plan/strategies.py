"""What the operator's plan is compared with: what drivers and stations do without posted prices."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.dispatch import (
    Baseline,
    Problem,
    at_random,
    at_rest,
    feeder_limits,
    make_problem,
    spread,
    undelegated,
    with_participants,
)
from hubwise.domain import Schedule, Situation, Tariff, Ties
from hubwise.grid import power_flow
from hubwise.ledger import hub_flows
from hubwise.plan.ac_dispatch import ac_dispatch
from hubwise.plan.decision import Decision

# How often the feeder is linearised anew for ties that are spread.
SPREAD_TURNS = 2


def reference_tariff(situation: Situation) -> Tariff:
    """The reference tariff at every hub, in place of every list; it buys nothing back."""
    kept = 0 if situation.accepted is None else len(situation.accepted.charge_price)
    charge = np.tile(situation.market.reference_price, (len(situation.hubs) + kept, 1))
    return Tariff(charge, np.zeros_like(charge))


def uncoordinated_strategy(situation: Situation, baseline: Baseline) -> Decision:
    """Everybody plugs in and charges at once; no station battery."""
    tariff = reference_tariff(situation)
    return Decision(situation, tariff, baseline.schedule, baseline.stations, False)


def passive_strategy(
    situation: Situation, baseline: Baseline, ties: Ties = Ties.EARLY, seed: int = 0
) -> Decision:
    """Participants' own devices shift charging against the reference tariff; no station battery.

    Every schedule is cheapest for its driver; ``ties`` says which of those it is. ``seed`` is that
    of what is drawn.
    """
    tariff = reference_tariff(situation)
    one_way = replace(situation, fleet=situation.fleet.one_way())
    problem = make_problem(one_way, baseline.limits, everybody=baseline.schedule)
    match ties:
        case Ties.EARLY:
            chosen = undelegated(problem, tariff)
        case Ties.RANDOM:
            chosen = at_random(problem, tariff, seed)
        case Ties.SPREAD:
            chosen = _spread(problem, tariff, seed)
    schedule = with_participants(problem, chosen)
    return Decision(situation, tariff, schedule, at_rest(situation, schedule), False)


def _spread(problem: Problem, tariff: Tariff, seed: int) -> Schedule:
    """Ties spread for the grid under AC: the best of a few turns, ties at random the first.

    Each turn linearises the feeder where the one before has led.
    """
    situation, feeder = problem.situation, problem.situation.feeder
    best, least = at_random(problem, tariff, seed), np.inf
    schedule = best
    for turn in range(SPREAD_TURNS + 1):
        everybody = with_participants(problem, schedule)
        rest = at_rest(situation, everybody)
        draw = hub_flows(len(situation.hubs), situation.fleet, everybody, rest).net_kw
        head = power_flow(feeder, situation.hubs.bus, draw).head_kw
        span = situation.so_far.span_kw(head)
        if span < least:
            best, least = schedule, span
        if turn < SPREAD_TURNS:
            limits = feeder_limits(feeder, situation.hubs.bus, draw)
            schedule = spread(replace(problem, limits=limits), tariff, seed)
    return best


def storage_strategy(situation: Situation, baseline: Baseline) -> Decision:
    """Everybody charges at once; station batteries earn, and flatten as far as was promised."""
    tariff = reference_tariff(situation)
    everybody, participants = baseline.schedule, situation.fleet.participating
    fixed = Schedule(
        everybody.charge_kw[participants],
        everybody.discharge_kw[participants],
        everybody.energy_kwh[participants],
    )
    dispatched = ac_dispatch(situation, tariff, baseline, sessions=fixed).dispatch
    return Decision(situation, tariff, everybody, dispatched.stations, True)
