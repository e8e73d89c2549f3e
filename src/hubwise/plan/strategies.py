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
from hubwise.domain.arrays import Array
from hubwise.grid import power_flow
from hubwise.ledger import hub_flows
from hubwise.plan.ac_dispatch import ac_dispatch
from hubwise.plan.decision import Decision

# How often at most the feeder is linearised anew for ties that are spread, the share of the
# difference below which another turn is not worth it, and the steps that are tried.
SPREAD_TURNS = 6
SPREAD_GAIN = 1e-5
SPREAD_STEPS = (1.0, 0.5, 0.2, 0.1, 0.02)


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
    hubs, fleet = situation.hubs.resting(), situation.fleet.one_way()
    one_way = replace(situation, hubs=hubs, fleet=fleet)
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
    """Ties spread for the grid under AC, from ties at random on: never worse than those.

    Each turn linearises the feeder where the one before has led, and goes as far towards what is
    then flattest as the AC power flow gains by. All on the way is cheapest for every driver: the
    cheapest schedules are a convex set.
    """
    situation, bus = problem.situation, problem.situation.hubs.bus
    here = at_random(problem, tariff, seed)
    draw = _draw(problem, here)
    span = _span(problem, draw)
    for _ in range(SPREAD_TURNS):
        limits = feeder_limits(situation.feeder, bus, draw)
        there = spread(replace(problem, limits=limits), tariff, seed)
        ways = [_between(here, there, share) for share in SPREAD_STEPS]
        draws = [_draw(problem, way) for way in ways]
        spans = [_span(problem, each) for each in draws]
        best = int(np.argmin([span, *spans]))
        if best == 0:
            break
        gained = span - spans[best - 1]
        here, draw, span = ways[best - 1], draws[best - 1], spans[best - 1]
        if gained < SPREAD_GAIN * span:
            break
    return here


def _draw(problem: Problem, participants: Schedule) -> Array:
    """Hub net draw without stations; shape (hubs, slots) [kW]."""
    situation, everybody = problem.situation, with_participants(problem, participants)
    rest = at_rest(situation, everybody)
    return hub_flows(len(situation.hubs), situation.fleet, everybody, rest).net_kw


def _span(problem: Problem, draw: Array) -> float:
    """Peak-valley difference under AC; infinite without a power flow [kW]."""
    situation = problem.situation
    head = power_flow(situation.feeder, situation.hubs.bus, draw).head_kw
    return situation.so_far.span_kw(head) if np.isfinite(head).all() else np.inf


def _between(here: Schedule, there: Schedule, share: float) -> Schedule:
    """The schedule that is ``share`` of the way from the one to the other."""
    return Schedule(
        here.charge_kw + share * (there.charge_kw - here.charge_kw),
        here.discharge_kw + share * (there.discharge_kw - here.discharge_kw),
        here.energy_kwh + share * (there.energy_kwh - here.energy_kwh),
    )


def storage_strategy(situation: Situation, baseline: Baseline) -> Decision:
    """Everybody charges at once; station batteries earn, and flatten as far as was promised."""
    tariff = reference_tariff(situation)
    everybody, participants = baseline.schedule, situation.fleet.participating
    fixed = everybody.select(participants)
    used_one_way = replace(situation, hubs=situation.hubs.resting())
    dispatched = ac_dispatch(used_one_way, tariff, baseline, sessions=fixed).dispatch
    return Decision(situation, tariff, everybody, dispatched.stations, True)
