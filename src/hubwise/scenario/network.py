"""The feeder: read from its tables or another program's file, and checked to be one network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import nan
from typing import Any

import numpy as np

from hubwise.domain import Feeder, Horizon, Phases
from hubwise.domain.arrays import Array
from hubwise.domain.errors import ranges
from hubwise.scenario.circuit import PER_PHASE, Network, Zero
from hubwise.scenario.files import FeederSection
from hubwise.scenario.foreign_network import HERTZ, read_network
from hubwise.scenario.loads import read_loads
from hubwise.scenario.phases import build_phases, check_by_phase
from hubwise.scenario.reading import TOML, Reader
from hubwise.scenario.rows import BranchRow, BusRow
from hubwise.scenario.sections import Sections
from hubwise.scenario.shape import read_ambient, read_shape
from hubwise.scenario.stiff import NOTE, stiff_feeder
from hubwise.scenario.tables import Table, check_unique, read_table

_OWN = ("buses", "branches", "source_bus", "nominal_kv", "transformer_kva")
_IN_FILE = ("buses", "branches", "nominal_kv")


@dataclass(frozen=True, slots=True)
class ReadFeeder:
    """What was read of a feeder.

    Parameters
    ----------
    feeder
        Nothing where the scenario has a mistake.
    place
        The feeder's bus that each bus number stands for, where they are known.
    notes
        What was left out or simplified of another program's network.
    """

    feeder: Feeder | None
    place: Mapping[int, int] | None
    notes: tuple[str, ...] = ()


def read_feeder(sections: Sections, horizon: Horizon | None, reader: Reader) -> ReadFeeder:
    """The feeder, from ``[feeder]`` and what it names."""
    if "feeder" not in sections.raw:
        place = {bus: bus for bus in range(2, len(sections.hubs) + 2)}
        if horizon is None or not sections.hubs:
            return ReadFeeder(None, place, (NOTE,))
        most = [max(hub.import_limit_kw, hub.export_limit_kw) for _, hub in sections.hubs]
        return ReadFeeder(stiff_feeder(np.array(most), horizon), place, (NOTE,))
    _check_keys(sections, reader)
    foreign = sections.said("feeder", "file", str)
    read = _read_foreign if foreign else _read_own
    found = read(sections, horizon, reader)
    return replace(found, feeder=None) if reader.issues else found


def _check_keys(sections: Sections, reader: Reader) -> None:
    """Tables of our own need all of their keys; another program's file holds some itself."""
    raw = sections.raw.get("feeder")
    if not isinstance(raw, dict):
        return
    if "file" in raw:
        for key in (key for key in _IN_FILE if key in raw):
            wrong, right = "is given beside a file", "leave it out; the file holds it"
            reader.wrong(TOML, "feeder", key, wrong, right)
    else:
        for key in (key for key in _OWN if key not in raw):
            reader.wrong(TOML, "feeder", key, "is missing", "it has to be given")


def _read_own(sections: Sections, horizon: Horizon | None, reader: Reader) -> ReadFeeder:
    buses = _named_table(sections, "buses", BusRow, reader)
    branches = _named_table(sections, "branches", BranchRow, reader)
    by_slot = _read_by_slot(sections, horizon, reader)
    _check_voltages(sections.feeder, 1.0, reader)
    if buses is not None and branches is not None:
        _check_network(sections.said("feeder", "source_bus", int), buses, branches, reader)
        kv = None if sections.feeder is None else sections.feeder.nominal_kv
        check_by_phase(buses, branches, 0.0 if kv is None else kv, reader)
    if buses is None or None in buses["bus"]:
        return ReadFeeder(None, None)
    place = {bus: bus for bus in buses["bus"]}
    section = sections.feeder
    if section is None or branches is None or by_slot is None or reader.issues:
        return ReadFeeder(None, place)
    feeder = _with_loads(_build(section, buses, branches, by_slot), sections, horizon, reader)
    _check_earthed(feeder, branches.file, reader)
    return ReadFeeder(feeder, place, () if feeder.phases is None else (PER_PHASE,))


def _read_foreign(sections: Sections, horizon: Horizon | None, reader: Reader) -> ReadFeeder:
    section, name = sections.feeder, sections.said("feeder", "file", str)
    assert name is not None, "read_feeder looks"
    hertz = HERTZ if section is None else section.frequency_hz
    network = read_network(name, reader, hertz, sections.said("feeder", "source_bus", int))
    by_slot = _read_by_slot(sections, horizon, reader)
    if network is None:
        return ReadFeeder(None, None)
    _check_voltages(section, network.source_voltage_pu, reader)
    given = section.transformer_kva if section is not None else None
    if section is not None and given is None and network.head_kva() == 0.0:
        wrong = f"is missing, and no transformer is at the source, bus {network.source_bus}"
        right = "give the rating of the substation's transformer"
        reader.wrong(TOML, "feeder", "transformer_kva", wrong, right)
    if section is None or by_slot is None or reader.issues:
        return ReadFeeder(None, network.place, network.notes)
    feeder = _with_loads(_convert(section, network, by_slot), sections, horizon, reader)
    _check_earthed(feeder, name, reader)
    return ReadFeeder(feeder, network.place, network.notes)


