"""What a running hub decides: cars charge where it is cheap, give back where it pays, and the
connection holds whatever a plan says."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.audit.program import best_response_costs
from hubwise.cli.deciding import DecidingProcess
from hubwise.domain import Tariff
from hubwise.domain.errors import ScenarioError
from hubwise.domain.events import NeedsSaid, PriceList, PricesPosted, WishSaid
from hubwise.live import read_settings
from hubwise.live.connection import Connection
from hubwise.live.controller import Controller
from hubwise.live.deciding import Decided, decided, decided_onward, situation_of
from hubwise.live.fold import Books, Session
from hubwise.live.outlook import (
    EFFICIENCY,
    SLOT,
    SLOTS,
    Outlook,
    Stay,
    Wanted,
    prices_ahead,
    wanted_by_car,
    wanted_by_driver,
)
from hubwise.live.planning import GOOD_FOR, HubPlan
from hubwise.live.ports import Known
from hubwise.live.troubles import Troubles
from live_site import PLAIN, hubwise, make_site
from planners import T0, Minute, planner_of

seeds = st.integers(0, 2**32 - 1)
# Hubs that the process in which this is run has decided about.
KNOWN = "list(__import__('hubwise.cli.deciding').cli.deciding._left)"


def outlook(rng: np.random.Generator, size: int, connection_kw: float) -> Outlook:
    """Stays of every kind, on lists that differ, somewhere in a slot."""
    lists = rng.choice([0.1, 0.2, 0.35, 0.5], (2, SLOTS // 8)).repeat(8, axis=1)
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
        both_ways = float(rng.integers(2))
        stays.append(Stay(f"s{k}", wanted, stored, 11.0, 11.0 * both_ways, int(rng.integers(2))))
    return Outlook(
        starts_at=T0, now=T0 + float(rng.uniform(0.0, 0.85)) * SLOT, connection_kw=connection_kw,
        charge=tuple(map(tuple, lists.tolist())),
        discharge=tuple(map(tuple, (0.9 * lists).tolist())), purchase=tuple(lists[0].tolist()),
        feed_in=(0.02,) * SLOTS, wear=0.03, currency="EUR", stays=tuple(stays),
    )  # fmt: skip


@given(seeds, st.integers(1, 12))
@settings(max_examples=20, deadline=None)
def test_nobody_pays_for_what_is_decided(seed, size) -> None:
    """With room for all, each car's powers are as cheap for it as any could be, and it has what it
    asked for; by a program that shares no code."""
    asked = outlook(np.random.default_rng(seed), size, 500.0)
    powers = decided(asked).cars
    situation = situation_of(asked)
    fleet, hours = situation.fleet, 0.25
    assert fleet.session.tolist() == list(powers)
    net = np.array(list(powers.values())) * fleet.presence(SLOTS)
    posted = Tariff(np.array(asked.charge), np.array(asked.discharge))
    into, out = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    lists = fleet.lists
    paid = posted.charge_price[lists] * into - posted.discharge_price[lists] * out
    cost = hours * (paid + asked.wear / EFFICIENCY * out).sum(axis=1)
    least = best_response_costs(fleet, posted, situation.horizon)
    np.testing.assert_allclose(cost, least, atol=1e-6)
    gained = hours * (EFFICIENCY * into - out / EFFICIENCY).sum(axis=1)
    could = hours * EFFICIENCY * 11.0 * fleet.presence(SLOTS).sum(axis=1)
    wanted = np.array([each.wanted.required_kwh - each.stored_kwh for each in asked.stays])
    assert (gained >= np.minimum(wanted, could) - 1e-6).all()


def test_cars_wait_for_cheap_slots_and_give_back_in_dear_ones() -> None:
    """A dear hour now, a cheap one later: who can gives back, who cannot waits."""
    charge = (0.5,) * 4 + (0.1,) * 8 + (0.3,) * (SLOTS - 12)
    wanted = Wanted(T0 + timedelta(hours=4), 5.0, 20.0, -10.0)
    stays = (Stay("both", wanted, 0.0, 11.0, 11.0, 0), Stay("one", wanted, 0.0, 11.0, 0.0, 0))
    asked = Outlook(
        T0, T0, 100.0, (charge,), (tuple(0.9 * each for each in charge),), charge,
        (0.0,) * SLOTS, 0.03, "EUR", stays,
    )  # fmt: skip
    powers = decided(asked).cars
    assert sum(powers["both"][:4]) == pytest.approx(-10.0 * EFFICIENCY * 4, rel=1e-6)
    assert max(powers["one"][:4]) == 0.0
    assert 0.25 * EFFICIENCY * sum(powers["one"]) == pytest.approx(5.0)


@pytest.mark.parametrize(("seed", "connection_kw"), [(0, 1_000.0), (1, 120.0)])
def test_a_decision_goes_on_from_the_one_before(seed, connection_kw) -> None:
    """Slot after slot, with meters that are a little off: nobody pays more than without anything
    known, in fewer rounds where there is room; where there is not, the connection holds."""
    rng = np.random.default_rng(seed)
    asked, left, rounds = replace(outlook(rng, 90, connection_kw), now=T0), None, []
    for _ in range(4):
        found, left = decided_onward(asked, left)
        cold, alone = decided_onward(asked, None)
        rounds.append((left.rounds, alone.rounds))
        there = situation_of(asked).fleet.presence(SLOTS)[:, 0]
        for here in (found, cold):
            drawn = there * np.array([kw[0] for kw in here.cars.values()])
            assert drawn.sum() <= connection_kw + 0.01
        if connection_kw >= 1_000.0:
            np.testing.assert_allclose(*(costs(asked, it) for it in (found, cold)), atol=1e-6)
        asked = a_slot_later(asked, found, rng)
    assert rounds[0][0] == rounds[0][1]
    if connection_kw >= 1_000.0:
        assert all(mine < others for mine, others in rounds[1:])


def costs(asked: Outlook, found: Decided) -> np.ndarray:
    """What each pays by its list, wear included."""
    net = np.array(list(found.cars.values()))
    net = net * situation_of(asked).fleet.presence(SLOTS)
    lists = [each.prices for each in asked.stays]
    charge, discharge = np.array(asked.charge)[lists], np.array(asked.discharge)[lists]
    into, out = np.maximum(net, 0.0), np.maximum(-net, 0.0)
    return 0.25 * (charge * into - (discharge - asked.wear / EFFICIENCY) * out).sum(axis=1)


def a_slot_later(asked: Outlook, found: Decided, rng: np.random.Generator) -> Outlook:
    """Who stays for longer, with nearly what was decided in the battery."""
    starts_at, stays = asked.starts_at + SLOT, []
    for each in asked.stays:
        kw = found.cars[each.session][0] * float(rng.uniform(0.98, 1.0))
        stored = each.stored_kwh + 0.25 * (kw * EFFICIENCY if kw > 0.0 else kw / EFFICIENCY)
        if each.wanted.departs_at > starts_at:
            stays.append(replace(each, stored_kwh=stored))
    rolled = {
        name: tuple(row[1:] + row[:1] for row in getattr(asked, name))
        for name in ("charge", "discharge")
    }
    ahead = asked.purchase[1:] + asked.purchase[:1]
    return replace(
        asked, starts_at=starts_at, now=starts_at, stays=tuple(stays), purchase=ahead, **rolled
    )


def test_a_process_that_dies_begins_from_nothing() -> None:
    """It knows by hub what it decided; the next process knows nothing, and decides the same."""
    process = DecidingProcess()
    rng = np.random.default_rng(3)
    asked = replace(outlook(rng, 4, 30.0), hub="main")

    async def run():
        first = await process.decide(asked)
        [pid] = process._pool._processes
        assert await process.call(eval, KNOWN) == ["main"]
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(BrokenProcessPool):
            await process.decide(asked)
        assert await process.call(eval, KNOWN) == []
        assert await process.decide(asked) == first

    try:
        asyncio.run(run())
    finally:
        process.stop()


@given(st.lists(st.tuples(st.floats(-22, 22), st.floats(1.38, 22), st.booleans()), max_size=12),
       st.floats(0, 60))  # fmt: skip
@settings(max_examples=200, deadline=None)
def test_the_connection_holds_whatever_is_planned(cars, connection_kw) -> None:
    """Powers that a plan makes up, with cars that it does not know: together never above it, even
    where none gives back; below a charger's least there is nothing."""
    most = {f"s{k}": kw for k, (_, kw, _) in enumerate(cars)}
    plan = {f"s{k}": kw for k, (kw, _, known) in enumerate(cars) if known}

    class Planned:
        def at(self, *_):
            return plan

    controller = object.__new__(Controller)
    controller.planner = Planned()
    given_kw = controller._given("main", most, connection_kw, T0)
    assert given_kw.keys() == most.keys()
    assert sum(max(kw, 0.0) for kw in given_kw.values()) <= connection_kw + 1e-9
    for name, kw in given_kw.items():
        assert abs(kw) <= most[name] + 1e-9
        assert kw >= 0.0 or plan[name] < 0.0


