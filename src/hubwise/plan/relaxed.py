"""The relaxed problem: what would be best for all if nobody had to be paid."""

from __future__ import annotations

import numpy as np

from hubwise.dispatch import (
    Baseline,
    Dispatch,
    Limits,
    Problem,
    best_dispatch,
    feeder_limits,
    make_baseline,
    make_problem,
    rounds_where_large,
)
from hubwise.domain import Situation
from hubwise.domain.arrays import Array

# Rounds of the relaxed problem, before and after the feeder is linearised where it leads.
ROUNDS = (30, 12)
# Further rounds for the bound: it then stands within a hundredth of a per cent of where it ends
# (docs/benchmarks.md).
BOUND_ROUNDS = 15


def relax(situation: Situation) -> tuple[Problem, Dispatch]:
    """The relaxed problem of a situation and its answer, near enough for a bound.

    The feeder is linear where the relaxed answer leads. `hubwise.pricing.profit_bound` makes a
    bound of both, for any saving promise: the answer does not depend on it.
    """
    baseline = make_baseline(situation)
    _, relaxed = relaxed_problem(situation, baseline)
    return relaxed_for_bound(situation, baseline, relaxed.hub_kw, relaxed)


def relaxed_problem(situation: Situation, baseline: Baseline) -> tuple[Problem, Dispatch]:
    """The relaxed problem, with the feeder linearised where its answer leads."""
    limits, relaxed = baseline.limits, None
    for rounds in ROUNDS:
        problem = linear_problem(situation, baseline, limits)
        relaxed = best_dispatch(
            problem, None, rounds=rounds, warm=None if relaxed is None else relaxed.warm()
        )
        limits = feeder_limits(situation.feeder, situation.hubs.bus, relaxed.hub_kw)
    assert relaxed is not None
    return linear_problem(situation, baseline, limits), relaxed


def relaxed_for_bound(
    situation: Situation, baseline: Baseline, hub_kw: Array, relaxed: Dispatch
) -> tuple[Problem, Dispatch]:
    """The relaxed problem, near enough for a bound, with the feeder linearised at ``hub_kw``.

    Linearised at a plan, that plan is one of its schedules. ``relaxed`` is gone on from, where it
    has the same participants; its multipliers serve at any rate.
    """
    limits = feeder_limits(situation.feeder, situation.hubs.bus, hub_kw)
    problem = linear_problem(situation, baseline, limits)
    if np.array_equal(problem.fleet.session, relaxed.session):
        warm, rounds = relaxed.warm(), BOUND_ROUNDS
    else:
        warm, rounds = relaxed.warm().near(), ROUNDS[0]
    rounds = rounds_where_large(problem, rounds)
    return problem, best_dispatch(problem, None, rounds=rounds, warm=warm, flat=False)


def linear_problem(situation: Situation, baseline: Baseline, limits: Limits) -> Problem:
    """The dispatch problem with the promises of the day and the feeder as ``limits`` has it."""
    return make_problem(situation, limits, everybody=baseline.schedule, span_kw=baseline.span_kw)
