"""Batteries and meters over Modbus: right numbers, right signs, a dead man's switch, and errors."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sunspec2.modbus.client import SunSpecModbusClientDeviceTCP

from hubwise.domain.devices import Register
from hubwise.edge.modbus import (
    DeviceError,
    Link,
    ModbusBattery,
    ModbusMeter,
    mapped_points,
    sunspec_points,
)
from modbus_devices import (
    BEGIN,
    Device,
    at,
    laid_out,
    long_at,
    served,
    sunspec,
    sunspec_battery,
)

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def _with_battery(device: Device, use):
    async def run():
        async with served(device) as port:
            link = Link("127.0.0.1", port, timeout=1.0)
            try:
                return await use(ModbusBattery("north", sunspec_points(link), lambda: NOON))
            finally:
                link.close()

    return asyncio.run(run())


def test_a_sunspec_battery_says_what_it_is() -> None:
    """Energy from its state of charge, limits, and power into it as positive."""
    state = _with_battery(sunspec_battery(), lambda battery: battery.state())
    assert state.at == NOON
    assert (state.capacity_kwh, state.energy_kwh) == pytest.approx((60.0, 24.0))
    assert (state.charge_kw_max, state.discharge_kw_max) == pytest.approx((30.0, 25.0))
    assert state.power_kw == pytest.approx(5.0)


def test_another_client_reads_the_same_device() -> None:
    """SunSpec's own client finds the same models and numbers: what we lay out is lawful."""

    async def run():
        async with served(sunspec_battery()) as port:
            device = SunSpecModbusClientDeviceTCP(1, "127.0.0.1", port)
            await asyncio.to_thread(device.scan)
            return device.DERMeasureAC[0].W.cvalue, device.DERStorageCapacity[0].SoC.cvalue

    assert asyncio.run(run()) == pytest.approx((-5_000.0, 40.0))


@given(kw=st.floats(-24.9, 29.9).map(lambda kw: round(kw, 2)), seconds=st.integers(30, 4_000))
@settings(max_examples=12, deadline=None)
def test_a_set_point_reaches_the_battery(kw: float, seconds: int) -> None:
    """Charging is negative injection in watts; it reverts to nothing after its time."""
    device = sunspec_battery()
    told = _with_battery(device, lambda battery: battery.follow(kw, seconds))
    assert told == kw

    assert long_at(device, 704, "WSet") == pytest.approx(-100.0 * kw, abs=0.5)
    assert (long_at(device, 704, "WSetRvrt"), long_at(device, 704, "WSetRvrtTms")) == (0, seconds)
    for name in ("WSetEna", "WSetMod", "WSetEnaRvrt"):
        assert device.registers[at(device, 704, name)] == 1
    assert device.writes[-1] == (BEGIN + at(device, 704, "WSetEna"), [1])


def test_a_set_point_stays_within_what_the_battery_can() -> None:
    """More than it takes or gives is cut to that, and said."""
    assert _with_battery(sunspec_battery(), lambda each: each.follow(99.0, 60)) == 30.0
    assert _with_battery(sunspec_battery(), lambda each: each.follow(-99.0, 60)) == -25.0


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda device: setattr(device, "refuses", True), "refuses"),
        (lambda device: setattr(device, "delay", 2.0), "127.0.0.1"),
        (lambda device: device.registers.__setitem__(slice(0, 2), [1, 2]), "no SunSpec models"),
        (lambda device: device.registers.__setitem__(at(device, 713, "SoC"), 25_000), "units"),
        (lambda device: device.registers.__setitem__(at(device, 713, "WHRtg"), 0xFFFF), "capac"),
        (lambda device: device.registers.__setitem__(at(device, 1, "L"), 0xEEEE), "no end"),
        (lambda device: device.registers.__setitem__(at(device, 701, "W_SF"), 0x8000), "power_kw"),
        (lambda device: device.registers.__setitem__(at(device, 704, "ID"), 64_001), "set-points"),
    ],
)
def test_a_battery_that_fails_is_told(spoil, said) -> None:
    """Refusing, silent, no SunSpec, beyond full, without a figure, endless, without control."""
    device = sunspec_battery()
    spoil(device)
    with pytest.raises(DeviceError, match=said):
        _with_battery(device, lambda battery: battery.follow(1.0, 60))


def test_a_device_that_was_away_is_found_again() -> None:
    """The connection is made anew by the next call; a battery changed for another is read anew."""

    async def run():
        link = Link("127.0.0.1", 1, timeout=1.0)
        battery = ModbusBattery("north", sunspec_points(link), lambda: NOON)
        with pytest.raises(DeviceError):
            await battery.state()
        found = []
        for soc in (4_000, 5_000):
            async with served(sunspec_battery(soc=soc)) as port:
                link.port = port
                found.append((await battery.state()).energy_kwh)
            with pytest.raises(DeviceError):
                await battery.state()
        link.close()
        return found

    assert asyncio.run(run()) == pytest.approx([24.0, 30.0])


@pytest.mark.parametrize("number", [203, 213])
@pytest.mark.parametrize("reverse", [False, True])
def test_a_sunspec_meter(number: int, reverse: bool) -> None:
    """Integer and float models say the same; a meter built in the other way round is turned."""
    raw = {"W": -1_200, "TotWhImp": 8_000, "TotWhExp": 3_000}
    scales = {"W_SF": 0, "TotWh_SF": 0} if number == 203 else {}
    device = sunspec(laid_out(number, {**raw, **scales}))

    async def run():
        async with served(device) as port:
            link = Link("127.0.0.1", port)
            meter = ModbusMeter("grid", sunspec_points(link), lambda: NOON, reverse)
            reading = await meter.reading()
            link.close()
            return reading

    found = asyncio.run(run())
    expected = (1.2, 3.0, 8.0) if reverse else (-1.2, 8.0, 3.0)
    assert (found.power_kw, found.imported_kwh, found.exported_kwh) == pytest.approx(expected)


def test_a_map_of_registers() -> None:
    """A battery without SunSpec: types, word order, scales and signs as the operator says."""
    device = Device([0, 0, 0, 0, 0x1A80, 0x0006, 0xFFF6, 0, 0], 100)  # 400,000 Wh little-endian

    async def run():
        async with served(device, unit=7) as port:
            link = Link("127.0.0.1", port, unit=7)
            registers = {
                "energy_kwh": Register(104, "uint32", 1e-3, little=True),
                "power_kw": Register(106, "int16", -0.1),
            }
            points = mapped_points(link, registers, Register(107, "int16", -0.01))
            battery = ModbusBattery("old", points, lambda: NOON, 500.0, 100.0, 80.0)
            state = await battery.state()
            told = await battery.follow(-12.34, 60)
            with pytest.raises(DeviceError, match="does not fit"):
                await mapped_points(link, {}, Register(107, "int16", 1e-4)).command(50.0, 60)
            link.close()
            return state, told

    state, told = asyncio.run(run())
    assert (state.energy_kwh, state.capacity_kwh, state.power_kw) == pytest.approx((400, 500, 1.0))
    assert told == -12.34
    assert device.writes == [(107, [1_234])]
