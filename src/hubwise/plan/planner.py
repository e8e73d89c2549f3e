"""Plan one day: prices and answers, dispatch and feeder, bills."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from math import inf, isfinite, isinf

from hubwise.battery import DAYS_A_YEAR, Ageing, fleet_ageing, leaving_range
from hubwise.dispatch import Baseline, make_baseline, pessimistic, undelegated, with_participants
from hubwise.domain import (
    Promises,
    Scenario,
    Schedule,
    Search,
    Situation,
    StationSchedule,
    Status,
    Strategy,
    Tariff,
    Ties,
    chosen,
)
from hubwise.domain.arrays import Array
from hubwise.drivers import felt_response
from hubwise.grid import FeederState, power_flow
from hubwise.ledger import (
    Account,
    Bills,
    energy_left,
    hub_flows,
    line_flows,
    make_account,
    make_bills,
    reference_margin,
    with_credits,
)
from hubwise.plan import result
from hubwise.plan.advice import advice, missed_limits
from hubwise.plan.better import best_of_keeping, better
from hubwise.plan.bilevel import at_tariff, bilevel_strategy
from hubwise.plan.counting import counting_energy
from hubwise.plan.decision import Decision, PostedDecision
from hubwise.plan.following import following_of
from hubwise.plan.model import Memory, Plan
from hubwise.plan.price_search import Progress
from hubwise.plan.strategies import passive_strategy, storage_strategy, uncoordinated_strategy
from hubwise.plan.wear import Convergence
from hubwise.plan.wishes import make_wishes
from hubwise.record import (
    Bounds,
    Delegates,
    EnergyLeft,
    FeederFigures,
    Money,
    Outcome,
    Outcomes,
    PlanResult,
    SearchFigures,
    Shortcomings,
    Statuses,
    WearFound,
    WithoutPrices,
    notices_in_short,
)
from hubwise.record.advice import sentences
from hubwise.record.following import Following
from hubwise.record.wishes import Wishes
from hubwise.scenario import refuse_wrong_openings, with_participation


def make_plan(
    scenario: Scenario,
    *,
    strategy: Strategy | str = Strategy.HUBWISE,
    participation: float | None = None,
    method: str | None = None,
    tariff: Tariff | None = None,
    held: bool = False,
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
        reference tariff, as early as possible among what costs them the same), or that with ties
        at random (``passive-random``) or spread for the grid (``passive-spread``).
    participation
        Share of the sessions that take part; default: the scenario's own.
    method
        Search method; default: the scenario's own.
    tariff
        What the strategy ``hubwise`` posts; default: prices are searched for. Lawful, and free of
        same-slot arbitrage.
    held
        Whether ``tariff`` stays as it is, also where it breaks rules or promises, or where some
        decline it.
    progress
        Called with (done, total, what) as the search goes on.

    Raises
    ------
    ValueError
        If the strategy or the search method is unknown, or the price rules leave no lawful price.
    ScenarioError
        With all that is wrong with what no file says: bounds by slot, accepted lists, terms, the
        past, stations' ends (see `hubwise.scenario.check_openings`).
    """
    how = chosen(Strategy, strategy, "strategy")
    began = time.perf_counter()
    refuse_wrong_openings(scenario.situation)
    if participation is not None:
        scenario = with_participation(scenario, participation)
    search = scenario.search if method is None else replace(scenario.search, method=method)
    baseline = make_baseline(scenario.situation)
    if tariff is not None and how is Strategy.HUBWISE:
        decision: Decision = at_tariff(scenario.situation, baseline, search, tariff, held=held)
    else:
        decision = _decided(scenario.situation, how, baseline, search, progress)
    return plan_of(scenario, how, baseline, decision, began)


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
        case Strategy.PASSIVE | Strategy.PASSIVE_RANDOM | Strategy.PASSIVE_SPREAD:
            return passive_strategy(situation, baseline, strategy.ties or Ties.EARLY, search.seed)
        case Strategy.STORAGE:
            return storage_strategy(situation, baseline)
        case Strategy.HUBWISE if _counts_energy(situation):
            return counting_energy(
                situation, baseline, search, progress, lambda it: _shares(it, baseline)
            )
        case Strategy.HUBWISE:
            return bilevel_strategy(situation, baseline, search, progress)


def _counts_energy(situation: Situation) -> bool:
    """Whether there is a saving promise that counts what cars leave with."""
    return situation.promises.counts_energy and isfinite(situation.promises.saving)


def _shares(decision: Decision, baseline: Baseline) -> tuple[float, float]:
    """What participants pay and lack, as shares of uncoordinated, the past with it."""
    day, past = _day(decision, baseline, decision.schedule), decision.situation.so_far
    counted = _promised_money(decision, baseline, day).participant_cost
    whole = day.money.participant_reference_cost + past.reference_cost
    paid = day.money.participant_cost
    return ((paid + past.paid) / whole, (counted - paid) / whole) if whole else (0.0, 0.0)


