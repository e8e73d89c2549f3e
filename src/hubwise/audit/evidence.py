"""What the audit works on: the folder's numbers, in the shapes of the model."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from hubwise.audit.report import Axes
from hubwise.domain import Fleet, Scenario, Schedule, Tariff
from hubwise.domain.arrays import Array, Flags
from hubwise.record.folder import PlanFolder

Columns = dict[str, Array]


@dataclass(frozen=True, slots=True)
class Evidence:
    """A plan folder whose rows are as they should be, beside its scenario.

    Parameters
    ----------
    scenario
        The scenario with those who take part in the plan, and at its wear prices and discharge
        limits.
    original
        The sessions as the scenario has them: wear costs and discharge limits before they were
        found.
    asked
        Who was asked to take part; who then did not has declined; shape (sessions,).
    folder
        The plan folder.
    tariff
        ``prices.parquet``.
    schedule
        ``schedule.parquet``.
    hubs, buses, feeder, bills
        The tables' number columns, of shapes (hubs, slots), (buses, slots), (slots,) and
        (sessions,).
    """

    scenario: Scenario
    original: Fleet
    asked: Flags
    folder: PlanFolder
    tariff: Tariff
    schedule: Schedule
    hubs: Columns
    buses: Columns
    feeder: Columns
    bills: Columns

    @property
    def fleet(self) -> Fleet:
        """The scenario's sessions."""
        return self.scenario.situation.fleet

    @property
    def declined(self) -> Flags:
        """Who was asked to take part and does not; shape (sessions,)."""
        return self.asked & ~self.fleet.participating

    @property
    def hours(self) -> float:
        """Length of a slot [h]."""
        return self.scenario.situation.horizon.slot_hours

    @property
    def result(self) -> dict[str, object]:
        """The result in ``summary.json``."""
        return self.folder.result

    @property
    def sessions_axis(self) -> Axes:
        """Labels of arrays of shape (sessions,)."""
        return [("session", self.fleet.session.tolist())]

    @property
    def stays_axes(self) -> Axes:
        """Labels of arrays of shape (sessions, slots)."""
        return [*self.sessions_axis, *self.slots_axis]

    @property
    def hubs_axes(self) -> Axes:
        """Labels of arrays of shape (hubs, slots)."""
        return [("hub", self.scenario.situation.hubs.name), *self.slots_axis]

    @property
    def buses_axes(self) -> Axes:
        """Labels of arrays of shape (buses, slots)."""
        return [("bus", self.scenario.situation.feeder.bus.tolist()), *self.slots_axis]

    @property
    def slots_axis(self) -> Axes:
        """Labels of arrays of shape (slots,)."""
        return [("slot", range(self.scenario.situation.horizon.slots))]

    @property
    def stay(self) -> Flags:
        """Which slots belong to which stay; shape (sessions, slots)."""
        slot = np.arange(self.scenario.situation.horizon.slots)
        fleet = self.fleet
        return (slot >= fleet.arrival_slot[:, None]) & (slot < fleet.departure_slot[:, None])


def gather(folder: PlanFolder, scenario: Scenario) -> Evidence:
    """Shape the tables of a folder that `check_rows` found whole.

    ``scenario`` has those marked who were asked to take part.
    """
    tables, slots = folder.tables, scenario.situation.horizon.slots
    sessions, original = tables["sessions"], scenario.situation.fleet
    found = replace(
        original,
        participating=sessions["participating"].to_numpy(),
        wear_cost=sessions["wear_cost"].to_numpy(),
        discharge_limit_kwh=sessions["discharge_limit_kwh"].to_numpy(),
    )
    prices = _numbers(tables["prices"], slots)
    return Evidence(
        scenario=scenario.having(fleet=found),
        original=original,
        asked=original.participating,
        folder=folder,
        tariff=Tariff(prices["charge_price"], prices["discharge_price"]),
        schedule=_schedule(tables["schedule"], scenario),
        hubs=_numbers(tables["hubs"], slots),
        buses=_numbers(tables["buses"], slots),
        feeder=_numbers(tables["feeder"]),
        bills=_numbers(tables["bills"]),
    )


def _numbers(table: pl.DataFrame, slots: int | None = None) -> Columns:
    """Number columns by name; in rows of ``slots`` where that is given. Null becomes NaN."""
    flat = {c: table[c].cast(pl.Float64).to_numpy() for c in table.columns if _is_number(table[c])}
    return flat if slots is None else {c: v.reshape(-1, slots) for c, v in flat.items()}


def _is_number(column: pl.Series) -> bool:
    return column.dtype.is_numeric()


def _schedule(table: pl.DataFrame, scenario: Scenario) -> Schedule:
    """Rows of stays into (sessions, slots): nothing flows outside the stay, energy stands still."""
    fleet, slots = scenario.situation.fleet, scenario.situation.horizon.slots
    row = np.repeat(np.arange(len(fleet)), fleet.departure_slot - fleet.arrival_slot)
    slot = table["slot"].to_numpy()
    charge, discharge, energy = (np.zeros((len(fleet), slots)) for _ in range(3))
    charge[row, slot] = table["charge_kw"].to_numpy()
    discharge[row, slot] = table["discharge_kw"].to_numpy()
    energy[row, slot] = table["energy_kwh"].to_numpy()
    column = np.arange(slots)
    energy = np.where(column < fleet.arrival_slot[:, None], fleet.arrival_kwh[:, None], energy)
    last = energy[np.arange(len(fleet)), fleet.departure_slot - 1]
    energy = np.where(column >= fleet.departure_slot[:, None], last[:, None], energy)
    return Schedule(charge, discharge, energy)
