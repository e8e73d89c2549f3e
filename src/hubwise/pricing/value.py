"""What a tariff is worth: drivers answer, the dispatch balances, the account adds up."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numba
import numpy as np

from hubwise.dispatch import (
    EXACTLY,
    Dispatch,
    Problem,
    WarmStart,
    best_dispatch,
    excess_cost,
    with_participants,
)
from hubwise.domain import Schedule, StationSchedule, Tariff
from hubwise.domain.arrays import Array
from hubwise.ledger import Account, Bills, make_account, make_bills, sum_by_hub
from hubwise.pricing.family import Family

# What a broken promise costs the merit. A unit of cost above the saving promise brings the operator
# at most one unit.
COST_EXCESS_WEIGHT = 5.0
# Few rounds leave shared limits a little broken or a little slack, which is valued at the limits'
# own prices. What no price has mended yet weighs this much [per kW]: beyond this share of the
# peak-valley promise, and, for other limits, of the head's spread in every slot.
SLACK = 0.05
# What an exact dispatch may leave.
ROUNDING = 1e-6
EXCESS_WEIGHT = 20.0
# Rounds of dispatch that tell tariffs apart: few where many sessions average out, more where few
# make lumps. Between these two, so many visits to sessions.
FEWEST_ROUNDS, MOST_ROUNDS = 5, 15
VISITS = 2_000


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
        Peak-valley difference by the head model, what has been so far included [kW].
    merit
        Profit, were the shared limits kept exactly, less the weight of broken promises and limits
        [currency]; what a search maximises.
    broken_kw
        By how much shared limits, and the peak-valley promise, are broken beyond what few rounds
        may leave, all slots together [kW].
    over_kw
        The same of the limits alone [kW].
    cost_ceiling
        The most that the participants' net cost was promised to be [currency].
    """

    tariff: Tariff
    dispatch: Dispatch
    account: Account
    participant_cost: float
    peak_valley_kw: float
    merit: float
    broken_kw: float
    over_kw: float
    cost_ceiling: float


def reference_cost(problem: Problem) -> float:
    """What participants pay together uncoordinated, at the reference tariff [currency]."""
    situation = problem.situation
    at_once = problem.uncoordinated.charge_kw[situation.fleet.participating]
    price = situation.market.reference_price
    return situation.horizon.slot_hours * float(at_once.sum(axis=0) @ price)


def cost_ceiling(problem: Problem) -> float:
    """The most that participants' net cost may be together [currency]; ``inf`` without promise.

    The promise holds over what has been so far as well: what that left, the rest may take.
    """
    situation = problem.situation
    share, past = situation.promises.saving, situation.so_far
    if not np.isfinite(share):
        return np.inf
    return share * (reference_cost(problem) + past.reference_cost) - past.paid


def reward(problem: Problem) -> Array:
    """What a kWh discharged is worth beside the price list, in the mean over participants.

    Shape (slots,) [currency/kWh]. Where a search begins; what is found is valued as it is.
    """
    groups = problem.fleet.groups
    if problem.terms.rest == 1 or not len(groups):
        first: Array = problem.terms.discharge[0]
        return first
    mean: Array = problem.terms.discharge[groups].mean(axis=0)
    return mean


def bill_everyone(
    problem: Problem, tariff: Tariff, schedule: Schedule, best_response_cost: Array
) -> Bills:
    """Bills of every session of the scenario under ``schedule`` (all sessions)."""
    situation = problem.situation
    return make_bills(
        situation.fleet,
        tariff,
        situation.market,
        situation.horizon,
        schedule=schedule,
        uncoordinated=problem.uncoordinated,
        best_response_cost=best_response_cost,
        terms=situation.terms,
    )


def account_of(
    problem: Problem, tariff: Tariff, participants: Schedule, stations: StationSchedule
) -> tuple[Account, float]:
    """The operator's account, and the participants' net cost [currency]."""
    situation = problem.situation
    schedule = with_participants(problem, participants)
    bills = bill_everyone(problem, tariff, schedule, np.zeros(len(situation.fleet)))
    account = make_account(situation, schedule, stations, bills)
    return account, float(bills.net_cost[situation.fleet.participating].sum())