def _promised_money(decision: Decision, baseline: Baseline, day: _Day) -> Money:
    """The day's money; what cars leave with is counted where the saving promise counts it."""
    situation = decision.situation
    if not situation.promises.counts_energy:
        return day.money
    left = energy_left(situation, day.schedule, baseline.schedule, day.stations)
    return replace(day.money, participant_cost=day.money.participant_cost - left.value)


@dataclass(frozen=True, slots=True)
class _Day:
    """What sessions and stations do, with the feeder, bills and account that follow.

    Parameters
    ----------
    schedule, stations
        What is done.
    state
        The feeder under AC power flow.
    bills, account
        Of every session, and the operator's.
    feeder, money, following
        Their figures.
    """

    schedule: Schedule
    stations: StationSchedule
    state: FeederState
    bills: Bills
    account: Account
    feeder: FeederFigures
    money: Money
    following: Following


def plan_of(
    scenario: Scenario, strategy: Strategy, baseline: Baseline, decision: Decision, began: float
) -> Plan:
    """A decision with all that follows from it: feeder, bills, account, wishes, ageing, figures."""
    asked, situation = scenario.situation, decision.situation
    posted = decision if isinstance(decision, PostedDecision) else None
    day = _day(decision, baseline, decision.schedule)
    fleet, horizon, facts = situation.fleet, situation.horizon, situation.battery
    aged = fleet_ageing(fleet, decision.schedule, horizon, facts)
    tariff = posted.tariff if posted else None
    fade = aged.fade_v2g * DAYS_A_YEAR * 24.0 / (horizon.slots * horizon.slot_hours)
    wishes = make_wishes(asked, situation, decision.schedule, day.bills, tariff, fade)
    figures = _figures(scenario, strategy, baseline, decision, day, aged, wishes)
    figures = replace(figures, wall_seconds=time.perf_counter() - began)
    return Plan(
        scenario=replace(scenario, situation=situation),
        strategy=strategy,
        participation=scenario.participation,
        tariff=decision.tariff,
        schedule=decision.schedule,
        stations=decision.stations,
        state=day.state,
        bills=day.bills,
        account=day.account,
        wishes=wishes,
        asked=scenario,
        ageing=aged,
        result=figures,
        memory=Memory(baseline, posted.relaxed, posted.dispatch) if posted else None,
    )


def _figures(
    scenario: Scenario,
    strategy: Strategy,
    baseline: Baseline,
    decision: Decision,
    day: _Day,
    aged: Ageing,
    wishes: Wishes,
) -> PlanResult:
    """All figures of a decision and its day."""
    situation, fleet = decision.situation, decision.situation.fleet
    posted = decision if isinstance(decision, PostedDecision) else None
    horizon, facts = situation.horizon, situation.battery
    before = result.feeder_figures(situation, baseline.schedule, baseline.stations, baseline.state)
    short = _shortcomings(decision, baseline, day, before)
    wear = posted.wear if posted else Convergence()
    declined = scenario.situation.fleet.participating & ~fleet.participating
    figures = PlanResult(
        strategy=strategy,
        participation=scenario.participation,
        delegates=Delegates.of(fleet, scenario.delegation),
        feeder=day.feeder,
        money=day.money,
        departures=result.departure_figures(situation, decision.schedule, scenario.hindsight),
        following=day.following,
        reference_margin=reference_margin(situation, baseline.schedule),
        ratios=result.ratios(day.feeder, day.money, before, float(day.bills.reference_cost.sum())),
        energy=_energy(day, situation, baseline),
        prices=result.posted_prices(situation, decision.tariff),
        outcomes=_outcomes(decision, baseline, day),
        transformers=result.transformers(
            situation, decision.schedule, decision.stations, day.state
        ),
        battery=result.battery_figures(fleet, aged, horizon),
        wear=WearFound(facts.wear, wear.change, wear.rounds),
        bounds=_bounds(posted, day.account.profit, misses=bool(short.advice)),
        search=_search(posted, holds=not _misses_limits(decision, day, before)),
        dispatch_objective=(
            result.objective_figures(posted.problem, posted.dispatch) if posted else None
        ),
        shortcomings=short,
        declined=int(declined.sum()),
        notices=tuple(notices_in_short(wishes.session, wishes.wish, wishes.notice)),
        warnings=tuple(leaving_range(fleet, decision.schedule, horizon, facts)),
    )
    return replace(figures, shortcomings=_with_better(decision, baseline, before, figures))


def _day(decision: Decision, baseline: Baseline, schedule: Schedule) -> _Day:
    """Power flow, bills and account of what sessions and the decision's stations do."""
    situation, stations = decision.situation, decision.stations
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
    # What other ties would cost is nobody's to credit.
    if posted and schedule is decision.schedule:
        bills = with_credits(bills)
    account = make_account(
        situation, schedule, stations, bills, station_costs=decision.has_stations
    )
    return _Day(
        schedule=schedule,
        stations=stations,
        state=state,
        bills=bills,
        account=account,
        feeder=result.feeder_figures(situation, schedule, stations, state),
        money=result.money_figures(situation, bills, account),
        following=following_of(situation, schedule, hub_kw, state),
    )


