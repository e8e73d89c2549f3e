"""A hunt for bounds that some lawful tariff passes: ``python -m bounds_hunt --pairs 10000``.

Random small scenarios with every option; on each the bounds that a plan would print, and many
lawful tariffs, evaluated exactly: who takes part, every cheapest schedule, stations and limits as
one linear program. What keeps all promises and limits may not bring more than a bound says.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from time import perf_counter

import numba
import numpy as np
from numpy.random import Generator

from benchmarks.hubs import hub
from builders import (
    fleet_of,
    inside_slots,
    small_situation,
    with_circuits,
    with_periods,
    with_slot_bounds,
)
from hubwise.dispatch import Baseline, Limits, Problem, dispatch_linear, feeder_limits
from hubwise.dispatch.baseline import make_baseline
from hubwise.dispatch.program import UnsolvedError
from hubwise.domain import (
    Search,
    Situation,
    SoFar,
    Tariff,
    TariffFamily,
    Term,
    Terms,
)
from hubwise.domain.arrays import Array
from hubwise.plan.bilevel import at_tariff
from hubwise.plan.participation import family_of_all, willing
from hubwise.plan.relaxed import linear_problem
from hubwise.pricing import Family, account_of, cost_ceiling, level_prices
from hubwise.scenario import check_openings, with_standby

# Tariffs a scenario; how many plans' bounds are looked at, and how many of the best tariffs are
# judged by all of them.
TARIFFS, PLANS, BEST = 48, 3, 4
# A bound is passed where a profit is higher by more than this, as a share of one more than either.
TOLERANCE = 1e-6
# A limit is kept within this [kW]: the programs' own tolerance, summed.
KEPT_KW, KEPT = 1e-6, 1e-9
BOXES = 40


@dataclass(frozen=True, slots=True)
class Passed:
    """A bound that a lawful tariff passes.

    Parameters
    ----------
    seed
        Of the scenario.
    bound
        ``any tariff`` or ``family``.
    said, profit
        What the bound says, and what the tariff brings [currency].
    words
        The scenario's options.
    prices
        Of the tariff; shape (2, groups).
    """

    seed: int
    bound: str
    said: float
    profit: float
    words: str
    prices: Array

    def __str__(self) -> str:
        over = self.profit - self.said
        return (
            f"seed {self.seed}, {self.bound}: {self.said:.6f} passed by {over:.2g} "
            f"({self.profit:.6f}); {self.words}"
        )


@dataclass
class Found:
    """What a hunt has found."""

    scenarios: int = 0
    pairs: int = 0
    keeping: int = 0
    boxed: int = 0
    passed: list[Passed] = field(default_factory=list)


def hunt(seeds: Sequence[int], tariffs: int = TARIFFS) -> Found:
    """Bounds passed by lawful tariffs on the scenarios of ``seeds``."""
    found, threads = Found(), numba.get_num_threads()
    numba.set_num_threads(1)  # such small fleets wait for threads longer than they are at work
    try:
        for seed in seeds:
            _hunt_one(seed, tariffs, found)
    finally:
        numba.set_num_threads(threads)
    return found


def _hunt_one(seed: int, tariffs: int, found: Found, without: Sequence[str] = ()) -> None:
    rng = np.random.default_rng([seed, 1])
    made = draw(seed)
    if made is None or any(word in made[1] for word in without):
        return
    situation, words = made
    asked, baseline = situation.fleet.participating, make_baseline(situation)
    family = family_of_all(situation, asked)
    found.scenarios += 1
    kept: list[tuple[float, Array]] = []
    judges: list[_Judge] = []

    def tried(judge: _Judge, prices: Array) -> None:
        found.pairs += 1
        profit = judge.profit(family.tariff(prices))
        if profit is None:
            return
        found.keeping += 1
        kept.append((profit, prices))
        found.passed += [
            Passed(seed, name, said, profit, words, prices)
            for name, said in judge.bounds
            if profit > said + TOLERANCE * (1.0 + abs(said) + abs(profit))
        ]

    def best() -> list[Array]:
        order = sorted(range(len(kept)), key=lambda k: -kept[k][0])
        return [kept[k][1] for k in order[:BEST]]

    # The bounds of plans at the dearest tariff, where fewest take part, at any, and at the best
    # that is found meanwhile; the best are judged by all of them.
    each = max((tariffs - PLANS * BEST) // PLANS, 1)
    for k in range(PLANS):
        drawn = family.project(_any_prices(family, rng))
        planned = dearest(family) if k == 0 else best()[0] if k > 1 and kept else drawn
        judges.append(_Judge.of(situation, baseline, family.tariff(planned)))
        for prices in _fresh(family, rng, each // 2):
            tried(judges[-1], prices)
        for number in range(each - each // 2):
            near = family.project(_beside(best()[0] if kept else drawn, rng))
            levelled = level_prices(judges[-1].problem, family, near) if number % 2 else near
            tried(judges[-1], levelled)
    for judge in judges:
        for prices in best():
            tried(judge, prices)
    found.boxed += judges[-1].boxed


@dataclass(frozen=True, slots=True)
class _Judge:
    """What a plan prints, and what other tariffs bring on the feeder that it is linear at."""

    situation: Situation
    baseline: Baseline
    limits: Limits
    problem: Problem
    bounds: tuple[tuple[str, float], ...]
    boxed: bool

    @classmethod
    def of(cls, situation: Situation, baseline: Baseline, tariff: Tariff) -> _Judge:
        made = at_tariff(situation, baseline, Search(boxes=BOXES), tariff)
        limits = feeder_limits(situation.feeder, situation.hubs.bus, made.dispatch.hub_kw)
        bounds = ("any tariff", made.profit_bound), ("family", made.family_bound.profit)
        problem = linear_problem(situation, baseline, limits)
        return cls(situation, baseline, limits, problem, bounds, made.family_bound.boxes > 0)

    def profit(self, tariff: Tariff) -> float | None:
        """What a tariff brings; nothing where it does not keep all promises and limits."""
        asked = self.situation.fleet.participating
        ready = willing(self.situation, tariff, asked)
        problem = linear_problem(ready, self.baseline, self.limits)
        try:
            answer = dispatch_linear(problem, tariff, flat=False)
        except UnsolvedError:
            return None
        account, cost = account_of(problem, tariff, answer.schedule, answer.stations)
        ceiling = cost_ceiling(problem)
        line_kw = problem.line_kw(answer.schedule, answer.stations)
        kept = cost <= ceiling + KEPT * (1.0 + abs(ceiling))
        kept = kept and _kept(problem, answer.hub_kw, line_kw)
        return account.profit if kept else None


def _kept(problem: Problem, hub_kw: Array, line_kw: Array) -> bool:
    """Whether all limits and the peak-valley promise are kept."""
    span = problem.situation.so_far.span_kw(problem.limits.head(hub_kw))
    over = (
        problem.limits.rows(hub_kw) - problem.limits.upper,
        hub_kw - problem.import_limit_kw[:, None],
        -hub_kw - problem.export_limit_kw[:, None],
        np.array(span - problem.span_kw),
        np.abs(line_kw) - problem.lines.limit_kw[:, None],
    )
    return all((kw <= KEPT_KW).all() for kw in over)


def _fresh(family: Family, rng: Generator, count: int) -> Iterator[Array]:
    """Lawful prices: dearest, cheapest, and drawn."""
    yield dearest(family)
    yield family.project(np.stack([family.low[0], family.high[1]]))
    for _ in range(count - 2):
        yield family.project(_any_prices(family, rng))


def dearest(family: Family) -> Array:
    """Nothing costs more, and nothing is paid for what is drawn."""
    return family.project(np.stack([family.high[0], family.low[1]]))


def _any_prices(family: Family, rng: Generator) -> Array:
    low, high = np.maximum(family.low, -2.0), np.minimum(family.high, 2.0)
    share = rng.beta(*rng.choice([0.4, 1.0, 2.0], 2), low.shape)
    few = rng.random(low.shape) < rng.choice([0.0, 0.5])
    return np.where(few, rng.choice([low, high]), low + share * (high - low))


def _beside(prices: Array, rng: Generator) -> Array:
    """Some prices moved, or made alike."""
    moved = prices.copy()
    some = rng.random(prices.shape) < rng.uniform(0.1, 0.9)
    if rng.random() < 0.3:
        moved[some] = np.resize(rng.permutation(prices.ravel()), prices.shape)[some]
    else:
        spread = rng.choice([0.003, 0.03, 0.15])
        moved[some] += rng.normal(0.0, spread, prices.shape)[some]
    return moved


def draw(seed: int) -> tuple[Situation, str] | None:
    """A small scenario with options drawn at random, and these in words; None where no tariff is
    lawful in it."""
    rng = np.random.default_rng([seed, 0])
    if seed % 2:
        scenario = hub(seed, cars=int(rng.integers(2, 7)))
        return _checked(scenario.situation, f"drawn hub: {scenario.notes[0]}")
    slots, sessions = int(rng.choice([8, 12, 24])), int(rng.integers(2, 7))
    situation = small_situation(
        seed,
        sessions=sessions,
        hubs=int(rng.integers(1, 3)),
        slots=slots,
        station=bool(rng.random() < 0.4),
        solar=bool(rng.random() < 0.4),
    )
    words = []
    for option in OPTIONS:
        if rng.random() < 0.3:
            situation = option(situation, rng)
            words.append(option.__name__.strip("_"))
    family = str(rng.choice(list(TariffFamily), p=[0.3, 0.4, 0.15, 0.15]))
    per_hub = bool(rng.random() < 0.3)
    rules = replace(situation.rules, family=TariffFamily(family), per_hub=per_hub)
    return _checked(replace(situation, rules=rules), ", ".join([family, *words]))


def _checked(situation: Situation, words: str) -> tuple[Situation, str] | None:
    if check_openings(situation):
        return None
    try:
        family_of_all(situation, situation.fleet.participating)
    except ValueError:
        return None
    return situation, words


def _surplus(situation: Situation, rng: Generator) -> Situation:
    values = rng.choice([0.0, 0.05, 0.3, 0.8], len(situation.fleet))
    return replace(situation, fleet=replace(situation.fleet, surplus_value=values))


def _minimum_saving(situation: Situation, rng: Generator) -> Situation:
    asked = rng.choice([0.0, 0.2, 1.0, 4.0], len(situation.fleet))
    return replace(situation, fleet=replace(situation.fleet, minimum_saving=asked))


def _some_decline(situation: Situation, rng: Generator) -> Situation:
    joined = rng.random(len(situation.fleet)) < 0.6
    return replace(situation, fleet=situation.fleet.with_participating(joined))


def _slot_bounds(situation: Situation, rng: Generator) -> Situation:
    fleet = with_slot_bounds(situation.fleet, situation.horizon.slots, rng)
    # A battery that must be emptied may not be limited in what is drawn.
    free = np.full(len(fleet), np.inf)
    return replace(situation, fleet=replace(fleet, discharge_limit_kwh=free))


def _saving(situation: Situation, rng: Generator) -> Situation:
    saving = float(rng.choice([0.6, 0.8, 0.95, 1.0, 1.1]))
    return replace(situation, promises=replace(situation.promises, saving=saving))


def _peak_valley(situation: Situation, rng: Generator) -> Situation:
    share = float(rng.choice([0.7, 0.9, 1.0]))
    return replace(situation, promises=replace(situation.promises, peak_valley=share))


def _demand_charge(situation: Situation, rng: Generator) -> Situation:
    market = replace(situation.market, demand_charge=float(rng.uniform(0.05, 1.5)))
    return replace(situation, market=with_periods(market, situation.horizon.slots, rng))


def _fuse(situation: Situation, rng: Generator) -> Situation:
    limit = rng.uniform(8.0, 30.0, len(situation.hubs))
    return replace(
        situation, hubs=replace(situation.hubs, import_limit_kw=limit, export_limit_kw=0.5 * limit)
    )


def _transformer(situation: Situation, rng: Generator) -> Situation:
    base = float(situation.feeder.base_kw.sum(axis=0).max())
    kva = 1.2 * base + rng.uniform(5.0, 40.0)
    return replace(situation, feeder=replace(situation.feeder, transformer_kva=kva))


def _feed_in(situation: Situation, rng: Generator) -> Situation:
    price = situation.market.purchase_price - rng.uniform(0.0, 0.4)
    return replace(situation, market=replace(situation.market, feed_in_price=price))


def _negative_prices(situation: Situation, rng: Generator) -> Situation:
    """Purchase prices below nothing in some slots, and posted ones may follow."""
    market, rules = situation.market, situation.rules
    price = market.purchase_price - np.where(rng.random(situation.horizon.slots) < 0.3, 0.7, 0.0)
    feed_in = np.minimum(market.feed_in_price, price)
    low = np.full_like(price, -1.0)
    return replace(
        situation,
        market=replace(
            market, purchase_price=price, feed_in_price=feed_in, reference_price=price + 0.3
        ),
        rules=replace(
            rules,
            charge_price_min=low,
            charge_price_max=price + 0.3,
            discharge_price_min=1.4 * low,
        ),
    )


def _rules(situation: Situation, rng: Generator) -> Situation:
    """Other bounds, ticks and an average cap."""
    rules = situation.rules
    return replace(
        situation,
        rules=replace(
            rules,
            decimals=int(rng.choice([1, 2, 4])),
            average_cap=float(rng.choice([np.inf, 0.4, 0.6])),
            discharge_price_max=np.full_like(rules.charge_price_max, rng.choice([0.3, 0.8, 2.0])),
        ),
    )


def _terms(situation: Situation, rng: Generator) -> Situation:
    """Two programs for two groups: money per kWh to drivers and operator, and lump sums."""
    slots, parts = situation.horizon.slots, list(situation.terms.parts[:0])
    for name in ("program", "contract")[: int(rng.integers(1, 3))]:
        worth = {
            key: rng.choice([0.0, rng.uniform(-0.05, scale)]) * (rng.random((2, slots)) < 0.5)
            for key, scale in (
                ("charge_to_driver", 0.08),
                ("discharge_to_driver", 0.08),
                ("charge_to_operator", 0.1),
                ("discharge_to_operator", 0.4),
            )
        }
        lumps = {
            key: rng.uniform(0.0, 1.0, 2) * (rng.random() < 0.5)
            for key in ("lump_to_driver", "lump_to_operator")
        }
        parts.append(Term.of(name, 2, slots, **worth, **lumps))
    group = rng.integers(0, 2, len(situation.fleet))
    fleet = replace(situation.fleet, group=group)
    return replace(situation, fleet=fleet, terms=Terms(tuple(parts)))


def _incentive(situation: Situation, rng: Generator) -> Situation:
    paid = np.where(rng.random(situation.horizon.slots) < 0.4, rng.uniform(0.1, 1.0), 0.0)
    return replace(situation, terms=Terms.on_discharge("incentives", paid))


def _accepted(situation: Situation, rng: Generator) -> Situation:
    """Some sessions keep a list that they were offered before."""
    slots, hubs = situation.horizon.slots, len(situation.hubs)
    charge = rng.uniform(0.1, 0.6, (1, slots))
    keeps = rng.random(len(situation.fleet)) < 0.4
    fleet = situation.fleet.offered(np.where(keeps, hubs, situation.fleet.hub))
    return replace(situation, fleet=fleet, accepted=Tariff(charge, 0.5 * charge.min() + 0 * charge))


def _so_far(situation: Situation, rng: Generator) -> Situation:
    valley = float(rng.uniform(10.0, 60.0))
    spans = rng.uniform(5.0, 60.0, 2)
    past = SoFar(
        paid=float(rng.uniform(0.0, 20.0)),
        reference_cost=float(rng.uniform(0.0, 25.0)),
        head_peak_kw=valley + spans[0],
        head_valley_kw=valley,
        baseline_peak_kw=valley + spans[1],
        baseline_valley_kw=valley,
        import_peak_kw=rng.uniform(0.0, 20.0, len(situation.hubs)),
    )
    return replace(situation, so_far=past)


def _station_ends(situation: Situation, rng: Generator) -> Situation:
    hubs = situation.hubs
    final = rng.uniform(0.0, 1.0, len(hubs)) * hubs.battery_kwh
    worth = rng.uniform(0.0, 0.6, len(hubs))
    return replace(situation, hubs=replace(hubs, battery_final_kwh=final, battery_end_value=worth))


def _alike(situation: Situation, rng: Generator) -> Situation:
    """A fleet of the same cars: every price is a tie of all."""
    size, slots = len(situation.fleet), situation.horizon.slots
    fleet = fleet_of(size, slots, wear_cost=float(rng.choice([0.0, 0.05])))
    hub_of = rng.integers(0, len(situation.hubs), size)
    return replace(situation, fleet=replace(fleet, hub=hub_of))


def _minutes(situation: Situation, rng: Generator) -> Situation:
    """Most stays begin and end inside slots."""
    return replace(situation, fleet=inside_slots(situation.fleet, rng))


def _standby(situation: Situation, rng: Generator) -> Situation:
    """Two-way chargers draw while they are awake."""
    drawn = rng.choice([0.0, 0.02, 0.2], len(situation.fleet))
    return with_standby(replace(situation, fleet=replace(situation.fleet, standby_kw=drawn)))


def _circuits(situation: Situation, rng: Generator) -> Situation:
    """Circuits under one another and limits by phase, with one-way and two-way chargers."""
    made = with_circuits(situation, int(rng.integers(1 << 30)), phases=bool(rng.random() < 0.6))
    back = np.where(rng.random(len(made.fleet)) < 0.6, situation.fleet.discharge_kw_max, 0.0)
    return replace(made, fleet=replace(made.fleet, discharge_kw_max=back))


OPTIONS = (
    _alike, _surplus, _minimum_saving, _some_decline, _slot_bounds, _saving, _peak_valley,
    _demand_charge, _fuse, _transformer, _feed_in, _negative_prices, _rules, _incentive, _terms,
    _accepted, _so_far, _station_ends, _minutes, _circuits, _standby,
)  # fmt: skip


def main() -> int:
    """Hunt, say what was found, and return 1 where a bound is passed."""
    parser = argparse.ArgumentParser(prog="python -m bounds_hunt", description=main.__doc__)
    parser.add_argument("--pairs", type=int, default=10_000)
    parser.add_argument("--tariffs", type=int, default=TARIFFS, help="a scenario")
    parser.add_argument("--seed", type=int, default=0, help="of the first scenario")
    parser.add_argument("--without", action="append", default=[], help="skip those so described")
    options = parser.parse_args()
    found, seed, began = Found(), options.seed, perf_counter()
    told = 0
    numba.set_num_threads(1)
    while found.pairs < options.pairs:
        _hunt_one(seed, options.tariffs, found, options.without)
        seed += 1
        for one in worst(found.passed[told:]):
            print(one, flush=True)
        told = len(found.passed)
    seeds = sorted({one.seed for one in found.passed})
    print(
        f"{found.pairs} pairs of {found.scenarios} scenarios, {found.keeping} keep all, bounds of "
        f"{found.boxed} families; {perf_counter() - began:.0f} s; passed in {len(seeds)} scenarios"
    )
    return 1 if seeds else 0


def worst(passed: Sequence[Passed]) -> list[Passed]:
    """Of every scenario and bound the tariff that passes it by most."""
    most: dict[tuple[int, str], Passed] = {}
    for one in sorted(passed, key=lambda one: one.profit - one.said):
        most[one.seed, one.bound] = one
    return list(most.values())


if __name__ == "__main__":
    sys.exit(main())