def test_a_plan_is_good_for_an_hour() -> None:
    """Slot by slot; then it says nothing, and neither before it began."""
    plan = HubPlan(
        outlook(np.random.default_rng(0), 1, 9.0),
        Decided({"s": tuple(map(float, range(SLOTS)))}, tuple(map(float, range(SLOTS)))),
    )
    assert plan.at(T0) == {"s": 0.0}
    assert plan.at(T0 + timedelta(minutes=46)) == {"s": 3.0}
    assert plan.battery_at(T0 + timedelta(minutes=46)) == 3.0
    assert plan.at(T0 + GOOD_FOR) == {}
    assert plan.battery_at(T0 + GOOD_FOR) == 0.0
    assert plan.at(T0 - timedelta(seconds=1)) == {}


def test_prices_ahead_follow_the_sites_clock() -> None:
    """On the night when an hour is left out, the list has 23 of its hours."""
    zone = ZoneInfo("Europe/Berlin")
    found = prices_ahead(range(24), datetime(2026, 3, 28, 23, tzinfo=UTC), zone)
    assert found[:12] == [0.0] * 4 + [1.0] * 4 + [3.0] * 4
    assert found[91] == 23.0
    assert prices_ahead([0.5], T0, zone) == [0.5] * SLOTS


@pytest.mark.parametrize(
    ("needs", "wanted"),
    [
        ({"departureTime": "2026-03-02T14:00:00Z", "acChargingParameters": {"energyAmount": 12000}},
         (12.0, 12.0, 0.0, 0.0)),
        ({"departureTime": "2026-03-02T15:00:00+01:00",
          "v2xChargingParameters": {"evMaxEnergyRequest": 30000, "evTargetEnergyRequest": 20000,
                                    "evMinV2XEnergyRequest": -8000, "maxDischargePower": 11000}},
         (20.0, 30.0, -8.0, 11.0)),
        ({"departureTime": "2026-03-02T14:00:00Z", "v2xChargingParameters": {}}, None),
        ({"acChargingParameters": {"energyAmount": 12000}}, None),
        ({"departureTime": "tomorrow", "acChargingParameters": {"energyAmount": 12000}}, None),
        ({"departureTime": 7}, None),
    ],
)  # fmt: skip
def test_what_a_car_asks_for(needs, wanted) -> None:
    """Wh and W become kWh and kW; without a time to leave or an energy nothing is planned."""
    message = json.dumps({"evseId": 1, "chargingNeeds": needs})
    found = wanted_by_car(NeedsSaid("id", "CP", T0, 1, message))
    if wanted is None:
        assert found is None
        return
    assert found.departs_at == datetime(2026, 3, 2, 14, tzinfo=UTC)
    assert (found.required_kwh, found.most_kwh, found.least_kwh, found.discharge_kw) == wanted


