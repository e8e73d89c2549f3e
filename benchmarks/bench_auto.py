"""A plan by ``auto``: seconds, and how near it comes to the best of ten minutes of any method."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from statistics import median

from benchmarks.figure import Figure
from benchmarks.reference import ieee33
from benchmarks.timing import WALL, seconds
from hubwise.domain import Scenario
from hubwise.plan import Plan, make_plan
from hubwise.pricing import METHODS
from hubwise.scenario import with_participation

SHARE = 0.8
LONG_S, QUICK_S = 600.0, 20.0
# Methods that take few classes of identical drivers, not a real fleet; `--only exact` has them.
FEW_CLASSES = ("exact",)
# From these two the time of an evaluation is taken.
FEW, MORE = 20, 60


def bench(quick: bool) -> Iterator[Figure]:
    """``hubwise.make_plan`` in a process that has planned before."""
    scenario = with_participation(ieee33(), SHARE)
    made = make_plan(scenario)
    repeats = 1 if quick else 5
    spent = median(seconds(partial(make_plan, scenario), WALL) for _ in range(repeats))
    how = (
        f"hubwise.make_plan of ieee33 at {SHARE:g}, method auto, {made.result.search.evaluations} "
        "tariffs: prices, dispatch, AC check, bound, bills; start of Python and compiling not "
        f"counted (`--only plan` counts them), wall clock, median of {repeats}"
    )
    yield Figure("plan of ieee33, method auto", spent, "s", how, ("at most", 5))
    budget = QUICK_S if quick else LONG_S
    found = {name: _long(scenario, name, budget) for name in METHODS if name not in FEW_CLASSES}
    kept = {name: one.account.profit for name, one in found.items() if not one.result.advice}
    each = ", ".join(f"{name} {profit:,.1f}" for name, profit in kept.items())
    best = max([*kept.values(), made.account.profit])
    how = (
        f"operator_profit of the plan above below the best of all methods, given as many tariffs "
        f"as take {budget:g} s (they may end sooner), promises and limits kept: {each} "
        f"{scenario.situation.market.currency}; auto {made.account.profit:,.1f}"
    )
    name = f"plan of ieee33, method auto: below the best of {budget / 60:.2g} minutes"
    yield Figure(name, 100 * (1 - made.account.profit / best), "%", how, ("at most", 0.5))


def _long(scenario: Scenario, method: str, budget: float) -> Plan:
    """The plan of a method with as many evaluations as fill the time."""

    def given(evaluations: int) -> Scenario:
        return replace(scenario, search=replace(scenario.search, evaluations=evaluations))

    few, more = (
        seconds(partial(make_plan, given(count), method=method), WALL) for count in (FEW, MORE)
    )
    an_evaluation = max((more - few) / (MORE - FEW), 1e-3)
    return make_plan(given(max(MORE, int(budget / an_evaluation))), method=method)
