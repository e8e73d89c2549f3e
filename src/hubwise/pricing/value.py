"""What a tariff is worth: drivers answer, the dispatch balances, the account adds up."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hubwise.dispatch import Dispatch, Multipliers, Problem, dispatch, with_participants
from hubwise.domain import Schedule, StationSchedule, Tariff
from hubwise.ledger import Account, Bills, make_account, make_bills

Array = NDArray[np.float64]

# What a broken promise costs the merit. A unit of cost above the saving promise brings the operator
# at most one unit.
COST_EXCESS_WEIGHT = 5.0
# Few rounds leave the peak-valley promise a little broken or a little slack. Within this share of
# the promise the difference is valued at its own price; what lies beyond weighs this much [per kW].
SPAN_SLACK = 0.05
SPAN_EXCESS_WEIGHT = 20.0
# The same for the limits of feeder and grid connections, in every slot: what few rounds may leave,
# as a share of the head's spread, and what a kW beyond weighs.
LIMIT_SLACK = 0.01
LIMIT_EXCESS_WEIGHT = 20.0


@dataclass(frozen=True, slots=True)
class Value:
    """A tariff, the answer to it, and what it is worth.

    Parameters
    ----------
    tariff
        The posted prices.
    dispatch
        The dispatched answer.
    account
        The operator's line items.
    participant_cost
        Participants' net cost, wear included [currency].
    peak_valley_kw
        Peak-valley difference by the head model [kW].
    merit
        Profit less the weight of broken promises and limits [currency]; what a search maximises.
    """

    tariff: Tariff
    dispatch: Dispatch
    account: Account
    participant_cost: float
    peak_valley_kw: float
    merit: float


def cost_ceiling(problem: Problem, promise: float | None = None) -> float:
    """The most that participants' net cost may be together [currency]; ``inf`` without promise.

    ``promise`` stands in for the scenario's own share of the uncoordinated cost.
    """
    market, scenario = problem.scenario.market, problem.scenario
    at_once = problem.uncoordinated.charge_kw[scenario.fleet.participating]
    reference = scenario.horizon.slot_hours * float(at_once.sum(axis=0) @ market.reference_price)
    share = scenario.promises.saving if promise is None else promise
    return share * reference if np.isfinite(share) else np.inf


def bill_everyone(
    problem: Problem, tariff: Tariff, schedule: Schedule, best_response_cost: Array
) -> Bills:
    """Bills of every session of the scenario under ``schedule`` (all sessions)."""
    scenario = problem.scenario
    return make_bills(
        scenario.fleet,
        tariff,
        scenario.market,
        scenario.horizon,
        schedule=schedule,
        uncoordinated=problem.uncoordinated,
        best_response_cost=best_response_cost,
    )


def settle(
    problem: Problem, tariff: Tariff, participants: Schedule, stations: StationSchedule
) -> tuple[Account, float]:
    """The operator's account, and the participants' net cost [currency]."""
    scenario = problem.scenario
    schedule = with_participants(problem, participants)
    bills = bill_everyone(problem, tariff, schedule, np.zeros(len(scenario.fleet)))
    account = make_account(scenario, schedule, stations, bills)
    return account, float(bills.net_cost[scenario.fleet.participating].sum())


def value(
    problem: Problem, tariff: Tariff, *, rounds: int, start: Multipliers | None = None
) -> Value:
    """Dispatch at ``tariff`` in ``rounds`` rounds and add up what it is worth."""
    answer = dispatch(problem, tariff, rounds=rounds, start=start)
    account, participant_cost = settle(problem, tariff, answer.schedule, answer.stations)
    head = problem.limits.head(answer.hub_kw)
    span = float(head.max() - head.min())
    cost_excess = max(participant_cost - cost_ceiling(problem), 0.0)
    broken = _span_loss(problem, answer, span) + _limits_loss(problem, answer.hub_kw)
    merit = account.profit - COST_EXCESS_WEIGHT * cost_excess - broken
    return Value(tariff, answer, account, participant_cost, span, merit)


def _span_loss(problem: Problem, answer: Dispatch, span_kw: float) -> float:
    """What it would cost to meet the peak-valley promise exactly [currency]."""
    if not np.isfinite(problem.span_kw):
        return 0.0
    excess = span_kw - problem.span_kw
    slack = SPAN_SLACK * problem.span_kw
    price = min(answer.span_price, SPAN_EXCESS_WEIGHT)
    return price * min(excess, slack) + SPAN_EXCESS_WEIGHT * max(excess - slack, 0.0)


def _limits_loss(problem: Problem, hub_kw: Array) -> float:
    """What it weighs that feeder or grid connections are overloaded [currency]."""
    over = (
        problem.limits.rows(hub_kw) - problem.limits.upper,
        hub_kw - problem.import_limit_kw[:, None],
        -hub_kw - problem.export_limit_kw[:, None],
    )
    slack = LIMIT_SLACK * problem.spread_kw
    return LIMIT_EXCESS_WEIGHT * sum(float(np.maximum(kw - slack, 0.0).sum()) for kw in over)
