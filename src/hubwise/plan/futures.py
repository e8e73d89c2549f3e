"""Prices for several possible futures at once, and what they would bring in each of them.

A tariff is posted before anybody knows who comes. Here it is searched for by the mean over drawn
fleets (and, where given, price days): every candidate is answered and dispatched in every future,
and the saving promise holds in the mean. What it is worth is told on fresh draws that the search
has not seen, beside the tariff of one draw alone, and beside knowing (wait and see): the tariff
that would be found if each future were known.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from typing import Any

import numba
import numpy as np
import polars as pl

from hubwise.dispatch import Dispatch, Problem, WarmStart, make_baseline
from hubwise.domain import Drivers, Fleet, Scenario, Situation, Tariff
from hubwise.domain.arrays import Array
from hubwise.grid import power_flow
from hubwise.plan.ac_dispatch import ac_dispatch
from hubwise.plan.participation import willing
from hubwise.plan.planner import make_plan
from hubwise.plan.price_search import Progress
from hubwise.plan.relaxed import relaxed_problem
from hubwise.plan.result import FLAT_KW
from hubwise.pricing import (
    Family,
    account_of,
    coarse_to_fine,
    cost_ceiling,
    first_prices,
    level_where,
    participants_pay,
    reference_cost,
    search_method,
    value_of,
)
from hubwise.pricing.search import Setting, search_by
from hubwise.record.tables import OPTIONAL_TABLES
from hubwise.scenario import lawful, load_draws
from hubwise.scenario.draws import Draws

# Draws that nobody has planned for, on which plans are compared.
FRESH = 100
# Rounds of dispatch in which candidates are told apart in each future.
ROUNDS = 5
# Futures whose own first prices are tried.
FIRST = 4
# Aim below the saving promise by this share.
CAUTION = 1e-7


@dataclass(frozen=True, slots=True)
class Futures:
    """Possible futures of one place, and their weights.

    Parameters
    ----------
    situations
        On the same slots, at the same hubs, under the same rules.
    shares
        They sum to 1; shape (futures,).
    """

    situations: tuple[Situation, ...]
    shares: Array

    def __post_init__(self) -> None:
        """Refuse futures that are none, or not of one place, and weights that are not theirs."""
        first, shares = self.situations[:1], np.asarray(self.shares, dtype=float)
        if not first or shares.shape != (len(self.situations),):
            raise ValueError(
                f"{len(self.situations)} futures have {shares.size} weights: give one for each"
            )
        if not ((shares >= 0.0).all() and abs(shares.sum() - 1.0) <= 1e-9):
            raise ValueError(f"weights of futures are {shares.tolist()}: give shares that sum to 1")
        for k, each in enumerate(self.situations, 1):
            if (each.horizon, each.hubs.name) != (first[0].horizon, first[0].hubs.name):
                raise ValueError(f"future {k} has other slots or hubs than future 1")


@dataclass(frozen=True, slots=True)
class MeanValue:
    """What a tariff is worth in the mean over futures; see `hubwise.pricing.Value`."""

    merit: float
    broken_kw: float


@dataclass(frozen=True, slots=True)
class Posted:
    """What one tariff brings in each of several situations; arrays of shape (situations,).

    Parameters
    ----------
    profit, cost
        Operator's profit, and participants' net cost [currency].
    cost_ratio, peak_valley_ratio
        Participants' cost and the feeder's peak-valley difference as shares of the same day
        uncoordinated; 0 where there is nothing to have a share of.
    """

    profit: Array
    cost: Array
    cost_ratio: Array
    peak_valley_ratio: Array


@dataclass(frozen=True, slots=True)
class FuturesPlan:
    """Prices for the mean over futures, and what they are worth.

    Parameters
    ----------
    tariff
        What is posted.
    evaluations
        Tariffs tried, each in every future.
    shares
        Weights of the futures that it was made for.
    futures
        What it brings in them.
    fresh
        What it brings on draws that nobody planned for.
    one_draw
        What the tariff of the scenario's own draw brings on the same fresh draws.
    wait_and_see
        Profit in each of the futures with the prices that would be found were it known
        [currency].
    """

    tariff: Tariff
    evaluations: int
    shares: Array
    futures: Posted
    fresh: Posted
    one_draw: Posted
    wait_and_see: Array

    @property
    def value_of_knowing(self) -> float:
        """What knowing the future would add to the profit, in the mean [currency]."""
        return float(self.shares @ (self.wait_and_see - self.futures.profit))

    @property
    def value_of_many(self) -> tuple[float, float]:
        """What planning for many adds to one draw's plan on fresh draws: mean, standard error.

        At equal cost to drivers: what they pay less than with the other prices is counted as if
        the operator had kept it. Both tariffs keep the promise in what they were made for, and
        miss it elsewhere by a little, either way.
        """
        gain = self.fresh.profit - self.one_draw.profit - (self.fresh.cost - self.one_draw.cost)
        return float(gain.mean()), float(gain.std(ddof=1) / np.sqrt(len(gain)))


def draw_futures(scenario: Scenario, count: int, *, first: int = 1) -> Futures:
    """``count`` draws of a scenario's fleet, all alike likely; seeds follow the scenario's own.

    Parameters
    ----------
    scenario
        Whose drivers are drawn anew, with its participation.
    count
        How many.
    first
        How far behind the scenario's own seed to begin.
    """
    draws = Draws(scenario, load_draws(scenario.source).section)
    begin = scenario.search.seed + first
    drawn = [draws.draw(seed).situation for seed in range(begin, begin + count)]
    return Futures(tuple(drawn), np.full(count, 1.0 / count))


def on_price_days(futures: Futures, purchase: Array) -> Futures:
    """Every future on every price day, all days alike likely.

    Parameters
    ----------
    futures
        Of the fleet.
    purchase
        Purchase prices of the days; shape (days, slots) [currency/kWh]. Feed-in and reference
        prices keep their distance to them.
    """
    slots = futures.situations[0].horizon.slots
    if np.ndim(purchase) != 2 or purchase.shape[1] != slots or not np.isfinite(purchase).all():
        raise ValueError(
            f"purchase prices of days have shape {np.shape(purchase)}: give numbers for "
            f"(days, {slots} slots)"
        )
    situations = []
    for situation in futures.situations:
        market = situation.market
        for day in purchase:
            by = day - market.purchase_price
            moved = replace(
                market,
                purchase_price=day,
                feed_in_price=market.feed_in_price + by,
                reference_price=market.reference_price + by,
            )
            situations.append(replace(situation, market=moved))
    return Futures(tuple(situations), np.repeat(futures.shares, len(purchase)) / len(purchase))


def plan_for_futures(
    scenario: Scenario,
    futures: Futures,
    *,
    fresh: int = FRESH,
    progress: Progress | None = None,
) -> FuturesPlan:
    """Search for the tariff that is best in the mean over futures, and tell what it is worth.

    Parameters
    ----------
    scenario
        The place, its search settings, and the draw of the one-draw plan.
    futures
        What may come.
    fresh
        Draws of the fleet, beyond those of ``futures``, on which tariffs are compared.
    progress
        Called with (done, total, what).
    """
    if fresh < 2:
        raise ValueError(f"{fresh} fresh draws say nothing of their spread: give at least 2")
    if progress:
        progress(0, 1, "one draw planned")
    alone = make_plan(scenario).tariff
    tariff, evaluations = search_futures(scenario, futures, alone, progress)
    others = draw_futures(scenario, fresh, first=len(futures.situations) + 1).situations
    _, relaxed = relaxed_problem(futures.situations[0], make_baseline(futures.situations[0]))
    near = relaxed.warm().near()
    seen = []
    for k, future in enumerate(futures.situations):
        seen.append(make_plan(replace(scenario, situation=future)).account.profit)
        if progress:
            progress(k + 1, len(futures.situations), "futures planned as if known")
    return FuturesPlan(
        tariff=tariff,
        evaluations=evaluations,
        shares=futures.shares,
        futures=bring(futures.situations, tariff, near),
        fresh=bring(others, tariff, near),
        one_draw=bring(others, alone, near),
        wait_and_see=np.array(seen),
    )


def search_futures(
    scenario: Scenario,
    futures: Futures,
    begin: Tariff | None = None,
    progress: Progress | None = None,
) -> tuple[Tariff, int]:
    """The tariff found to be best in the mean over futures, and how many were tried.

    ``begin`` is a tariff to try first, such as that of one draw.
    """
    relaxed = [relaxed_problem(each, make_baseline(each)) for each in futures.situations]
    family = coarse_to_fine(_everybody(futures))[-1]
    _, method = search_method(scenario.search.method)
    with ThreadPoolExecutor(numba.get_num_threads()) as threads:

        def judge(prices: Array, levelled: bool) -> tuple[Array, MeanValue]:
            kept = _levelled(family, futures, relaxed, prices) if levelled else None
            lawful_prices = family.project(prices) if kept is None else kept
            return lawful_prices, _value(family, futures, relaxed, lawful_prices, threads)

        trials = [first_prices(problem, family, answer) for problem, answer in relaxed[:FIRST]]
        trials += [] if begin is None else [family.posted(begin)]
        judged = [judge(prices, method.levelled) for prices in trials]
        first = max(judged, key=lambda pair: pair[1].merit)[0]

        def tell(done: int, total: int) -> None:
            if progress:
                progress(done, total, "prices tried in every future")

        setting = Setting(family, first, scenario.search.evaluations, scenario.search.seed)
        setting = replace(setting, problem=relaxed[0][0])
        found = search_by(method, setting, judge, tell)
    return family.tariff(found.prices), found.evaluations + len(trials)


def bring(situations: Sequence[Situation], tariff: Tariff, near: WarmStart | None = None) -> Posted:
    """What a tariff brings in each situation, dispatched within promises and limits under AC.

    Parameters
    ----------
    situations
        With those who are asked to take part.
    tariff
        What is posted. Where it would let somebody buy and sell at once, its discharge prices give
        way there.
    near
        Where each dispatch begins.
    """

    def of(situation: Situation) -> tuple[float, float, float, float]:
        baseline, posted = make_baseline(situation), lawful(tariff, situation.fleet)
        ready = willing(situation, posted, situation.fleet.participating)
        done = ac_dispatch(ready, posted, baseline, warm=near)
        account, cost = account_of(
            done.problem, posted, done.dispatch.schedule, done.dispatch.stations
        )
        head = power_flow(situation.feeder, situation.hubs.bus, done.dispatch.hub_kw).head_kw
        span = _share(float(np.ptp(head)), float(np.ptp(baseline.state.head_kw)), least=FLAT_KW)
        return account.profit, cost, _share(cost, reference_cost(done.problem)), span

    with ThreadPoolExecutor(numba.get_num_threads()) as threads:
        columns = np.array(list(threads.map(of, situations))).T
    return Posted(*columns)


def _share(part: float, whole: float, least: float = 0.0) -> float:
    return part / whole if abs(whole) > least else 0.0


def _everybody(futures: Futures) -> Situation:
    """A situation with the drivers of all futures: prices must be lawful towards them all."""
    fleets = [situation.fleet for situation in futures.situations]
    columns: dict[str, Any] = {}
    for field in fields(Fleet):
        if field.name in ("driver", "drivers", "bounds", "taper", "price_list", "group"):
            continue
        parts = [getattr(fleet, field.name) for fleet in fleets]
        if all(part is not None for part in parts):  # else seldom told: prices do without
            columns[field.name] = np.concatenate(parts)
    columns["price_list"] = np.concatenate([fleet.lists for fleet in fleets])
    columns["group"] = np.concatenate([fleet.groups for fleet in fleets])
    for field in fields(Drivers):
        name = "driver" if field.name == "name" else field.name
        parts = [getattr(fleet.drivers, field.name)[fleet.driver] for fleet in fleets]
        columns[name] = np.concatenate(parts)
    return replace(futures.situations[0], fleet=Fleet.of(**columns))


def _levelled(
    family: Family, futures: Futures, relaxed: Sequence[tuple[Problem, Dispatch]], prices: Array
) -> Array:
    """Prices at which drivers pay, in the mean over futures, what was promised."""
    ceilings = [cost_ceiling(problem) for problem, _ in relaxed]
    if not np.isfinite(ceilings).all():
        return family.project(prices)
    aim = (1.0 - CAUTION) * float(futures.shares @ ceilings)

    def over(lawful_prices: Array) -> float:
        pay = [participants_pay(problem, family, lawful_prices) for problem, _ in relaxed]
        return float(futures.shares @ pay) - aim

    return level_where(family, prices, over)


def _value(
    family: Family,
    futures: Futures,
    relaxed: Sequence[tuple[Problem, Dispatch]],
    prices: Array,
    threads: ThreadPoolExecutor,
) -> MeanValue:
    tariff = family.tariff(prices)

    def of(each: tuple[Problem, Dispatch]) -> tuple[float, float]:
        problem, answer = each
        found = value_of(problem, tariff, rounds=ROUNDS, warm=answer.warm().near())
        return found.merit, found.broken_kw

    values = np.array(list(threads.map(of, relaxed)))
    merit, broken = futures.shares @ values
    return MeanValue(float(merit), float(broken))


def as_table(made: FuturesPlan) -> pl.DataFrame:
    """One row for every future and every fresh draw, by the contract's columns."""
    futures, fresh, alone = made.futures, made.fresh, made.one_draw
    seen = {
        "draw": ["future"] * len(futures.profit),
        "profit": futures.profit,
        "cost": futures.cost,
        "cost_ratio": futures.cost_ratio,
        "peak_valley_ratio": futures.peak_valley_ratio,
        "profit_if_known": made.wait_and_see,
    }
    unseen = {
        "draw": ["fresh"] * len(fresh.profit),
        "profit": fresh.profit,
        "cost": fresh.cost,
        "cost_ratio": fresh.cost_ratio,
        "peak_valley_ratio": fresh.peak_valley_ratio,
        "profit_of_one_draw": alone.profit,
        "cost_of_one_draw": alone.cost,
        "cost_ratio_of_one_draw": alone.cost_ratio,
        "peak_valley_ratio_of_one_draw": alone.peak_valley_ratio,
    }
    table = pl.concat([pl.DataFrame(seen), pl.DataFrame(unseen)], how="diagonal")
    return table.select(list(OPTIONAL_TABLES["futures"]))


def in_short(made: FuturesPlan) -> dict[str, float | int]:
    """The figures that one looks at first [currency, shares]."""
    gain, error = made.value_of_many
    return {
        "futures": len(made.futures.profit),
        "fresh_draws": len(made.fresh.profit),
        "evaluations": made.evaluations,
        "profit_in_futures": float(made.shares @ made.futures.profit),
        "profit_if_known": float(made.shares @ made.wait_and_see),
        "value_of_knowing": made.value_of_knowing,
        "profit_on_fresh_draws": float(made.fresh.profit.mean()),
        "profit_spread_on_fresh_draws": float(made.fresh.profit.std(ddof=1)),
        "profit_of_one_draw": float(made.one_draw.profit.mean()),
        "value_of_many_at_equal_cost": gain,
        "value_of_many_standard_error": error,
        "cost_ratio_on_fresh_draws": float(made.fresh.cost_ratio.mean()),
        "cost_ratio_of_one_draw": float(made.one_draw.cost_ratio.mean()),
        "worst_peak_valley_on_fresh_draws": float(made.fresh.peak_valley_ratio.max()),
    }
