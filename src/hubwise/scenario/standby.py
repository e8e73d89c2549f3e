"""Stand-by: what two-way chargers draw while they are awake, whatever flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hubwise.domain import Fleet, Horizon, Hubs, Situation
from hubwise.domain.arrays import Array
from hubwise.scenario.files import HubSection

# What rounding leaves of sums that cancel [kW].
SAME_KW = 1e-9


def with_chargers_standby(fleet: Fleet, hubs: Sequence[HubSection]) -> Fleet:
    """The fleet with the stand-by of its hubs' chargers, where any hub tells of it."""
    of_hub = np.array([hub.standby_kw for hub in hubs])
    return replace(fleet, standby_kw=of_hub[fleet.hub]) if of_hub.any() else fleet


def awake_kw(fleet: Fleet, hubs: Hubs, horizon: Horizon) -> Array | None:
    """What chargers draw for who takes part and may discharge, while the car is there.

    It depends on presence alone: on no price, and on no schedule. Shape (hubs, slots) [kW];
    nothing where no charger is told to draw.
    """
    if fleet.standby_kw is None:
        return None
    drawn = np.where(fleet.participating & (fleet.discharge_kw_max > 0.0), fleet.standby_kw, 0.0)
    change = np.zeros((len(hubs), horizon.slots + 1))
    np.add.at(change, (fleet.hub, fleet.arrival_slot), drawn)
    np.add.at(change, (fleet.hub, fleet.departure_slot), -drawn)
    total = np.cumsum(change, axis=1)[:, :-1]
    if fleet.late is not None:
        np.add.at(total, (fleet.hub, fleet.arrival_slot), -drawn * fleet.late)
    if fleet.early is not None:
        np.add.at(total, (fleet.hub, fleet.departure_slot - 1), -drawn * fleet.early)
    return np.where(total > SAME_KW, total, 0.0)


def with_standby(situation: Situation) -> Situation:
    """The situation whose hubs draw what chargers do in stand-by for those marked to take part."""
    awake = awake_kw(situation.fleet, situation.hubs, situation.horizon)
    return replace(situation, hubs=replace(situation.hubs, standby_kw=awake))