def test_what_a_driver_wishes() -> None:
    """Energies are counted from plug-in: what the car held is taken off."""
    wish = WishSaid("id", "CP", T0, "s", "t", "driver:D", T0 + timedelta(hours=3), 20, 45, 10)
    found = wanted_by_driver(wish)
    assert (found.required_kwh, found.least_kwh) == (25.0, -10.0)


def test_every_mistake_of_planning_is_told(tmp_path) -> None:
    """All at once, each with its place and what would be right."""
    hubwise("site", "new", tmp_path / "site")
    file = tmp_path / "site" / "site.toml"
    bad = '\n[planning]\ndecides = "yes"\nwear = -1\npurchase = [0.1, 0.2]\nfeed_in = []\nx = 1\n'
    file.write_text(file.read_text() + bad)
    with pytest.raises(ScenarioError) as told:
        read_settings(tmp_path / "site")
    text = str(told.value)
    for place in ("decides", "wear", "feed_in", "x"):
        assert f"planning.{place}" in text


def test_a_decision_that_fails_leaves_the_last_plan() -> None:
    """It is told with its reason as long as it lasts, the last plan goes on, and it is tried again
    by itself."""
    wish = WishSaid("w", "CP", T0, "s", "t", "driver:D", T0 + timedelta(hours=3), 20, 45, 10)
    session = Session("s", "CP", "t", T0, evse=1, wish=wish)
    books = Books()
    prices = PriceList("p", 1_440, (Decimal("0.3"),), (Decimal("0.2"),))
    books.apply(PricesPosted("prices|p", "", T0, prices))
    wrong = RuntimeError("no optimum")
    answers = iter([Decided({"s": (1.0,) * SLOTS}), wrong, wrong, Decided({"s": (2.0,) * SLOTS})])
    troubles, seen = Troubles(Minute()), []

    async def decide(_):
        found = next(answers)
        if isinstance(found, Exception):
            raise found
        return found

    def done(hub):
        seen.append((hub, planner_at(), list(troubles.standing)))

    def planner_at():
        return made[0].at("main", T0)

    made = []

    async def stored(_):
        return 1.0, 0.0

    async def run():
        planner = planner_of(books, decide, stored, troubles)
        made.append(planner)
        here = [(session, Known("CP", "main", 11.0))]
        task = asyncio.create_task(planner.run(lambda _: here, lambda _: Connection(9.0), done))
        for _ in range(2):
            planner.ask("main")
            for _ in range(7):
                await asyncio.sleep(0)
            seen.append((planner_at(), list(troubles.standing)))
        for _ in range(20):
            await asyncio.sleep(0)
        task.cancel()

    asyncio.run(run())
    one, two = {"s": 1.0}, {"s": 2.0}
    assert seen == [
        ("main", one, []), (one, []), (one, ["plan failed: main"]), ("main", two, []),
    ]  # fmt: skip
    [alarm] = troubles.waiting
    assert "hub main: RuntimeError: no optimum" in alarm.detail


