"""Plan again from a warm start: the market has moved, the cars are mostly where they were.

A running hub cannot search for its prices from nothing every quarter of an hour, and need not: the
prices posted, what limits were worth, and what everybody did are near the answer. The relaxed
problem is gone on from; posted prices follow its marginal prices; few candidates are valued; and
the best is dispatched under AC.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hubwise.dispatch import (
    Dispatch,
    Problem,
    dispatch,
    feeder_limits,
    with_participants,
)
from hubwise.dispatch.baseline import make_baseline
from hubwise.domain import Schedule, Situation, StationSchedule, Tariff
from hubwise.domain.arrays import Array
from hubwise.grid import FeederState, power_flow
from hubwise.ledger import Account
from hubwise.plan.ac_dispatch import AcDispatch, Aim, ac_dispatch
from hubwise.plan.model import Plan
from hubwise.plan.participation import willing
from hubwise.plan.relaxed import linear_problem
from hubwise.pricing import Family, account_of, best_of, coarse_to_fine, level_prices

# Rounds of the relaxed problem where the participants are the same, and where they are not.
ONWARD_ROUNDS = 6
FRESH_ROUNDS = 20
# Rounds to value a candidate, and to begin the dispatch of the best with.
VALUE_ROUNDS = 4
STEER_ROUNDS = 15
# How far inside promise and limits to aim, as a share of the head's spread: turns cost time.
CAUTION = 3e-3
# Candidates: how far prices follow the change of the marginal prices.
FOLLOWED = (0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Replan:
    """What is posted and done from now on.

    Parameters
    ----------
    situation
        The day, as it stands now.
    tariff
        The prices to post.
    schedule, stations
        Of every session, and of station batteries and solar.
    state
        The feeder under AC power flow.
    account
        The operator's line items.
    participant_cost
        Participants' net cost, wear included [currency].
    missed_kw
        By how much peak-valley promise, feeder limits and grid connections are missed at worst,
        under AC; shape (3,), 0 or less where all hold [kW].
    evaluations
        Tariffs tried.
    seconds
        Wall-clock time [s].
    """

    situation: Situation
    tariff: Tariff
    schedule: Schedule
    stations: StationSchedule
    state: FeederState
    account: Account
    participant_cost: float
    missed_kw: Array
    evaluations: int
    seconds: float


def make_replan(before: Plan, situation: Situation) -> Replan:
    """Plan again, from where ``before`` stands.

    Parameters
    ----------
    before
        A plan with posted prices, as `hubwise.plan.make_plan` makes it.
    situation
        What holds now: other purchase prices, feed-in prices, incentives, loads or sessions on
        the same slots and at the same hubs. With the same sessions (that of ``before`` with
        another market) it is fastest.

    Raises
    ------
    ValueError
        If ``before`` posts no prices, or slots or hubs are others.
    """
    began = time.perf_counter()
    memory = before.memory
    if memory is None:
        raise ValueError(f"the strategy {str(before.strategy)!r} posts no prices to begin from")
    stood = before.scenario.situation
    if situation.hubs.solar_kw.shape != stood.hubs.solar_kw.shape:
        raise ValueError("slots and hubs must be those of the plan before")
    known = situation.fleet is stood.fleet and situation.feeder is stood.feeder
    baseline = memory.baseline if known else make_baseline(situation)
    limits = feeder_limits(situation.feeder, situation.hubs.bus, memory.final.hub_kw)
    problem = linear_problem(situation, baseline, limits)
    relaxed = _relaxed(problem, memory.relaxed, known)
    family = coarse_to_fine(situation)[-1]
    change = relaxed.marginal_price - memory.relaxed.marginal_price
    candidates = list(_candidates(problem, family, before.tariff, change))
    _, best = best_of(problem, family, candidates, rounds=VALUE_ROUNDS, warm=relaxed.warm().near())
    caution = CAUTION * problem.spread_kw
    ready = willing(situation, best.tariff, situation.fleet.participating)
    warm = best.dispatch.warm() if ready is situation else None
    dispatched = ac_dispatch(
        ready,
        best.tariff,
        baseline,
        warm=warm,
        rounds=STEER_ROUNDS,
        aim=Aim(caution_kw=caution),
        limits=limits,
    )
    return _replanned(dispatched, best.tariff, len(candidates), began)


def _relaxed(problem: Problem, before: Dispatch, known: bool) -> Dispatch:
    if known:
        return dispatch(problem, None, rounds=ONWARD_ROUNDS, warm=before.warm())
    return dispatch(problem, None, rounds=FRESH_ROUNDS, warm=before.warm().near())


def _candidates(problem: Problem, family: Family, before: Tariff, change: Array) -> Iterator[Array]:
    """Price vectors that follow the change of the marginal prices, levelled to the promise."""
    follow = family.vector(change, change, np.ones((2, *change.shape)))
    for share in FOLLOWED:
        yield level_prices(problem, family, family.posted(before) + share * follow)


def _replanned(dispatched: AcDispatch, tariff: Tariff, evaluations: int, began: float) -> Replan:
    final, problem = dispatched.dispatch, dispatched.problem
    situation = problem.situation
    account, participant_cost = account_of(problem, tariff, final.schedule, final.stations)
    return Replan(
        situation=situation,
        tariff=tariff,
        schedule=with_participants(problem, final.schedule),
        stations=final.stations,
        state=power_flow(situation.feeder, situation.hubs.bus, final.hub_kw),
        account=account,
        participant_cost=participant_cost,
        missed_kw=dispatched.missed_kw,
        evaluations=evaluations,
        seconds=time.perf_counter() - began,
    )
