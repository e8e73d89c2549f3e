"""The bound of a tariff family: valid whatever drivers do at whatever prices, and worth having."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from builders import on_discharging, with_slot_bounds
from hubwise.dispatch import dispatch, prices_of_limits
from hubwise.domain import Status, Tariff
from hubwise.drivers import best_response
from hubwise.pricing import (
    UnsolvedError,
    bound_family,
    make_family,
    profit_bound,
    solve_exact,
)
from hubwise.pricing.family_bound.bound import parts_of
from hubwise.pricing.family_bound.box import Box
from hubwise.pricing.search.alternating import alternate

seeds = st.integers(0, 2**32 - 1)
promises = st.sampled_from([{}, {"saving": 0.8}, {"saving": 0.7, "peak_valley": 0.9}])
names = st.sampled_from(["flat", "time-of-use"])


def problem_of(
    small_situation, make_problem_of, seed, *, sessions=4, hubs=1, name="flat", kept=None
):
    situation = small_situation(seed, sessions=sessions, hubs=hubs, slots=10, levels=2)
    per_hub = hubs > 1 and seed % 2 == 0
    rules = replace(situation.rules, family=name, per_hub=per_hub)
    fleet = situation.fleet
    if seed % 3 == 0:
        fleet = with_slot_bounds(fleet, 10, np.random.default_rng(seed))
        held = replace(fleet.bounds, most_kwh=np.full((len(fleet), 10), np.inf))
        free = np.full(len(fleet), np.inf)
        fleet = replace(fleet, bounds=held, discharge_limit_kwh=free)
    return make_problem_of(replace(situation, rules=rules, fleet=fleet), **(kept or {}))


def pressed(small_situation, make_problem_of, seed, sessions):
    """Both promises press: the problem, its family, the relaxed answer, the reference prices."""
    kept = {"saving": 0.8, "peak_valley": 0.8}
    problem = problem_of(
        small_situation, make_problem_of, seed, sessions=sessions, name="time-of-use", kept=kept
    )
    family = make_family(problem.situation)
    relaxed = dispatch(problem, None, rounds=60, flat=False)
    prices = family.project(np.stack([family.high[0], family.low[1]]))
    return problem, family, relaxed, prices


def cost_to_operator(problem, schedule, price):
    """What each schedule costs at prices of the shared limits, wear included [currency]."""
    fleet, hours = problem.fleet, problem.situation.horizon.slot_hours
    at_hub, reward = price[fleet.hub], on_discharging(problem.situation)
    drawn = schedule.discharge_kw.sum(axis=1) / fleet.discharge_efficiency
    energy = at_hub * (schedule.charge_kw - schedule.discharge_kw)
    energy -= reward * schedule.discharge_kw
    return hours * (energy.sum(axis=1) + fleet.wear_cost * drawn)


@given(seeds, names, promises, st.floats(0.0, 0.2), st.integers(1, 2))
@settings(max_examples=60)
def test_no_answer_costs_less_than_its_box_says(
    small_situation, make_problem_of, seed, name, kept, width, hubs
) -> None:
    """At any tariff of a box, ties broken anyhow, no driver's answer costs less than is said."""
    problem = problem_of(
        small_situation, make_problem_of, seed, sessions=12, hubs=hubs, name=name, kept=kept
    )
    family = make_family(problem.situation)
    relaxed = dispatch(problem, None, rounds=8, flat=False)
    rng = np.random.default_rng(seed)
    lawful = family.project(rng.uniform(0.0, 0.8, (2, family.groups)))
    tariff = family.tariff(lawful)
    nudge = 1e-9 * rng.standard_normal((2, *tariff.charge_price.shape))
    nudged = Tariff(tariff.charge_price + nudge[0], tariff.discharge_price + nudge[1])
    schedule, _ = best_response(problem.fleet, nudged, problem.situation.horizon)
    cost = cost_to_operator(problem, schedule, prices_of_limits(problem, relaxed))
    for part in parts_of(problem, family, relaxed):
        point = part.at(lawful)
        low = point.low - width * rng.uniform(size=point.low.shape)
        high = point.high + width * rng.uniform(size=point.low.shape)
        level = (point.level[0] - width * rng.uniform(), point.level[1] + width * rng.uniform())
        for box in (point, Box(low, high, level)):
            least = part.least(box)
            assert (least <= cost[part.chosen] + 1e-6).all()
            trimmed = part.trimmed(box)
            assert trimmed is not None  # there is a lawful tariff in it
            assert (part.least(trimmed) <= cost[part.chosen] + 1e-6).all()


@given(seeds, names, st.floats(0.01, 0.3))
@settings(max_examples=30)
def test_a_smaller_box_says_no_less(small_situation, make_problem_of, seed, name, width) -> None:
    """What holds in a box holds in every box within it."""
    problem = problem_of(small_situation, make_problem_of, seed, sessions=40, name=name)
    family = make_family(problem.situation)
    part = parts_of(problem, family, dispatch(problem, None, rounds=8, flat=False))[0]
    rng = np.random.default_rng(seed)
    middle = part.at(rng.uniform(0.1, 0.6, (2, family.groups)))
    narrow, wide = (
        part.least(Box(middle.low - by, middle.high + by, middle.level))
        for by in (width / 3, width)
    )
    assert (narrow >= wide - 1e-9).all()