@pytest.mark.parametrize("compiled", [False, True], ids=["first", "later"])
def test_a_decision_that_takes_too_long_is_told_in_words(monkeypatch, compiled) -> None:
    """How long was waited, and what it points to, instead of the name of an error; the first has
    longer, as all may have to be compiled."""
    monkeypatch.setattr("hubwise.live.planning.FIRST_TOO_LONG", 20.0 if compiled else 0.01)
    monkeypatch.setattr("hubwise.live.planning.TOO_LONG", 0.01 if compiled else 20.0)
    decided = iter([True] if compiled else [])
    books, troubles = Books(), Troubles(Minute())
    prices = PriceList("p", 1_440, (Decimal("0.3"),), (Decimal("0.2"),))
    books.apply(PricesPosted("prices|p", "", T0, prices))
    wish = WishSaid("w", "CP", T0, "s", "t", "driver:D", T0 + timedelta(hours=3), 20, 45, 10)
    session = Session("s", "CP", "t", T0, evse=1, wish=wish)

    async def never(_):
        await asyncio.sleep(0.1 if next(decided, False) else 60)
        return Decided({"s": (1.0,) * SLOTS})

    async def stored(_):
        return 0.0, 0.0

    async def run():
        planner = planner_of(books, never, stored, troubles)
        here = [(session, Known("CP", "main", 11.0))]
        args = (lambda _: here, lambda _: Connection(9.0), lambda _: planner.ask("main"))
        task = asyncio.create_task(planner.run(*args))
        planner.ask("main")
        while not troubles.waiting:
            await asyncio.sleep(0.005)
        task.cancel()

    asyncio.run(asyncio.wait_for(run(), 20))
    assert "hub main: nothing was decided within 0.01 s" in troubles.waiting[0].detail


