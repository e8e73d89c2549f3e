"""The scenario: everything that is given before anybody decides anything."""

from __future__ import annotations

from dataclasses import dataclass, field

from hubwise.domain.cell import BatteryFacts
from hubwise.domain.feeder import Feeder
from hubwise.domain.fleet import Fleet
from hubwise.domain.horizon import Horizon
from hubwise.domain.hub import Hubs
from hubwise.domain.tariff import Market, PriceRules, Promises


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
    """

    method: str = "auto"
    evaluations: int = 400
    seed: int = 0
    boxes: int = 500


@dataclass(frozen=True, slots=True)
class Scenario:
    """Everything that is given; checked at the door, trusted from here on.

    ``source`` says where it was read from: a packaged scenario's name or a folder's path.

    ``fleet.participating`` is the scenario's own participation; studies sweep others, drawn so
    that a higher participation contains the lower one (``participation_order``: sessions in the
    order in which they join).
    """

    name: str
    source: str
    currency: str
    horizon: Horizon
    feeder: Feeder
    hubs: Hubs
    fleet: Fleet
    participation_order: tuple[int, ...]
    participation: float
    market: Market
    rules: PriceRules
    promises: Promises
    search: Search
    assumptions: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    battery: BatteryFacts = field(default_factory=BatteryFacts)
