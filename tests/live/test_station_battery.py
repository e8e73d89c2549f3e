"""A hub's own battery: planned for what it earns, never counted on for more than it is seen to do,
and told of when it is gone. And cars to come, as the site's own past tells of them."""

from __future__ import annotations

import asyncio
import re
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from hubwise.domain.devices import BatteryState
from hubwise.domain.errors import ScenarioError
from hubwise.edge.simulated import SimulatedBattery
from hubwise.live import read_settings
from hubwise.live.coming import coming
from hubwise.live.connection import Connection
from hubwise.live.deciding import decided
from hubwise.live.outlook import SLOTS, Outlook, Stay, Storage, Wanted
from hubwise.live.tended import Tended
from live_site import hubwise, make_site
from modbus_devices import Device, long_at, served, sunspec_battery

T0 = datetime(2026, 3, 2, 10, tzinfo=UTC)
seeds = st.integers(0, 2**32 - 1)
WALLBOX = Storage(20.0, 60.0, 25.0, 0.95, 0.02)


def asked(purchase, feed_in, storage=WALLBOX, stays=(), connection_kw=40.0) -> Outlook:
    """A hub of which nothing else is known."""
    return Outlook(
        starts_at=T0, now=T0, connection_kw=connection_kw, charge=(tuple(purchase),),
        discharge=(tuple(purchase),), purchase=tuple(purchase), feed_in=tuple(feed_in), wear=0.05,
        currency="EUR", stays=tuple(stays), storage=storage,
    )  # fmt: skip


def best_of(outlook: Outlook) -> float:
    """The most that a battery alone can earn, by HiGHS: stored energy counts at the end what it
    would cost to put in again."""
    storage, n = outlook.storage, SLOTS
    end = min(outlook.purchase) / storage.efficiency
    into = [0.25 * (-price + end * storage.efficiency) for price in outlook.purchase]
    out = [0.25 * (price - storage.wear - end / storage.efficiency) for price in outlook.feed_in]
    gain = 0.25 * storage.efficiency * np.tri(n)
    loss = 0.25 / storage.efficiency * np.tri(n)
    rows = np.block([[gain, -loss], [-gain, loss]])
    room = np.full(n, storage.capacity_kwh - storage.energy_kwh)
    most = min(storage.power_kw, outlook.connection_kw)
    found = linprog(
        -np.array([*into, *out]), rows, np.concatenate([room, np.full(n, storage.energy_kwh)]),
        bounds=(0.0, most), method="highs",
    )  # fmt: skip
    assert found.status == 0
    return -found.fun


def earned(outlook: Outlook, powers) -> float:
    """What it earns by what was decided, the same way."""
    storage, kw = outlook.storage, np.array(powers)
    into, out = np.maximum(kw, 0.0), np.maximum(-kw, 0.0)
    end = min(outlook.purchase) / storage.efficiency
    stored = storage.efficiency * into - out / storage.efficiency
    cash = -np.array(outlook.purchase) @ into + (np.array(outlook.feed_in) - storage.wear) @ out
    return 0.25 * float(cash + end * stored.sum())


@given(seeds)
@settings(max_examples=15, deadline=None)
def test_a_battery_earns_what_can_be_earned(seed) -> None:
    """Alone behind a connection: nothing that a program of its own finds earns more."""
    rng = np.random.default_rng(seed)
    purchase = rng.uniform(0.05, 0.5, 24).repeat(4)
    outlook = asked(purchase, 0.9 * purchase, connection_kw=float(rng.uniform(10.0, 40.0)))
    found = decided(outlook)
    energy = np.array(found.battery_kwh)
    assert (energy >= -1e-6).all()
    assert (energy <= 60.0 + 1e-6).all()
    assert earned(outlook, found.battery) == pytest.approx(best_of(outlook), rel=5e-3, abs=0.02)
    assert not found.cars


