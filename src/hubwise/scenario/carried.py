"""What circuits and connections carry to one car alone: no charger draws more, whoever chooses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hubwise.domain import Fleet, Hubs
from hubwise.domain.arrays import Array

# Rounding [kW].
SAME_KW = 1e-9


def carried_alone(fleet: Fleet, hubs: Hubs) -> tuple[Fleet, tuple[str, ...]]:
    """The fleet with no power of charging that its wires never carry, and a sentence a hub.

    A car alone behind a circuit of 6 kW draws 6 kW, whatever charger it stands at. What others
    behind the same wires may give is added to what these carry, as are solar and station at the
    connection: nothing is taken off that any schedule could use.

    Parameters
    ----------
    fleet
        Sessions at their circuits and phases.
    hubs
        Their connections and circuits.
    """
    most = _most_kw(fleet, hubs)
    less = most < fleet.charge_kw_max - SAME_KW
    if not less.any():
        return fleet, ()
    capped = replace(fleet, charge_kw_max=np.minimum(fleet.charge_kw_max, most))
    if fleet.charge_kw_min is not None:
        capped = replace(
            capped, charge_kw_min=np.minimum(fleet.charge_kw_min, capped.charge_kw_max)
        )
    return capped, tuple(_said(capped, fleet, hubs))


def _most_kw(fleet: Fleet, hubs: Hubs) -> Array:
    """The most that each car could ever draw through its wires; shape (sessions,) [kW]."""
    back = fleet.discharge_kw_max
    beside = hubs.battery_kw + hubs.solar_kw.max(axis=1)
    given = np.bincount(fleet.hub, back, minlength=len(hubs))
    most: Array = (hubs.most_import_kw + beside + given)[fleet.hub] - back
    lines = hubs.lines
    if not len(lines):
        return most
    session, line, share = lines.of_spots(fleet.spots)
    at_connection = np.where(lines.circuit < 0, beside[lines.hub], 0.0)
    through = lines.limit_kw + at_connection
    through += np.bincount(line, share * back[session], minlength=len(lines))
    np.minimum.at(most, session, through[line] / share - back[session])
    return most


def _said(capped: Fleet, asked: Fleet, hubs: Hubs) -> Iterator[str]:
    less = capped.charge_kw_max < asked.charge_kw_max - SAME_KW
    for hub in np.unique(asked.hub[less]):
        mine = less & (asked.hub == hub)
        lowest = capped.charge_kw_max[mine].min()
        yield (
            f"Hub {hubs.name[hub]}: {int(mine.sum())} sessions charge with no more than their "
            f"circuits or connection carry to one car alone, the weakest {lowest:g} kW."
        )
