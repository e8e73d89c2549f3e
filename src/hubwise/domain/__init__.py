"""The nouns: horizon, tariff, fleet, hub, feeder, schedule, situation, scenario."""

from hubwise.domain.cell import CELLS, BatteryFacts, Cell, Range, standard_cells
from hubwise.domain.choices import Strategy, TariffFamily, WearPricing, chosen
from hubwise.domain.feeder import Feeder
from hubwise.domain.fleet import Fleet
from hubwise.domain.horizon import Horizon
from hubwise.domain.hub import Hubs
from hubwise.domain.scenario import Scenario, Search
from hubwise.domain.schedule import Schedule, StationSchedule
from hubwise.domain.situation import Situation
from hubwise.domain.tariff import Market, PriceRules, Promises, Tariff

__all__ = [
    "chosen",
    "CELLS",
    "BatteryFacts",
    "Cell",
    "Feeder",
    "Fleet",
    "Horizon",
    "Hubs",
    "Market",
    "PriceRules",
    "Promises",
    "Range",
    "Scenario",
    "Schedule",
    "Situation",
    "Search",
    "StationSchedule",
    "Strategy",
    "Tariff",
    "TariffFamily",
    "WearPricing",
    "standard_cells",
]
