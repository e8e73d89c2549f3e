"""Scenarios: files in, checked at the door; synthetic fleets; import of one's own data."""

from hubwise.domain.errors import Issue, ScenarioError
from hubwise.scenario.arbitrage import check_tariff, lawful
from hubwise.scenario.delegation import with_delegation
from hubwise.scenario.door import check, load, load_draws, packaged
from hubwise.scenario.draws import Draws
from hubwise.scenario.identity import fingerprint, with_equal_energy, with_participation, with_wear
from hubwise.scenario.importer import import_sessions
from hubwise.scenario.nation import Nation, ZoneKind, is_nation, load_nation
from hubwise.scenario.openings import check_openings, refuse_wrong_openings
from hubwise.scenario.options import ImportOptions
from hubwise.scenario.own_prices import read_own_prices
from hubwise.scenario.standby import with_standby
from hubwise.scenario.writing import new

__all__ = [
    "Draws",
    "ImportOptions",
    "Issue",
    "Nation",
    "ScenarioError",
    "ZoneKind",
    "check",
    "check_openings",
    "check_tariff",
    "fingerprint",
    "import_sessions",
    "is_nation",
    "lawful",
    "load",
    "load_draws",
    "load_nation",
    "new",
    "packaged",
    "read_own_prices",
    "refuse_wrong_openings",
    "with_delegation",
    "with_equal_energy",
    "with_participation",
    "with_standby",
    "with_wear",
]
