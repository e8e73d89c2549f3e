"""One evaluation of given prices: everybody answers, the dispatch balances, nothing is searched."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace

import numpy as np

from hubwise.dispatch import (
    Limits,
    Problem,
    WarmStart,
    dispatch,
    feeder_limits,
    make_problem,
    with_participants,
)
from hubwise.dispatch.baseline import at_rest, promised_span_kw
from hubwise.domain import Hindsight, Schedule, Situation, Tariff
from hubwise.domain.arrays import Array
from hubwise.domain.scenario import NOTHING_KNOWN
from hubwise.drivers import best_response, felt_tariff, schedule_cost, uncoordinated
from hubwise.grid import power_flow
from hubwise.ledger import hub_flows
from hubwise.plan.result import departure_figures, feeder_figures
from hubwise.pricing import Value, reference_cost, value_of

# Rounds of the dispatch, as the search for prices has them, and of one to start others from.
ROUNDS = 5
START_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What prices do in one scenario.

    Parameters
    ----------
    figures
        Named as in a plan's result; the feeder's are of the AC power flow.
    head_kw
        Active power at the feeder head; shape (slots,) [kW].
    uncoordinated_head_kw
        The same when everybody plugs in and charges at once.
    """

    figures: dict[str, float]
    head_kw: Array
    uncoordinated_head_kw: Array


@dataclass(frozen=True, slots=True)
class Start:
    """Where an evaluation begins, as an answer to the same prices left it.

    Parameters
    ----------
    limits
        The feeder's limits, linearised there.
    warm
        Where the dispatch begins.
    """

    limits: Limits
    warm: WarmStart


def start_of(situation: Situation, tariff: Tariff) -> Start:
    """A start from the scenario's own answer, settled: the costly part of an evaluation.

    Other draws of the same fleet answer nearly alike, and can start from there, too.
    """
    feeder, bus = situation.feeder, situation.hubs.bus
    at_once = uncoordinated_kw(situation)
    span = promised_span_kw(situation, power_flow(feeder, bus, at_once).head_kw)
    problem = make_problem(situation, feeder_limits(feeder, bus, at_once), span_kw=span)
    answer = dispatch(problem, tariff, rounds=START_ROUNDS)
    return Start(feeder_limits(feeder, bus, answer.hub_kw), answer.warm().near())


def evaluate(
    situation: Situation,
    tariff: Tariff,
    *,
    start: Start | None = None,
    hindsight: Hindsight | None = None,
) -> Evaluation:
    """What posted prices do: best responses, dispatch under shared limits, AC power flow, account.

    Parameters
    ----------
    situation
        The day, with its participants marked.
    tariff
        Posted prices, free of same-slot arbitrage.
    start
        See `start_of`; made here if not given.
    hindsight
        When drivers really left.
    """
    start = start or start_of(situation, tariff)
    feeder, bus = situation.feeder, situation.hubs.bus
    problem = make_problem(situation, start.limits)
    before = power_flow(feeder, bus, _at_once_kw(situation, problem.uncoordinated)).head_kw
    problem = replace(problem, span_kw=promised_span_kw(situation, before))
    value = value_of(problem, tariff, rounds=ROUNDS, warm=start.warm)
    answer = value.dispatch
    schedule = with_participants(problem, answer.schedule)
    state = power_flow(feeder, bus, answer.hub_kw)
    figures: dict[str, float] = {
        **asdict(feeder_figures(situation, schedule, answer.stations, state)),
        **asdict(departure_figures(situation, schedule, hindsight or NOTHING_KNOWN)),
        **_money(problem, value),
        "uncoordinated_peak_valley_kw": float(np.ptp(before)),
        "max_regret": _regret(problem, value),
    }
    return Evaluation(figures, state.head_kw, before)


def uncoordinated_kw(situation: Situation) -> Array:
    """Hub net draw when everybody charges at once; shape (hubs, slots) [kW]."""
    return _at_once_kw(situation, uncoordinated(situation.fleet, situation.horizon))


def _at_once_kw(situation: Situation, schedule: Schedule) -> Array:
    rest = at_rest(situation, schedule)
    return hub_flows(len(situation.hubs), situation.fleet, schedule, rest).net_kw


def _money(problem: Problem, value: Value) -> dict[str, float]:
    """Costs and profit [currency]."""
    situation = problem.situation
    at_once = problem.uncoordinated.charge_kw.sum(axis=0)
    return {
        "participant_cost": value.participant_cost,
        "participant_reference_cost": reference_cost(problem),
        "fleet_reference_cost": situation.horizon.slot_hours
        * float(at_once @ situation.market.reference_price),
        "operator_profit": value.account.profit,
        "operator_profit_without_incentive": value.account.profit_without_incentive,
    }


def _regret(problem: Problem, value: Value) -> float:
    """Largest regret of a participant [currency]."""
    fleet, horizon = problem.fleet, problem.situation.horizon
    felt = felt_tariff(fleet, value.tariff, problem.terms)
    _, least = best_response(*felt, horizon)
    cost = schedule_cost(*felt, value.dispatch.schedule, horizon)
    return float((cost - least).max(initial=0.0))