def test_a_box_without_a_lawful_price_is_dropped(small_situation, make_problem_of) -> None:
    """Where the other prices lie so far below the first that none is lawful, nothing is left."""
    problem, family, relaxed, _ = pressed(small_situation, make_problem_of, 4, 6)
    part = parts_of(problem, family, relaxed)[0]
    whole = part.whole()
    bottom = (whole.level[0], whole.level[0])
    assert whole.level[0] < whole.level[1]
    assert part.trimmed(whole) is not None
    assert part.trimmed(Box(whole.low, whole.low, bottom)) is None
    assert part.trimmed(Box(whole.low, whole.high, bottom)) is not None


@given(seeds, names, promises)
@example(2255193, "flat", {})  # more must be held in a slot than at departure
@settings(max_examples=30)
def test_no_tariff_of_the_family_passes_its_bound(
    small_situation, make_problem_of, seed, name, kept
) -> None:
    """The bound is never below the exact optimum, nor above the bound for any tariff."""
    problem = problem_of(small_situation, make_problem_of, seed, sessions=3, name=name, kept=kept)
    family = make_family(problem.situation)
    try:
        best = solve_exact(problem, family, seconds=20.0)
    except UnsolvedError:
        assume(False)
    for rounds in (3, 40):
        relaxed = dispatch(problem, None, rounds=rounds, flat=False)
        own = dispatch(problem, best.tariff, rounds=rounds, flat=False)
        prices = family.posted(best.tariff)
        for planned, posted in ((None, None), (own, None), (own, prices), (None, 1.01 * prices)):
            found = bound_family(problem, family, relaxed, planned, posted=posted, boxes=300)
            assert found.profit >= best.profit - 1e-6 * (1.0 + abs(best.profit))
            assert found.profit <= profit_bound(problem, relaxed) + 1e-9


@given(seeds)
@settings(max_examples=10)
def test_more_boxes_say_no_less(small_situation, make_problem_of, seed) -> None:
    """Looking at more boxes never raises the bound."""
    problem = problem_of(small_situation, make_problem_of, seed, sessions=20, name="time-of-use")
    family = make_family(problem.situation)
    relaxed = dispatch(problem, None, rounds=20, flat=False)
    found = [bound_family(problem, family, relaxed, boxes=n).profit for n in (1, 30, 300)]
    assert found[0] >= found[1] - 1e-9 >= found[2] - 2e-9


def test_dispatches_about_better_boxes_bound_closer(small_situation, make_problem_of) -> None:
    """Prices of the limits from tariffs of a box take more off than the relaxed ones alone."""
    won = []
    for seed in range(8, 15):
        problem, family, relaxed, prices = pressed(small_situation, make_problem_of, seed, 40)
        alone = bound_family(problem, family, relaxed, boxes=400).profit
        found = bound_family(problem, family, relaxed, posted=prices, boxes=400).profit
        won.append((alone - found) / (1.0 + abs(alone)))
    assert min(won) > -0.02
    assert max(won) > 0.002


@pytest.mark.parametrize("seed", [14, 16])
def test_its_parts_close_the_gap(small_situation, make_problem_of, seed) -> None:
    """Boxes at the multipliers of good tariffs leave a quarter of the relaxed ones' gap at most."""
    problem, family, relaxed, prices = pressed(small_situation, make_problem_of, seed, 12)
    best = alternate(problem, family, relaxed, [family.tariff(prices)], evaluations=400)
    own = dispatch(problem, family.tariff(best.prices), rounds=60, flat=False)
    alone = bound_family(problem, family, relaxed, boxes=2000).profit
    found = bound_family(problem, family, relaxed, own, posted=best.prices, boxes=2000)
    assert found.profit - best.value.merit < 0.25 * (alone - best.value.merit)
    assert found.boxes <= 1000


def test_families_of_many_prices_keep_the_bound_for_any_tariff(
    small_situation, make_problem_of
) -> None:
    """Where boxes would be too many, nothing is looked at, and the answer says so."""
    situation = small_situation(3, sessions=5, hubs=1, slots=12, levels=2)
    problem = make_problem_of(
        replace(situation, rules=replace(situation.rules, family="every-slot"))
    )
    relaxed = dispatch(problem, None, rounds=20, flat=False)
    found = bound_family(problem, make_family(problem.situation), relaxed)
    assert found.profit == pytest.approx(profit_bound(problem, relaxed))
    assert (found.boxes, found.status) == (0, Status.NOT_BOUNDED)


def test_it_is_worth_having(small_situation, make_problem_of) -> None:
    """One price for a day of two purchase prices: the bound says what such a tariff cannot do."""
    problem = problem_of(small_situation, make_problem_of, 11, sessions=60, kept={"saving": 0.9})
    family = make_family(problem.situation)
    relaxed = dispatch(problem, None, rounds=60, flat=False)
    found = bound_family(problem, family, relaxed)
    any_tariff = profit_bound(problem, relaxed)
    assert found.profit < any_tariff - 0.01 * abs(any_tariff)
