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
        stays = schedule.select(rows)
        said += _sentences(CELLS[cells[str(chemistry)]], own, stays, horizon)
    return said


def _sentences(cell: Cell, fleet: Fleet, schedule: Schedule, horizon: Horizon) -> Iterator[str]:
    soc = days_soc(fleet, schedule.energy_kwh, horizon)
    found = {
        "temperature": fleet.temperature_c,
        "lowest state of charge": soc.min(axis=1),
        "highest state of charge": soc.max(axis=1),
        "depth of the deepest cycle": count_cycles(soc, 1)[0][:, 0],
        "charging": schedule.charge_kw.max(axis=1) * fleet.charge_efficiency / fleet.capacity_kwh,
        "discharging": (
            schedule.discharge_kw.max(axis=1) / fleet.discharge_efficiency / fleet.capacity_kwh
        ),
    }
    for condition, values in found.items():
        yield from range_sentences(cell, condition, values)


def range_sentences(cell: Cell, condition: str, found: Array) -> Iterator[str]:
    """One sentence where some sessions' condition is outside what the cell was tested at, or none.

    Parameters
    ----------
    cell
        Whose tests.
    condition
        ``temperature``, ``lowest state of charge``, ``highest state of charge``, ``depth of the
        deepest cycle``, ``charging`` or ``discharging``.
    found
        That of every session of this cell; shape (sessions,) [°C, shares, 1/h].
    """
    (low, high), unit, scale = _tested(cell, condition)
    out = (found < low - ROUNDING) | (found > high + ROUNDING)
    if out.any():
        least, most = scale * found[out].min(), scale * found[out].max()
        yield (
            f"the model of {cell.name} was made from tests at {scale * low:g}-{scale * high:g} "
            f"{unit} ({condition}); {int(out.sum())} of {len(found)} sessions are outside, at "
            f"{least:.3g} to {most:.3g} {unit}: their wear and fade are extrapolated"
        )


def _tested(cell: Cell, condition: str) -> tuple[tuple[float, float], str, float]:
    """What was tested, its unit, and by how much to multiply for it."""
    tested = cell.range
    match condition:
        case "temperature":
            return tested.temperature_c, "°C", 1.0
        case "charging":
            return (0.0, tested.charge_rate), "C", 1.0
        case "discharging":
            return (0.0, tested.discharge_rate), "C", 1.0
        case "depth of the deepest cycle":
            return tested.depth, "%", 100.0
        case _:
            return tested.soc, "%", 100.0