def _energy(day: _Day, situation: Situation, baseline: Baseline) -> EnergyLeft:
    did, cost = (day.schedule, day.stations), float(day.bills.reference_cost.sum())
    return result.energy_figures(situation, did, baseline.schedule, day.money, cost)


def _hub_kw(situation: Situation, schedule: Schedule, stations: StationSchedule) -> Array:
    return hub_flows(len(situation.hubs), situation.fleet, schedule, stations).net_kw


def _shortcomings(
    decision: Decision, baseline: Baseline, day: _Day, before: FeederFigures
) -> Shortcomings:
    """What the day misses of promises and limits, and what would help."""
    situation = decision.situation
    # Only the operator's own plan promises anything.
    posted = isinstance(decision, PostedDecision)
    promises = situation.promises if posted else Promises()
    money, cost = _promised_money(decision, baseline, day), float(day.bills.reference_cost.sum())
    ratios = result.promised_ratios(situation.so_far, day.feeder, money, before, cost)
    said = advice(promises, ratios, day.feeder, before, day.following.head_ramp_kw)
    hub_kw = _hub_kw(situation, day.schedule, day.stations)
    line_kw = line_flows(situation.hubs, situation.fleet, day.schedule, day.stations)
    missed, redispatches = missed_limits(situation, hub_kw, day.state, line_kw)
    said += sentences(situation, missed, redispatches)
    return Shortcomings(tuple(said), missed, redispatches)


def _with_better(
    decision: Decision, baseline: Baseline, before: FeederFigures, figures: PlanResult
) -> Shortcomings:
    """The same with what would be better than the prices posted, if there are any."""
    if not isinstance(decision, PostedDecision):
        return figures.shortcomings
    situation, found = decision.situation, []
    for strategy, decide in _WITHOUT_PRICES.items():
        other = decide(situation, baseline)
        day = _day(other, baseline, other.schedule)
        cost = float(day.bills.reference_cost.sum())
        ratios = result.promised_ratios(situation.so_far, day.feeder, day.money, before, cost)
        found.append((WithoutPrices(strategy, day.account.profit), day.feeder, ratios))
    promises = situation.promises
    best = best_of_keeping(found, figures.feeder, promises.peak_valley, promises.saving)
    currency = situation.market.currency
    said = better(figures.money, figures.reference_margin, figures.bounds, best, currency)
    return replace(figures.shortcomings, without_prices=best, better=tuple(said))


_WITHOUT_PRICES = {
    Strategy.UNCOORDINATED: uncoordinated_strategy,
    Strategy.STORAGE: storage_strategy,
}


def _misses_limits(decision: Decision, day: _Day, before: FeederFigures) -> bool:
    """Whether the day misses a limit, or the promise to the grid."""
    situation = decision.situation
    ratios = result.promised_ratios(situation.so_far, day.feeder, day.money, before, 0.0)
    ramp = day.following.head_ramp_kw
    return bool(advice(replace(situation.promises, saving=inf), ratios, day.feeder, before, ramp))


def _search(posted: PostedDecision | None, *, holds: bool) -> SearchFigures:
    """How prices were found; where limits hold, the dispatch ended so."""
    if posted is None:
        return SearchFigures()
    dispatched = Status.LIMITS_HOLD if holds else posted.dispatched
    statuses = Statuses(posted.searched, dispatched, posted.family_bound.status)
    return SearchFigures(posted.method, posted.evaluations, statuses)


def _bounds(posted: PostedDecision | None, profit: float, *, misses: bool) -> Bounds:
    """The bounds, and how far the profit may be from the best, as a share of each.

    They are on plans that keep their promises and limits: one that misses some may pass them, and
    then has none. Nor has one whose saving promise counts more than money, or that sells energy
    above the price that it is bought at.
    """
    if posted is None or _counts_energy(posted.situation) or posted.situation.market.sells_above:
        return Bounds()
    family = posted.family_bound
    bound, of_family = (
        None if most is None or isinf(most) or (misses and profit > most) else most
        for most in (posted.profit_bound, family.profit if family.boxes else None)
    )
    gaps = _gap(bound, profit), _gap(of_family, profit)
    return Bounds(bound, of_family, *gaps, family.boxes)


def _gap(bound: float | None, profit: float) -> float | None:
    if bound is None or bound <= 0.0 or profit > bound:
        return None
    return (bound - profit) / bound


def _outcomes(decision: Decision, baseline: Baseline, day: _Day) -> Outcomes:
    """The plan's three values: ties broken by the platform, by each device, and against us.

    Station batteries keep to their schedule, so the values differ by the drivers' choice alone.
    """
    dispatched = Outcome.of(day.feeder, day.money)
    if not isinstance(decision, PostedDecision):
        return Outcomes(dispatched)
    problem, others = decision.problem, []
    for choose in (undelegated, pessimistic):
        schedule = with_participants(problem, choose(problem, decision.tariff))
        other = _day(decision, baseline, schedule)
        others.append(Outcome.of(other.feeder, other.money))
    return Outcomes(dispatched, *others)
