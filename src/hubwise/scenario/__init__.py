"""Scenarios: files in, checked at the door; synthetic fleets; import of one's own data."""

from hubwise.scenario.arbitrage import check_tariff
from hubwise.scenario.door import check, load, packaged
from hubwise.scenario.errors import Problem, ScenarioError
from hubwise.scenario.identity import fingerprint, with_participation

__all__ = [
    "Problem",
    "ScenarioError",
    "check",
    "check_tariff",
    "fingerprint",
    "load",
    "packaged",
    "with_participation",
]
