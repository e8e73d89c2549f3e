"""Long searches for the best that is known of the drawn hubs: ``python -m benchmarks.hubs_best``.

Every method, from several seeds, and a plain random search about the best tariff. What beats the
best known, once evaluated as posted under AC, takes its place in ``benchmarks/data``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np
from numpy.random import Generator

from benchmarks.hub_plans import (
    Best,
    all_known,
    at_tariff,
    best_of_plan,
    family_of,
    keep,
    prices_of,
    reference,
    scale_of,
)
from benchmarks.hubs import HUBS, hub, traits
from hubwise.dispatch import Problem, is_small, make_baseline
from hubwise.domain import Scenario, TariffFamily
from hubwise.domain.arrays import Array
from hubwise.plan import Plan, make_plan
from hubwise.plan.participation import willing
from hubwise.plan.relaxed import relaxed_problem
from hubwise.pricing import Family, UnsolvedError, cost_ceiling, level_prices, value_of
from hubwise.pricing.value import Value
from hubwise.scenario import ScenarioError

# A promise is kept where it is passed by no more than this share.
KEPT = 1e-9
# A worse tariff is gone on from at first with a loss of this share, at last none.
ANNEALED = 0.02
METHODS_TRIED = ("auto", "evolution", "annealing", "surrogate", "exact")
# Tariffs that a long search tries, on small hubs and on large ones; together so many sessions.
MOST, FEWEST, EFFORT = 4000, 400, 200_000


@dataclass
class Hunt:
    """The best of one hub so far."""

    number: int
    scenario: Scenario
    best: Best | None
    scale: float = 1.0

    def offer(self, plan: Plan, method: str) -> bool:
        """Take a plan's tariff where it is better; evaluated anew as posted, whoever found it."""
        assert plan.tariff is not None
        found = best_of_plan(self.scenario, at_tariff(self.scenario, plan.tariff), method)
        self.scale = scale_of(plan, found.profit)
        better = found.beats(self.best, self.scale)
        if better:
            before = "nothing" if self.best is None else f"{self.best.profit:.4f}"
            held = "" if found.kept else ", not all kept"
            print(f"hub {self.number}: {found.profit:.4f}{held} by {method}, after {before}")
            self.best = found
        return better


def hunt(number: int, how: Effort, before: Best | None) -> Best | None:
    """The best of a hub that every method finds."""
    scenario = hub(number)
    looked = Hunt(number, scenario, before)
    looked.offer(at_tariff(scenario, reference(scenario)), "reference tariff")
    for method, plan in _plans(scenario, how):
        looked.offer(plan, method)
    for seed in range(how.seeds):
        about(looked, how.seconds / how.seeds, seed)
    return looked.best


@dataclass(frozen=True, slots=True)
class Effort:
    """How long is searched.

    Parameters
    ----------
    methods
        Which methods.
    seeds
        How many of ``auto``, and of random searches.
    seconds
        Of random search, all seeds together.
    share
        Of the tariffs that a long search tries.
    """

    methods: tuple[str, ...]
    seeds: int
    seconds: float
    share: float


