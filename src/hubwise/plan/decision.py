"""What a strategy decides: who takes part, what is posted, what everybody does."""

from __future__ import annotations

from dataclasses import dataclass

from hubwise.dispatch import Dispatch, Problem
from hubwise.domain import Schedule, Situation, StationSchedule, Status, Tariff
from hubwise.plan.wear import Convergence
from hubwise.pricing import FamilyBound


@dataclass(frozen=True, slots=True)
class Decision:
    """What drivers and stations do where no price is posted.

    Parameters
    ----------
    situation
        What was decided about, with those who take part at the tariff.
    tariff
        What participants pay and are paid.
    schedule
        Of every session.
    stations
        Of station batteries and solar.
    has_stations
        Whether station batteries are leased and run.
    """

    situation: Situation
    tariff: Tariff
    schedule: Schedule
    stations: StationSchedule
    has_stations: bool


@dataclass(frozen=True, slots=True)
class PostedDecision(Decision):
    """The same where the operator posts prices and a platform chooses among cheapest schedules.

    Parameters
    ----------
    problem, dispatch
        The dispatch problem, for what else drivers might do, and its answer.
    wear
        How wear prices converged.
    method
        Search method.
    evaluations
        Tariffs tried.
    searched, dispatched
        How the search for prices and the AC dispatch ended.
    profit_bound
        The most any tariff can bring [currency].
    family_bound
        The most any tariff of the family can bring.
    relaxed
        The relaxed problem's answer.
    """

    problem: Problem
    dispatch: Dispatch
    wear: Convergence
    method: str
    evaluations: int
    searched: Status
    dispatched: Status
    profit_bound: float
    family_bound: FamilyBound
    relaxed: Dispatch
