"""The dispatch of a hub of any size."""

from __future__ import annotations

from hubwise.dispatch.linear import dispatch_linear
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.program import UnsolvedError
from hubwise.dispatch.size import EXACTLY, is_small
from hubwise.dispatch.solve import Dispatch, dispatch
from hubwise.dispatch.warm import WarmStart
from hubwise.domain import Schedule, Tariff

# Rounds where HiGHS finds no optimum.
INSTEAD = 400


def best_dispatch(
    problem: Problem,
    tariff: Tariff | None,
    *,
    rounds: int,
    warm: WarmStart | None = None,
    sessions: Schedule | None = None,
    flat: bool = True,
) -> Dispatch:
    """The dispatch of a hub of any size: one linear program where it is small, rounds elsewhere.

    Parameters are those of `hubwise.dispatch.dispatch`; ``rounds`` and ``warm`` are of large hubs.
    With `EXACTLY` for rounds it is one program all the same.
    """
    if rounds == EXACTLY or is_small(problem):
        try:
            return dispatch_linear(problem, tariff, sessions=sessions, flat=flat)
        except UnsolvedError:
            rounds = max(rounds, INSTEAD)
    return dispatch(problem, tariff, rounds=rounds, warm=warm, sessions=sessions, flat=flat)
