"""Rules that an operator sets itself: whatever is asked for, what is posted keeps each of them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from hubwise.domain import Cap, Posting, TariffFamily
from hubwise.pricing import make_family, price_groups
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
            wrong = (buys[a] > buys[b] + SLACK and charge[a] < charge[b] for a in told for b in told)
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
@settings(max_examples=400)
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
