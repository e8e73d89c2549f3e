"""Strategies side by side over participations, the frontier of promises, and their pages."""

from hubwise.study.frontier import FrontierResult, frontier
from hubwise.study.run import PARTICIPATIONS, STRATEGIES, StudyResult, study

__all__ = [
    "PARTICIPATIONS",
    "STRATEGIES",
    "FrontierResult",
    "StudyResult",
    "frontier",
    "study",
]
