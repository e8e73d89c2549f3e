"""Decisions of a running hub: what is set now, from what is known now."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import scenario_of, small_situation
from hubwise.audit.program import best_response_costs
from hubwise.dispatch import make_baseline, make_problem
from hubwise.dispatch.linear import dispatch_linear
from hubwise.domain import Promises, Schedule, Situation, Tariff
from hubwise.domain.arrays import Array
from hubwise.domain.fleets import joined
from hubwise.drivers import least_at_departure
from hubwise.grid import power_flow
from hubwise.plan.decide import Leaving, decide
from hubwise.plan.futures import Futures
from hubwise.pricing import account_of
from hubwise.study.replay.day import Beliefs, as_it_turns_out, early_by_slot
from hubwise.study.replay.world import Done, World

seeds = st.integers(0, 2**32 - 1)


def posted_for(situation: Situation, seed: int) -> Tariff:
    """Prices of few levels, so that drivers have ties; nobody gains by going in a circle."""
    rng = np.random.default_rng(seed)
    charge = rng.choice([0.2, 0.4, 0.7], (len(situation.hubs), situation.horizon.slots // 4))
    charge = charge.repeat(4, axis=1)
    return Tariff(charge, 0.8 * charge)


def alone(situation: Situation) -> Futures:
    """One future, which is what comes."""
    return Futures((situation,), np.ones(1))


def replayed(situation: Situation, seed: int, **beliefs: object) -> tuple[World, Done]:
    """A day on which the cars that are expected are those of the same day."""
    posted = posted_for(situation, seed)
    day = as_it_turns_out(
        scenario_of(situation),
        [situation.fleet],
        posted,
        Beliefs(**beliefs),
        seed,  # type: ignore[arg-type]
    )
    world = World(day)
    return world, world.run()


def regrets(situation: Situation, posted: Tariff, done: Schedule) -> Array:
    """What each pays more than its best response, by a program that shares no code with it."""
    fleet, hours = situation.fleet, situation.horizon.slot_hours
    least = best_response_costs(fleet, posted, situation.horizon)
    lists = fleet.lists
    paid = posted.charge_price[lists] * done.charge_kw
    earned = posted.discharge_price[lists] * done.discharge_kw
    wear = (fleet.wear_cost / fleet.discharge_efficiency)[:, None] * done.discharge_kw
    surplus = fleet.surplus_value * (done.energy_kwh[:, -1] - fleet.required_kwh)
    return hours * (paid - earned + wear).sum(axis=1) - surplus - least


@given(seeds)
@settings(max_examples=15)
def test_a_decision_is_as_good_as_the_program(seed) -> None:
    """What is decided with all known costs what one linear program of the day finds, to 2 %."""
    situation = small_situation(seed, sessions=12)
    posted = posted_for(situation, seed)
    baseline = make_baseline(situation)
    problem = make_problem(situation, baseline.limits, everybody=baseline.schedule)
    best = dispatch_linear(problem, posted)
    found = decide(alone(situation), situation.fleet.session, posted)
    profits = [
        account_of(problem, posted, schedule, stations)[0].profit
        for schedule, stations in (
            (best.schedule, best.stations),
            (found.schedule, found.stations),
        )
    ]
    hours, price = situation.horizon.slot_hours, situation.market.purchase_price
    scale = hours * float(baseline.hub_kw.sum(axis=0) @ price)
    assert profits[1] >= profits[0] - 0.02 * abs(scale)
    assert found.missed_kw <= 1e-3


@given(seeds, st.booleans())
@settings(max_examples=12)
def test_a_day_of_decisions_costs_no_driver_anything(seed, leaving) -> None:
    """Whatever is decided slot by slot, every stay is a cheapest one and leaves as promised."""
    situation = small_situation(seed, sessions=10)
    world, done = replayed(situation, seed)
    posted = world.day.posted
    if leaving:
        early = early_by_slot(situation.horizon.slot_minutes, situation.horizon.slots)
        world = World(world.day, Leaving(early, 0.1))
        done = world.run()
    assert regrets(situation, posted, done.schedule).max() <= 1e-6
    least = least_at_departure(situation.fleet, situation.horizon)
    assert (done.schedule.energy_kwh[:, -1] >= least - 1e-6).all()
    gained = np.diff(done.schedule.energy_kwh, axis=1, prepend=situation.fleet.arrival_kwh[:, None])
    fleet, hours = situation.fleet, situation.horizon.slot_hours
    put_in = hours * done.schedule.charge_kw * fleet.charge_efficiency[:, None]
    taken = hours * done.schedule.discharge_kw / fleet.discharge_efficiency[:, None]
    np.testing.assert_allclose(gained, put_in - taken, atol=1e-6)


@given(seeds, st.floats(0.2, 0.9))
@settings(max_examples=15)
def test_a_connection_holds_where_everybody_wants_the_same_slot(seed, share) -> None:
    """The first slot is by far the cheapest on every list: nobody draws more than the connection
    carries, all who charge at it are cut by the same share, and books of energy add up."""
    situation = small_situation(seed, sessions=14)
    fleet, hubs = situation.fleet, situation.hubs
    here = replace(fleet, arrival_slot=np.zeros_like(fleet.arrival_slot), late=None, early=None)
    here = replace(here, participating=np.ones(len(fleet), bool))
    situation = replace(situation, fleet=here)
    posted = posted_for(situation, seed)
    cheap = posted.charge_price.copy()
    cheap[:, 0] = cheap.min() - 1.0
    posted = replace(posted, charge_price=cheap, discharge_price=np.minimum(0.0, cheap))
    free = decide(alone(situation), here.session, posted)
    limit = np.maximum(share * free.hub_kw, 0.5)
    tight = replace(situation, hubs=replace(hubs, import_limit_kw=limit))
    found = decide(alone(tight), here.session, posted)
    assert (found.hub_kw <= limit + 2e-3).all()
    rate = here.charge_efficiency * situation.horizon.slot_hours
    back = here.discharge_efficiency
    first = rate * found.schedule.charge_kw[:, 0]
    first -= situation.horizon.slot_hours * found.schedule.discharge_kw[:, 0] / back
    np.testing.assert_allclose(found.schedule.energy_kwh[:, 0] - here.arrival_kwh, first, atol=1e-6)


@given(seeds)
@settings(max_examples=8)
def test_stations_end_where_they_would(seed) -> None:
    """No station is emptied for profit: it ends with at least what it began with."""
    situation = small_situation(seed, sessions=6)
    _, done = replayed(situation, seed)
    hubs = situation.hubs
    assert (done.stations.energy_kwh[:, -1] >= hubs.least_final_kwh - 1e-6).all()
    assert (done.stations.energy_kwh >= -1e-9).all()
    assert (done.stations.energy_kwh <= hubs.battery_kwh[:, None] + 1e-6).all()


@pytest.mark.parametrize("seed", [0, 4, 5])
def test_the_past_counts(seed) -> None:
    """What the head has been so far is part of the promise; who forgets it misses it by far."""
    situation = small_situation(seed, sessions=16)
    promised = replace(situation, promises=Promises(peak_valley=0.6))
    world, _ = replayed(promised, seed)
    most = 0.6 * float(np.ptp(world.usual_head_kw))
    assert np.ptp(world.head_kw) <= 1.001 * most
    forgetful = World(world.day)
    forgetful._so_far = lambda _: promised.so_far  # type: ignore[method-assign]
    forgetful.run()
    assert np.ptp(forgetful.head_kw) > 1.03 * most


def test_energy_early_counts_more_the_longer_a_stay_goes_on() -> None:
    """What a kWh counts never rises along a stay, is nothing at its end, and by hand elsewhere."""
    leaving = Leaving(np.array([0.3, 0.2, 0.1, 0.0]), 0.5)
    worth = leaving.by_slot(6)
    assert worth.shape == (7, 6)
    assert (np.diff(worth[5, :5]) <= 1e-12).all()
    assert worth[5, 4] == 0.0  # nobody leaves after the last slot and before its end
    assert worth[5, 3] == pytest.approx(0.5 * (0.3 - 0.2))
    assert worth[5, 0] == pytest.approx(0.5 * 0.3)


@given(seeds)
@settings(max_examples=6)
def test_who_is_here_does_one_thing_in_all_futures(seed) -> None:
    """With several futures a present car has one set-point, and nobody pays for it."""
    situation = small_situation(seed, sessions=8)
    now = situation.fleet.arrival_slot == situation.fleet.arrival_slot.min()
    moved = situation.fleet.staying(
        situation.fleet.begins - situation.fleet.arrival_slot.min(),
        situation.fleet.ends - situation.fleet.arrival_slot.min(),
    )
    others = replace(moved.select(~now), session=np.char.add(moved.select(~now).session, "b"))
    futures = Futures(
        (replace(situation, fleet=moved),
         replace(situation, fleet=joined([moved.select(now), others]))), np.array([0.4, 0.6])
    )  # fmt: skip
    here, posted = moved.session[now], posted_for(situation, seed)
    found = decide(futures, here, posted)
    assert sorted(found.session.tolist()) == sorted(here.tolist())
    assert len(found.warm.starts) == 2
    mine = replace(situation, fleet=moved.select(now))
    assert regrets(mine, posted, found.schedule).max() <= 1e-6


@pytest.mark.parametrize("seed", [0, 4])
def test_a_feeder_that_is_not_as_it_was_linear_is_noticed(seed) -> None:
    """Where the linear head is wrong by more than a little, AC tells, and it is linearised anew."""
    situation = small_situation(seed, sessions=16)
    promised = replace(situation, promises=Promises(peak_valley=0.6))
    posted, here = posted_for(situation, seed), situation.fleet.session[:0]
    first = decide(alone(promised), here, posted)
    again = decide(alone(promised), here, posted, first.warm)
    [near] = again.warm.near
    limits = near.limits
    wrong = replace(near, limits=replace(limits, offset=limits.offset + 5.0))
    misled = decide(alone(promised), here, posted, replace(again.warm, near=(wrong,)))
    head = power_flow(promised.feeder, promised.hubs.bus, misled.warm.starts[0].hub_kw).head_kw
    [mended] = misled.warm.near
    assert abs(wrong.limits.head(misled.warm.starts[0].hub_kw)[0] - head[0]) > 1.0
    assert abs(mended.limits.head(misled.warm.starts[0].hub_kw)[0] - head[0]) < 0.2
