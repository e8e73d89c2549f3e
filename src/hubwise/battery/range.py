"""Where a cell's model is asked beyond what was tested: said, never silent."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hubwise.battery.day import days_soc
from hubwise.battery.stress import count_cycles
from hubwise.domain import CELLS, BatteryFacts, Cell, Fleet, Horizon, Schedule
from hubwise.domain.arrays import Array

# Shares this close to a limit are at the limit.
ROUNDING = 1e-6


def leaving_range(
    fleet: Fleet, schedule: Schedule, horizon: Horizon, facts: BatteryFacts
) -> list[str]:
    """One sentence for every cell and condition in which batteries leave the tested range."""
    cells = dict(facts.cells)
    said: list[str] = []
    for chemistry in np.unique(fleet.chemistry):
        rows = np.flatnonzero(fleet.chemistry == chemistry)
        own = fleet.select(rows)
        stays = Schedule(
            schedule.charge_kw[rows], schedule.discharge_kw[rows], schedule.energy_kwh[rows]
        )
        said += _sentences(CELLS[cells[str(chemistry)]], own, stays, horizon)
    return said


def _sentences(cell: Cell, fleet: Fleet, schedule: Schedule, horizon: Horizon) -> Iterator[str]:
    soc = days_soc(fleet, schedule.energy_kwh, horizon)
    deepest = count_cycles(soc, 1)[0][:, 0]
    into = schedule.charge_kw.max(axis=1) * fleet.charge_efficiency / fleet.capacity_kwh
    out = schedule.discharge_kw.max(axis=1) / fleet.discharge_efficiency / fleet.capacity_kwh
    tested = cell.range
    yield from _outside(cell, "temperature", fleet.temperature_c, tested.temperature_c, "°C", 1.0)
    yield from _outside(cell, "lowest state of charge", soc.min(axis=1), tested.soc, "%", 100.0)
    yield from _outside(cell, "highest state of charge", soc.max(axis=1), tested.soc, "%", 100.0)
    yield from _outside(cell, "depth of the deepest cycle", deepest, tested.depth, "%", 100.0)
    yield from _outside(cell, "charging", into, (0.0, tested.charge_rate), "C", 1.0)
    yield from _outside(cell, "discharging", out, (0.0, tested.discharge_rate), "C", 1.0)


def _outside(
    cell: Cell, what: str, found: Array, tested: tuple[float, float], unit: str, scale: float
) -> Iterator[str]:
    low, high = tested
    out = (found < low - ROUNDING) | (found > high + ROUNDING)
    if out.any():
        least, most = scale * found[out].min(), scale * found[out].max()
        yield (
            f"the model of {cell.name} was made from tests at {scale * low:g}-{scale * high:g} "
            f"{unit} ({what}); {int(out.sum())} of {len(found)} sessions are outside, at "
            f"{least:.3g} to {most:.3g} {unit}: their wear and fade are extrapolated"
        )