@dataclass(frozen=True, slots=True)
class BySlot:
    """What varies over the slots: the share of loads, and the ambient temperature [°C]."""

    shape: Array
    ambient_c: Array | float


def _read_by_slot(sections: Sections, horizon: Horizon | None, reader: Reader) -> BySlot | None:
    slots = 0 if horizon is None else horizon.slots
    shape: Array | None = np.ones(slots)
    if name := sections.said("feeder", "load_shape", str):
        shape = read_shape(name, horizon, reader)
    ambient: Array | float | None = sections.feeder.ambient_c if sections.feeder else nan
    if name := sections.said("feeder", "ambient", str):
        ambient = read_ambient(name, horizon, reader)
    known = horizon is not None and shape is not None and ambient is not None
    return BySlot(shape, ambient) if known else None  # type: ignore[arg-type]


def _with_loads(
    feeder: Feeder, sections: Sections, horizon: Horizon | None, reader: Reader
) -> Feeder:
    """The feeder with the loads of a load table, where one is named."""
    name = sections.said("feeder", "loads", str)
    if name is None or horizon is None:
        return feeder
    return read_loads(name, feeder, horizon, reader)


def _named_table(
    sections: Sections, key: str, model: type[BusRow] | type[BranchRow], reader: Reader
) -> Table | None:
    name = sections.said("feeder", key, str)
    return None if name is None else read_table(reader, name, model)


def _limits(section: FeederSection) -> dict[str, Any]:
    return {
        "transformer_limit": section.transformer_limit,
        "voltage_min_pu": section.voltage_min_pu,
        "voltage_max_pu": section.voltage_max_pu,
    }


def _build(section: FeederSection, buses: Table, branches: Table, by_slot: BySlot) -> Feeder:
    assert section.source_bus is not None, "_check_keys asks for it"
    assert section.transformer_kva is not None, "and for it"
    assert section.nominal_kv is not None, "and for it"
    kv = section.nominal_kv
    levels = any(own is not None for own in buses["kv"])
    by_bus = np.array([kv if own is None else own for own in buses["kv"]], dtype=float)
    voltage = 1.0 if section.source_voltage_pu is None else section.source_voltage_pu

    def column(name: str) -> Array:
        return np.array(branches[name], dtype=float)

    def plain(name: str) -> Array | float:
        """A column, or its default where no row says otherwise."""
        default = BranchRow.model_fields[name].default
        default = nan if default is None else default
        values = column(name)
        return (
            default
            if np.array_equal(values, np.full_like(values, default), equal_nan=True)
            else values
        )

    return Feeder(
        bus=np.array(buses["bus"], dtype=np.int64),
        source_bus=section.source_bus,
        nominal_kv=by_bus if levels else kv,
        source_voltage_pu=voltage,
        from_bus=np.array(branches["from_bus"], dtype=np.int64),
        to_bus=np.array(branches["to_bus"], dtype=np.int64),
        r_ohm=column("r_ohm"),
        x_ohm=column("x_ohm"),
        ampacity_a=column("ampacity_a"),
        transformer_kva=section.transformer_kva,
        base_kw=np.outer(buses["kw"], by_slot.shape),
        base_kvar=np.outer(buses["kvar"], by_slot.shape),
        g_siemens=plain("g_siemens"),
        b_siemens=plain("b_siemens"),
        ratio=plain("ratio"),
        shift_degrees=plain("shift_degrees"),
        rating_kva=plain("rating_kva"),
        ambient_c=by_slot.ambient_c,
        phases=build_phases(buses, branches, by_slot.shape),
        **_limits(section),
    )


def _convert(section: FeederSection, network: Network, by_slot: BySlot) -> Feeder:
    """Another program's network as a feeder; its transformers at the source keep the limit, too."""
    bus, branches = list(network.bus_kv), network.branches
    load = np.array([network.load_kva.get(k, 0.0) for k in bus], dtype=complex)
    squared = np.array([network.squared_kva.get(k, 0.0) for k in bus], dtype=complex)
    shunt = np.array([network.shunt_kva.get(k, 0.0) for k in bus], dtype=complex)
    at_head = [
        network.source_bus in (b.near, b.far) and not np.isnan(b.rating_kva) for b in branches
    ]
    limit = [
        min(b.limit, section.transformer_limit) if head else b.limit
        for b, head in zip(branches, at_head, strict=True)
    ]
    voltage = section.source_voltage_pu or network.source_voltage_pu
    return Feeder(
        bus=np.array(bus, dtype=np.int64),
        source_bus=network.source_bus,
        nominal_kv=np.array(list(network.bus_kv.values())),
        source_voltage_pu=voltage,
        from_bus=np.array([b.near for b in branches], dtype=np.int64),
        to_bus=np.array([b.far for b in branches], dtype=np.int64),
        r_ohm=np.array([b.series.real for b in branches]),
        x_ohm=np.array([b.series.imag for b in branches]),
        ampacity_a=np.array([b.far_a for b in branches]),
        transformer_kva=section.transformer_kva or network.head_kva(),
        base_kw=np.outer(load.real, by_slot.shape),
        base_kvar=np.outer(load.imag, by_slot.shape),
        g_siemens=np.array([complex(b.across).real for b in branches]),
        b_siemens=np.array([complex(b.across).imag for b in branches]),
        ratio=np.array([b.ratio for b in branches]),
        shift_degrees=np.array([b.shift_degrees for b in branches]),
        from_ampacity_a=np.array([b.near_a for b in branches]),
        branch_limit=np.array(limit),
        rating_kva=np.array([b.rating_kva for b in branches]),
        squared_kw=np.outer(squared.real, by_slot.shape),
        squared_kvar=np.outer(squared.imag, by_slot.shape),
        shunt_kw=shunt.real,
        shunt_kvar=shunt.imag,
        branch_name=tuple(b.name for b in branches),
        ambient_c=by_slot.ambient_c,
        phases=_phases(network, bus, by_slot.shape),
        **_limits(section),
    )


