"""Why cars do what a running hub decided: true sentences, also where the connection is full."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.domain import Schedule, Tariff
from hubwise.domain.why import Case, Reason
from hubwise.drivers import best_response, thresholds_of
from hubwise.live.deciding import Decided, decided, situation_of
from hubwise.live.outlook import EFFICIENCY, SLOT, SLOTS, Outlook, Stay, Wanted
from hubwise.live.planning import GOOD_FOR, HubPlan
from hubwise.web.answers import HubPlanItem
from why_truths import check

T0 = datetime(2026, 3, 2, 12, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def asked(seed: int, size: int, connection_kw: float) -> Outlook:
    """Two lists of hourly prices, and cars of every kind that came before."""
    rng = np.random.default_rng(seed)
    lists = np.repeat(rng.choice([0.1, 0.25, 0.4], (2, 24)), 4, axis=1)
    stays = []
    for k in range(size):
        stored = float(rng.uniform(0.0, 5.0))
        most = stored + float(rng.uniform(0.0, 40.0))
        wanted = Wanted(
            departs_at=T0 + float(rng.uniform(0.1, 30.0)) * timedelta(hours=1),
            required_kwh=float(rng.uniform(0.0, most)),
            most_kwh=most,
            least_kwh=-float(rng.uniform(0.0, 20.0)),
        )
        back_kw = 11.0 * float(rng.integers(2))
        stays.append(Stay(f"s{k}", wanted, stored, 11.0, back_kw, int(rng.integers(2))))
    return Outlook(
        starts_at=T0, now=T0 + float(rng.uniform(0.0, 0.85)) * SLOT, connection_kw=connection_kw,
        charge=tuple(map(tuple, lists.tolist())),
        discharge=tuple(map(tuple, (0.9 * lists).tolist())), purchase=tuple(lists[0].tolist()),
        feed_in=(0.02,) * SLOTS, wear=0.03, currency="EUR", stays=tuple(stays),
    )  # fmt: skip


def schedule_in(outlook: Outlook, found: Decided) -> Schedule:
    """What was decided, as a schedule of the situation's sessions."""
    fleet = situation_of(outlook).fleet
    net = np.array([found.cars[name] for name in fleet.session]) * fleet.presence(SLOTS)
    into, out = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    gained = 0.25 * np.cumsum(EFFICIENCY * into - out / EFFICIENCY, axis=1)
    return Schedule(into, out, fleet.arrival_kwh[:, None] + gained)


@given(st.integers(0, 2**32 - 1), st.integers(1, 12))
@settings(max_examples=20)
def test_what_is_decided_is_explained(seed: int, size: int) -> None:
    """With room for all, each sentence of each car agrees with its list and what it does."""
    outlook = asked(seed, size, 500.0)
    found, situation = decided(outlook), situation_of(outlook)
    tariff = Tariff(np.array(outlook.charge), np.array(outlook.discharge))
    reasons = [found.why[name] for name in situation.fleet.session]
    schedule = schedule_in(outlook, found)
    said = check(situation.fleet, tariff, situation.horizon, schedule, reasons)
    assert "hub_limit" not in said


def test_a_full_connection_is_told() -> None:
    """Where the posted list makes all want the same slot, who is held back is told so, and told
    whether the rest of the stay suffices."""
    charge = (0.1,) * 1 + (0.5,) * (SLOTS - 1)
    wanted = Wanted(T0 + timedelta(hours=6), 8.0, 20.0, 0.0)
    short = replace(wanted, departs_at=T0 + SLOT, required_kwh=2.5)
    stays = (
        *(Stay(f"s{k}", wanted, 0.0, 11.0, 0.0, 0) for k in range(4)),
        Stay("short", short, 0.0, 11.0, 0.0, 0),
    )
    outlook = Outlook(
        T0, T0, 20.0, (charge,), ((0.0,) * SLOTS,), charge, (0.0,) * SLOTS, 0.03, "EUR", stays
    )
    found = decided(outlook)
    schedule, situation = schedule_in(outlook, found), situation_of(outlook)
    fleet = situation.fleet
    best, _ = best_response(fleet, Tariff(np.array([charge]), np.zeros((1, SLOTS))),
                            situation.horizon)  # fmt: skip
    held = schedule.charge_kw[:, 0] < best.charge_kw[:, 0] - 1e-3
    assert held.any()
    for i in np.flatnonzero(held):
        first = found.why[str(fleet.session[i])][0]
        assert first.case is Case.HUB_LIMIT
        have = schedule.energy_kwh[i, -1] >= fleet.required_kwh[i] - 1e-6
        assert (first.wording == "hub_limit") == have


def test_the_plan_tells_case_thresholds_and_time() -> None:
    """One row a slot, on the site's clock; what is said of a plan that nobody follows any more."""
    outlook = asked(3, 4, 500.0)
    plan = HubPlan(outlook, decided(outlook))
    situation = situation_of(outlook)
    tariff = Tariff(np.array(outlook.charge), np.array(outlook.discharge))
    below = thresholds_of(situation.fleet, tariff, situation.horizon).charge_below
    rows = HubPlanItem.of("main", plan, 24, outlook.now, BERLIN).slots
    told = {(each.session, each.start): each for each in rows}
    for i, stay in enumerate(outlook.stays):
        for k in range(SLOTS):
            start = f"{T0 + k * SLOT:%Y-%m-%dT%H:%M:%SZ}"
            row = told.get((stay.session, start))
            if row is None:
                assert T0 + k * SLOT >= stay.wanted.departs_at
            elif row.why.charge_below is None:
                assert np.isinf(below[i, k])
            else:
                assert abs(float(row.why.charge_below) - below[i, k]) < 1e-5
                assert start < row.why.until <= f"{stay.wanted.departs_at:%Y-%m-%dT%H:%M:%S.%fZ}"
    old = HubPlanItem.of("main", plan, 1, T0 + GOOD_FOR, BERLIN).slots
    assert {each.why.case for each in old} == {Case.SAFE_RULE}


def test_times_are_on_the_sites_clock() -> None:
    """Energy at a moment of the plan, in Berlin; another day is named."""
    outlook = asked(0, 1, 500.0)
    reasons = (
        Reason(0, 4.0, "waiting", 0.2, 0.3, {"price": 0.25, "next": 0.1, "at": 40.0}),
        Reason(4, 96.0, "charging_urgent", None, None, {"until": 96.0}),
    )
    stay = replace(outlook.stays[0], wanted=replace(outlook.stays[0].wanted,
                   departs_at=T0 + timedelta(hours=24)))  # fmt: skip
    cars = {stay.session: (0.0,) * SLOTS}
    plan = HubPlan(replace(outlook, stays=(stay,)), Decided(cars, why={stay.session: reasons}))
    rows = HubPlanItem.of("main", plan, 24, outlook.now, BERLIN).slots
    assert rows[0].why.text == "Waiting: 0.25 EUR now, 0.10 EUR from 23:00."
    assert rows[5].why.text == "Your car needs the time until 13:00, so it charges now."
    assert rows[0].why.until == "2026-03-02T13:00:00Z"
