"""Zero-regret dispatch: seconds a round, and how fast its gap closes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from benchmarks.figure import Figure
from benchmarks.race import SHARE, course
from benchmarks.reference import planned
from benchmarks.timing import in_turn
from hubwise.dispatch import dispatch
from hubwise.drivers import best_response, schedule_cost

ROUNDS = (5, 10, 20, 40)


def bench(quick: bool) -> Iterator[Figure]:
    """At the prices that the plan posts."""
    repeats = 3 if quick else 9
    problem, relaxed = course().problem, course().relaxed
    tariff = planned(SHARE).tariff
    once = partial(dispatch, problem, tariff, start=relaxed.multipliers)
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
    horizon = problem.scenario.horizon
    least = best_response(problem.fleet, tariff, horizon)[1]
    regret = schedule_cost(problem.fleet, tariff, answer.schedule, horizon) - least
    said = f"{how}; a driver's cost of the dispatched schedule less its best response's"
    name = f"dispatch, largest regret after {ROUNDS[-1]} rounds"
    currency = problem.scenario.currency
    yield Figure(name, float(regret.max()), currency, said, ("at most", 1e-6))
