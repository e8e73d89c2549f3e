"""Plan one day: prices and answers, dispatch and feeder, bills."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from hubwise.battery import DAYS_A_YEAR, fleet_ageing, leaving_range
from hubwise.dispatch import Baseline, make_baseline, pessimistic, undelegated, with_participants
from hubwise.domain import (
    Hindsight,
    Promises,
    Scenario,
    Schedule,
    Search,
    Situation,
    StationSchedule,
    Strategy,
    Tariff,
    chosen,
)
from hubwise.domain.arrays import Array
from hubwise.drivers import felt_response
from hubwise.grid import FeederState, power_flow
from hubwise.ledger import Account, Bills, hub_flows, make_account, make_bills, reference_margin
from hubwise.plan import result
from hubwise.plan.advice import advice, as_data, missed_limits, sentences
from hubwise.plan.bilevel import at_tariff, bilevel_strategy
from hubwise.plan.decision import Decision, PostedDecision
from hubwise.plan.model import Memory, Plan
from hubwise.plan.price_search import Progress
from hubwise.plan.strategies import passive_strategy, storage_strategy, uncoordinated_strategy
from hubwise.plan.wear import Convergence
from hubwise.plan.wishes import make_wishes
from hubwise.record import notices_in_short
from hubwise.scenario import with_participation


def make_plan(
    scenario: Scenario,
    *,
    strategy: Strategy | str = Strategy.HUBWISE,
    participation: float | None = None,
    method: str | None = None,
    tariff: Tariff | None = None,
    progress: Progress | None = None,
) -> Plan:
    """Plan the scenario's horizon.

    Parameters
    ----------
    scenario
        What is to be planned, and how prices are searched for.
    strategy
        ``hubwise`` (the bilevel plan), or what it is compared with: ``uncoordinated``,
        ``storage`` (station batteries alone), ``passive`` (drivers shift charging against the
        reference tariff).
    participation
        Share of the sessions that take part; default: the scenario's own.
    method
        Search method; default: the scenario's own.
    tariff
        What the strategy ``hubwise`` posts; default: prices are searched for. Lawful, and free of
        same-slot arbitrage.
    progress
        Called with (done, total, what) as the search goes on.

    Raises
    ------
    ValueError
        If the strategy or the search method is unknown, or the price rules leave no lawful price.
    """
    how = chosen(Strategy, strategy, "strategy")
    began = time.perf_counter()
    if participation is not None:
        scenario = with_participation(scenario, participation)
    search = scenario.search if method is None else replace(scenario.search, method=method)
    baseline = make_baseline(scenario.situation)
    if tariff is not None and how is Strategy.HUBWISE:
        decision: Decision = at_tariff(scenario.situation, baseline, search, tariff)
    else:
        decision = _decided(scenario.situation, how, baseline, search, progress)
    return _plan_of(scenario, how, baseline, decision, began)


def _decided(
    situation: Situation,
    strategy: Strategy,
    baseline: Baseline,
    search: Search,
    progress: Progress | None,
) -> Decision:
    match strategy:
        case Strategy.UNCOORDINATED:
            return uncoordinated_strategy(situation, baseline)
        case Strategy.PASSIVE:
            return passive_strategy(situation, baseline)
        case Strategy.STORAGE:
            return storage_strategy(situation, baseline)
        case Strategy.HUBWISE:
            return bilevel_strategy(situation, baseline, search, progress)


def _plan_of(
    scenario: Scenario, strategy: Strategy, baseline: Baseline, decision: Decision, began: float
) -> Plan:
    """A decision with all that follows from it: feeder, bills, account, wishes, ageing, figures."""
    asked, situation = scenario.situation, decision.situation
    posted = decision if isinstance(decision, PostedDecision) else None
    state, bills, account = _billed(decision, baseline, decision.schedule, decision.stations)
    figures = _figures(decision, baseline, (state, bills, account), scenario.hindsight)
    fleet, horizon, facts = situation.fleet, situation.horizon, situation.battery
    aged = fleet_ageing(fleet, decision.schedule, horizon, facts)
    tariff = posted.tariff if posted else None
    fade = aged.fade_v2g * DAYS_A_YEAR * 24.0 / (horizon.slots * horizon.slot_hours)
    wishes = make_wishes(asked, situation, decision.schedule, bills, tariff, fade)
    declined = asked.fleet.participating & ~fleet.participating
    wear = posted.wear if posted else Convergence()
    figures |= {
        "strategy": strategy,
        "participation": scenario.participation,
        "declined": int(declined.sum()),
        "told": notices_in_short(wishes.session, wishes.wish, wishes.notice),
        "wear": facts.wear,
        "wear_change": wear.change,
        "wear_rounds": wear.rounds,
        **result.battery_figures(fleet, aged, horizon),
        "warnings": leaving_range(fleet, decision.schedule, horizon, facts),
        "wall_seconds": time.perf_counter() - began,
    }
    return Plan(
        scenario=replace(scenario, situation=situation),
        strategy=strategy,
        participation=scenario.participation,
        tariff=decision.tariff,
        schedule=decision.schedule,
        stations=decision.stations,
        state=state,
        bills=bills,
        account=account,
        wishes=wishes,
        asked=scenario,
        ageing=aged,
        result=figures,
        memory=Memory(baseline, posted.relaxed, posted.dispatch) if posted else None,
    )


def _hub_kw(situation: Situation, schedule: Schedule, stations: StationSchedule) -> Array:
    return hub_flows(len(situation.hubs), situation.fleet, schedule, stations).net_kw


def _billed(
    decision: Decision, baseline: Baseline, schedule: Schedule, stations: StationSchedule
) -> tuple[FeederState, Bills, Account]:
    """Power flow, bills and account of what sessions and stations do."""
    situation = decision.situation
    hub_kw = _hub_kw(situation, schedule, stations)
    state = power_flow(situation.feeder, situation.hubs.bus, hub_kw)
    # Only posted prices buy back what vehicles discharge.
    posted = isinstance(decision, PostedDecision)
    fleet = situation.fleet if posted else situation.fleet.one_way()
    terms, horizon = situation.terms, situation.horizon
    _, least_cost = felt_response(fleet, decision.tariff, horizon, terms.sums(horizon.slots))
    lump = terms.total("lump_to_driver", 0)[fleet.groups]
    bills = make_bills(
        situation.fleet,
        decision.tariff,
        situation.market,
        situation.horizon,
        schedule=schedule,
        uncoordinated=baseline.schedule,
        best_response_cost=least_cost - lump,
        terms=terms,
    )
    account = make_account(
        situation, schedule, stations, bills, station_costs=decision.has_stations
    )
    return state, bills, account


def _figures(
    decision: Decision,
    baseline: Baseline,
    billed: tuple[FeederState, Bills, Account],
    hindsight: Hindsight,
) -> dict[str, Any]:
    """The plan's entry in ``summary.json``, but for who made it and how long it took."""
    situation, (state, bills, account) = decision.situation, billed
    schedule, stations = decision.schedule, decision.stations
    posted = decision if isinstance(decision, PostedDecision) else None
    before: dict[str, Any] = result.feeder_figures(
        situation, baseline.schedule, baseline.stations, baseline.state
    )
    before["fleet_cost"] = float(bills.reference_cost.sum())
    figures: dict[str, Any] = {
        **result.feeder_figures(situation, schedule, stations, state),
        **result.money_figures(situation, bills, account),
        **result.departure_figures(situation, schedule, hindsight),
        "reference_margin": reference_margin(situation, baseline.schedule),
    }
    found_ratios = result.ratios(figures, before)
    # Only the operator's own plan promises anything.
    promises = situation.promises if posted else Promises()
    promised = result.with_past(situation.so_far, figures, before)
    said = advice(promises, figures, promised, before)
    missed, mends = missed_limits(situation, _hub_kw(situation, schedule, stations), state)
    said += sentences(situation, missed, mends)
    return {
        **figures,
        **_bounds(posted, account.profit, misses=bool(said)),
        **found_ratios,
        "prices": result.posted_prices(situation, decision.tariff),
        "method": posted.method if posted else "",
        "evaluations": posted.evaluations if posted else 0,
        "dispatch_objective": (
            result.objective_figures(posted.problem, posted.dispatch) if posted else None
        ),
        "outcomes": _outcomes(decision, baseline, figures),
        "transformers": result.transformers(situation, schedule, stations, state),
        "advice": said,
        **as_data(missed, mends),
    }


def _bounds(
    posted: PostedDecision | None, profit: float, *, misses: bool
) -> dict[str, float | int | None]:
    """The bounds, and how far the profit may be from the best, as a share of each.

    They are on plans that keep their promises and limits: one that misses some may pass them, and
    then has none.
    """
    family = posted.family_bound if posted else None
    found = {
        "profit_bound": posted.profit_bound if posted else None,
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


def _outcomes(decision: Decision, baseline: Baseline, figures: dict[str, Any]) -> dict[str, Any]:
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
    if not isinstance(decision, PostedDecision):
        return outcomes
    situation, problem = decision.situation, decision.problem
    for name, choose in (("undelegated", undelegated), ("pessimistic", pessimistic)):
        sessions = choose(problem, decision.tariff)
        schedule = with_participants(problem, sessions)
        state, bills, account = _billed(decision, baseline, schedule, decision.stations)
        found = {
            **result.feeder_figures(situation, schedule, decision.stations, state),
            **result.money_figures(situation, bills, account),
        }
        outcomes[name] = {key: found[key] for key in keys}
    return outcomes