def _phases(network: Network, bus: Sequence[int], shape: Array) -> Phases | None:
    """What another program's network has phase by phase, if it is given so."""
    if not network.by_phase:
        return None
    uneven = np.array([network.uneven_kva.get(k, np.zeros(3)) for k in bus], dtype=complex)
    zero = [branch.zero or Zero(0.0) for branch in network.branches]
    return Phases(
        uneven_kw=uneven.real[:, :, None] * shape,
        uneven_kvar=uneven.imag[:, :, None] * shape,
        zero_series=np.array([it.series for it in zero], dtype=complex),
        zero_near=np.array([it.near for it in zero], dtype=complex),
        zero_far=np.array([it.far for it in zero], dtype=complex),
    )


def _check_earthed(feeder: Feeder, file: str, reader: Reader) -> None:
    """The zero sequence of every bus finds a way to earth."""
    if lost := feeder.unearthed():
        wrong = f"the zero sequence finds no way to earth from bus {ranges(lost)}"
        right = "give a transformer there whose star point is earthed, such as Dyn or YNyn"
        reader.wrong(file, "", "", wrong, right)


def _check_voltages(section: FeederSection | None, default_pu: float, reader: Reader) -> None:
    """The voltage band has a width, and the head's voltage lies in it."""
    if section is None:
        return
    low, high, head = (
        section.voltage_min_pu,
        section.voltage_max_pu,
        section.source_voltage_pu or default_pu,
    )
    if low >= high:
        wrong = f"{low:g} is not below voltage_max_pu {high:g}"
        reader.wrong(TOML, "feeder", "voltage_min_pu", wrong, "give a band such as 0.90 to 1.10")
    elif not low <= head <= high:
        wrong, right = f"{head:g} is outside the band", f"give {low:g} to {high:g}"
        reader.wrong(TOML, "feeder", "source_voltage_pu", wrong, right)


def _check_network(source: int | None, buses: Table, branches: Table, reader: Reader) -> None:
    """Buses are there once, branches lie between them, and all are fed from the source."""
    check_unique(buses, "bus", reader)
    _check_branches(branches, reader)
    ends = branches["from_bus"] + branches["to_bus"]
    if None in buses["bus"] or None in ends:
        return
    known = set(buses["bus"])
    for end in ("from_bus", "to_bus"):
        for k, bus in enumerate(branches[end]):
            if bus not in known:
                wrong, right = f"bus {bus} is unknown", f"buses are {ranges(known)}"
                reader.wrong(branches.file, branches.where(k), end, wrong, right)
    if source is not None and source not in known:
        wrong, right = f"bus {source} is unknown", f"buses are {ranges(known)}"
        reader.wrong(TOML, "feeder", "source_bus", wrong, right)
    elif source is not None and known.issuperset(ends):
        _check_fed(source, known, branches, reader)


def _check_branches(branches: Table, reader: Reader) -> None:
    for k in range(len(branches)):
        start, end, r, x = (branches[key][k] for key in ("from_bus", "to_bus", "r_ohm", "x_ohm"))
        if start is not None and start == end:
            wrong = f"goes from bus {start} to itself"
            reader.wrong(branches.file, branches.where(k), "to_bus", wrong, "name the other end")
        if r == 0 and x == 0:
            right = "give r_ohm or x_ohm above 0, or make its ends one bus"
            reader.wrong(branches.file, branches.where(k), "r_ohm", "has no impedance", right)


def _check_fed(source: int, known: set[int], branches: Table, reader: Reader) -> None:
    """Every bus is reached from the source; loops are fine."""
    beside: dict[int, set[int]] = {}
    for start, end in zip(branches["from_bus"], branches["to_bus"], strict=True):
        beside.setdefault(start, set()).add(end)
        beside.setdefault(end, set()).add(start)
    reached, waiting = {source}, [source]
    while waiting:
        fresh = beside.get(waiting.pop(), set()) - reached
        reached |= fresh
        waiting += fresh
    if islanded := known - reached:
        wrong = f"leaves bus {ranges(islanded)} without a path to source bus {source}"
        reader.wrong(branches.file, "", "", wrong, "join them by branches, or take them out")