def test_it_stores_for_cars_that_are_expected() -> None:
    """Cars come in three hours and want more than the connection carries: the battery is full
    then; were they not expected it would rest."""
    wanted = Wanted(T0 + timedelta(hours=5), 15.0, 15.0, 0.0)
    stays = [
        Stay(f"coming:{k}", wanted, 0.0, 11.0, 0.0, 0, T0 + timedelta(hours=3)) for k in range(4)
    ]
    prices = [0.2] * SLOTS
    alone = decided(asked(prices, [0.0] * SLOTS, connection_kw=10.0))
    expecting = decided(asked(prices, [0.0] * SLOTS, stays=stays, connection_kw=10.0))
    assert max(np.abs(alone.battery)) < 0.1
    assert expecting.battery_kwh[11] > 40.0
    assert not expecting.cars


@given(seeds)
@settings(max_examples=60, deadline=None)
def test_the_connection_holds_whatever_the_battery_does(seed) -> None:
    """It follows late or never, falls silent, comes back: chargers that draw all their room and
    others beside them never draw more than the connection carries once it was looked at."""
    rng = np.random.default_rng(seed)
    tended = Tended()
    place = Connection(50.0, metered=False, battery=tended)
    real_kw = 0.0
    for k in range(60):
        tended.told_kw = float(rng.uniform(-25, 25)) if rng.random() < 0.3 else tended.told_kw
        tended.told_kw = min(tended.told_kw, place.battery_room_kw)
        real_kw = float(rng.choice([tended.told_kw, real_kw, 0.0])) if k else 0.0
        if rng.random() < 0.8:
            tended.saw(BatteryState(T0, 30.0, 60.0, 25.0, 25.0, real_kw))
        else:
            tended.missed()
            real_kw = max(real_kw, 0.0) if real_kw > tended.told_kw else real_kw
        place.asked_kw = float(rng.uniform(0, 50))
        seen = real_kw if tended.answers else max(tended.told_kw, 0.0)
        assert place.room_kw + seen <= 50.0 + 1e-9
        assert place.room_kw >= 0.0


@given(st.lists(st.tuples(st.floats(-30, 30), st.integers(1, 7_200)), max_size=20))
@settings(max_examples=100, deadline=None)
def test_a_simulated_battery_is_one(orders) -> None:
    """Never below empty, never above full; losses only lose; an order holds for its time."""
    now = T0
    battery = SimulatedBattery(lambda: now, 40.0, 20.0, 0.9)
    flowed = 0.0

    async def go() -> None:
        nonlocal now, flowed
        for kw, seconds in orders:
            before = battery.energy_kwh
            assert abs(await battery.follow(kw, 60)) <= 20.0
            now += timedelta(seconds=seconds)
            state = await battery.state()
            assert 0.0 <= state.energy_kwh <= 40.0
            hours = min(seconds, 60) / 3_600
            assert abs(state.energy_kwh - before) <= max(abs(kw), 0.0) * hours / 0.9 + 1e-9
            if seconds > 60:
                assert state.power_kw == 0.0

    asyncio.run(go())


def _session(name, began, hours, kwh, station="CP1"):
    said = SimpleNamespace(at=began)
    ended = SimpleNamespace(at=began + timedelta(hours=hours))
    bill = SimpleNamespace(charged_kwh=Decimal(str(kwh)), discharged_kwh=Decimal(0))
    return SimpleNamespace(
        session=name, station=station, opened_at=began, started=said, ended=ended, stands=bill
    )


