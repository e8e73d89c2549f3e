"""Futures that are dispatched together: whether they are of one place, and their weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields

import numpy as np

from hubwise.dispatch.problem import Problem
from hubwise.domain.arrays import Array


def weights(problems: Sequence[Problem], shares: Sequence[float]) -> Array:
    """The futures' weights, which sum to 1; refused where they are none."""
    given = np.asarray(shares, dtype=float)
    if not len(problems) or given.shape != (len(problems),):
        raise ValueError(f"{given.size} weights for {len(problems)} futures: give one for each")
    if not (np.isfinite(given).all() and (given >= 0.0).all() and given.sum() > 0.0):
        raise ValueError(f"weights of futures are {given.tolist()}: give none below 0, some above")
    weight: Array = given / given.sum()
    return weight


def check_alike(problems: Sequence[Problem]) -> None:
    """Refuse futures that are not of one place: units of all would read one's slots and terms."""
    first = problems[0].situation
    for f, problem in enumerate(problems[1:], 2):
        here = problem.situation
        same = {
            "slots": here.horizon == first.horizon,
            "hubs": here.hubs.name == first.hubs.name,
            "circuits": here.hubs.lines.name == first.hubs.lines.name,
            "terms": all(map(np.array_equal, _sums(problem), _sums(problems[0]))),
        }
        for what, agrees in same.items():
            if not agrees:
                raise ValueError(f"future {f} has other {what} than future 1: give all the same")


def _sums(problem: Problem) -> list[Array]:
    terms = problem.terms
    return [getattr(terms, field.name) for field in fields(terms)]