def _plans(scenario: Scenario, effort: Effort) -> Iterator[tuple[str, Plan]]:
    """Plans of every method and seed; those that a hub is not suited to are left out."""
    rules, search = scenario.situation.rules, scenario.search
    names = list(TariffFamily)
    for name in names[: names.index(rules.family)]:
        yield str(name), make_plan(scenario.having(rules=replace(rules, family=name)))
    cars = len(scenario.situation.fleet)
    long = round(effort.share * min(max(EFFORT // cars, FEWEST), MOST))
    ways = [
        (method, seed)
        for method in effort.methods
        for seed in range(1, 1 + (effort.seeds if method == "auto" else 1))
    ]
    for method, seed in ways:
        how = replace(search, method=method, seed=seed, evaluations=long, boxes=0)
        try:
            yield f"{method}, seed {seed}", make_plan(scenario.having(search=how))
        except (ScenarioError, UnsolvedError):
            continue


def about(looked: Hunt, seconds: float, seed: int) -> None:
    """A plain random search about the best tariff: prices at breakpoints, swaps, shifts.

    What is valued is the dispatch's own worth, exact on small hubs; what looks better is evaluated
    as posted.
    """
    scenario = looked.scenario
    if looked.best is None:
        return
    baseline = make_baseline(scenario.situation)
    prices = prices_of(scenario, looked.best.ticks)
    family = family_of(scenario)
    asked = scenario.situation.fleet.participating
    ready = willing(scenario.situation, family.tariff(prices), asked)
    problem, relaxed = relaxed_problem(ready, baseline)
    rng, began = np.random.default_rng(seed), perf_counter()
    warm, rounds = relaxed.warm().near(), 1 if is_small(problem) else 40

    def valued(each: Array) -> tuple[bool, float]:
        value = value_of(problem, family.tariff(each), rounds=rounds, warm=warm)
        return _rank(problem, value)

    best = here = valued(prices)
    at = prices
    while (spent := perf_counter() - began) < seconds:
        trial = family.project(moved(family, problem, at, rng))
        if rng.random() < 0.3:
            trial = level_prices(problem, family, trial)
        worth = valued(trial)
        heat = ANNEALED * looked.scale * (1.0 - spent / seconds) * rng.random()
        if worth[0] >= here[0] and worth[1] > here[1] - heat:
            at, here = trial, worth
        if worth > (best[0], best[1] + 1e-5 * looked.scale):
            best = worth
            looked.offer(at_tariff(scenario, family.tariff(trial)), f"about it, seed {seed}")


def _rank(problem: Problem, value: Value) -> tuple[bool, float]:
    ceiling = cost_ceiling(problem)
    kept = value.broken_kw <= 0.0 and value.participant_cost <= ceiling + KEPT * abs(ceiling)
    return kept, value.merit


def moved(family: Family, problem: Problem, prices: Array, rng: Generator) -> Array:
    """A price vector beside another: where some driver's answer changes, swapped, or shifted."""
    prices, fleet = prices.copy(), problem.fleet
    tick, groups = 10.0**-family.decimals, family.groups
    for _ in range(1 + int(rng.integers(0, 3))):
        kind, here, other = (
            int(rng.integers(2)),
            int(rng.integers(groups)),
            int(rng.integers(groups)),
        )
        match int(rng.integers(6)):
            case 0:
                prices[kind, here] = prices[kind, other] + tick * rng.integers(-1, 2)
            case 1 if len(fleet):
                who = int(rng.integers(len(fleet)))
                into, out = fleet.charge_efficiency[who], fleet.discharge_efficiency[who]
                wear = fleet.wear_cost[who] * into
                price = prices[1 - kind, other]
                at = (price + wear) / (into * out) if kind else price * into * out - wear
                prices[kind, here] = at + tick * rng.integers(-1, 2)
            case 2:
                prices[:, [here, other]] = prices[:, [other, here]]
            case 3:
                some = rng.random(groups) < rng.uniform(0.05, 0.6)
                prices[kind, some] += rng.normal(0.0, 0.03)
            case 4:
                prices[kind, here] = rng.uniform(family.low[kind, here], family.high[kind, here])
            case _:
                prices[kind, here] += tick * rng.integers(-20, 21)
    return prices


def main() -> None:
    """Search long for the best of all hubs, or of those that are named, and keep what is better."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.hubs_best", description=main.__doc__
    )
    parser.add_argument("number", type=int, nargs="*", default=range(HUBS))
    parser.add_argument("--seconds", type=float, default=60.0, help="of random search, a hub")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--share", type=float, default=1.0, help="of the tariffs that are tried")
    parser.add_argument("--method", action="append", choices=METHODS_TRIED, help="default: all")
    options = parser.parse_args()
    for number in options.number:
        print(f"hub {number}: {traits(number).words}", flush=True)
        effort = Effort(
            tuple(options.method or METHODS_TRIED), options.seeds, options.seconds, options.share
        )
        found = hunt(number, effort, all_known().get(number))
        if found is not None:
            # Read again: another process may have found something meanwhile.
            keep({**all_known(), number: found})


if __name__ == "__main__":
    main()
