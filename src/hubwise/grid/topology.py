"""Where hubs, buses and branches sit: rows of the tables, loads by bus, paths from the source."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hubwise.domain import Feeder

Array = NDArray[np.float64]
Index = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Tree:
    """One path from the source to every bus, branches in order outwards; shape (buses - 1,).

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


def spanning_tree(feeder: Feeder) -> Tree:
    """A tree of branches that reaches every bus from the source, breadth first.

    Raises
    ------
    ValueError
        If a bus has no path to the source; the message names all of them.
    """
    beside: list[list[tuple[int, int]]] = [[] for _ in feeder.bus]
    ends = zip(bus_rows(feeder, feeder.from_bus), bus_rows(feeder, feeder.to_bus), strict=True)
    for branch, (one, other) in enumerate(ends):
        beside[one].append((branch, other))
        beside[other].append((branch, one))
    reached = [int(bus_rows(feeder, np.array([feeder.source_bus]))[0])]
    known, steps = set(reached), []
    for near in reached:  # grows while it is walked
        for branch, far in beside[near]:
            if far not in known:
                known.add(far)
                reached.append(far)
                steps.append((branch, near, far))
    if len(known) < len(feeder.bus):
        lost = [str(bus) for row, bus in enumerate(feeder.bus) if row not in known]
        raise ValueError(f"no path from the source to bus {', '.join(lost)}")
    return Tree(*np.array(steps, dtype=np.int64).reshape(-1, 3).T)


def radial_tree(feeder: Feeder) -> Tree:
    """All branches of a radial feeder, in order outwards.

    Raises
    ------
    ValueError
        If the feeder is meshed, or a bus has no path to the source.
    """
    tree = spanning_tree(feeder)
    if len(feeder.from_bus) > len(tree.branch):
        rest = np.setdiff1d(np.arange(len(feeder.from_bus)), tree.branch)
        names = [f"{feeder.from_bus[k]}-{feeder.to_bus[k]}" for k in rest]
        raise ValueError(f"the feeder is meshed: {', '.join(names)} close a loop")
    return tree
