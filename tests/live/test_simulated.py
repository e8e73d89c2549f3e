"""Simulated stations: real sockets, three versions, batteries, faults; what they get billed."""

from __future__ import annotations

import asyncio
import gc
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from random import Random

import pytest

from hubwise.domain.events import Phase, TransactionSaid
from hubwise.edge.ocpp.profiles import Mode, Profile, Step
from hubwise.edge.simulated import Habits, simulate
from hubwise.edge.simulated.car import Car, draw_car
from hubwise.edge.simulated.orders import Order, Orders
from live_site import PASSWORD, T0, make_site
from ocpp_server import list_of, running

# Links that were cut are left to the collector: it takes them here, not in another's test.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _collected():
    yield
    gc.collect()


def test_every_simulated_session_is_billed_what_its_meter_showed(tmp_path) -> None:
    """A tenth of all messages twice, connections lost, early leavers: final, to the Wh."""
    names = [f"S{number}" for number in range(10)]
    site = make_site(tmp_path / "here", names)
    site.extra = ["--speed", "600"]
    site.start()
    habits = Habits(speed=600, every_seconds=240, faults=0.2, idle_hours=0.3)
    made = asyncio.run(simulate(site.ready["ocpp"], dict.fromkeys(names, PASSWORD), 7, habits, 14))
    final = [each for each in site.items("/sessions", most=1_000) if each["status"] == "final"]
    found = {(each["station"], each["transaction"]): each for each in final}
    assert len(made.delivered) >= 5
    assert {key for key in found if key in made.delivered} == set(made.delivered)
    for key, (imported, exported) in made.delivered.items():
        assert Decimal(found[key]["charged_kwh"]) == Decimal(imported) / 1_000
        assert Decimal(found[key]["discharged_kwh"]) == Decimal(exported) / 1_000
    assert sum(imported for imported, _ in made.delivered.values()) > 0
    entries = site.items("/ledger/entries")
    assert len({each["entry"] for each in entries}) == len(entries)
    assert site.stop() == 0


def test_who_comes_is_shown_the_tariff_of_the_list_that_they_accept(monkeypatch) -> None:
    """Another list is posted halfway: stations show its tariff to whoever comes from then on, and
    until it has reached them the one before. Meanwhile it is told how it goes."""
    told = []
    monkeypatch.setattr("hubwise.edge.simulated.fleet.TELLS_SECONDS", 2.0)
    names, habits = [f"S{number}" for number in range(6)], Habits(speed=3_600, every_seconds=1_200)

    async def work():
        async with running(speed=3_600) as site:
            stations = dict.fromkeys(names, PASSWORD)
            going = asyncio.create_task(simulate(site.url, stations, 5, habits, 7, told.append))
            await asyncio.sleep(3.5)
            site.listener.prices = list_of("another", "0.3", "0.4")
            posted = site.listener.now()
            return posted, await going, site.listener.heard

    posted, made, heard = asyncio.run(work())
    begun = {
        (each.station, each.transaction): each.at
        for each in heard
        if isinstance(each, TransactionSaid) and each.phase is Phase.STARTED
    }
    after = [it for key, it in made.charged_by.items() if begun.get(key, posted) > posted + TOLD]
    before = [it for key, it in made.charged_by.items() if begun.get(key, posted) < posted]
    assert set(after) == {"another"}
    assert 2 <= len(told) <= 3
    assert len(told[0].delivered) <= len(told[-1].delivered) <= len(made.delivered)
    assert told[-1].seconds
    assert set(before) == {"list-1"}
    newest = {key for key in begun if not key[0].endswith(("1", "3"))}  # of 2.1
    assert {key for key in newest if begun[key] > posted + TOLD} <= set(made.charged_by)


# At 3,600 times real time a station is told within half a second.
TOLD = timedelta(minutes=30)


@pytest.mark.parametrize("seed", range(20))
def test_a_battery_is_a_battery(seed) -> None:
    """Never more than allowed, never beyond full or empty; the same seed is the same car."""
    draw = Random(seed)
    car, twin = draw_car(draw, 0.1), draw_car(Random(seed), 0.1)
    assert car == twin
    for _ in range(200):
        allowed = draw.uniform(-11.0, 11.0)
        before = car.energy_kwh
        kwh = car.follow(allowed, 0.25)
        assert abs(kwh) <= abs(allowed) * 0.25 + 1e-9
        assert kwh * allowed >= 0
        assert 0 <= car.energy_kwh <= car.capacity_kwh + 1e-9
        stored = car.energy_kwh - before
        assert abs(stored) <= abs(kwh) + 1e-9 or kwh < 0
    full = Car("T", 40.0, 40.0, 7.0, 1.0)
    assert full.power(7.0) == 0.0