def value_of(
    problem: Problem, tariff: Tariff, *, rounds: int, warm: WarmStart | None = None
) -> Value:
    """Dispatch at ``tariff`` in ``rounds`` rounds and add up what it is worth."""
    answer = best_dispatch(problem, tariff, rounds=rounds, warm=warm)
    account, participant_cost = account_of(problem, tariff, answer.schedule, answer.stations)
    span = problem.situation.so_far.span_kw(problem.limits.head(answer.hub_kw))
    ceiling = cost_ceiling(problem)
    cost_excess = max(participant_cost - ceiling, 0.0)
    exact = answer.rounds == EXACTLY
    slack = ROUNDING if exact else SLACK
    over_kw = _broken_kw(problem, answer, slack)
    broken_kw = over_kw + _over_promise_kw(problem, span, slack)
    weighed = EXCESS_WEIGHT * broken_kw + COST_EXCESS_WEIGHT * cost_excess
    excess = 0.0 if exact else excess_cost(problem, answer)
    merit = account.profit - excess - weighed
    return Value(
        tariff, answer, account, participant_cost, span, merit, broken_kw, over_kw, ceiling
    )


def best_of(
    problem: Problem,
    family: Family,
    trials: Sequence[Array],
    *,
    rounds: int,
    warm: WarmStart | None = None,
) -> tuple[Array, Value]:
    """The price vector worth most, the first of equals, and its value; all are valued side by side.

    Each trial has shape (2, groups) and is lawful [currency/kWh]. What is tried twice, as where
    shifted prices come to the same ends, is valued once.
    """

    def valued(prices: Array) -> Value:
        return value_of(problem, family.tariff(prices), rounds=rounds, warm=warm)

    once = list({prices.tobytes(): prices for prices in trials}.values())
    best: tuple[Array, Value] | None = None
    with ThreadPoolExecutor(numba.get_num_threads()) as threads:
        # One answer of a large fleet is large: of all only the best is kept.
        for prices, value in zip(once, threads.map(valued, once), strict=True):
            if best is None or value.merit > best[1].merit:
                best = prices, value
    assert best is not None, "somebody asks about at least one trial"
    return best


def rounds_to_judge(problem: Problem) -> int:
    """Rounds of dispatch after which tariffs can be compared."""
    rounds = VISITS // max(len(problem.fleet), 1)
    return min(max(rounds, FEWEST_ROUNDS), MOST_ROUNDS)


def _broken_kw(problem: Problem, answer: Dispatch, slack: float) -> float:
    """By how much limits are broken beyond what few rounds may leave, all slots together [kW].

    ``slack``: what may be left, as a share of the head's spread, and no more than what the
    dispatch moves there: what is fixed, such as own devices' draw, no round mends.
    """
    hub_kw, line_kw = answer.hub_kw, answer.line_kw
    fixed_kw, fixed_line_kw = _fixed_kw(problem, answer)
    rows, moved, through = problem.limits.rows, hub_kw - fixed_kw, np.sign(line_kw)
    over = [
        (rows(hub_kw) - problem.limits.upper, rows(hub_kw) - rows(fixed_kw)),
        (hub_kw - problem.import_limit_kw[:, None], moved),
        (-hub_kw - problem.export_limit_kw[:, None], -moved),
        (
            np.abs(line_kw) - problem.lines.limit_kw[:, None],
            through * (line_kw - fixed_line_kw),
        ),
    ]
    least, most = ROUNDING * problem.spread_kw, slack * problem.spread_kw
    return sum(float(np.maximum(kw - np.clip(by, least, most), 0.0).sum()) for kw, by in over)


def _fixed_kw(problem: Problem, answer: Dispatch) -> tuple[Array, Array]:
    """What hubs and lines draw that no dispatch moves: others, and own devices at this tariff.

    Shapes (hubs, slots) and (lines, slots) [kW].
    """
    fleet, alone = problem.fleet, ~problem.fleet.delegates
    power = (answer.schedule.charge_kw - answer.schedule.discharge_kw)[alone]
    hub_kw = problem.others_kw + sum_by_hub(len(answer.hub_kw), fleet.hub[alone], power)
    return hub_kw, problem.others_line_kw + problem.lines.loads(fleet.spots[alone], power)


def _over_promise_kw(problem: Problem, span_kw: float, slack: float) -> float:
    """By how much the peak-valley promise is broken beyond ``slack``, a share of it [kW]."""
    if not np.isfinite(problem.span_kw):
        return 0.0
    return max(span_kw - (1.0 + slack) * problem.span_kw, 0.0)
