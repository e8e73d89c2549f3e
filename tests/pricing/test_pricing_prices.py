"""Tariff families, levelling, search: prices stay lawful and promises are met to the tick."""

from __future__ import annotations

from dataclasses import replace

import numba
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwise.dispatch import Problem, dispatch, feeder_limits, make_problem, with_situation
from hubwise.domain import Promises, Tariff, TariffFamily
from hubwise.pricing import (
    METHODS,
    Value,
    cost_ceiling,
    first_prices,
    level_prices,
    make_family,
    participants_pay,
    profit_bound,
    search_in_steps,
    value_of,
)
from hubwise.pricing import value as pricing_value
from hubwise.scenario import load, with_participation


def small_problem():
    situation = with_participation(load("example"), 0.75).situation
    nothing = np.zeros((len(situation.hubs), situation.horizon.slots))
    limits = feeder_limits(situation.feeder, situation.hubs.bus, nothing)
    return make_problem(situation, limits)


PROBLEM = small_problem()
RELAXED = dispatch(PROBLEM, None, rounds=15)


@pytest.mark.parametrize("name", tuple(TariffFamily))
@given(seed=st.integers(0, 2**32 - 1))
def test_projected_prices_are_lawful_and_stay(name: str, seed: int) -> None:
    """Any proposal becomes lawful: bounds, posted decimals, no arbitrage; lawful ones stay."""
    situation = PROBLEM.situation
    family = make_family(situation, name)
    rng = np.random.default_rng(seed)
    prices = family.project(rng.normal(0.3, 0.5, (2, family.groups)))
    np.testing.assert_array_equal(family.project(prices), prices)
    np.testing.assert_allclose(prices, np.round(prices, situation.rules.decimals), atol=1e-12)
    tariff = family.tariff(prices)
    reference = situation.market.reference_price
    assert (tariff.charge_price <= np.minimum(situation.rules.charge_price_max, reference)).all()
    assert (tariff.charge_price >= situation.rules.charge_price_min).all()
    assert (tariff.discharge_price <= situation.rules.discharge_price_max).all()
    fleet = PROBLEM.fleet.select(PROBLEM.fleet.discharge_kw_max > 0)
    round_trip = (fleet.charge_efficiency * fleet.discharge_efficiency)[:, None]
    wear = (fleet.wear_cost * fleet.charge_efficiency)[:, None]
    gained = tariff.discharge_price[fleet.hub] * round_trip
    assert (gained <= tariff.charge_price[fleet.hub] + wear + 1e-9).all()


def test_average_cap_is_kept() -> None:
    """The time-average of the charge price never passes its cap."""
    cap = 0.12
    situation = PROBLEM.situation
    capped = replace(situation, rules=replace(situation.rules, average_cap=cap))
    family = make_family(capped)
    tariff = family.tariff(family.project(family.high))
    assert (tariff.charge_price.mean(axis=1) <= cap + 1e-9).all()


@given(seed=st.integers(0, 2**32 - 1))
def test_levelling_keeps_the_saving_promise(seed: int) -> None:
    """After levelling participants pay at most what was promised, wherever it can be reached."""
    family = make_family(PROBLEM.situation, "flat")
    rng = np.random.default_rng(seed)
    prices = level_prices(PROBLEM, family, rng.uniform(0.0, 0.6, (2, family.groups)))
    lowest = family.project(np.stack([family.low[0], family.high[1]]))
    reachable = participants_pay(PROBLEM, family, lowest) <= cost_ceiling(PROBLEM)
    assert not reachable or participants_pay(PROBLEM, family, prices) <= cost_ceiling(PROBLEM)


@pytest.mark.parametrize("name", [name for name in METHODS if name != "exact"])
def test_search_repeats_itself_and_never_loses(name: str) -> None:
    """Same seed, same prices, by any number of threads; and at least what it began with."""
    family = make_family(PROBLEM.situation, "flat")
    found = []
    threads = numba.get_num_threads()
    for count in (1, threads):
        numba.set_num_threads(count)
        _, best = search_in_steps(
            METHODS[name], PROBLEM, (family,), RELAXED, evaluations=20, seed=3
        )
        found.append(best)
    numba.set_num_threads(threads)
    np.testing.assert_array_equal(found[0].prices, found[1].prices)
    settled = value_of(
        PROBLEM, family.tariff(found[0].prices), rounds=40, warm=RELAXED.warm().near()
    )
    assert found[0].value.merit == settled.merit
    began = value_of(
        PROBLEM,
        family.tariff(first_prices(PROBLEM, family, RELAXED)),
        rounds=40,
        warm=RELAXED.warm().near(),
    )
    assert found[0].value.merit >= began.merit
    assert found[0].evaluations <= 20
    assert list(found[0].history) == sorted(found[0].history)


def test_few_first_prices_are_fewer_and_near_the_best(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no promise binds, every third shift and those beside the best are nearly as good."""
    free = replace(PROBLEM.situation, promises=Promises())
    problem, family = with_situation(PROBLEM, free), make_family(free, "hourly")
    tried: list[Tariff] = []
    worth = []

    def counted(problem: Problem, tariff: Tariff, **how: object) -> Value:
        tried.append(tariff)
        return value_of(problem, tariff, **how)

    monkeypatch.setattr(pricing_value, "value_of", counted)
    counts = []
    for few in (False, True):
        tried.clear()
        prices = first_prices(problem, family, RELAXED, few=few)
        counts.append(len(tried))
        np.testing.assert_array_equal(family.project(prices), prices)
        warm = RELAXED.warm().near()
        worth.append(value_of(problem, family.tariff(prices), rounds=5, warm=warm).merit)
        once = {each.charge_price.tobytes() + each.discharge_price.tobytes() for each in tried}
        # Only the best of every third is valued again, beside its neighbours.
        assert len(tried) - len(once) <= int(few)
    assert counts[1] < 0.75 * counts[0]
    assert worth[0] >= worth[1] >= worth[0] - 0.05 * abs(worth[0])


def test_more_freedom_is_not_worth_less() -> None:
    """Hourly prices, searched through a flat tariff, are worth at least that flat tariff."""
    situation = PROBLEM.situation
    flat, hourly = (make_family(situation, name) for name in ("flat", "hourly"))
    _, coarse = search_in_steps(
        METHODS["evolution"], PROBLEM, (flat,), RELAXED, evaluations=10, seed=3
    )
    _, fine = search_in_steps(
        METHODS["evolution"], PROBLEM, (flat, hourly), RELAXED, evaluations=40, seed=3
    )
    assert fine.value.merit >= coarse.value.merit - 1e-6


def test_no_tariff_passes_the_bound() -> None:
    """Random lawful tariffs of every family stay below the bound for any tariff."""
    bound = profit_bound(PROBLEM, dispatch(PROBLEM, None, rounds=40, flat=False))
    rng = np.random.default_rng(8)
    for name in tuple(TariffFamily):
        family = make_family(PROBLEM.situation, name)
        prices = level_prices(PROBLEM, family, rng.uniform(0.0, 0.6, (2, family.groups)))
        _, found = search_in_steps(
            METHODS["evolution"], PROBLEM, (family,), RELAXED, evaluations=12, seed=1
        )
        assert found.value.account.profit <= bound + 1e-6
        assert prices.shape == first_prices(PROBLEM, family, RELAXED).shape
