"""Where a site's devices are, as ``site.toml`` says: checked, every problem told."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast, get_args

from hubwise.domain.devices import DevicePlace, Register, RegisterKind

Wrong = Callable[[str, str, str], None]
QUANTITIES = ("power_kw", "imported_kwh", "exported_kwh")
KINDS = get_args(RegisterKind)
_METER = ("modbus", "unit", "reverse", "registers")
_REGISTER = ("address", "kind", "scale", "inputs", "little")


def meter_of(where: str, table: object, wrong: Wrong) -> DevicePlace | None:
    """Where a meter is; ``None`` where it has a mistake, which ``wrong`` was told."""
    if not isinstance(table, dict):
        wrong(where, f"{table!r}", 'a table: meter = { modbus = "192.168.1.5:502" }')
        return None
    told: list[str] = []

    def tell(at: str, what: str, right: str) -> None:
        told.append(at)
        wrong(at, what, right)

    _only(where, table, _METER, tell)
    host, port = _address(f"{where}.modbus", table.get("modbus"), tell)
    unit = _whole(f"{where}.unit", table.get("unit", 1), 0, 255, tell)
    reverse = _flag(f"{where}.reverse", table.get("reverse", False), tell)
    registers = _registers(f"{where}.registers", table.get("registers", {}), tell)
    return None if told else DevicePlace(host, port, unit, reverse, registers)


def _registers(where: str, table: object, wrong: Wrong) -> dict[str, Register]:
    if not isinstance(table, dict):
        wrong(where, f"{table!r}", f"a table of {', '.join(QUANTITIES)}")
        return {}
    _only(where, table, QUANTITIES, wrong)
    if table and "power_kw" not in table:
        wrong(f"{where}.power_kw", "is missing", "without it nothing is known of the connection")
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


def _flag(where: str, said: object, wrong: Wrong) -> bool:
    if not isinstance(said, bool):
        wrong(where, f"{said!r}", "true or false")
    return said is True


def _only(where: str, table: dict[str, object], known: tuple[str, ...], wrong: Wrong) -> None:
    for name in table:
        if name not in known:
            wrong(f"{where}.{name}", "is not known", f"one of {', '.join(known)}")
