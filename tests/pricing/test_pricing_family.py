"""Tariff families: whatever is asked for, what is posted is lawful."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hubwise.domain import TariffFamily
from hubwise.pricing import make_family, price_groups
from hubwise.scenario.arbitrage import check_tariff

seeds = st.integers(0, 2**32 - 1)
prices_between = st.floats(-0.5, 1.5, allow_nan=False)


@st.composite
def rule_keys(draw):
    """Bounds in any order of sign, with or without a cap."""
    low, high = sorted((draw(st.floats(-0.4, 0.6)), draw(st.floats(-0.4, 0.6))))
    sink, top = sorted((draw(st.floats(-0.3, 0.3)), draw(st.floats(-0.3, 1.2))))
    cap = draw(st.one_of(st.just(np.inf), st.floats(0.0, 0.6)))
    return low, high, sink, top, cap, draw(st.integers(1, 6))


def with_rules(situation, keys, family: str):
    """The scenario under the rules of `rule_keys`, constant over its slots."""
    low, high, sink, top, cap, decimals = keys
    flat = np.ones(situation.horizon.slots)
    rules = replace(
        situation.rules,
        charge_price_min=low * flat,
        charge_price_max=high * flat,
        discharge_price_min=sink * flat,
        discharge_price_max=top * flat,
        average_cap=cap,
        decimals=decimals,
        family=family,
    )
    return replace(situation, rules=rules)


def family_or_reject(situation):
    """The family, where the rules leave anything lawful."""
    try:
        return make_family(situation)
    except ValueError:
        assume(False)


@given(seeds, rule_keys(), st.sampled_from(tuple(TariffFamily)))
@settings(max_examples=150)
def test_projected_prices_are_lawful(small_situation, seed, keys, family) -> None:
    """Bounds, the reference tariff, average cap, decimals, and no arbitrage for any participant."""
    situation = with_rules(small_situation(seed), keys, family)
    made = family_or_reject(situation)
    rules = situation.rules
    wanted = np.random.default_rng(seed).uniform(-1.0, 2.0, (2, made.groups))
    tariff = made.tariff(made.project(wanted))
    charge, discharge = tariff.charge_price, tariff.discharge_price
    assert charge.shape == discharge.shape == (2, situation.horizon.slots)
    assert (charge >= rules.charge_price_min - 1e-9).all()
    assert (charge <= rules.charge_price_max + 1e-9).all()
    assert (charge <= situation.market.reference_price + 1e-9).all()
    assert (discharge >= rules.discharge_price_min - 1e-9).all()
    assert (discharge <= rules.discharge_price_max + 1e-9).all()
    assert (charge.mean(axis=1) <= rules.average_cap + 1e-9).all()
    for posted in (charge, discharge):
        assert (posted == np.round(posted, rules.decimals)).all()
        assert not np.signbit(posted[posted == 0.0]).any()
    assert not check_tariff(tariff, situation.fleet, situation.hubs, situation.horizon)


@given(seeds, rule_keys(), st.sampled_from(tuple(TariffFamily)))
@settings(max_examples=100)
def test_lawful_prices_stay(small_situation, seed, keys, family) -> None:
    """Projecting twice is projecting once, to the bit."""
    made = family_or_reject(with_rules(small_situation(seed), keys, family))
    wanted = np.random.default_rng(seed).uniform(-1.0, 2.0, (2, made.groups))
    once = made.project(wanted)
    assert np.array_equal(made.project(once), once)


@given(seeds, st.integers(2, 6))
@settings(max_examples=40)
def test_lawful_prices_are_found_as_they_are(small_situation, seed, decimals) -> None:
    """Between bounds, away from arbitrage, prices are only rounded to the nearest tick."""
    situation = with_rules(small_situation(seed), (0.0, 0.6, 0.0, 0.6, np.inf, decimals), "hourly")
    family = make_family(replace(situation, market=dear(situation.market)))
    rng = np.random.default_rng(seed)
    charge = rng.uniform(0.3, 0.55, family.groups)
    wanted = np.stack([charge, rng.uniform(0.05, 0.25, family.groups)])
    assert np.abs(family.project(wanted) - wanted).max() <= 0.5 * 10.0**-decimals + 1e-12


def dear(market):
    """A market whose reference tariff is above every bound."""
    return replace(market, reference_price=np.full_like(market.reference_price, 9.0))


@pytest.mark.parametrize("family", tuple(TariffFamily))
def test_groups_are_what_the_family_says(small_situation, family) -> None:
    """One price for all, one a block, one for two half-hours, one a slot."""
    situation = small_situation(3)
    situation = replace(situation, rules=replace(situation.rules, family=family))
    group = price_groups(situation)
    expected = {
        "flat": np.zeros(24, int),
        "time-of-use": situation.rules.block,
        "hourly": np.arange(24) // 2,
        "every-slot": np.arange(24),
    }[family]
    assert np.array_equal(group, expected)
    assert make_family(situation).groups == len(set(expected.tolist()))


def test_the_cap_costs_no_more_than_a_tick(small_situation) -> None:
    """Prices lowered to the average cap stay within a tick below it, and keep their differences."""
    situation = with_rules(small_situation(1), (0.0, 0.6, 0.0, 0.0, 0.3, 4), "hourly")
    family = make_family(replace(situation, market=dear(situation.market)))
    wanted = np.stack([np.linspace(0.25, 0.5, family.groups), np.zeros(family.groups)])
    charge = family.project(wanted)[0]
    assert 0.3 - 1e-4 <= charge.mean() <= 0.3 + 1e-12
    assert np.abs(np.diff(charge) - np.diff(wanted[0])).max() <= 1.01e-4


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ((0.5, 0.4, 0.0, 0.5, np.inf, 4), "charge price must be at least 0.5 and at most 0.4"),
        ((0.1, 0.4, 0.6, 0.5, np.inf, 4), "discharge price must be at least 0.6 and at most 0.5"),
        ((0.1, 0.1, 1.4, 1.5, np.inf, 4), "charge price must be at least"),  # arbitrage at any
        ((0.12344, 0.12346, 0.0, 0.5, np.inf, 2), "charge price must be at least 0.13"),  # no tick
        ((0.3, 0.4, 0.0, 0.5, 0.2, 4), "charge prices average at least 0.3, above the cap"),
        ((8.0, 9.0, 0.0, 0.5, np.inf, 4), "at most 0."),  # above the reference tariff
    ],
)
def test_rules_that_leave_nothing_are_refused(small_situation, keys, words) -> None:
    """The refusal names hour, least and highest price."""
    situation = with_rules(small_situation(0, sessions=30), keys, "flat")
    with pytest.raises(ValueError, match="the price rules leave no lawful tariff") as refused:
        make_family(situation)
    assert words in str(refused.value)


def test_an_unknown_family_is_named(small_situation) -> None:
    """With what is known beside it."""
    with pytest.raises(ValueError, match=r"'weekly'; known: flat, time-of-use"):
        make_family(small_situation(0), "weekly")


def test_only_participants_bound_discharge_prices(small_situation) -> None:
    """Who does not take part, and one-way chargers, leave the discharge price free."""
    situation = with_rules(small_situation(0), (0.0, 0.1, 0.0, 1.0, np.inf, 4), "flat")
    fleet = situation.fleet
    for free in (
        fleet.with_participating(np.zeros(8, bool)),
        replace(fleet, discharge_kw_max=np.zeros(8)),
    ):
        family = make_family(replace(situation, fleet=free))
        assert family.project(np.array([[0.1], [1.0]])).tolist() == [[0.1], [1.0]]
    assert make_family(situation).project(np.array([[0.1], [1.0]]))[1, 0] < 0.5


@given(seeds)
@settings(max_examples=30)
def test_vector_is_the_weighted_mean(small_situation, seed) -> None:
    """Slot prices become a vector, group by group, by the weights; unweighted groups plainly."""
    family = make_family(small_situation(seed), "hourly")
    rng = np.random.default_rng(seed)
    hubs = len(family.group)
    charge, discharge = rng.uniform(0.0, 1.0, (2, hubs, 24))
    weight = rng.uniform(0.5, 1.0, (2, hubs, 24)) * (np.arange(24) >= 2)
    found = family.vector(charge, discharge, weight)
    for prices, row, heavy in ((charge, found[0], weight[0]), (discharge, found[1], weight[1])):
        assert row[0] == pytest.approx(prices[:, :2].mean(), abs=1e-7)
        for g in range(1, 12):
            here = np.s_[:, 2 * g : 2 * g + 2]
            mean = np.average(prices[here], weights=heavy[here])
            assert row[g] == pytest.approx(mean, abs=1e-7)


def test_each_hub_has_prices_of_its_own_where_the_rules_say_so(small_situation) -> None:
    """Per hub, groups of two hubs have nothing in common; else hubs have the same ones."""
    situation = small_situation(3)
    alike = make_family(situation, "hourly")
    apart = make_family(situation, "hourly", per_hub=True)
    hubs = len(situation.hubs)
    assert hubs > 1
    assert (alike.group == alike.group[0]).all()
    assert apart.groups == hubs * alike.groups
    rng = np.random.default_rng(3)
    prices = apart.project(rng.uniform(0.1, 0.4, (2, apart.groups)))
    tariff = apart.tariff(prices)
    assert not np.array_equal(tariff.charge_price[0], tariff.charge_price[1])
    assert np.array_equal(apart.posted(tariff), prices)


def test_every_hub_keeps_the_cap(small_situation) -> None:
    """Only hubs above the average cap lower their prices, and to a tick below it."""
    situation = with_rules(small_situation(1), (0.0, 0.6, 0.0, 0.0, 0.3, 4), "hourly")
    family = make_family(replace(situation, market=dear(situation.market)), per_hub=True)
    wanted = np.full((2, family.groups), 0.2)
    wanted[0, family.group[1]] = 0.5
    wanted[1] = 0.0
    charge = family.tariff(family.project(wanted)).charge_price
    assert (charge[0] == 0.2).all()
    assert 0.3 - 1e-4 <= charge[1].mean() <= 0.3 + 1e-12
