"""Where hubs, buses and branches sit: rows of the tables, loads by bus, the tree of a feeder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import breadth_first_order

from hubwise.domain import Feeder

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tree:
    """A radial feeder from the source outwards; every array has shape (buses - 1,).

    Parameters
    ----------
    branch
        Row of the branch.
    near, far
        Row of the branch's end towards the source, and of its other end.
    """

    branch: Index
    near: Index
    far: Index


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


def from_source(feeder: Feeder) -> tuple[Index, Index]:
    """Rows of all buses, the source first, breadth first; and the row each was reached from.

    Raises
    ------
    ValueError
        If a bus has no path to the source; the message names all of them.
    """
    buses = len(feeder.bus)
    ends = bus_rows(feeder, feeder.from_bus), bus_rows(feeder, feeder.to_bus)
    graph = coo_array((np.ones(len(ends[0])), ends), shape=(buses, buses)).tocsr()
    source = bus_rows(feeder, np.array([feeder.source_bus]))[0]
    order, predecessor = breadth_first_order(graph, source, directed=False)
    if len(order) < buses:
        lost = feeder.bus[np.setdiff1d(np.arange(buses), order)]
        raise ValueError(f"no path from the source to bus {', '.join(map(str, lost))}")
    return order.astype(np.int64), predecessor[order].astype(np.int64)


def tree(feeder: Feeder) -> Tree:
    """The branches of a radial feeder, from the source outwards.

    Raises
    ------
    ValueError
        If the feeder is meshed, or a bus has no path to the source.
    """
    order, reached_from = from_source(feeder)
    if len(feeder.from_bus) != len(feeder.bus) - 1:
        raise ValueError(
            f"the feeder is meshed: {len(feeder.from_bus)} branches between {len(feeder.bus)} buses"
        )
    ends = zip(bus_rows(feeder, feeder.from_bus), bus_rows(feeder, feeder.to_bus), strict=True)
    row = {frozenset(pair): k for k, pair in enumerate(ends)}
    near, far = reached_from[1:], order[1:]
    branch = [row[frozenset(pair)] for pair in zip(near, far, strict=True)]
    return Tree(np.array(branch, dtype=np.int64), near, far)
