"""What the grid lets hubs draw: limits with an end, by whoever runs it or by the feeder's own."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import httpx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.domain.errors import ScenarioError
from hubwise.domain.events import LimitSaid
from hubwise.grid import power_flow, power_flow_pandapower, violations
from hubwise.live.connection import Connection
from hubwise.live.deciding import Decided
from hubwise.live.feeder import FeederWatch
from hubwise.live.feeder_ahead import feeder_ahead
from hubwise.live.feeder_flow import LiveFeeder
from hubwise.live.fold import Books
from hubwise.live.planning import HubPlan
from hubwise.live.troubles import FEEDER, Troubles
from hubwise.scenario import load
from live_site import Served, event, hubwise, make_site, sample

T0 = datetime(2026, 3, 2, 10, tzinfo=UTC)
HUBS = {"hub-4": 1_000.0, "hub-14": 1_000.0, "hub-30": 1_000.0}


@pytest.fixture(scope="module")
def scenario():
    return load("ieee33")


@pytest.fixture(scope="module")
def feeder(scenario) -> LiveFeeder:
    return LiveFeeder(scenario, HUBS, ZoneInfo("UTC"))


def all_hubs(scenario, hub_kw) -> np.ndarray:
    return np.array([[hub_kw.get(name, 0.0)] for name in scenario.situation.hubs.name])


@given(st.integers(0, 95), st.lists(st.floats(-300, 900), min_size=3, max_size=3))
@settings(max_examples=40, deadline=None)
def test_a_look_is_the_power_flow_and_what_it_allows_holds(scenario, feeder, slot, draws) -> None:
    """At any time, whatever hubs draw: what is seen is another program's flow of the scenario's
    load in that slot; nobody may draw more than asked, nor is asked to give; where it says that it
    holds, the power flow breaks no limit then; where nothing breaks, nobody is limited."""
    at, hub_kw = T0 + slot * timedelta(minutes=15), dict(zip(HUBS, draws, strict=True))
    seen = feeder.look(at, hub_kw)
    situation, k = scenario.situation, np.array([feeder.slot(at)])
    there, hubs = situation.feeder.in_slots(k), situation.hubs
    other = power_flow_pandapower(there, hubs.bus, all_hubs(scenario, hub_kw))
    assert seen.lowest_pu == pytest.approx(other.voltage_pu.min(), abs=1e-6)
    assert seen.head_kw == pytest.approx(other.head_kw[0], rel=1e-5, abs=0.05)
    for hub, kw in seen.allowed_kw.items():
        assert 0.0 <= kw < hub_kw[hub]
    after = all_hubs(scenario, {**hub_kw, **seen.allowed_kw})
    broken = violations(there, hubs, power_flow(there, hubs.bus, after), after)
    assert seen.holds == (not broken)
    assert bool(seen.missed) or not seen.allowed_kw


@given(st.integers(0, 95), st.lists(st.floats(-300, 900), min_size=6, max_size=6))
@settings(max_examples=20, deadline=None)
def test_a_day_on_the_feeder_is_another_programs_flow(scenario, feeder, slot, draws) -> None:
    """Every bus's voltage, every branch's loading of its limit and the head, at each time asked."""
    at = [T0 + (slot + 3 * k) * timedelta(minutes=15) for k in range(2)]
    hub_kw = {hub: draws[2 * k : 2 * k + 2] for k, hub in enumerate(HUBS)}
    found = feeder.states(at, hub_kw)
    situation, shape = scenario.situation, feeder.shape
    for k, time in enumerate(at):
        there = situation.feeder.in_slots(np.array([feeder.slot(time)]))
        drawn = all_hubs(scenario, {hub: kw[k] for hub, kw in hub_kw.items()})
        other = power_flow_pandapower(there, situation.hubs.bus, drawn)
        assert found.voltage_pu[k] == pytest.approx(other.voltage_pu[:, 0], abs=1e-6)
        loading = other.branch_loading[:, 0] / there.branch_limits
        assert found.loading[k] == pytest.approx(loading, rel=1e-4, abs=1e-5)
        assert found.head_kw[k] == pytest.approx(other.head_kw[0], rel=1e-5, abs=0.05)
        of_limit = other.transformer_loading[0] / there.transformer_limit
        assert found.head_loading[k] == pytest.approx(of_limit, rel=1e-4)
    assert found.hub_kw == {hub: tuple(kw) for hub, kw in hub_kw.items()}
    ends = zip(situation.feeder.from_bus, situation.feeder.to_bus, strict=True)
    named = [tuple(shape.buses[end] for end in pair) for pair in shape.ends]
    assert named == [(f"bus {near}", f"bus {far}") for near, far in ends]
    assert {hub: shape.buses[bus] for hub, bus in shape.hubs.items()} == {
        hub: hub.replace("hub-", "bus ") for hub in HUBS
    }


def test_a_day_ahead_has_what_hubs_are_planned_to_draw(feeder) -> None:
    """Cars and battery together, from the quarter that is now; nothing behind a plan's end."""
    begins = T0 - timedelta(minutes=30)
    cars = {"a": tuple(range(96)), "b": (-1.0,) * 96}
    decided = Decided(cars, (0.5,) * 96, (1.0,) * 96)
    plan = HubPlan(SimpleNamespace(starts_at=begins), decided)
    ahead = feeder_ahead(feeder, {"hub-14": plan}, T0 + timedelta(minutes=7))
    assert ahead.plan.at[0] == T0
    assert ahead.plan.hub_kw["hub-14"] == (*(k - 0.5 for k in range(2, 96)), 0.0, 0.0)
    assert set(ahead.plan.hub_kw["hub-4"]) == {0.0} == set(ahead.without.hub_kw["hub-14"])
    # What is lost on the way is drawn at the head as well.
    assert 41.5 < ahead.plan.head_kw[40] - ahead.without.head_kw[40] < 1.2 * 41.5


