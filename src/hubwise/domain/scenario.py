"""The scenario: a situation to be planned from nothing, and the experiment around it."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np

from hubwise.domain.arrays import Index, Names
from hubwise.domain.choices import DeviceTies
from hubwise.domain.fleet import Fleet
from hubwise.domain.situation import Situation


@dataclass(frozen=True, slots=True)
class Search:
    """How prices are searched for, as the scenario asks.

    Parameters
    ----------
    method
        Name of the search method; ``auto`` picks one.
    evaluations
        Most tariffs that the search tries.
    boxes
        Most boxes of prices looked at for the bound of the tariff family; 0 for none.
    seed
        Seed of every random draw, in the scenario's making and in the search.
    rounds_schedules
        Whether what no charger can follow is rounded away once prices are found; the operator
        credits each driver what that costs it.
    """

    method: str = "auto"
    evaluations: int = 400
    seed: int = 0
    boxes: int = 5_000
    rounds_schedules: bool = False


@dataclass(frozen=True, slots=True)
class Delegation:
    """Who lets the platform choose among schedules that cost the driver the same.

    Parameters
    ----------
    share
        Share of those who take part and do not say themselves; a higher one contains the lower.
    ties
        How the others' own devices choose.
    seed
        Of random moments.
    """

    share: float = 1.0
    ties: DeviceTies = DeviceTies.EARLY
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Hindsight:
    """What is known only afterwards: no plan may use it, and plans are measured by it.

    Parameters
    ----------
    session
        Whose it is; shape (known,).
    actual_departure_slot
        The first slot after the stay's actual end; shape (known,).
    """

    session: Names
    actual_departure_slot: Index

    def departures(self, fleet: Fleet) -> Index:
        """Actual ends of a fleet's stays, the stated ones where nothing is known; (sessions,)."""
        known = dict(zip(self.session.tolist(), self.actual_departure_slot.tolist(), strict=True))
        stated = zip(fleet.session.tolist(), fleet.departure_slot.tolist(), strict=True)
        return np.array([known.get(name, slot) for name, slot in stated], np.int64)


NOTHING_KNOWN = Hindsight(np.zeros(0, str), np.zeros(0, np.int64))


@dataclass(frozen=True, slots=True)
class Scenario:
    """A situation with a name, and what an experiment on it needs to know.

    Parameters
    ----------
    name, source
        What it is called, and where it was read from: a packaged scenario's name or a folder's
        path.
    situation
        What is to be planned. ``situation.fleet.participating`` is the scenario's own
        participation.
    participation_order, participation
        Sessions in the order in which they join, and the share that has joined: studies sweep
        others, and a higher participation contains the lower one.
    search
        How prices are searched for.
    assumptions, sources, notes
        What the report says of it.
    hindsight
        What is known only afterwards.
    delegation
        Who lets the platform choose.
    """

    name: str
    source: str
    situation: Situation
    participation_order: tuple[int, ...]
    participation: float
    search: Search
    assumptions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    hindsight: Hindsight = NOTHING_KNOWN
    delegation: Delegation = field(default_factory=Delegation)

    def without_family_bound(self) -> Scenario:
        """The same, whose plans spend nothing on the bound of their family."""
        return replace(self, search=replace(self.search, boxes=0))

    def having(self, **changes: Any) -> Scenario:
        """The same with some parts replaced, of the situation or of the experiment around it."""
        inside = {part.name for part in fields(Situation)} & changes.keys()
        situation = replace(self.situation, **{name: changes.pop(name) for name in inside})
        return replace(self, situation=situation, **changes)
