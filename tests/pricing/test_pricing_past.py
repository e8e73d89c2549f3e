"""What has happened so far, in merits and bounds: no plan's profit passes a bound."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import fleet_of, small_situation, with_periods
from hubwise.dispatch import dispatch, make_baseline, make_problem
from hubwise.domain import Promises, SoFar, Tariff
from hubwise.pricing import bound_family, level_prices, make_family, profit_bound
from hubwise.pricing.value import cost_ceiling, reference_cost, value_of

seeds = st.integers(0, 2**32 - 1)


def problem_of(situation):
    baseline = make_baseline(situation)
    return make_problem(
        situation, baseline.limits, everybody=baseline.schedule, span_kw=baseline.span_kw
    )


def with_a_past(seed: int, *, accepted: bool):
    """Demand charges, imports so far, stock of some worth, money so far, and lists kept."""
    rng = np.random.default_rng(seed)
    situation = small_situation(seed, sessions=8, levels=2)
    hubs = len(situation.hubs)
    market = replace(situation.market, demand_charge=float(rng.choice([0.0, 0.3, 2.0])))
    market = with_periods(market, situation.horizon.slots, np.random.default_rng(seed + 1))
    batteries = replace(
        situation.hubs,
        battery_final_kwh=rng.choice([0.0, 8.0, 14.0], hubs),
        battery_end_value=rng.choice([0.0, 0.3, 1.5], hubs),
    )
    situation = replace(
        situation,
        market=market,
        hubs=batteries,
        promises=Promises(saving=float(rng.uniform(0.5, 0.9))),
        so_far=SoFar(
            paid=float(rng.uniform(0.0, 60.0)),
            reference_cost=float(rng.uniform(0.0, 60.0)),
            import_peak_kw=rng.uniform(0.0, 30.0, hubs),
        ),
    )
    if not accepted:
        return situation
    kept = 0.9 * market.reference_price[None, :]
    offered = np.where(rng.random(8) < 0.4, hubs, situation.fleet.hub)
    return replace(
        situation,
        fleet=situation.fleet.offered(offered),
        accepted=Tariff(kept, 0.5 * kept),
    )


@given(seeds, st.booleans())
@settings(max_examples=25)
def test_no_profit_passes_a_bound(seed, accepted) -> None:
    """At random lawful prices that keep the saving promise, profit is below both bounds."""
    situation = with_a_past(seed, accepted=accepted)
    problem, family = problem_of(situation), make_family(situation)
    relaxed = dispatch(problem, None, rounds=60, flat=False)
    bound = profit_bound(problem, relaxed)
    rng = np.random.default_rng(seed + 1)
    best = None
    for _ in range(6):
        drawn = rng.uniform(family.low, np.minimum(family.high, 2.0))
        prices = level_prices(problem, family, drawn)
        value = value_of(problem, family.tariff(prices), rounds=20)
        if value.participant_cost > cost_ceiling(problem) + 1e-9:
            continue
        assert value.account.profit <= bound + 1e-6
        if best is None or value.account.profit > best.account.profit:
            best = value
    if best is not None:
        within = bound_family(problem, family, relaxed, best.dispatch, boxes=60)
        assert best.account.profit <= within.profit + 1e-6


@given(seeds)
@settings(max_examples=15)
def test_nobody_pays_for_a_peak_that_was(seed) -> None:
    """A past above all that may be imported makes the demand charge nothing, for everybody.

    The dispatch is that of a market without one, account and bound are the same.
    """
    situation = replace(with_a_past(seed, accepted=False), promises=Promises())
    market = replace(situation.market, demand_charge=1.0, later_periods=())
    past = SoFar(import_peak_kw=situation.hubs.import_limit_kw)
    paid = problem_of(replace(situation, market=market, so_far=past))
    free = problem_of(replace(situation, market=replace(market, demand_charge=0.0), so_far=SoFar()))
    tariff = make_family(situation).tariff(make_family(situation).low)
    one, other = (value_of(problem, tariff, rounds=20) for problem in (paid, free))
    assert one.account.demand_charges == 0.0
    assert one.account.profit == pytest.approx(other.account.profit, abs=1e-6)
    assert one.merit == pytest.approx(other.merit, abs=1e-6)
    bounds = [profit_bound(p, dispatch(p, None, rounds=60, flat=False)) for p in (paid, free)]
    assert bounds[0] == pytest.approx(bounds[1], abs=1e-6)


@given(seeds)
@settings(max_examples=10)
def test_what_was_paid_is_part_of_the_promise(seed) -> None:
    """What the past left of the promise the rest may take, and no more; levelling keeps to it."""
    situation = with_a_past(seed, accepted=False)
    problem, family = problem_of(situation), make_family(situation)
    past, share = situation.so_far, situation.promises.saving
    ceiling = cost_ceiling(problem)
    whole = reference_cost(problem) + past.reference_cost
    assert ceiling + past.paid == pytest.approx(share * whole)
    lowest = value_of(problem, family.tariff(family.project(family.low)), rounds=5)
    prices = level_prices(problem, family, family.low)
    value = value_of(problem, family.tariff(prices), rounds=5)
    if lowest.participant_cost <= ceiling:
        assert value.participant_cost <= ceiling + 1e-9


def test_who_values_energy_may_pay_more_than_uncoordinated() -> None:
    """A driver that needs nothing and fills up at a list it likes: the bound counts it."""
    situation = small_situation(4, sessions=1, station=False)
    slots, hubs = situation.horizon.slots, len(situation.hubs)
    fleet = fleet_of(1, slots, required_kwh=20.0, surplus_value=0.9, discharge_kw_max=0.0)
    kept = np.full((1, slots), 0.8)
    problem = problem_of(
        replace(
            situation,
            fleet=fleet.offered(np.array([hubs])),
            accepted=Tariff(kept, 0.0 * kept),
        )
    )
    family = make_family(problem.situation)
    value = value_of(problem, family.tariff(family.project(family.low)), rounds=20)
    assert value.participant_cost > reference_cost(problem) + 10.0
    relaxed = dispatch(problem, None, rounds=60, flat=False)
    assert value.account.profit <= profit_bound(problem, relaxed) + 1e-6
