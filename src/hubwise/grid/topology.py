"""Where hubs, buses and branches sit: rows of the tables, loads by bus, what the source feeds."""

from __future__ import annotations

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from hubwise.domain import Feeder
from hubwise.domain.arrays import Array, Index


def bus_rows(feeder: Feeder, bus: Index) -> Index:
    """Row in the feeder's tables of every bus number; shape as ``bus``.

    Raises
    ------
    ValueError
        If the feeder has no such bus; the message names all of them.
    """
    row = {int(number): k for k, number in enumerate(feeder.bus)}
    unknown = sorted({int(number) for number in bus} - row.keys())
    if unknown:
        raise ValueError(f"the feeder has no bus {', '.join(map(str, unknown))}")
    return np.array([row[int(number)] for number in bus], dtype=np.int64)


def bus_load_kw(feeder: Feeder, hub_bus: Index, hub_kw: Array) -> Array:
    """Base load plus hubs; shape (buses, slots) [kW].

    Raises
    ------
    ValueError
        If a hub is at an unknown bus, or ``hub_kw`` is not of shape (hubs, slots).
    """
    due = (len(hub_bus), feeder.base_kw.shape[1])
    if hub_kw.shape != due:
        raise ValueError(f"hub_kw has shape {hub_kw.shape}, where (hubs, slots) is {due}")
    load_kw = feeder.base_kw.copy()
    np.add.at(load_kw, bus_rows(feeder, hub_bus), hub_kw)
    return load_kw


def check_fed(feeder: Feeder) -> None:
    """Refuse a feeder in pieces.

    Raises
    ------
    ValueError
        If a bus has no path to the source; the message names all of them.
    """
    ends = bus_rows(feeder, feeder.from_bus), bus_rows(feeder, feeder.to_bus)
    buses = len(feeder.bus)
    joined = coo_array((np.ones(len(ends[0])), ends), shape=(buses, buses))
    _, piece = connected_components(joined, directed=False)
    lost = feeder.bus[piece != piece[bus_rows(feeder, np.array([feeder.source_bus]))[0]]]
    if lost.size:
        raise ValueError(f"no path from the source to bus {', '.join(map(str, lost))}")
