"""Scenarios: files in, checked at the door; synthetic fleets; import of one's own data."""

from hubwise.scenario.arbitrage import check_tariff
from hubwise.scenario.door import check, draws, load, packaged
from hubwise.scenario.draws import Draws
from hubwise.scenario.errors import Problem, ScenarioError
from hubwise.scenario.identity import fingerprint, with_participation
from hubwise.scenario.importer import import_sessions
from hubwise.scenario.options import ImportOptions
from hubwise.scenario.writing import new

__all__ = [
    "Draws",
    "ImportOptions",
    "Problem",
    "ScenarioError",
    "check",
    "check_tariff",
    "draws",
    "fingerprint",
    "import_sessions",
    "load",
    "new",
    "packaged",
    "with_participation",
]