def test_the_scenarios_day_is_read_on_the_sites_clock(scenario) -> None:
    """It begins at noon; a site in another zone has its own evening."""
    there = LiveFeeder(scenario, HUBS, ZoneInfo("Europe/Berlin"))
    noon = datetime(2026, 7, 1, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))
    hours = (0.0, 0.3, 7.0, 23.9, 24.0)
    assert [there.slot(noon + timedelta(hours=h)) for h in hours] == [0, 1, 28, 95, 0]


def test_a_scenario_without_the_sites_hubs_is_refused(scenario) -> None:
    """Each hub that it has not is named."""
    with pytest.raises(ScenarioError) as told:
        LiveFeeder(scenario, {"hub-4": 1.0, "main": 1.0, "north": 1.0}, ZoneInfo("UTC"))
    assert len(told.value.issues) == 2
    for hub in ("main", "north"):
        assert f"'{hub}'" in str(told.value)


def limit(name: str, kw: float, begins: float, until: float, hub: str = "main") -> LimitSaid:
    hour = timedelta(hours=1)
    return LimitSaid(
        f"{name}{begins}", "", T0, name, hub, Decimal(str(kw)), T0 + begins * hour,
        T0 + until * hour, "operator", "dimmed",
    )  # fmt: skip


def test_the_least_of_the_limits_that_hold_counts() -> None:
    """Each from its beginning to its end; a later word on one stands in its place."""
    books = Books()
    for each in (limit("a", 50, 0, 4), limit("b", 20, 1, 2), limit("c", 5, 0, 4, "other")):
        books.apply(each)
    hours = [books.limit_kw("main", T0 + timedelta(hours=h)) for h in (-0.1, 0.5, 1.5, 2.5, 4)]
    assert hours == [np.inf, 50.0, 20.0, 50.0, np.inf]
    books.apply(limit("a", 50, 0, 0))
    assert books.limit_kw("main", T0 + timedelta(hours=3)) == np.inf
    assert set(books.limits) == {"b", "c"}


def test_a_connection_carries_no_more_than_it_may() -> None:
    """A limit counts where it is below what the connection carries, others' draw included."""
    place = Connection(100.0)
    place.limit_kw = 30.0
    assert (place.most_kw, place.left_kw) == (30.0, 30.0)
    place.limit_kw = 300.0
    assert place.left_kw == 100.0


def test_a_feeder_that_would_not_hold_limits_hubs_and_is_told(feeder) -> None:
    """While it would not hold with what hubs want, they may draw less, and it is one alarm; hubs
    that want less are free again, and the alarm ends. A look that fails limits nobody anew."""

    class Clock:
        speed = 1.0

        def now(self) -> datetime:
            return T0 + timedelta(hours=9)

    places = {hub: Connection(kw) for hub, kw in HUBS.items()}
    troubles, allowed = Troubles(Clock()), []
    watch = FeederWatch(feeder, Clock(), troubles, places, allowed.append)
    for kw in (0.0, 700.0, 0.0):
        for place in places.values():
            place.wanted_kw = kw
        asyncio.run(watch.look())
        assert (FEEDER in troubles.standing) == (kw > 0.0)
    assert [bool(each) for each in allowed] == [False, True, False]
    assert all(kw < 700.0 for kw in allowed[1].values())
    said = troubles.waiting[0].detail
    assert "bus" in said
    assert all(hub in said for hub in allowed[1])


def ask(site: Served, verb: str, path: str, **more) -> httpx.Response:
    headers = {"Authorization": f"Bearer {site.token}"}
    url = f"{site.ready['http']}/api/v1{path}"
    return httpx.request(verb, url, headers=headers, timeout=20, **more)


