"""Strategies side by side, the frontier of promises, nations of many zones, and their pages."""

from hubwise.study.frontier import FrontierResult, frontier
from hubwise.study.run import PARTICIPATIONS, STRATEGIES, StudyResult, study
from hubwise.study.zones import ZonesResult, zones

__all__ = [
    "PARTICIPATIONS",
    "STRATEGIES",
    "FrontierResult",
    "StudyResult",
    "ZonesResult",
    "frontier",
    "study",
    "zones",
]
