"""Plan one day: prices and answers, dispatch and feeder, bills."""

from __future__ import annotations

import time
from typing import Any

from hubwise.battery import DAYS_A_YEAR, fleet_ageing, leaving_range
from hubwise.dispatch import (
    Dispatch,
    Problem,
    pessimistic,
    undelegated,
    with_participants,
)
from hubwise.domain import Promises, Scenario, Schedule, StationSchedule
from hubwise.drivers import best_response, uncoordinated
from hubwise.grid import FeederState, power_flow
from hubwise.ledger import Account, Bills, hub_flows, make_account, make_bills, reference_margin
from hubwise.plan import result
from hubwise.plan.advice import advice, as_data, missed_limits, sentences
from hubwise.plan.baseline import Baseline, at_rest, make_baseline
from hubwise.plan.model import Memory, Plan
from hubwise.plan.strategies import (
    Decision,
    Progress,
    hubwise_strategy,
    passive_strategy,
    relaxed_for_bound,
    relaxed_problem,
    storage_strategy,
    uncoordinated_strategy,
)
from hubwise.plan.wishes import make_wishes, told_in_short
from hubwise.scenario import with_participation

STRATEGIES = ("uncoordinated", "storage", "passive", "hubwise")


def make_plan(
    scenario: Scenario,
    *,
    strategy: str = "hubwise",
    participation: float | None = None,
    method: str | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Plan the scenario's horizon.

    Parameters
    ----------
    scenario
        What is given.
    strategy
        ``hubwise`` (the bilevel plan), or what it is compared with: ``uncoordinated``,
        ``storage`` (station batteries alone), ``passive`` (drivers shift charging against the
        reference tariff).
    participation
        Share of the sessions that take part; default: the scenario's own.
    method
        Search method; default: the scenario's own.
    progress
        Called with (done, total, what) as the search goes on.

    Raises
    ------
    ValueError
        If the strategy or the search method is unknown, or the price rules leave no lawful price.
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"unknown strategy {strategy!r}; known: {', '.join(STRATEGIES)}")
    began = time.perf_counter()
    if participation is not None:
        scenario = with_participation(scenario, participation)
    baseline = make_baseline(scenario)
    answer = _answer(scenario, strategy, baseline, method, progress)
    given, scenario = scenario, answer.scenario
    state, bills, account = _billed(scenario, answer, answer.schedule, answer.stations)
    figures = _figures(scenario, answer, baseline, (state, bills, account))
    fleet, horizon, facts = (
        scenario.situation.fleet,
        scenario.situation.horizon,
        scenario.situation.battery,
    )
    aged = fleet_ageing(fleet, answer.schedule, horizon, facts)
    posted = answer.tariff if answer.method else None
    fade = aged.fade_v2g * DAYS_A_YEAR * 24.0 / (horizon.slots * horizon.slot_hours)
    wishes = make_wishes(given, scenario, answer.schedule, bills, posted, fade)
    declined = given.fleet.participating & ~scenario.situation.fleet.participating
    figures |= {
        "strategy": strategy,
        "participation": scenario.participation,
        "declined": int(declined.sum()),
        "told": told_in_short(wishes.session, wishes.wish, wishes.told),
        "wear": facts.wear,
        "wear_change": answer.wear.change,
        "wear_rounds": answer.wear.rounds,
        **result.battery_figures(fleet, aged, horizon),
        "warnings": leaving_range(fleet, answer.schedule, horizon, facts),
        "wall_seconds": time.perf_counter() - began,
    }
    return Plan(
        scenario=scenario,
        strategy=strategy,
        participation=scenario.participation,
        tariff=answer.tariff,
        schedule=answer.schedule,
        stations=answer.stations,
        state=state,
        bills=bills,
        account=account,
        wishes=wishes,
        given=given,
        ageing=aged,
        result=figures,
        memory=_memory(answer, baseline),
    )


def _memory(answer: Decision, baseline: Baseline) -> Memory | None:
    if answer.dispatch is None or answer.relaxed is None:
        return None
    return Memory(baseline, answer.relaxed, answer.dispatch)


def relax(scenario: Scenario) -> tuple[Problem, Dispatch]:
    """The relaxed problem of a scenario and its answer, settled for a bound; prices are not sought.

    The feeder is linear where the relaxed answer leads. `hubwise.pricing.profit_bound` makes a
    bound of both, for any saving promise: the answer does not depend on it.
    """
    baseline = make_baseline(scenario)
    _, relaxed = relaxed_problem(scenario, baseline)
    return relaxed_for_bound(scenario, baseline, relaxed.hub_kw, relaxed)


def _answer(
    scenario: Scenario,
    strategy: str,
    baseline: Baseline,
    method: str | None,
    progress: Progress | None,
) -> Decision:
    match strategy:
        case "uncoordinated":
            return uncoordinated_strategy(scenario)
        case "passive":
            return passive_strategy(scenario, baseline)
        case "storage":
            return storage_strategy(scenario, baseline)
        case _:
            return hubwise_strategy(scenario, baseline, method, progress)


