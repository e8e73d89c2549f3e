"""Simulated stations: real sockets, three versions, batteries, faults; what they get billed."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from importlib import import_module
from random import Random

import pytest

from hubwise.edge.ocpp.profiles import Mode, Profile, Step
from hubwise.edge.simulated import simulate
from hubwise.edge.simulated.car import Car, draw_car
from hubwise.edge.simulated.sayings import allowed_kw
from hubwise.edge.simulated.station import Habits
from live_site import PASSWORD, T0, make_site


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
    """What the server sends is valid by the schemas, and a station reads the same kW from it."""
    spoken = import_module(f"hubwise.edge.ocpp.{version}").VERSION
    for evse, transaction in ((0, ""), (1, ""), (1, "7")):
        profile = Profile(evse, transaction, (Step(0, 4.321), Step(900, 2.0)), T0)
        payload = spoken.profile(profile)
        spoken.schemas.check("SetChargingProfile", payload)
        assert allowed_kw(payload, 0.0) == pytest.approx(4.321)
    if spoken.sets_points:
        back = Profile(1, "7", (Step(0, -4.321),), T0, Mode.CENTRAL, dynamic=True)
        payload = spoken.profile(back)
        spoken.schemas.check("SetChargingProfile", payload)
        assert allowed_kw(payload, 0.0) == pytest.approx(-4.321)
