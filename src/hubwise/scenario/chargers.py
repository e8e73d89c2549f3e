"""Chargers: the least power that they can hold, where a scenario tells of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hubwise.domain import Fleet
from hubwise.domain.arrays import Array
from hubwise.scenario.files import HubSection
from hubwise.scenario.tables import Table


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
    own = np.array([np.nan if kw is None else kw for kw in table[name]], float)
    return np.where(np.isnan(own), of_hub, own)