def _hub_kw(scenario: Scenario, schedule: Schedule, stations: StationSchedule) -> Any:
    return hub_flows(
        len(scenario.situation.hubs), scenario.situation.fleet, schedule, stations
    ).net_kw


def _billed(
    scenario: Scenario, answer: Decision, schedule: Schedule, stations: StationSchedule
) -> tuple[FeederState, Bills, Account]:
    """Power flow, bills and account of what sessions and stations do."""
    hub_kw = _hub_kw(scenario, schedule, stations)
    state = power_flow(scenario.situation.feeder, scenario.situation.hubs.bus, hub_kw)
    # Only posted prices buy back what vehicles discharge.
    fleet = scenario.situation.fleet if answer.method else scenario.situation.fleet.one_way()
    _, least_cost = best_response(fleet, answer.tariff, scenario.situation.horizon)
    bills = make_bills(
        scenario.situation.fleet,
        answer.tariff,
        scenario.situation.market,
        scenario.situation.horizon,
        schedule=schedule,
        uncoordinated=uncoordinated(scenario.situation.fleet, scenario.situation.horizon),
        best_response_cost=least_cost,
    )
    account = make_account(scenario, schedule, stations, bills, station_costs=answer.has_stations)
    return state, bills, account


def _figures(
    scenario: Scenario,
    answer: Decision,
    baseline: Baseline,
    relaxed_for_bound: tuple[FeederState, Bills, Account],
) -> dict[str, Any]:
    """The plan's entry in ``summary.json``, but for who made it and how long it took."""
    state, bills, account = relaxed_for_bound
    at_once = uncoordinated(scenario.situation.fleet, scenario.situation.horizon)
    before: dict[str, Any] = result.feeder_figures(
        scenario, at_once, at_rest(scenario, at_once), baseline.state
    )
    before["fleet_cost"] = float(bills.reference_cost.sum())
    figures: dict[str, Any] = {
        **result.feeder_figures(scenario, answer.schedule, answer.stations, state),
        **result.money_figures(scenario, bills, account),
        **result.departure_figures(scenario, answer.schedule),
        "reference_margin": reference_margin(scenario, at_once),
    }
    found_ratios = result.ratios(figures, before)
    # Only the operator's own plan promises anything.
    promises = scenario.situation.promises if answer.method else Promises()
    said = advice(promises, figures, found_ratios, before)
    missed, redispatches = missed_limits(
        scenario, _hub_kw(scenario, answer.schedule, answer.stations), state
    )
    said += sentences(scenario, missed, redispatches)
    return {
        **figures,
        **_bounds(answer, account.profit, misses=bool(said)),
        **found_ratios,
        "prices": result.posted_prices(scenario, answer.tariff),
        "method": answer.method,
        "evaluations": answer.evaluations,
        "outcomes": _outcomes(scenario, answer, figures),
        "transformers": result.transformers(scenario, answer.schedule, answer.stations, state),
        "advice": said,
        **as_data(missed, redispatches),
    }


def _bounds(answer: Decision, profit: float, *, misses: bool) -> dict[str, float | int | None]:
    """The bounds, and how far the profit may be from the best, as a share of each.

    They are on plans that keep their promises and limits: one that misses some may pass them, and
    then has none.
    """
    family = answer.family_bound
    found = {
        "profit_bound": answer.profit_bound,
        "family_bound": family.profit if family is not None and family.boxes else None,
    }
    for name, bound in found.items():
        if bound is not None and misses and profit > bound:
            found[name] = None
    gaps = (_gap(bound, profit) for bound in found.values())
    return {
        **found,
        **dict(zip(("gap", "family_gap"), gaps, strict=True)),
        "boxes": family.boxes if family is not None else 0,
    }


def _gap(bound: float | None, profit: float) -> float | None:
    if bound is None or bound <= 0.0 or profit > bound:
        return None
    return (bound - profit) / bound


def _outcomes(scenario: Scenario, answer: Decision, figures: dict[str, Any]) -> dict[str, Any]:
    """The plan's three values: ties broken by the platform, by each device, and against us.

    Station batteries keep to their schedule, so the values differ by the drivers' choice alone.
    """
    keys = (
        "operator_profit",
        "operator_profit_without_incentive",
        "participant_cost",
        "peak_kw",
        "valley_kw",
        "peak_valley_kw",
        "transformer_peak_loading",
        "min_voltage_pu",
    )
    outcomes = {"dispatched": {key: figures[key] for key in keys}}
    if answer.problem is None:
        return outcomes
    for name, choose in (("undelegated", undelegated), ("pessimistic", pessimistic)):
        sessions = choose(answer.problem, answer.tariff)
        schedule = with_participants(answer.problem, sessions)
        state, bills, account = _billed(scenario, answer, schedule, answer.stations)
        found = {
            **result.feeder_figures(scenario, schedule, answer.stations, state),
            **result.money_figures(scenario, bills, account),
        }
        outcomes[name] = {key: found[key] for key in keys}
    return outcomes
