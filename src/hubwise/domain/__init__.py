"""The nouns: horizon, tariff, fleet, hub, feeder, schedule, situation, scenario."""

from hubwise.domain.carried import Carried
from hubwise.domain.cell import CELLS, BatteryFacts, Cell, Range, standard_cells
from hubwise.domain.choices import (
    DeviceTies,
    Strategy,
    TariffFamily,
    Ties,
    WearPricing,
    chosen,
)
from hubwise.domain.feeder import Feeder
from hubwise.domain.fleet import Drivers, Fleet, SlotBounds
from hubwise.domain.horizon import Horizon
from hubwise.domain.hub import Hubs
from hubwise.domain.lines import PHASES, Circuits, Lines, connection_spots
from hubwise.domain.periods import Periods
from hubwise.domain.phases import Phases
from hubwise.domain.posting import Cap, Posting
from hubwise.domain.scenario import Delegation, Hindsight, Scenario, Search
from hubwise.domain.schedule import Schedule, StationSchedule
from hubwise.domain.situation import Situation
from hubwise.domain.so_far import SoFar
from hubwise.domain.status import Status
from hubwise.domain.taper import Taper
from hubwise.domain.tariff import Market, PriceRules, Promises, Tariff
from hubwise.domain.terms import Term, Terms, TermSums

__all__ = [
    "CELLS",
    "PHASES",
    "BatteryFacts",
    "Cap",
    "Carried",
    "Cell",
    "Circuits",
    "Delegation",
    "DeviceTies",
    "Drivers",
    "Feeder",
    "Fleet",
    "Hindsight",
    "Horizon",
    "Hubs",
    "Lines",
    "Market",
    "Periods",
    "Phases",
    "Posting",
    "PriceRules",
    "Promises",
    "Range",
    "Scenario",
    "Schedule",
    "Search",
    "Situation",
    "SlotBounds",
    "SoFar",
    "StationSchedule",
    "Status",
    "Strategy",
    "Taper",
    "Tariff",
    "TariffFamily",
    "Term",
    "TermSums",
    "Terms",
    "Ties",
    "WearPricing",
    "chosen",
    "connection_spots",
    "standard_cells",
]
