"""Zero-regret dispatch: seconds a round, and how fast its gap closes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from statistics import median

import numpy as np

from benchmarks.figure import Figure
from benchmarks.race import SHARE, course
from benchmarks.reference import planned
from benchmarks.timing import in_turn
from hubwise.dispatch import dispatch
from hubwise.drivers import best_response, schedule_cost
from hubwise.pricing import level_prices, value_of

ROUNDS = (5, 10, 20, 40)
# Tariffs around the one that is posted: how many, and how far their prices lie off [currency/kWh].
AROUND, OFF = 8, 0.02


def bench(quick: bool) -> Iterator[Figure]:
    """At the prices that the plan posts."""
    repeats = 3 if quick else 9
    problem, relaxed = course().problem, course().relaxed
    tariff = planned(SHARE).tariff
    once = partial(dispatch, problem, tariff, warm=relaxed.warm().near())
    how = (
        f"hubwise.dispatch of ieee33 at {SHARE:g}: {len(problem.fleet):,} drivers and six station "
        "batteries at the posted prices, multipliers begun at the relaxed problem's"
    )
    few, many = in_turn(
        partial(once, rounds=ROUNDS[0]), partial(once, rounds=ROUNDS[-1]), repeats=repeats
    )
    a_round = (many - few) / (ROUNDS[-1] - ROUNDS[0])
    said = (
        f"{how}; seconds of one core for {ROUNDS[-1]} rounds less those for {ROUNDS[0]} "
        f"({1e3 * few:.0f} ms), a round; medians of {repeats}"
    )
    yield Figure("dispatch, one round", 1e3 * a_round, "ms", said)
    profit = planned(SHARE).account.profit
    for rounds in ROUNDS:
        answer = once(rounds=rounds)
        said = f"{how}; duality gap of the last round over the plan's profit ({profit:,.0f})"
        name = f"dispatch, gap after {rounds} rounds, of the profit"
        yield Figure(name, 100 * answer.gap / profit, "%", said)
    yield from _fidelity(how)
    horizon = problem.situation.horizon
    least = best_response(problem.fleet, tariff, horizon)[1]
    regret = schedule_cost(problem.fleet, tariff, answer.schedule, horizon) - least
    said = f"{how}; a driver's cost of the dispatched schedule less its best response's"
    name = f"dispatch, largest regret after {ROUNDS[-1]} rounds"
    currency = problem.situation.market.currency
    yield Figure(name, float(regret.max()), currency, said, ("at most", 1e-6))


def _fidelity(how: str) -> Iterator[Figure]:
    """What five rounds say of a tariff against what eighty do, among tariffs near the posted."""
    track = course()
    problem, family = track.problem, track.family
    posted = family.posted(planned(SHARE).tariff)
    draw = np.random.default_rng(ROUNDS[0]).standard_normal((AROUND, *posted.shape))
    said, bare = [], []
    for step in draw:
        tariff = family.tariff(level_prices(problem, family, posted + OFF * step))
        few, many = (
            value_of(problem, tariff, rounds=rounds, warm=track.relaxed.warm().near())
            for rounds in (ROUNDS[0], 2 * ROUNDS[-1])
        )
        said.append(abs(few.merit / many.merit - 1.0))
        bare.append(abs(few.account.profit / many.merit - 1.0))
    told = f"{how}; {AROUND} tariffs around it, {ROUNDS[0]} rounds against {2 * ROUNDS[-1]}, median"
    name = f"value of a tariff after {ROUNDS[0]} rounds, off its end"
    yield Figure(name, 100 * median(said), "%", f"{told}; excess at the limits' prices")
    yield Figure(f"{name}, bare profit", 100 * median(bare), "%", told)
