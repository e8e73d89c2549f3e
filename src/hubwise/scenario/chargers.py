"""Chargers: the least power that they can hold, where a scenario tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hubwise.domain import Fleet
from hubwise.domain.arrays import Array
from hubwise.scenario.files import HubSection
from hubwise.scenario.reading import Reader
from hubwise.scenario.tables import Table


def check_steps(table: Table, most: str, reader: Reader) -> None:
    """No row's step is above its highest power, which stands in column ``most``."""
    step, highest = table.numbers("step_kw"), table.numbers(most)
    for k in np.flatnonzero(step > highest + 1e-9).tolist():
        wrong = f"is {step[k]:g} kW, above the {most} of {highest[k]:g} kW"
        reader.wrong(table.file, table.where(k), "step_kw", wrong, TOO_LARGE)


# What would be right where a step is above a power.
TOO_LARGE = "a charger is off, at whole steps, or in full: give what one step of its power is"


def with_least_powers(fleet: Fleet, hubs: Sequence[HubSection], table: Table | None) -> Fleet:
    """The fleet with the least powers of its chargers: a session's own, else its hub's.

    What nobody tells stays six amperes a phase.

    Parameters
    ----------
    fleet
        As built from ``table``, row by row, or drawn.
    hubs
        Sections of the hubs, in order.
    table
        Of sessions, where there is one.
    """
    of_hub = np.array(
        [np.nan if hub.charger_kw_min is None else hub.charger_kw_min for hub in hubs]
    )
    charge, discharge = (
        _told(name, of_hub[fleet.hub], table) for name in ("charge_kw_min", "discharge_kw_min")
    )
    if np.isnan(charge).all() and np.isnan(discharge).all():
        return fleet
    return replace(
        fleet,
        charge_kw_min=_at_most(charge, fleet.least_charge_kw, fleet.charge_kw_max),
        discharge_kw_min=_at_most(discharge, fleet.least_discharge_kw, fleet.discharge_kw_max),
    )


def _at_most(told: Array, usual: Array, most: Array) -> Array:
    least: Array = np.minimum(np.where(np.isnan(told), usual, told), most)
    return least


def _told(name: str, of_hub: Array, table: Table | None) -> Array:
    """What is told of each session; NaN where nothing is [kW]."""
    if table is None:
        return of_hub
    own = table.numbers(name)
    return np.where(np.isnan(own), of_hub, own)
