"""Rules that an operator sets itself: whatever is asked for, what is posted keeps each of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hubwise.domain import Cap, Posting, Tariff, TariffFamily
from hubwise.pricing import broken_rules, make_family, price_groups
from hubwise.pricing.family import fewer_changes
from hubwise.scenario import ScenarioError
from hubwise.scenario.arbitrage import check_tariff

seeds = st.integers(0, 2**32 - 1)
SLACK = 1e-9


@st.composite
def postings(draw):
    """Rules of every kind, set or not."""
    none = st.just(np.inf)
    return Posting(
        charge_at_least_purchase=draw(st.booleans()),
        discharge_at_most_charge=draw(st.booleans()),
        step_max=draw(none | st.floats(0.02, 0.4)),
        levels_max=draw(none | st.integers(1, 6).map(float)),
        changes_max=draw(none | st.integers(0, 8).map(float)),
        keeps_order=draw(st.booleans()),
        fills_empty=draw(st.booleans()),
        cap=draw(st.sampled_from(tuple(Cap))),
    )


def under(situation, posting, family="every-slot", *, decimals=2, per_hub=True, cap=np.inf):
    """The situation under rules of its own, in which some slots have no cars."""
    fleet = situation.fleet
    stay = np.minimum(fleet.departure_slot, fleet.arrival_slot + 6)
    high = situation.rules.charge_price_max
    rules = replace(
        situation.rules,
        posting=posting,
        family=family,
        decimals=decimals,
        per_hub=per_hub,
        average_cap=cap,
        charge_price_min=np.full(len(high), -0.05),
        charge_price_max=high if posting.cap is Cap.SLOT else np.full(len(high), high.max()),
    )
    return replace(situation, fleet=replace(fleet, departure_slot=stay), rules=rules)


def with_cars(situation):
    """Slots that some session at each hub (or at any, where all post the same) is there for."""
    cars = np.zeros((len(situation.hubs), situation.horizon.slots), bool)
    fleet = situation.fleet
    for hub, begin, end in zip(fleet.hub, fleet.arrival_slot, fleet.departure_slot, strict=True):
        cars[hub, begin:end] = True
    if not situation.rules.per_hub:
        cars[:] = cars.any(axis=0)
    return np.where(cars.any(axis=1)[:, None], cars, True)


def broken(situation, tariff):
    """Names of the rules that a tariff breaks, slot by slot and pair by pair."""
    own, buys = situation.rules.own, situation.market.purchase_price
    found = set()
    for hub, cars in enumerate(with_cars(situation)):
        charge, discharge = tariff.charge_price[hub], tariff.discharge_price[hub]
        slots = range(len(charge))
        if own.cap is not Cap.STAY:
            capped = cars if own.cap is Cap.OCCUPIED or own.fills_empty else np.ones_like(cars)
            above = charge > situation.market.reference_price + SLACK
            found |= {"cap"} if (above & capped).any() else set()
        if own.charge_at_least_purchase and (charge < buys - SLACK)[cars].any():
            found.add("purchase")
        if own.discharge_at_most_charge and (discharge > charge + SLACK).any():
            found.add("pumping")
        steps = [abs(b - a) for kind in (charge, discharge) for a, b in pairwise(kind)]
        if max(steps) > own.step_max + SLACK:
            found.add("steps")
        if own.keeps_order:
            told = [t for t in slots if cars[t] or not own.fills_empty]
            wrong = (
                buys[a] > buys[b] + SLACK and charge[a] < charge[b] for a in told for b in told
            )
            found |= {"order"} if any(wrong) else set()
        if max(len(set(charge)), len(set(discharge))) > own.levels_max:
            found.add("levels")
        posted = list(zip(charge, discharge, strict=True))
        if sum(a != b for a, b in pairwise(posted)) > own.changes_max:
            found.add("changes")
        if own.fills_empty and not _filled(situation, cars, posted):
            found.add("filled")
    return found


def _filled(situation, cars, posted):
    group = price_groups(situation)
    there = np.flatnonzero(cars)
    for empty in set(group) - set(group[cars]):
        mine = np.flatnonzero(group == empty)
        near = min(there, key=lambda t: (min(abs(mine - t)), t))
        if any(posted[t] != posted[near] for t in mine):
            return False
    return True


def family_or_reject(situation):
    """The family, where the rules leave anything lawful."""
    try:
        return make_family(situation)
    except ValueError:
        assume(False)


@given(seeds, postings(), st.sampled_from(tuple(TariffFamily)), st.booleans(), st.integers(1, 4))
@settings(max_examples=150)
def test_projected_prices_keep_every_rule(
    small_situation, seed, posting, family, per_hub, decimals
) -> None:
    """Each rule that is set, with bounds, decimals and no arbitrage; twice is once, to the bit."""
    cap = np.inf if seed % 2 else 0.7
    situation = under(
        small_situation(seed), posting, family, decimals=decimals, per_hub=per_hub, cap=cap
    )
    made = family_or_reject(situation)
    rng = np.random.default_rng(seed)
    for wanted in (rng.uniform(-1.0, 2.0, (2, made.groups)), rng.normal(0.5, 0.1, made.low.shape)):
        lawful = made.project(wanted)
        tariff = made.tariff(lawful)
        assert broken(situation, tariff) == set()
        assert np.array_equal(made.project(lawful), lawful)
        assert np.array_equal(made.posted(tariff), lawful)
        assert ((lawful >= made.low - SLACK) & (lawful <= made.high + SLACK)).all()
        assert tariff.charge_price.mean(axis=1).max() <= cap + SLACK
        assert np.array_equal(np.round(lawful, decimals), lawful)
        assert not check_tariff(tariff, situation.fleet, situation.hubs, situation.horizon)


@given(seeds, st.floats(0.02, 0.3), st.booleans())
@settings(max_examples=60)
def test_no_lawful_prices_are_nearer(small_situation, seed, step, order) -> None:
    """Order and steps move the charge price that moves most no farther than they have to."""
    situation = under(small_situation(seed), Posting(step_max=step, keeps_order=order), "hourly")
    family = family_or_reject(situation)
    rng = np.random.default_rng(seed)
    wanted = np.round(rng.uniform(family.low, np.minimum(family.high, 1.2)), 2)
    moved = np.abs(family.project(wanted) - wanted)[0].max()
    for _ in range(20):
        other = family.project(wanted + rng.normal(0.0, 0.2, wanted.shape))
        assert np.abs(other - wanted)[0].max() >= moved - 0.01 - SLACK


@pytest.mark.parametrize(
    "posting",
    [
        Posting(levels_max=2.0, keeps_order=True),
        Posting(changes_max=2.0, discharge_at_most_charge=True),
        Posting(step_max=0.1, charge_at_least_purchase=True, cap=Cap.STAY),
    ],
)
def test_families_with_groups_made_one_hold_all_tariffs(small_situation, posting) -> None:
    """Every lawful tariff of few groups on a grid is lawful in some family with fewer changes."""
    situation = under(small_situation(5), posting, "time-of-use", decimals=1, per_hub=False)
    family = make_family(situation)
    grid = np.arange(-1, 14) / 10.0
    fewer = fewer_changes(family) or (family,)
    some = 0
    for charge in product(grid, repeat=family.groups):
        prices = np.stack([charge, np.zeros(family.groups)])
        if not np.array_equal(family.project(prices), prices):
            continue
        some += 1
        tariff = family.tariff(prices)
        assert broken(situation, tariff) == set()
        kept = [each.project(each.posted(tariff)) for each in fewer]
        posted = [each.tariff(one) for each, one in zip(fewer, kept, strict=True)]
        assert any(np.array_equal(one.charge_price, tariff.charge_price) for one in posted)
    assert some > 3


@given(seeds, postings())
@settings(max_examples=80)
def test_lawful_is_what_breaks_no_rule(small_situation, seed, posting) -> None:
    """The projection leaves a tariff on ticks as it is exactly where it breaks no rule."""
    situation = under(small_situation(seed), posting, "time-of-use", decimals=1, per_hub=False)
    family = family_or_reject(situation)
    rng = np.random.default_rng(seed)
    for _ in range(60):
        prices = np.round(rng.uniform(family.low, np.minimum(family.high, 1.2)), 1) + 0.0
        tariff = family.tariff(prices)
        stays = np.array_equal(family.project(prices), prices)
        assert stays == (not broken_rules(situation, tariff) and not _tempts(situation, tariff))


def _tempts(situation, tariff):
    """Whether buying and selling at once would pay some session that could be there at any time."""
    fleet = situation.fleet
    always = replace(
        fleet,
        arrival_slot=np.zeros_like(fleet.arrival_slot),
        departure_slot=np.full_like(fleet.departure_slot, situation.horizon.slots),
    )
    hubs = replace(always, hub=np.zeros_like(always.hub))
    return bool(check_tariff(tariff, hubs, situation.hubs, situation.horizon))


@given(seeds, postings())
@settings(max_examples=60)
def test_rules_that_a_tariff_breaks_are_named(small_situation, seed, posting) -> None:
    """Whatever rule a tariff drawn at random breaks is told, and none is told of a lawful one."""
    situation = under(small_situation(seed), posting, "every-slot", decimals=1)
    rng = np.random.default_rng(seed)
    shape = (len(situation.hubs), situation.horizon.slots)
    drawn = Tariff(*np.round(rng.uniform(0.0, 1.0, (2, *shape)), 1))
    told = " ".join(broken_rules(situation, drawn))
    words = {
        "purchase": "below their lowest", "pumping": "discharge_at_most_charge",
        "steps": "step by more", "order": "market's order", "levels": "different prices",
        "changes": "changes prices", "filled": "form of the family",
    }  # fmt: skip
    for rule in broken(situation, drawn) - {"cap"}:
        assert words[rule] in told
    family = family_or_reject(situation)
    lawful = family.tariff(family.project(rng.uniform(0.0, 1.0, family.low.shape)))
    assert broken_rules(situation, lawful) == ()


def test_rules_that_leave_nothing_are_refused_with_the_reason(small_situation) -> None:
    """Charging at least at purchase, below a bound lower than it, names slot and bounds."""
    situation = under(small_situation(1), Posting(charge_at_least_purchase=True), "flat")
    low = replace(situation.rules, charge_price_max=np.full(situation.horizon.slots, 0.01))
    with pytest.raises(ScenarioError, match="a charge price must be at least"):
        make_family(replace(situation, rules=low))
    prices = situation.market.purchase_price
    narrow = replace(
        situation.rules,
        family="every-slot",
        charge_price_min=prices,
        charge_price_max=prices,
        posting=Posting(levels_max=1.0),
        decimals=2,
    )
    with pytest.raises(ScenarioError, match="with at most 1 prices"):
        make_family(replace(situation, rules=narrow))


def test_a_flat_tariff_on_market_prices_needs_the_cap_of_stays(small_situation) -> None:
    """Capped in each slot one price is at most the cheapest slot's; by stay it may be above."""
    by_slot = make_family(under(small_situation(2), Posting(), "flat"))
    by_stay = make_family(under(small_situation(2), Posting(cap=Cap.STAY), "flat"))
    assert by_stay.high[0].max() > by_slot.high[0].max() + 0.05
