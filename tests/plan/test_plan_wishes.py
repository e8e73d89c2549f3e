"""Each wish is honoured exactly, or the driver is told before the stay."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.dispatch import dispatch, feeder_limits, make_problem, with_participants
from hubwise.domain import Fleet, Promises, Scenario, Schedule, Situation, Tariff
from hubwise.drivers import best_response, least_at_departure, uncoordinated
from hubwise.ledger import Bills, make_bills
from hubwise.plan import make_plan
from hubwise.plan.participation import savings, willing
from hubwise.plan.wishes import make_wishes
from hubwise.record import Wishes, notices_in_short
from hubwise.record.notices import declines
from hubwise.scenario import load

seeds = st.integers(0, 10**6)
few = settings(max_examples=15)
CLOSE = 1e-6


def wishing(situation: Situation, seed: int) -> Situation:
    """Every session has wishes of every kind, some that cannot be met."""
    rng, fleet = np.random.default_rng(seed), situation.fleet
    n = len(fleet)
    never = rng.random(n) < 0.3
    wishes = {
        "departure_slot": np.minimum(fleet.arrival_slot + rng.integers(1, 24, n), 24),
        "required_kwh": rng.uniform(0.0, 1.0, n) * fleet.max_kwh,
        "reserve_kwh": rng.uniform(0.0, 0.6, n) * fleet.max_kwh,
        "discharge_limit_kwh": rng.choice([0.0, 3.0, 11.0, np.inf], n),
        "never_discharge": never,
        "discharge_kw_max": np.where(never, 0.0, fleet.discharge_kw_max),
        "minimum_saving": rng.choice([0.0, 0.4, 2.0, 50.0], n),
    }
    return replace(situation, fleet=replace(fleet, **wishes))


def dispatched(situation: Situation, seed: int) -> tuple[Situation, Tariff, Schedule]:
    """What the platform schedules at two prices that are far apart, for those who take part."""
    rng, shape = (
        np.random.default_rng(seed),
        (len(situation.hubs), situation.horizon.slots),
    )
    dear = rng.random(shape) < 0.5
    charge = np.where(dear, situation.rules.charge_price_max, situation.rules.charge_price_min)
    tariff = Tariff(charge, 0.8 * charge * dear)
    ready = willing(situation, tariff, situation.fleet.participating)
    limits = feeder_limits(situation.feeder, situation.hubs.bus, np.zeros(shape))
    problem = make_problem(ready, limits)
    return ready, tariff, with_participants(problem, dispatch(problem, tariff, rounds=3).schedule)


def billed(situation: Situation, tariff: Tariff, schedule: Schedule) -> Bills:
    _, least = best_response(situation.fleet, tariff, situation.horizon)
    return make_bills(
        situation.fleet,
        tariff,
        situation.market,
        situation.horizon,
        schedule=schedule,
        uncoordinated=uncoordinated(situation.fleet, situation.horizon),
        best_response_cost=least,
    )


Day = tuple[Situation, Situation, Tariff, Schedule, Wishes]


@pytest.fixture(scope="session")
def day_of(small_situation: Callable[..., Situation]) -> Callable[[int], Day]:
    """A day on which every driver wishes something: asked, ready, tariff, schedule, wishes."""

    def made(seed: int) -> Day:
        asked = wishing(small_situation(seed, sessions=12, station=False), seed)
        ready, tariff, schedule = dispatched(asked, seed)
        bills = billed(ready, tariff, schedule)
        fade = np.zeros(len(asked.fleet))
        wishes = make_wishes(asked, ready, schedule, bills, tariff, fade)
        return asked, ready, tariff, schedule, wishes

    return made


def told(wishes: Wishes, wish: str, fleet: Fleet) -> np.ndarray:
    """Which sessions are told something about a wish; shape (sessions,)."""
    rows = zip(wishes.session, wishes.wish, wishes.notice, strict=True)
    names = {name for name, kind, text in rows if kind == wish and text}
    return np.isin(fleet.session, list(names))


@given(seed=seeds)
@few
def test_departure(day_of: Callable[[int], Day], seed: int) -> None:
    """Nothing flows after the stated departure."""
    asked, _, _, schedule, wishes = day_of(seed)
    gone = np.arange(asked.horizon.slots) >= asked.fleet.departure_slot[:, None]
    assert not (schedule.charge_kw + schedule.discharge_kw)[gone].any()
    assert not told(wishes, "departure_slot", asked.fleet).any()


@given(seed=seeds)
@few
def test_required_energy(day_of: Callable[[int], Day], seed: int) -> None:
    """Every vehicle leaves with what it requires, or with all that the stay allows, and is told."""
    asked, _, _, schedule, wishes = day_of(seed)
    leaves_with = schedule.energy_kwh[:, -1]
    short = leaves_with < asked.fleet.required_kwh - CLOSE
    reach = least_at_departure(asked.fleet, asked.horizon)
    assert np.all(leaves_with[short] >= reach[short] - CLOSE)
    np.testing.assert_array_equal(told(wishes, "required_kwh", asked.fleet), short)


@given(seed=seeds)
@few
def test_reserve(day_of: Callable[[int], Day], seed: int) -> None:
    """Energy stays above the reserve; who arrives below it is told, and charged at full power."""
    asked, _, _, schedule, wishes = day_of(seed)
    fleet, slot = asked.fleet, np.arange(asked.horizon.slots)
    stay = (slot >= fleet.arrival_slot[:, None]) & (slot < fleet.departure_slot[:, None])
    low = fleet.arrival_kwh < fleet.reserve_kwh - CLOSE
    below = stay & (schedule.energy_kwh < fleet.reserve_kwh[:, None] - CLOSE)
    assert not below[~low].any()
    full = np.broadcast_to(fleet.charge_kw_max[:, None], below.shape)
    np.testing.assert_allclose(schedule.charge_kw[below], full[below])
    np.testing.assert_array_equal(told(wishes, "reserve_kwh", fleet), low)


@given(seed=seeds)
@few
def test_discharge_limit(day_of: Callable[[int], Day], seed: int) -> None:
    """No stay draws more from the battery than its driver allows."""
    asked, _, _, schedule, wishes = day_of(seed)
    fleet = asked.fleet
    drawn = asked.horizon.slot_hours * schedule.discharge_kw.sum(axis=1)
    assert np.all(drawn / fleet.discharge_efficiency <= fleet.discharge_limit_kwh + CLOSE)
    assert not told(wishes, "discharge_limit_kwh", fleet).any()


@given(seed=seeds)
@few
def test_never_discharge(day_of: Callable[[int], Day], seed: int) -> None:
    """Who forbids discharging is never discharged."""
    asked, _, _, schedule, wishes = day_of(seed)
    assert not schedule.discharge_kw[asked.fleet.never_discharge].any()
    assert not told(wishes, "never_discharge", asked.fleet).any()


@given(seed=seeds)
@few
def test_minimum_saving(day_of: Callable[[int], Day], seed: int) -> None:
    """Who takes part saves the minimum; who does not pays the reference tariff, and is told."""
    asked, ready, tariff, schedule, wishes = day_of(seed)
    participants, minimum = ready.fleet.participating, asked.fleet.minimum_saving
    bills = billed(ready, tariff, schedule)
    assert np.all(bills.saving[participants] >= minimum[participants] - CLOSE)
    np.testing.assert_allclose(bills.net_cost[~participants], bills.reference_cost[~participants])
    np.testing.assert_array_equal(told(wishes, "minimum_saving", asked.fleet), ~participants)
    could = savings(asked.fleet, tariff, asked.market, asked.horizon)
    assert np.all(could[~participants] < minimum[~participants])


@given(seed=seeds)
@few
def test_what_is_not_honoured_is_told(day_of: Callable[[int], Day], seed: int) -> None:
    """No wish is passed over in silence, and none is told to be broken that is not."""
    *_, wishes = day_of(seed)
    silent = np.array([not text for text in wishes.notice])
    assert not (silent & ~wishes.honoured).any()
    assert set(wishes.wish[~silent & wishes.honoured]) <= {"minimum_saving"}
    short = notices_in_short(wishes.session, wishes.wish, wishes.notice)
    assert len(short) == len(set(wishes.wish[~silent]))


def test_what_no_lawful_tariff_can_save_is_said(day_of: Callable[[int], Day]) -> None:
    """Who asks for 50 EUR for a night is told that no tariff can give that."""
    asked, _, _, _, wishes = day_of(4)
    greedy = asked.fleet.session[asked.fleet.minimum_saving == 50.0]
    rows = zip(wishes.session, wishes.wish, wishes.notice, strict=True)
    texts = [text for name, kind, text in rows if name in greedy and kind == "minimum_saving"]
    assert texts
    assert all("No lawful tariff could save you more than" in text for text in texts)


@pytest.fixture(scope="session")
def giving() -> Scenario:
    """The example with evenings so dear that discharging pays whatever it wears."""
    scenario = load("example")
    hour = scenario.situation.horizon.local_hours()
    dear = np.where((hour >= 18) & (hour < 22), 0.90, 0.10)
    market = replace(scenario.situation.market, purchase_price=dear, reference_price=dear + 0.1)
    least = 0.6 * (dear > 0.5)
    rules = replace(
        scenario.situation.rules, charge_price_max=dear + 0.1, discharge_price_min=least
    )
    few = replace(scenario.search, evaluations=4)
    market = replace(market, feed_in_price=dear)
    return scenario.having(market=market, rules=rules, search=few, promises=Promises())


@given(seed=seeds)
@settings(max_examples=5)
def test_fade_limit(giving: Scenario, seed: int) -> None:
    """No battery loses more to the grid a year than its driver accepts."""
    rng = np.random.default_rng(seed)
    limit = rng.choice([0.0, 1e-4, 1e-3, 5e-3, np.inf], len(giving.situation.fleet))
    made = make_plan(
        giving.having(fleet=giving.situation.fleet.with_drivers(fade_limit_per_year=limit))
    )
    a_year = 365.0 * 24.0 / (giving.situation.horizon.slots * giving.situation.horizon.slot_hours)
    assert np.all(made.ageing.fade_v2g * a_year <= limit + 1e-9)
    assert not told(made.wishes, "fade_limit_per_year", giving.situation.fleet).any()
    rows = made.wishes.wish == "fade_limit_per_year"
    assert rows.sum() == np.isfinite(limit).sum()
    assert made.wishes.honoured[rows].all()


def test_without_fade_limits_batteries_fade(giving: Scenario) -> None:
    """Else the test above would prove little."""
    assert (make_plan(giving).ageing.fade_v2g > 5e-3 / 365.0).sum() > 2


def test_half_a_cent_is_told_alike_however_it_was_added_up() -> None:
    """Sums that differ by rounding make the same sentence: the audit adds up in another way."""
    said = {declines(2.0, could, 1.715 + could - 1.925, "EUR") for could in (1.925 - 2e-13, 1.925)}
    assert len(said | {declines(2.0, 1.925 + 2e-13, 1.715 + 2e-13, "EUR")}) == 1
