"""Sessions: does the folder say the same of every session as the scenario does?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

from hubwise.audit.report import Check, Status
from hubwise.domain import Scenario
from hubwise.domain.arrays import Flags
from hubwise.record.folder import PlanFolder
from hubwise.record.tables import TABLES, seldom_told


def check_sessions(folder: PlanFolder, scenario: Scenario) -> Iterator[Check]:
    """Every column of sessions.parquet, exactly, but for what a plan may find.

    Who was asked to take part may have declined. Wear costs are found where the scenario has them
    found; discharge limits may then be tighter, and where drivers limit fade.
    """
    found, due = folder.tables["sessions"], _given(scenario)
    # Who declines has nothing to delegate.
    due["delegating"] &= found["participating"]
    settles = scenario.situation.battery.wear == "nonlinear"
    if settles:
        due.pop("wear_cost")
    limited = settles | np.isfinite(scenario.situation.fleet.fade_limit_per_year)
    faults = [
        f"{column} of session {rows['session'][0]} and {rows.height - 1} more"
        for column, values in due.items()
        if (rows := found.filter(_differs(found[column], values, limited))).height
    ]
    yield Check(
        "sessions: as given",
        "Sessions are the scenario's, number for number, and only who is asked takes part",
        Status.FAILS if faults else Status.HOLDS,
        where="; ".join(faults),
        advice="the plan was made for other sessions, or another participation" if faults else "",
    )


def _differs(found: pl.Series, due: pl.Series, limited: Flags) -> pl.Series:
    match found.name:
        case "participating":
            return found & ~due
        case "discharge_limit_kwh":
            looser = (found > due) | (found < 0.0) | found.is_null() | found.is_nan()
            return looser | (found.ne_missing(due) & pl.Series(~limited))
        case _:
            return found.ne_missing(due)


def _given(scenario: Scenario) -> dict[str, pl.Series]:
    fleet, names = scenario.situation.fleet, scenario.situation.hubs.name
    horizon = scenario.situation.horizon
    elsewhere = {
        "arrival_utc": [horizon.moment(slot) for slot in fleet.begins],
        "departure_utc": [horizon.moment(slot) for slot in fleet.ends],
        "driver": fleet.driver_name.tolist(),
        "actual_departure_slot": scenario.hindsight.departures(fleet).tolist(),
        "hub": [names[hub] for hub in fleet.hub],
        **seldom_told(fleet, scenario.situation.hubs),
    }
    columns = {
        column: elsewhere[column] if column in elsewhere else getattr(fleet, column).tolist()
        for column in TABLES["sessions"]
    }
    kinds = TABLES["sessions"]
    return {name: pl.Series(name, values, kinds[name]) for name, values in columns.items()}
