"""A day that has been done, as a plan: the same figures, tables and audit as of any other."""

from __future__ import annotations

import time

import numpy as np

from hubwise.dispatch import Baseline, Dispatch, Multipliers, Problem, feeder_limits, make_baseline
from hubwise.domain import Scenario, Schedule, Situation, StationSchedule, Status, Strategy, Tariff
from hubwise.domain.arrays import Array
from hubwise.ledger import hub_flows
from hubwise.plan.decision import PostedDecision
from hubwise.plan.model import Plan
from hubwise.plan.planner import plan_of
from hubwise.plan.relaxed import linear_problem, relaxed_for_bound, relaxed_problem
from hubwise.plan.wear import Convergence
from hubwise.pricing import FamilyBound
from hubwise.pricing.bound import bound_profit


def plan_as_done(
    scenario: Scenario,
    tariff: Tariff,
    schedule: Schedule,
    stations: StationSchedule,
) -> Plan:
    """What was done on a day at posted prices, as a plan; its bound is of who knew the day.

    Parameters
    ----------
    scenario
        The day as it was; who takes part is marked in its fleet.
    tariff
        What was posted.
    schedule, stations
        What every session, and station batteries and solar, did.
    """
    began, situation = time.perf_counter(), scenario.situation
    baseline = make_baseline(situation)
    hub_kw = hub_flows(len(situation.hubs), situation.fleet, schedule, stations).net_kw
    limits = feeder_limits(situation.feeder, situation.hubs.bus, hub_kw)
    problem = linear_problem(situation, baseline, limits)
    done = _dispatch(problem, schedule, stations, hub_kw)
    bound = _bound(situation, baseline, hub_kw)
    decision = PostedDecision(
        situation=situation,
        tariff=tariff,
        schedule=schedule,
        stations=stations,
        has_stations=True,
        problem=problem,
        dispatch=done,
        wear=Convergence(),
        method="given",
        evaluations=0,
        searched=Status.GIVEN,
        dispatched=Status.LIMITS_MISSED,
        profit_bound=bound,
        family_bound=FamilyBound(bound, 0, Status.NOT_BOUNDED),
        relaxed=done,
    )
    return plan_of(scenario, Strategy.HUBWISE, baseline, decision, began)


def _bound(situation: Situation, baseline: Baseline, hub_kw: Array) -> float:
    """The most that any tariff could have brought [currency]."""
    if situation.market.sells_above:
        return float("inf")
    _, relaxed = relaxed_problem(situation, baseline)
    return bound_profit(*relaxed_for_bound(situation, baseline, hub_kw, relaxed)).profit


def _dispatch(
    problem: Problem, schedule: Schedule, stations: StationSchedule, hub_kw: Array
) -> Dispatch:
    """What was done, as an answer of the problem whose limits have no prices."""
    mine = schedule.select(problem.situation.fleet.participating)
    line_kw = problem.line_kw(mine, stations)
    free = Multipliers(
        problem.limits.row,
        np.zeros_like(problem.limits.upper),
        np.zeros_like(hub_kw),
        np.zeros_like(hub_kw),
        np.zeros_like(line_kw),
    )
    return Dispatch(
        schedule=mine,
        stations=stations,
        hub_kw=hub_kw,
        multipliers=free,
        duals=free,
        marginal_price=np.zeros_like(hub_kw),
        span_price=0.0,
        gap=0.0,
        rounds=0,
        session=problem.fleet.session,
        line_kw=line_kw,
    )
