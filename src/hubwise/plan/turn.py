"""What one turn of the bilevel loop has decided."""

from __future__ import annotations

from dataclasses import dataclass

from hubwise.dispatch import Dispatch, Problem
from hubwise.domain import Schedule, Situation, Status, Tariff
from hubwise.domain.arrays import Array


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn of the loop has decided.

    Parameters
    ----------
    situation
        With those who take part, at the wear prices and limits that they answered to.
    tariff
        What is posted.
    schedule
        Of every session.
    problem, dispatch
        The dispatch problem and its answer.
    status
        How the dispatch ended.
    head_kw
        Least and most power at the feeder head, besides limits; each (slots,) [kW].
    """

    situation: Situation
    tariff: Tariff
    schedule: Schedule
    problem: Problem
    dispatch: Dispatch
    status: Status
    head_kw: tuple[Array, Array] | None = None
