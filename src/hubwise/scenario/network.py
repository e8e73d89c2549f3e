"""The feeder: read from its tables, and checked to be one connected network."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hubwise.domain import Feeder, Horizon
from hubwise.scenario.errors import ranges
from hubwise.scenario.files import FeederSection
from hubwise.scenario.reading import TOML, Reader
from hubwise.scenario.rows import BranchRow, BusRow
from hubwise.scenario.sections import Sections
from hubwise.scenario.shape import read_shape
from hubwise.scenario.tables import Table, check_unique, read_table


def read_feeder(
    sections: Sections, horizon: Horizon | None, reader: Reader
) -> tuple[Feeder | None, tuple[int, ...] | None]:
    """The feeder, nothing where the scenario has a mistake; and its buses, where they are known."""
    section = sections.feeder
    buses = _named_table(sections, "buses", BusRow, reader)
    branches = _named_table(sections, "branches", BranchRow, reader)
    shape = None if horizon is None else np.ones(horizon.slots)
    if name := sections.said("feeder", "load_shape", str):
        shape = read_shape(name, horizon, reader)
    if section is not None:
        _check_voltages(section, reader)
    if buses is not None and branches is not None:
        _check_network(sections.said("feeder", "source_bus", int), buses, branches, reader)
    known = None if buses is None or None in buses["bus"] else tuple(buses["bus"])
    if section is None or buses is None or branches is None or shape is None or reader.problems:
        return None, known
    return _build(section, buses, branches, shape), known


def _named_table(
    sections: Sections, key: str, model: type[BusRow] | type[BranchRow], reader: Reader
) -> Table | None:
    name = sections.said("feeder", key, str)
    return None if name is None else read_table(reader, name, model)


def _build(
    section: FeederSection, buses: Table, branches: Table, shape: NDArray[np.float64]
) -> Feeder:
    return Feeder(
        bus=np.array(buses["bus"], dtype=np.int64),
        source_bus=section.source_bus,
        nominal_kv=section.nominal_kv,
        source_voltage_pu=section.source_voltage_pu,
        from_bus=np.array(branches["from_bus"], dtype=np.int64),
        to_bus=np.array(branches["to_bus"], dtype=np.int64),
        r_ohm=np.array(branches["r_ohm"], dtype=float),
        x_ohm=np.array(branches["x_ohm"], dtype=float),
        ampacity_a=np.array(branches["ampacity_a"], dtype=float),
        transformer_kva=section.transformer_kva,
        transformer_limit=section.transformer_limit,
        voltage_min_pu=section.voltage_min_pu,
        voltage_max_pu=section.voltage_max_pu,
        base_kw=np.outer(buses["kw"], shape),
        base_kvar=np.outer(buses["kvar"], shape),
    )


def _check_voltages(section: FeederSection, reader: Reader) -> None:
    """The voltage band has a width, and the head's voltage lies in it."""
    low, high, head = section.voltage_min_pu, section.voltage_max_pu, section.source_voltage_pu
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
    elif source is not None:
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