def test_a_battery_beside_cars_that_are_not_planned_has_its_share_of_the_connection() -> None:
    """Nobody said what these cars want; the battery is planned with a third of the room, and with
    all of it once they have gone."""
    books = Books()
    prices = PriceList("p", 1_440, (Decimal("0.3"),), (Decimal("0.2"),))
    books.apply(PricesPosted("prices|p", "", T0, prices))
    last = SimpleNamespace(
        energy_kwh=50.0, capacity_kwh=100.0, charge_kw_max=40.0, discharge_kw_max=40.0
    )
    battery = SimpleNamespace(last=last, answers=True)
    connection = Connection(90.0, battery=battery)
    cars = [(Session(f"s{k}", "CP", f"t{k}", T0, evse=k), Known("CP", "main", 11.0)) for k in "12"]
    outlooks = []

    async def decide(outlook):
        outlooks.append(outlook)
        return Decided({})

    async def never(*_):
        raise AssertionError

    async def run():
        place = {"main": SimpleNamespace(efficiency=0.95, wear=0.02)}
        for here in (cars, []):
            planner = planner_of(books, decide, never, Troubles(Minute()), place)
            task = asyncio.create_task(
                planner.run(lambda _, here=here: here, lambda _: connection, lambda _: None)
            )
            planner.ask("main")
            for _ in range(20):
                await asyncio.sleep(0)
            task.cancel()

    asyncio.run(run())
    assert [each.connection_kw for each in outlooks] == [30.0, 90.0]


def test_a_served_site_decides(tmp_path) -> None:
    """Over real sockets, with a dear quarter now and cheap ones after it: a two-way car gives back,
    and the plan says so."""
    site = make_site(tmp_path / "site", [])
    now = datetime.now(UTC)
    quarter = (60 * now.hour + now.minute) // 15
    charge = [0.1] * SLOTS
    for k in range(3):
        charge[(quarter + k) % SLOTS] = 0.9
    prices = f"charge = {charge}\ndischarge = {[0.8 * each for each in charge]}\n"
    text = (site.folder / "site.toml").read_text().replace("Europe/Berlin", "UTC")
    before, after = text.split("[prices]")[0], text.split("[access]")[1]
    (site.folder / "site.toml").write_text(f"{before}[prices]\n{prices}\n[access]{after}")
    site.extra = ["--speed", "60"]
    site.start()
    try:
        simulated = asyncio.run(_until_back(site))
    finally:
        assert site.stop() == 0
    assert simulated


async def _until_back(site) -> bool:
    """Simulate until a car has given energy back by plan."""
    simulate = await asyncio.create_subprocess_exec(
        *_simulate(site), stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 60
        while time.monotonic() < until:
            items = await asyncio.to_thread(site.items, "/sessions")
            if any(float(each["discharged_kwh"]) > 0.2 for each in items):
                (hub,) = await asyncio.to_thread(site.items, "/plan")
                return any(float(slot["kw"]) < 0.0 for slot in hub["slots"])
            await asyncio.sleep(0.5)
    finally:
        simulate.terminate()
        await simulate.wait()
    return False


def _simulate(site) -> list[str]:
    return [*PLAIN, "simulate", str(site.folder), "--minutes", "2"]
