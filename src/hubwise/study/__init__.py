"""Strategies side by side over participations, and the report on them."""

from hubwise.study.run import PARTICIPATIONS, STRATEGIES, StudyResult, study

__all__ = ["PARTICIPATIONS", "STRATEGIES", "StudyResult", "study"]
