"""Feeders in tables of our own that are given per phase: shares of loads, and the zero sequence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hubwise.domain import Feeder, Phases
from hubwise.domain.arrays import Array
from hubwise.domain.errors import listed, ranges
from hubwise.scenario.reading import Reader
from hubwise.scenario.tables import Table

LOADS = ("kw_l1", "kw_l2", "kw_l3", "kvar_l1", "kvar_l2", "kvar_l3")
ZERO = ("r0_ohm", "x0_ohm")
# Powers whose sum is out by less than this are the sum, rounded [kW, kvar].
ROUNDING = 1e-3


def is_by_phase(buses: Table, branches: Table) -> bool:
    """Whether any load is given per phase, or any impedance of the zero sequence."""
    loads = any(cell is not None for name in LOADS for cell in buses[name])
    return loads or any(cell is not None for name in ZERO for cell in branches[name])


def check_by_phase(buses: Table, branches: Table, kv: float, reader: Reader) -> None:
    """Phases add up to loads, and every branch has what the zero sequence needs."""
    check_phase_loads(buses, reader)
    if not is_by_phase(buses, branches):
        return
    for name in ZERO:
        if lacking := [branches.rows[k] for k, cell in enumerate(branches[name]) if cell is None]:
            wrong = "is not given, where the feeder is given per phase"
            right = "give r0_ohm and x0_ohm of every branch, its impedance in the zero sequence"
            reader.wrong(branches.file, f"row {ranges(lacking)}", name, wrong, right)
    level = {
        b: kv if own is None else own for b, own in zip(buses["bus"], buses["kv"], strict=True)
    }
    for k in range(len(branches)):
        if branches["r0_ohm"][k] == 0.0 and branches["x0_ohm"][k] == 0.0:
            right = "give r0_ohm or x0_ohm above 0"
            reader.wrong(branches.file, branches.where(k), "r0_ohm", "has no impedance", right)
        ends = {level.get(branches[key][k]) for key in ("from_bus", "to_bus")}
        turned = (branches["ratio"][k], branches["shift_degrees"][k]) != (1.0, 0.0)
        transforms = len(ends) > 1 or turned or branches["rating_kva"][k] is not None
        if transforms and branches["vector_group"][k] is None:
            wrong = "is not given of a transformer, where the feeder is given per phase"
            right = "give Dyn (from_bus in delta, the star point at to_bus earthed) or YNyn"
            reader.wrong(branches.file, branches.where(k), "vector_group", wrong, right)


def check_phase_loads(table: Table, reader: Reader) -> None:
    """Where a phase is told all are, and they add up."""
    for k in range(len(table)):
        for power in ("kw", "kvar"):
            names = [f"{power}_l{phase}" for phase in (1, 2, 3)]
            told = [table[name][k] for name in names]
            lacking = [name for name, cell in zip(names, told, strict=True) if cell is None]
            whole = table[power][k]
            if 0 < len(lacking) < len(names):
                wrong, right = "is not given, where other phases are", f"give {listed(names)}"
                reader.wrong(table.file, table.where(k), lacking[0], wrong, right)
            elif not lacking and whole is not None and abs(sum(told) - whole) > ROUNDING:
                wrong, right = f"add up to {sum(told):g}, not to {power} {whole:g}", "mend either"
                reader.wrong(table.file, table.where(k), listed(names), wrong, right)


def uneven(table: Table, k: int) -> tuple[Array, Array]:
    """What phases draw in a row beyond a third of their sum; each of shape (3,) [kW, kvar]."""
    found = []
    for power in ("kw", "kvar"):
        told = [table[f"{power}_l{phase}"][k] for phase in (1, 2, 3)]
        each = np.zeros(3) if None in told else np.array(told, dtype=float)
        found.append(each - each.mean())
    return found[0], found[1]


def build_phases(buses: Table, branches: Table, shape: Array) -> Phases | None:
    """What is known per phase; nothing of a balanced feeder."""
    if not is_by_phase(buses, branches):
        return None
    each = np.array([uneven(buses, k) for k in range(len(buses))])  # (buses, 2, 3)
    zero = branches.numbers("r0_ohm") + 1j * branches.numbers("x0_ohm")
    delta = np.array([group == "Dyn" for group in branches["vector_group"]], dtype=bool)
    series, half = 1.0 / zero, 0.5j * branches.numbers("b0_siemens")
    return Phases(
        uneven_kw=each[:, 0, :, None] * shape,
        uneven_kvar=each[:, 1, :, None] * shape,
        zero_series=np.where(delta, 0.0, series),
        zero_near=np.where(delta, 0.0, half),
        zero_far=np.where(delta, series + half, half),
    )


def check_load_rows(table: Table, feeder: Feeder, reader: Reader) -> None:
    """Rows of a load table tell phases where the feeder has them, and only there."""
    check_phase_loads(table, reader)
    phases = feeder.phases
    if phases is None:
        told = [k for name in LOADS for k, cell in enumerate(table[name]) if cell is not None]
        if told:
            wrong = "is given, where the feeder is not given per phase"
            right = "leave it out, or give r0_ohm and x0_ohm of every branch"
            reader.wrong(table.file, table.where(min(told)), LOADS[0], wrong, right)
        return
    known = feeder.bus.tolist()
    for bus in sorted({bus for bus in table["bus"] if bus in known}):
        row = known.index(bus)
        if not (phases.uneven_kw[row].any() or phases.uneven_kvar[row].any()):
            continue
        lacking = _untold(table, bus)
        if lacking:
            wrong = f"is not given of bus {bus}, whose load in the network is uneven"
            right = f"give {listed(LOADS)}"
            reader.wrong(table.file, table.where(lacking[0]), LOADS[0], wrong, right)


def _untold(table: Table, bus: int) -> Sequence[int]:
    return [
        k
        for k, number in enumerate(table["bus"])
        if number == bus and any(table[name][k] is None for name in LOADS)
    ]
