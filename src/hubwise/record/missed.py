"""Limits that a plan misses, and the least changes of hubs that would mend them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Missed:
    """A limit of one element that a plan misses.

    Parameters
    ----------
    kind, element
        What kind of limit, and where.
    slots
        In which slots.
    worst_slot, value, limit
        The slot in which it is missed by most, and what is found and allowed there: p.u., kW, or
        shares of a rating; nothing where the power flow finds no solution.
    without_hubs
        What is found there with nothing drawn at any hub; nothing where that has no solution.
    base_alone
        Whether the base load alone breaks the limit in that slot.
    hubs_mend
        Whether the changes of hubs named for that slot bring it back under AC.
    bus, bus_kw
        Where hubs cannot: by how much the load at which bus would have to change, hubs as they
        are, so that it holds under AC [kW].
    """

    kind: str
    element: str
    slots: tuple[int, ...]
    worst_slot: int
    value: float | None
    limit: float | None
    without_hubs: float | None
    base_alone: bool
    hubs_mend: bool
    bus: int | None = None
    bus_kw: float | None = None


@dataclass(frozen=True, slots=True)
class Redispatch:
    """The least changes of hubs' net draw in one slot.

    Parameters
    ----------
    slot
        When.
    hub_kw
        Change by hub's name, negative for less drawn; hubs that stay as they are left out [kW].
    holds
        Whether all limits then hold in the slot under AC.
    """

    slot: int
    hub_kw: dict[str, float]
    holds: bool