def asked(kw: str, **more: object) -> dict[str, object]:
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    return {"most_kw": kw, "until": until, "reason": "the street is full", **more}


def last_kw(station) -> float | None:
    """The set-point that a station was sent last [kW]."""
    found = [
        each["chargingProfile"]["chargingSchedule"][0]["chargingSchedulePeriod"][0]["limit"]
        for each in station.heard("SetChargingProfile")
        if each["chargingProfile"]["chargingProfilePurpose"] == "TxProfile"
    ]
    return found[-1] / 1_000 if found else None


async def settles(stations, total: float) -> list[float | None]:
    """What both are sent, once it comes to this [kW]."""
    async with asyncio.timeout(20):
        while sum(last_kw(it) or 0.0 for it in stations) != total:
            await asyncio.sleep(0.1)
    return [last_kw(it) for it in stations]


def test_a_served_site_keeps_a_limit_from_its_beginning_to_its_end(tmp_path) -> None:
    """Over real sockets: cars get less while it holds, also behind a restart, and as before once it
    is taken back; everything wrong with one is told at once; it is an act, and audited."""
    site = make_site(tmp_path / "site", ["A", "B"]).start()

    async def charge(station) -> None:
        boot = {"chargingStation": {"vendorName": "V", "model": "M"}, "reason": "PowerUp"}
        await station.said("BootNotification", boot)
        began = event("Started", 0, datetime.now(UTC), [sample(1.0)], evse={"id": 1})
        await station.said("TransactionEvent", began)

    async def before() -> None:
        async with site.station("A") as one, site.station("B") as two:
            await charge(one)
            await charge(two)
            assert await settles((one, two), 14.0) == [7.0, 7.0]
            made = await asyncio.to_thread(ask, site, "POST", "/hubs/main/limits", json=asked("8"))
            assert made.status_code == 201, made.text
            assert await settles((one, two), 8.0) == [4.0, 4.0]

    async def behind() -> None:
        async with site.station("A") as one, site.station("B") as two:
            for station in (one, two):
                boot = {"chargingStation": {"vendorName": "V", "model": "M"}, "reason": "PowerUp"}
                await station.said("BootNotification", boot)
            await settles((one, two), 8.0)
            (standing,) = site.items("/limits")
            assert (standing["most_kw"], standing["by"]) == ("8", "operator")
            assert site.items("/hubs")[0]["limit_kw"] == "8"
            path = f"/limits/{standing['limit']}"
            gone = await asyncio.to_thread(ask, site, "DELETE", path, params={"reason": "free"})
            assert gone.json() == {"items": []}
            await settles((one, two), 14.0)

    asyncio.run(before())
    site.stop()
    site.start()
    asyncio.run(behind())
    wrong = ask(
        site, "POST", "/hubs/nowhere/limits", json=asked("-1", until=T0.isoformat(), reason=" ")
    )
    assert wrong.status_code == 409
    for part in ("nowhere", "most_kw", "until", "reason"):
        assert part in wrong.json()["detail"]
    answer = ask(site, "GET", "/feeder").json()
    assert answer["flow"] is None
    assert [each["hub"] for each in answer["hubs"]] == ["main"]
    verbs = [each["verb"] for each in site.items("/acts")]
    assert verbs[-2:] == ["limit", "lift"]
    assert site.stop() == 0
    assert "0 fails, 0 missed" in hubwise("audit", site.folder)


def test_a_served_site_looks_at_its_feeder(tmp_path) -> None:
    """From `site.toml`; what a scenario has not is told before anything is served."""
    site = make_site(tmp_path / "site", ["A"])
    toml = site.folder / "site.toml"
    text = toml.read_text()
    toml.write_text(text + '\n[feeder]\nscenario = "ieee33"\n')
    assert "'main'" in hubwise("serve", site.folder, fails=True)
    toml.write_text(text.replace("hubs.main", "hubs.hub-14") + '\n[feeder]\nscenario = "ieee33"\n')
    hubwise("station", "add", site.folder, "A", "--hub", "hub-14", "--password", "x" * 16)
    site.start()
    try:
        for _ in range(100):
            flow = ask(site, "GET", "/feeder").json()["flow"]
            if flow is not None:
                break
            asyncio.run(asyncio.sleep(0.2))
        assert 0.9 < float(flow["lowest_pu"]) < 1.0
        assert flow["missed"] == []
        day = ask(site, "GET", "/feeder/day").json()
        assert (len(day["at"]), len(day["network"]["buses"])) == (96, 33)
        assert {each["bus"]: each["hubs"] for each in day["network"]["buses"]}["bus 14"] == [
            "hub-14"
        ]
        lowest = min(float(pu) for pu in day["without_hubs"]["voltage_pu"][0])
        assert lowest == pytest.approx(float(flow["lowest_pu"]), abs=0.01)
    finally:
        assert site.stop() == 0
