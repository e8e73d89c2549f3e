"""Where a search begins: neighbours of a slot whose highest price is low are priced as it is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hubwise.dispatch import dispatch
from hubwise.pricing import make_family, value_of
from hubwise.pricing.first import _near, _shapes, first_prices


def _low_noon(situation):
    """The reference price of one hour, which caps the posted one, lies below its neighbours'."""
    slots = situation.horizon.slots
    cap = situation.rules.charge_price_max.copy()
    cap[slots // 2 : slots // 2 + 2] = cap.min() - 0.02
    rules = replace(situation.rules, charge_price_max=cap)
    market = replace(situation.market, demand_charge=4.0)
    return replace(situation, rules=rules, market=market)


@pytest.mark.parametrize("seed", range(4))
def test_prices_made_one_stay_one_where_a_slot_is_capped(
    small_situation, make_problem_of, seed: int
) -> None:
    """Groups of one set have one charge price, and none is above what is lawful in any of them."""
    problem = make_problem_of(_low_noon(small_situation(seed, sessions=30)))
    family = make_family(problem.situation)
    relaxed = dispatch(problem, None, rounds=40, flat=False)
    kinds = [shape for shape in _shapes(problem, family, relaxed) if shape.together is not None]
    assert kinds
    for shape in kinds:
        charge = shape.at(family, 1.0)[0]
        for number in np.unique(shape.together):
            mine = shape.together == number
            assert np.ptp(charge[mine]) <= 1e-9
            assert charge[mine].max() <= family.high[0][mine].min() + 1e-9


def test_sets_are_no_wider_than_told(small_situation) -> None:
    """Every set's values lie within the hair, and sets of two hubs are apart."""
    situation = small_situation(1)
    situation = replace(situation, rules=replace(situation.rules, per_hub=True))
    family = make_family(situation)
    values = np.random.default_rng(0).uniform(0.0, 1.0, family.groups)
    sets = _near(values, family, 0.1)
    for number in np.unique(sets):
        assert np.ptp(values[sets == number]) <= 0.1
    hub_of = np.empty(family.groups, int)
    for hub, groups in enumerate(family.group):
        hub_of[groups] = hub
    assert all(len(set(hub_of[sets == number])) == 1 for number in np.unique(sets))


@pytest.mark.parametrize("seed", [0, 2])
def test_a_peak_at_the_cheapest_slot_is_avoided(
    small_situation, make_problem_of, seed: int
) -> None:
    """First prices are worth no less than the marginal prices under their caps, settled."""
    problem = make_problem_of(_low_noon(small_situation(seed, sessions=60, hubs=1)))
    family = make_family(problem.situation)
    relaxed = dispatch(problem, None, rounds=40, flat=False)
    warm = relaxed.warm().near()

    def worth(prices):
        return value_of(problem, family.tariff(prices), rounds=300, warm=warm).merit

    plain = max(
        worth(shape.at(family, shift))
        for shape in _shapes(problem, family, relaxed)
        if shape.together is None and not shape.hair
        for shift in (0.0, 0.3, 1.0)
    )
    found = worth(first_prices(problem, family, relaxed))
    assert found >= plain - 0.02 * abs(plain)
