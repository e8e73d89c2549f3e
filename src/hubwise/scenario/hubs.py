"""The hubs: read from their sections, and checked against the feeder's buses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from hubwise.domain import Circuits, Horizon, Hubs
from hubwise.domain.arrays import Array
from hubwise.domain.errors import ranges
from hubwise.scenario.files import HubSection
from hubwise.scenario.reading import TOML, Reader
from hubwise.scenario.sections import Sections
from hubwise.scenario.shape import read_shape
from hubwise.scenario.wiring import phase_limit_kw, read_circuits


def read_hubs(
    sections: Sections, buses: Mapping[int, int] | None, horizon: Horizon | None, reader: Reader
) -> Hubs | None:
    """The hubs, or nothing where the scenario has a mistake.

    ``buses`` gives the feeder's bus that each bus number stands for.
    """
    on_feeder = "feeder" in sections.raw
    for place, hub in sections.hubs:
        if on_feeder and hub.bus is None:
            right = "name the bus of the feeder that it is connected to"
            reader.wrong(TOML, f"hubs[{place}]", "bus", "is missing", right)
    for place, bus in sections.hub_buses():
        if on_feeder and buses is not None and bus not in buses:
            wrong, right = f"bus {bus} is unknown", f"buses are {ranges(buses)}"
            reader.wrong(TOML, f"hubs[{place}]", "bus", wrong, right)
    for place, hub in sections.hubs:
        where = f"hubs[{place}]"
        if (count := sections.hub_names().count(hub.name)) > 1:
            wrong = f"{hub.name!r} is there {count} times"
            reader.wrong(TOML, where, "name", wrong, "give each hub a name of its own")
        _check_battery(where, hub, reader)
    circuits = read_circuits(sections, reader)
    solar = _solar_shape(sections, horizon, reader)
    if solar is None or buses is None or reader.issues:
        return None
    numbers = [hub.bus if on_feeder else k for k, (_, hub) in enumerate(sections.hubs, 2)]
    at = [buses[number] for number in numbers if number is not None]
    return _build([hub for _, hub in sections.hubs], at, solar, circuits)


def _solar_shape(sections: Sections, horizon: Horizon | None, reader: Reader) -> Array | None:
    if name := sections.said("solar", "shape", str):
        return read_shape(name, horizon, reader)
    for place, hub in sections.hubs:
        if hub.solar_kw > 0 and "solar" not in sections.raw:
            wrong, right = f"is {hub.solar_kw:g} without a shape of the day", "give [solar] shape"
            reader.wrong(TOML, f"hubs[{place}]", "solar_kw", wrong, right)
    return None if horizon is None else np.zeros(horizon.slots)


def _check_battery(where: str, hub: HubSection, reader: Reader) -> None:
    if (hub.battery_kw > 0) != (hub.battery_kwh > 0):
        wrong = f"is {hub.battery_kw:g} with battery_kwh {hub.battery_kwh:g}"
        reader.wrong(TOML, where, "battery_kw", wrong, "give both above 0, or neither")
    elif hub.battery_initial_kwh > hub.battery_kwh:
        wrong = f"{hub.battery_initial_kwh:g} is above battery_kwh {hub.battery_kwh:g}"
        reader.wrong(TOML, where, "battery_initial_kwh", wrong, "give at most battery_kwh")


def _build(
    hubs: Sequence[HubSection],
    buses: Sequence[int],
    solar_shape: Array,
    circuits: Circuits | None,
) -> Hubs:
    def column(name: str) -> Array:
        return np.array([getattr(hub, name) for hub in hubs], dtype=float)

    fuses = phase_limit_kw([hub.fuse_a for hub in hubs])
    return Hubs(
        name=tuple(hub.name for hub in hubs),
        bus=np.array(buses, dtype=np.int64),
        import_limit_kw=column("import_limit_kw"),
        export_limit_kw=column("export_limit_kw"),
        battery_kw=column("battery_kw"),
        battery_kwh=column("battery_kwh"),
        battery_charge_efficiency=column("battery_charge_efficiency"),
        battery_discharge_efficiency=column("battery_discharge_efficiency"),
        battery_initial_kwh=column("battery_initial_kwh"),
        battery_wear_cost=column("battery_wear_cost"),
        lease_cost=column("lease_cost"),
        running_cost=column("running_cost"),
        solar_kw=np.outer(column("solar_kw"), solar_shape),
        transformer_kva=np.array([hub.transformer_kva or np.inf for hub in hubs]),
        phase_kw=None if np.isinf(fuses).all() else fuses,
        circuits=circuits,
        transformer_limit=column("transformer_limit"),
    )