@pytest.mark.parametrize("version", ["v16", "v201", "v21"])
def test_a_set_point_is_understood_as_it_was_sent(version) -> None:
    """What the server sends is valid by the schemas, and a station does the same kW, then later."""
    spoken = import_module(f"hubwise.edge.ocpp.{version}").VERSION
    orders, later = Orders(Order(1.4)), T0 + timedelta(minutes=16)
    for evse, transaction, kw in ((0, "", 2.0), (1, "", 3.0), (1, "7", 4.321)):
        profile = Profile(evse, transaction, (Step(0, kw), Step(900, 1.5)), T0)
        payload = spoken.profile(profile)
        spoken.schemas.check("SetChargingProfile", payload)
        assert orders.set(payload, T0)
        assert orders.now(T0, timedelta()).kw == pytest.approx(kw)
        assert orders.now(later, timedelta()).kw == pytest.approx(1.5)
    if spoken.sets_points:
        back = Profile(1, "7", (Step(0, -4.321),), T0, Mode.CENTRAL, dynamic=True)
        payload = spoken.profile(back)
        spoken.schemas.check("SetChargingProfile", payload)
        assert orders.set(payload, T0)
        assert orders.now(T0, timedelta()) == (pytest.approx(-4.321), True, False)
        update = {"chargingProfileId": back.number, "scheduleUpdate": {"setpoint": -1_000.0}}
        assert orders.update(update, later)
        assert orders.now(later, timedelta()).kw == -1.0
        idle = Profile(1, "7", (Step(0, 0.0),), T0, Mode.IDLE)
        assert orders.set(spoken.profile(idle), T0)
        assert orders.now(T0, timedelta()).idle


@pytest.mark.parametrize("version", ["v16", "v201", "v21"])
def test_without_the_site_a_station_falls_back_on_its_safe_limit(version) -> None:
    """Two slots after it was last told anything, and when the session is over."""
    spoken = import_module(f"hubwise.edge.ocpp.{version}").VERSION
    for ends in ("time", "offline", "session"):
        orders = Orders(Order(9.9))
        for profile in (Profile(0, "", (Step(0, 2.0),), T0), Profile(1, "7", (Step(0, 6.0),), T0)):
            assert orders.set(spoken.profile(profile), T0)
        assert orders.now(T0 + timedelta(minutes=29), timedelta()).kw == 6.0
        if ends == "session":
            orders.end_session()
        at = T0 + timedelta(minutes=31 if ends == "time" else 5)
        away = timedelta(minutes=31 if ends == "offline" else 0)
        falls = ends != "offline" or version == "v21"  # only 2.1 counts the time without a link
        assert orders.now(at, away).kw == (2.0 if falls else 6.0)


def test_the_same_seed_is_the_same_car_and_station() -> None:
    """Whatever is drawn; another seed draws otherwise."""
    drawn = [[draw_car(Random(f"{seed}:x"), 0.3) for _ in "ab"] for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


async def told_to_give(strange: float):
    """Stations whose cars are told to give as soon as they can: which were, and what was heard."""
    async with running(speed=60) as site:
        habits = Habits(speed=60, every_seconds=30, strange=strange, idle_hours=0.1)
        names = {f"S{number}": PASSWORD for number in (0, 2, 4, 5, 7)}
        going = asyncio.create_task(simulate(site.url, names, 3, habits, 9))
        gave = set()
        for _ in range(80):
            await asyncio.sleep(0.1)
            for said in [each for each in site.listener.heard if isinstance(each, TransactionSaid)]:
                place = (said.station, 1, said.transaction)
                if said.phase is Phase.STARTED and place not in gave:
                    await site.server.follow(*place, (Step(0, 3.0),))
                    if site.server.gives_back(*place):
                        outcome = await site.server.follow(*place, (Step(0, -3.0),))
                        if outcome == "followed":  # it has not left, or been found out, meanwhile
                            gave.add(place)
        await going
        return gave, site.listener


def test_cars_give_back_as_they_are_told() -> None:
    """2.1 both ways over real sockets: told to give, they do, and who was not told does not."""
    gave, listener = asyncio.run(told_to_give(strange=0.0))
    shown: dict[tuple[str, int, str], list[float]] = {}
    for said in listener.heard:
        if isinstance(said, TransactionSaid):
            found = shown.setdefault((said.station, 1, said.transaction), [])
            values = [s.value for s in said.samples if s.measurand.startswith("Energy.Active.Exp")]
            found.extend(map(float, values))
    back = {place for place, values in shown.items() if values and values[-1] > values[0]}
    assert len(gave) >= 2
    assert back
    assert back <= gave
    assert "energy flows the wrong way" not in listener.alarms()


def test_a_station_that_turns_directions_is_found_out() -> None:
    """Told to give it charges: the meter tells, and it is idle, with an alarm."""
    gave, listener = asyncio.run(told_to_give(strange=1.0))
    assert gave
    assert "energy flows the wrong way" in listener.alarms()


def test_wrong_clocks_are_told_and_bill_nobody_wrongly(tmp_path) -> None:
    """Off by minutes, hours or since 1970: an alarm; a final bill is what the meter showed."""
    names = [f"S{number}" for number in range(10)]
    site = make_site(tmp_path / "here", names)
    site.extra = ["--speed", "600"]
    site.start()
    habits = Habits(speed=600, every_seconds=240, strange=1.0, idle_hours=0.3)
    made = asyncio.run(simulate(site.ready["ocpp"], dict.fromkeys(names, PASSWORD), 7, habits, 12))
    sessions = site.items("/sessions", most=1_000)
    alarms = {each["what"] for each in site.items("/alarms")}
    assert site.stop() == 0
    assert "clock differs" in alarms
    assert "quarantined" in {each["status"] for each in sessions}
    for each in sessions:
        shown = made.delivered.get((each["station"], each["transaction"]))
        if each["status"] == "final" and shown:
            assert Decimal(each["charged_kwh"]) == Decimal(shown[0]) / 1_000