def test_who_came_a_week_ago_is_expected() -> None:
    """The same hours of the same day of the week, at stations of the hub; else those of the day
    before; who charged nothing, or is of another hub, is not."""
    week, day = timedelta(days=7), timedelta(days=1)
    past = [
        _session("early", T0 - week - timedelta(hours=1), 2, 8),
        _session("same", T0 - week + timedelta(hours=3), 2, 8),
        _session("empty", T0 - week + timedelta(hours=4), 2, 0),
        _session("elsewhere", T0 - week + timedelta(hours=4), 2, 9, "CP9"),
        _session("yesterday", T0 - day + timedelta(hours=5), 3, 12),
    ]

    def expected(sessions):
        books = SimpleNamespace(sessions={each.session: each for each in sessions})
        return coming(books, T0, lambda name: 11.0 if name == "CP1" else None)

    (same,) = expected(past)
    assert same.session == "coming:same"
    assert same.arrives_at == T0 + timedelta(hours=3)
    assert same.wanted == Wanted(T0 + timedelta(hours=5), 8.0, 8.0, 0.0)
    (found,) = expected(past[-1:])
    assert found.arrives_at == T0 + timedelta(hours=5)
    assert expected(past[:1]) == ()


def _told_kw(device: Device) -> float:
    """What stands in its set-point [kW]."""
    return -0.01 * long_at(device, 704, "WSet")


def _with_battery(folder, line: str) -> None:
    place = folder / "site.toml"
    text = re.sub(r"\[hubs\.main\.battery\][^[]*", "", place.read_text())
    now = datetime.now(UTC)
    quarter = (60 * now.hour + now.minute) // 15
    purchase = [0.05 if (k - quarter) % 96 < 4 else 0.6 for k in range(96)]
    text = text.replace("Europe/Berlin", "UTC").replace("[prices]", f"{line}\n[prices]")
    place.write_text(f"{text}\n[planning]\npurchase = {purchase}\nfeed_in = {purchase}\n")


async def _until(find, seconds: float = 25.0):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := await asyncio.to_thread(find):
            return found
        await asyncio.sleep(0.2)
    raise AssertionError("it did not come to pass")


def test_a_served_site_runs_its_battery(tmp_path) -> None:
    """A real Modbus connection: energy is cheap now and dear in an hour, so it is told to charge
    with all it can, and the plan shows it; then it is gone, which is an alarm."""
    site = make_site(tmp_path / "site", ["CP1"])
    device = sunspec_battery(watts=0)
    site.extra = ["--speed", "10"]

    def hub():
        return site.items("/hubs")[0]

    async def run():
        async with served(device) as port:
            line = f'[hubs.main.battery]\nmodbus = "127.0.0.1:{port}"'
            _with_battery(site.folder, line)
            await asyncio.to_thread(site.start)
            await _until(lambda: 20.0 < _told_kw(device) < 100.0)
            seen = await asyncio.to_thread(hub)
            plans = await asyncio.to_thread(site.items, "/plan")
        await _until(lambda: "battery lost" in site.get("/health").text)
        return seen, plans, await asyncio.to_thread(hub)

    try:
        seen, (plan,), after = asyncio.run(run())
    finally:
        assert site.stop() == 0
    assert float(seen["battery"]["energy_kwh"]) == pytest.approx(24.0)
    assert seen["battery"]["answers"]
    assert max(float(each["kw"]) for each in plan["battery"]) > 20.0
    assert max(float(each["kwh"]) for each in plan["battery"]) > 40.0
    assert not after["battery"]["answers"]


def test_every_mistake_of_a_battery_is_told(tmp_path) -> None:
    """All at once, each with its place and what would be right."""
    hubwise("site", "new", tmp_path / "site")
    lines = '[hubs.main.battery]\nmodbus = "x:0"\nunit = -1\nkwh = 3\ncapacity_kwh = "big"\n'
    lines += "power_kw = 0\nefficiency = 2\nwear = -1\nregisters = { soc = { address = 1 } }\n"
    _with_battery(tmp_path / "site", lines)
    with pytest.raises(ScenarioError) as told:
        read_settings(tmp_path / "site")
    where = {issue.where.split("battery.")[-1] for issue in told.value.issues}
    assert where >= {
        "modbus", "unit", "kwh", "capacity_kwh", "power_kw", "efficiency", "wear",
        "registers.power_kw", "hubs.main.battery",
    }  # fmt: skip
    assert all(issue.right for issue in told.value.issues)
