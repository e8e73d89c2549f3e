"""A drawn hub planned, and what is best known of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import numpy as np

from benchmarks.hubs import traits
from hubwise.domain import Scenario, Tariff
from hubwise.domain.arrays import Array
from hubwise.plan import Plan, make_plan
from hubwise.pricing import Family, make_family
from hubwise.scenario import fingerprint

PLACE = Path(__file__).parent / "data" / "hubs_best.json"
# Profits nearer than this share of the scale are the same.
SAME = 1e-5


@dataclass(frozen=True, slots=True)
class Best:
    """The best tariff that is known of a hub.

    Parameters
    ----------
    scenario
        Fingerprint of the scenario that it is of.
    profit
        What it brings [EUR].
    kept
        Whether all promises and limits are kept.
    ticks
        Charge prices, then discharge prices, of the family's groups, in ticks.
    method
        What found it.
    """

    scenario: str
    profit: float
    kept: bool
    ticks: tuple[tuple[int, ...], tuple[int, ...]]
    method: str

    def beats(self, other: Best | None, scale: float) -> bool:
        """Whether it is better: what keeps all promises comes first, then what brings more."""
        if other is None or other.scenario != self.scenario:
            return True
        if self.kept != other.kept:
            return self.kept
        return self.profit > other.profit + SAME * scale


def all_known() -> dict[int, Best]:
    """The best that is known, by number of the hub."""
    if not PLACE.exists():
        return {}
    rows: Mapping[str, Any] = json.loads(PLACE.read_text(encoding="utf-8"))
    return {
        int(number): Best(**{**row, "ticks": tuple(tuple(side) for side in row["ticks"])})
        for number, row in rows.items()
    }


def keep(found: Mapping[int, Best]) -> None:
    """Write what is best known: one line a hub."""
    rows = (f'"{number}": {json.dumps(asdict(found[number]))}' for number in sorted(found))
    PLACE.parent.mkdir(exist_ok=True)
    PLACE.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")


def family_of(scenario: Scenario) -> Family:
    """The tariff family in which a hub's prices are posted."""
    return make_family(scenario.situation)


def in_ticks(scenario: Scenario, tariff: Tariff) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Posted prices as whole numbers of the last decimal."""
    family = family_of(scenario)
    charge, discharge = np.round(family.posted(tariff) * 10.0**family.decimals).astype(int)
    return tuple(charge.tolist()), tuple(discharge.tolist())


def prices_of(scenario: Scenario, ticks: tuple[tuple[int, ...], tuple[int, ...]]) -> Array:
    """The price vector of so many ticks; shape (2, groups) [EUR/kWh]."""
    family = family_of(scenario)
    prices: Array = np.round(np.array(ticks) * 10.0**-family.decimals, family.decimals)
    return prices


def reference(scenario: Scenario) -> Tariff:
    """The reference tariff as far as the family can post it: nothing is dearer, nothing bought."""
    family = family_of(scenario)
    return family.tariff(family.project(np.stack([family.high[0], family.low[1]])))


def kept(plan: Plan) -> bool:
    """Whether all promises and limits are kept under AC."""
    return not plan.result.shortcomings.advice


def scale_of(plan: Plan, best: float) -> float:
    """What a difference of profits is measured by [EUR]: the best, a tenth of the reference cost
    of those who take part where that is more, and half a euro at least."""
    fleet, market = plan.asked.situation.fleet, plan.asked.situation.market
    assert plan.memory is not None
    at_once = plan.memory.baseline.schedule.charge_kw[fleet.participating]
    hours = plan.asked.situation.horizon.slot_hours
    cost = hours * float(np.abs(at_once.sum(axis=0) * market.reference_price).sum())
    return max(abs(best), 0.1 * cost, 0.5)


def at_tariff(scenario: Scenario, tariff: Tariff) -> Plan:
    """What a tariff brings as posted: participation, dispatch under AC, account; no search."""
    quick = scenario.having(search=replace(scenario.search, boxes=0))
    return make_plan(quick, tariff=tariff)


def best_of_plan(scenario: Scenario, plan: Plan, method: str) -> Best:
    """A plan's tariff as a candidate for the best known."""
    assert plan.tariff is not None
    ticks = in_ticks(scenario, plan.tariff)
    profit = plan.result.money.operator_profit
    return Best(fingerprint(scenario), round(profit, 6), kept(plan), ticks, method)


@dataclass(frozen=True, slots=True)
class Planned:
    """A hub planned with its default settings.

    Parameters
    ----------
    number, cars, words
        Which hub it is.
    found
        The plan's own tariff.
    scale
        What differences of profit are measured by [EUR].
    seconds, cpu_seconds
        Of the plan, bounds included [s].
    bound
        The least bound that is printed; ``None`` for none [EUR].
    without
        What no prices at all would bring, where that is known to be kept [EUR].
    said
        What the plan says would be better.
    advice
        What it says of promises and limits that are missed.
    method, evaluations
        How its prices were found, and how many tariffs were tried.
    """

    number: int
    cars: int
    words: str
    found: Best
    scale: float
    seconds: float
    cpu_seconds: float
    bound: float | None
    without: float | None
    said: tuple[str, ...]
    advice: tuple[str, ...]
    method: str
    evaluations: int

    def gap(self, best: Best) -> float:
        """How far the profit is below the best known, as a share of the scale; 0 at least.

        Infinite where the best keeps what the plan misses, NaN where neither keeps all.
        """
        if not self.found.kept:
            return np.inf if best.kept else np.nan
        if not best.kept:
            return 0.0
        return max(best.profit - self.found.profit, 0.0) / self.scale


def plan_hub(number: int, scenario: Scenario, best: Best | None) -> Planned:
    """Plan a hub with its default settings, and take the time."""
    wall, began = perf_counter(), process_time()
    plan = make_plan(scenario)
    spent, waited = process_time() - began, perf_counter() - wall
    found = best_of_plan(scenario, plan, "default")
    result, drawn = plan.result, traits(number)
    bounds = (result.bounds.profit_bound, result.bounds.family_bound)
    without = result.shortcomings.without_prices
    return Planned(
        number=number,
        cars=drawn.cars,
        words=drawn.words,
        found=found,
        scale=scale_of(plan, max(found.profit, best.profit if best else -np.inf)),
        seconds=waited,
        cpu_seconds=spent,
        bound=min((one for one in bounds if one is not None), default=None),
        without=None if without is None else without.operator_profit,
        said=tuple(result.shortcomings.better),
        advice=tuple(result.shortcomings.advice),
        method=result.search.method,
        evaluations=result.search.evaluations,
    )
