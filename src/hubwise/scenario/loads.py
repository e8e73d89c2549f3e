"""Load tables: what buses draw by hour of the local clock, in the place of loads times a shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.domain import PHASES, Feeder, Horizon, Phases
from hubwise.domain.errors import ranges
from hubwise.scenario.clock import by_hour
from hubwise.scenario.phases import check_load_rows, uneven
from hubwise.scenario.reading import Reader
from hubwise.scenario.rows import LoadRow
from hubwise.scenario.tables import Table, read_table


def read_loads(name: str, feeder: Feeder, horizon: Horizon, reader: Reader) -> Feeder:
    """The feeder with the loads of table ``name``; buses that it leaves out keep theirs.

    What is wrong with the table is noted, and the feeder returned as it was.
    """
    table = read_table(reader, name, LoadRow)
    if table is None or not _sound(table, feeder, reader):
        return feeder
    base_kw, base_kvar = feeder.base_kw.copy(), feeder.base_kvar.copy()
    squared_kw, squared_kvar = feeder.squared
    bus, hour = np.array(table["bus"]), np.array(table["hour"])
    kw, kvar = np.array(table["kw"]), np.array(table["kvar"])
    for row, number in enumerate(feeder.bus):
        if (own := bus == number).any():
            base_kw[row] = by_hour(horizon, hour[own].tolist(), kw[own].tolist())
            base_kvar[row] = by_hour(horizon, hour[own].tolist(), kvar[own].tolist())
            squared_kw[row] = squared_kvar[row] = 0.0
    return replace(
        feeder,
        phases=_phases(table, feeder, horizon),
        base_kw=base_kw,
        base_kvar=base_kvar,
        squared_kw=squared_kw,
        squared_kvar=squared_kvar,
    )


def _phases(table: Table, feeder: Feeder, horizon: Horizon) -> Phases | None:
    """What the feeder has per phase, with the load table's rows in the place of its loads."""
    phases = feeder.phases
    if phases is None:
        return None
    uneven_kw, uneven_kvar = phases.uneven_kw.copy(), phases.uneven_kvar.copy()
    for row, number in enumerate(feeder.bus):
        own = [k for k, bus in enumerate(table["bus"]) if bus == number]
        if own:
            hours = [table["hour"][k] for k in own]
            told = np.array([uneven(table, k) for k in own])  # (rows, 2, 3)
            for phase in range(len(PHASES)):
                uneven_kw[row, phase] = by_hour(horizon, hours, told[:, 0, phase].tolist())
                uneven_kvar[row, phase] = by_hour(horizon, hours, told[:, 1, phase].tolist())
    return replace(phases, uneven_kw=uneven_kw, uneven_kvar=uneven_kvar)


def _sound(table: Table, feeder: Feeder, reader: Reader) -> bool:
    """Whether every bus is known, begins at hour 0 and has each hour once."""
    before, known = len(reader.issues), set(feeder.bus.tolist())
    hours: dict[int, set[float]] = {}
    for k, (bus, hour) in enumerate(zip(table["bus"], table["hour"], strict=True)):
        if bus is not None and bus not in known:
            right = f"buses are {ranges(known)}"
            reader.wrong(table.file, table.where(k), "bus", f"bus {bus} is unknown", right)
        elif bus is not None and hour is not None:
            if hour in hours.setdefault(bus, set()):
                wrong = f"hour {hour:g} of bus {bus} is there already"
                reader.wrong(table.file, table.where(k), "hour", wrong, "give each hour once")
            hours[bus].add(hour)
    for bus in (bus for bus, found in hours.items() if min(found) > 0):
        wrong = f"bus {bus} begins at hour {min(hours[bus]):g}"
        reader.wrong(table.file, "", "hour", wrong, "begin at hour 0; a row holds until the next")
    check_load_rows(table, feeder, reader)
    whole = not any(None in table[column] for column in ("bus", "hour", "kw", "kvar"))
    return whole and len(reader.issues) == before
