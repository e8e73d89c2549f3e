"""Strategies side by side, the frontier of promises, nations of many zones, and their pages."""

from hubwise.study.frontier import FrontierResult, make_frontier
from hubwise.study.options import RunOptions
from hubwise.study.run import PARTICIPATIONS, StudyResult, Sweep, make_study
from hubwise.study.zones import ZonesResult, make_zones

__all__ = [
    "PARTICIPATIONS",
    "FrontierResult",
    "RunOptions",
    "StudyResult",
    "Sweep",
    "ZonesResult",
    "make_frontier",
    "make_study",
    "make_zones",
]
