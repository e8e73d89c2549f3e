"""A hub's connection by its meter: chargers get what others leave, and a lost meter is told."""

from __future__ import annotations

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.domain.devices import MeterReading
from hubwise.domain.errors import ScenarioError
from hubwise.live import read_settings
from hubwise.live.connection import Connection
from live_site import hubwise, make_site
from modbus_devices import Device, served

T0 = datetime(2026, 3, 2, 10, tzinfo=UTC)


@dataclass
class Building:
    """Chargers that draw a share of what they may, and others beside them."""

    connection: Connection
    at: datetime = T0
    may_kw: float = 0.0

    def go_on(self, others_kw: float, used: float, seconds: float = 2.0) -> float:
        """One turn of control; what flows through the connection."""
        self.may_kw = min(self.connection.room_kw, 60.0)
        self.connection.gave(self.at, self.may_kw)
        self.at += timedelta(seconds=seconds)
        through = used * self.may_kw + others_kw
        self.connection.saw(MeterReading(self.at, None, None, through))
        return through


@given(
    st.lists(st.tuples(st.floats(0, 50), st.floats(0, 1)), min_size=1, max_size=60),
    st.floats(0, 50),
)
@settings(max_examples=100, deadline=None)
def test_the_connection_holds_once_others_have_been_seen(before, others) -> None:
    """Whatever cars drew before: a minute after others draw so much and cars all they may,
    the connection carries no more than it can."""
    building = Building(Connection(100.0, metered=True))
    for kw, used in before:
        building.go_on(kw, used)
    for _ in range(30):
        through = building.go_on(others, 1.0)
    assert through <= 100.0 + 1e-6
    assert building.connection.room_kw >= 0.0


def test_others_that_went_are_forgotten_after_a_quarter_of_an_hour() -> None:
    """What others drew once is kept free for fifteen minutes, not for ever."""
    building = Building(Connection(100.0, metered=True))
    for _ in range(30):
        building.go_on(70.0, 1.0)
    assert building.connection.room_kw == pytest.approx(30.0, abs=1e-6)
    for _ in range(30):
        building.go_on(0.0, 1.0)
    assert building.connection.room_kw == pytest.approx(30.0, abs=1e-6)
    for _ in range(460):
        building.go_on(0.0, 1.0)
    assert building.connection.room_kw == pytest.approx(100.0, abs=1e-6)


def test_what_cars_do_not_draw_is_not_given_away() -> None:
    """Cars that draw nothing for a while leave others' load as it was seen."""
    building = Building(Connection(100.0, metered=True))
    for _ in range(30):
        building.go_on(50.0, 1.0)
    for _ in range(60):
        building.go_on(50.0, 0.0)
    assert building.connection.room_kw == pytest.approx(50.0, abs=1e-6)


def test_a_meter_that_never_spoke_leaves_half() -> None:
    """Before its first word half of the connection is the chargers'; lost, what it said stands."""
    silent = Connection(100.0, metered=True)
    assert (silent.room_kw, silent.is_lost(T0)) == (50.0, True)
    assert Connection(100.0).room_kw == 100.0
    building = Building(silent)
    building.go_on(40.0, 1.0)
    assert not silent.is_lost(building.at)
    assert silent.is_lost(building.at + timedelta(seconds=31))
    assert silent.room_kw <= 60.0 + 1e-6


def _with(folder, line: str) -> None:
    """The site's hub with a line more, and a connection of 66 kW."""
    place = folder / "site.toml"
    text = re.sub(r"connection_kw *=.*", f"connection_kw = 66\n{line}", place.read_text())
    assert line in text
    place.write_text(text)


def _with_meter(folder, port: int) -> None:
    register = '{ power_kw = { address = 10, kind = "int32", scale = 0.001 } }'
    _with(folder, f'meter = {{ modbus = "127.0.0.1:{port}", unit = 3, registers = {register} }}')


def test_a_served_site_shares_what_its_meter_leaves(tmp_path) -> None:
    """Over real sockets: another 60 kW beside the chargers, and the car's limit falls; the meter
    falls silent, and that is an alarm."""
    site = make_site(tmp_path / "site", ["CP1"])
    device = Device([0] * 9 + [0, 0], 3)

    def others(kw: float) -> None:
        device.registers[7:9] = [int(kw * 1000) >> 16, int(kw * 1000) & 0xFFFF]

    async def run():
        others(62.0)
        async with served(device, unit=3) as port:
            _with_meter(site.folder, port)
            await asyncio.to_thread(site.start)
            try:
                until = time.monotonic() + 20
                while time.monotonic() < until:
                    (hub,) = await asyncio.to_thread(site.items, "/hubs")
                    if float(hub["room_kw"]) < 10.0:
                        break
                    await asyncio.sleep(0.2)
                return hub
            finally:
                await asyncio.to_thread(site.stop)

    hub = asyncio.run(run())
    assert hub["metered"]
    assert not hub["meter_lost"]
    assert float(hub["power_kw"]) == pytest.approx(62.0)
    assert float(hub["room_kw"]) == pytest.approx(4.0)


def test_every_mistake_of_a_meter_is_told(tmp_path) -> None:
    """All at once, each with its place and what would be right."""
    hubwise("site", "new", tmp_path / "site")
    bad = (
        'meter = { modbus = "x:99999", unit = 300, reverse = 1, baud = 9600, registers = '
        '{ imported_kwh = { address = -1, kind = "int8", scale = 0 } } }'
    )
    _with(tmp_path / "site", bad)
    with pytest.raises(ScenarioError) as told:
        read_settings(tmp_path / "site")
    where = {issue.where.split("meter.")[-1] for issue in told.value.issues}
    assert where == {
        "modbus",
        "unit",
        "reverse",
        "baud",
        "registers.power_kw",
        "registers.imported_kwh.address",
        "registers.imported_kwh.kind",
        "registers.imported_kwh.scale",
    }
    assert all(issue.right for issue in told.value.issues)
