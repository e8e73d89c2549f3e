"""Where a site's devices are, as ``site.toml`` says: checked, every problem told."""

from __future__ import annotations

from dataclasses import replace
from typing import cast, get_args

from hubwise.domain.devices import BatteryPlace, DevicePlace, Register, RegisterKind
from hubwise.live.telling import Wrong, counted

OF_METERS = ("power_kw", "imported_kwh", "exported_kwh")
OF_BATTERIES = (
    "power_kw",
    "soc",
    "energy_kwh",
    "capacity_kwh",
    "charge_kw_max",
    "discharge_kw_max",
)
KINDS = get_args(RegisterKind)
# Where an operator says nothing of a battery: lithium iron phosphate behind its inverter, one way,
# and what a kWh drawn from it costs [currency/kWh].
EFFICIENCY, WEAR = 0.95, 0.03
_METER = ("modbus", "unit", "reverse", "registers")
_BATTERY = (
    "modbus", "simulated", "unit", "registers", "setpoint", "capacity_kwh", "power_kw",
    "efficiency", "wear",
)  # fmt: skip
_REGISTER = ("address", "kind", "scale", "inputs", "little")


def meter_of(where: str, table: object, wrong: Wrong) -> DevicePlace | None:
    """Where a meter is; ``None`` where it has a mistake, which ``wrong`` was told."""
    if not isinstance(table, dict):
        wrong(where, f"{table!r}", 'a table: meter = { modbus = "192.168.1.5:502" }')
        return None
    told, tell = counted(wrong)
    _only(where, table, _METER, tell)
    place = _place(where, table, OF_METERS, tell)
    reverse = _flag(f"{where}.reverse", table.get("reverse", False), tell)
    return None if told else replace(place, reverse=reverse)


def battery_of(where: str, table: object, wrong: Wrong) -> BatteryPlace | None:
    """A hub's station battery; ``None`` where it has a mistake, which ``wrong`` was told."""
    if not isinstance(table, dict):
        wrong(where, f"{table!r}", 'a table: battery = { modbus = "192.168.1.6:502" }')
        return None
    told, tell = counted(wrong)
    _only(where, table, _BATTERY, tell)
    simulated = _flag(f"{where}.simulated", table.get("simulated", False), tell)
    sizes = {
        name: _amount(f"{where}.{name}", table[name], 1e-3, 1e6, tell)
        for name in ("capacity_kwh", "power_kw")
        if name in table
    }
    if simulated and ("modbus" in table or len(sizes) < 2):
        tell(where, "simulated", "capacity_kwh and power_kw beside it, and no address")
    setpoint, efficiency = table.get("setpoint"), table.get("efficiency", EFFICIENCY)
    found = BatteryPlace(
        at=None if simulated else _place(where, table, OF_BATTERIES, tell),
        setpoint=None if setpoint is None else _register(f"{where}.setpoint", setpoint, tell),
        capacity_kwh=sizes.get("capacity_kwh"),
        power_kw=sizes.get("power_kw"),
        efficiency=_amount(f"{where}.efficiency", efficiency, 0.3, 1, tell),
        wear=_amount(f"{where}.wear", table.get("wear", WEAR), 0, 1_000, tell),
    )
    if found.at is not None and bool(found.at.registers) != (setpoint is not None):
        right = "registers and a setpoint, or neither where it has SunSpec's models"
        tell(where, "has one without the other", right)
    return None if told else found


def _place(
    where: str, table: dict[str, object], quantities: tuple[str, ...], wrong: Wrong
) -> DevicePlace:
    host, port = _address(f"{where}.modbus", table.get("modbus"), wrong)
    unit = _whole(f"{where}.unit", table.get("unit", 1), 0, 255, wrong)
    said = table.get("registers", {})
    registers = _registers(f"{where}.registers", said, quantities, wrong)
    return DevicePlace(host, port, unit, registers=registers)


def _registers(
    where: str, table: object, quantities: tuple[str, ...], wrong: Wrong
) -> dict[str, Register]:
    if not isinstance(table, dict):
        wrong(where, f"{table!r}", f"a table of {', '.join(quantities)}")
        return {}
    _only(where, table, quantities, wrong)
    if table and "power_kw" not in table:
        wrong(f"{where}.power_kw", "is missing", "without it nothing is known of what flows")
    if table and quantities is OF_BATTERIES and not {"soc", "energy_kwh"} & table.keys():
        wrong(f"{where}.soc", "is missing", "soc, from 0 to 1, or energy_kwh: what is in it")
    return {name: _register(f"{where}.{name}", each, wrong) for name, each in table.items()}


def _register(where: str, table: object, wrong: Wrong) -> Register:
    if not isinstance(table, dict):
        wrong(where, f"{table!r}", 'a table such as { address = 40, kind = "int32" }')
        return Register(0)
    _only(where, table, _REGISTER, wrong)
    kind = table.get("kind", "int16")
    if kind not in KINDS:
        wrong(f"{where}.kind", f"{kind!r} is unknown", f"one of {', '.join(KINDS)}")
    scale = table.get("scale", 1.0)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or not 0 < abs(scale) < 1e9:
        wrong(f"{where}.scale", f"{scale!r}", "a number other than 0: kW or kWh of a one in it")
        scale = 1.0
    return Register(
        address=_whole(f"{where}.address", table.get("address"), 0, 65_535, wrong),
        kind=cast("RegisterKind", kind),
        scale=float(scale),
        inputs=_flag(f"{where}.inputs", table.get("inputs", False), wrong),
        little=_flag(f"{where}.little", table.get("little", False), wrong),
    )


def _address(where: str, said: object, wrong: Wrong) -> tuple[str, int]:
    host, _, port = str(said).rpartition(":") if ":" in str(said) else (str(said), "", "502")
    if isinstance(said, str) and host.strip() and port.isdigit() and 0 < int(port) < 65_536:
        return host.strip(), int(port)
    wrong(where, f"{said!r}", 'a host and a port: "192.168.1.5:502"')
    return "", 0


def _whole(where: str, said: object, least: int, most: int, wrong: Wrong) -> int:
    if isinstance(said, int) and not isinstance(said, bool) and least <= said <= most:
        return said
    wrong(where, f"{said!r}", f"a whole number, {least} to {most}")
    return least


def _amount(where: str, said: object, least: float, most: float, wrong: Wrong) -> float:
    if isinstance(said, int | float) and not isinstance(said, bool) and least <= said <= most:
        return float(said)
    wrong(where, f"{said!r}", f"a number, {least:g} to {most:g}")
    return least


def _flag(where: str, said: object, wrong: Wrong) -> bool:
    if not isinstance(said, bool):
        wrong(where, f"{said!r}", "true or false")
    return said is True


def _only(where: str, table: dict[str, object], known: tuple[str, ...], wrong: Wrong) -> None:
    for name in table:
        if name not in known:
            wrong(f"{where}.{name}", "is not known", f"one of {', '.join(known)}")
