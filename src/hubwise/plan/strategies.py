"""The strategies: what drivers, stations and prices do under each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from hubwise.dispatch import (
    Dispatch,
    Problem,
    dispatch,
    feeder_limits,
    make_problem,
    undelegated,
    with_participants,
)
from hubwise.domain import Scenario, Schedule, StationSchedule, Tariff
from hubwise.drivers import uncoordinated
from hubwise.plan.consent import willing
from hubwise.plan.promised import Promised, at_rest
from hubwise.plan.steer import ONWARD_ROUNDS, ROUNDS, steer
from hubwise.plan.wear import Settled, due, first_guess, settle
from hubwise.pricing import (
    Family,
    FamilyBound,
    Found,
    coarse_to_fine,
    cost_ceiling,
    family_bound,
    first_prices,
    level,
    make_family,
    participants_pay,
    profit_bound,
    search_in_steps,
    search_method,
    value,
)
from hubwise.pricing.search import Method

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Progress = Callable[[int, int, str], None]

# Rounds of the relaxed problem, before and after the feeder is linearised where it leads.
RELAXED_ROUNDS = (30, 12)
# Further rounds for the bound: it then stands within a hundredth of a per cent of where it ends
# (docs/benchmarks.md).
BOUND_ROUNDS = 15
# Most searches for prices, each for those who would take part at the prices found before.
SEARCHES = 3
# Most turns of asking who takes part and giving way to those who do.
AGREEING = 10
# Rounds of the dispatches that wear prices are first settled at.
SKETCH_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What a strategy decides.

    Parameters
    ----------
    scenario
        What is given, with those who take part at the tariff.
    tariff
        What participants pay and are paid.
    schedule
        Of every session.
    stations
        Of station batteries and solar.
    has_stations
        Whether station batteries are leased and run.
    problem
        The dispatch problem behind it, for what else drivers might do; ``None`` where no platform
        chooses among their schedules.
    method
        Search method; empty where prices are not searched for.
    evaluations
        Tariffs tried.
    profit_bound
        The most any tariff can bring [currency]; ``None`` where none is posted.
    family_bound
        The most any tariff of the family can bring; ``None`` where none is posted.
    dispatch
        The dispatched answer, where a platform chooses.
    wear
        How wear prices settled.
    relaxed
        The relaxed problem's answer, where prices were sought.
    """

    scenario: Scenario
    tariff: Tariff
    schedule: Schedule
    stations: StationSchedule
    has_stations: bool
    problem: Problem | None = None
    method: str = ""
    evaluations: int = 0
    profit_bound: float | None = None
    family_bound: FamilyBound | None = None
    dispatch: Dispatch | None = None
    wear: Settled = field(default_factory=Settled)
    relaxed: Dispatch | None = None


def reference_tariff(scenario: Scenario) -> Tariff:
    """The reference tariff at every hub; it buys nothing back."""
    hubs = len(scenario.hubs)
    charge = np.tile(scenario.market.reference_price, (hubs, 1))
    return Tariff(charge, np.zeros_like(charge))


def uncoordinated_strategy(scenario: Scenario) -> Answer:
    """Everybody plugs in and charges at once; no station battery."""
    schedule = uncoordinated(scenario.fleet, scenario.horizon)
    return Answer(
        scenario, reference_tariff(scenario), schedule, at_rest(scenario, schedule), False
    )


def passive_strategy(scenario: Scenario, promised: Promised) -> Answer:
    """Participants' own devices shift charging against the reference tariff; no station battery."""
    tariff = reference_tariff(scenario)
    one_way = replace(scenario, fleet=scenario.fleet.one_way())
    problem = make_problem(one_way, promised.limits)
    schedule = with_participants(problem, undelegated(problem, tariff))
    return Answer(scenario, tariff, schedule, at_rest(scenario, schedule), False)


def storage_strategy(scenario: Scenario, promised: Promised) -> Answer:
    """Everybody charges at once; station batteries earn, and flatten as far as was promised."""
    tariff = reference_tariff(scenario)
    fixed = uncoordinated(scenario.fleet.select(scenario.fleet.participating), scenario.horizon)
    answer = steer(scenario, tariff, promised, sessions=fixed).dispatch
    schedule = uncoordinated(scenario.fleet, scenario.horizon)
    return Answer(scenario, tariff, schedule, answer.stations, True)


def hubwise_strategy(
    scenario: Scenario, promised: Promised, method: str | None, progress: Progress | None
) -> Answer:
    """The bilevel plan: search for the prices, dispatch the answer, meet the limits under AC."""
    name, sought = search_method(method or scenario.search.method)
    asked = scenario.fleet.participating
    scenario, begin = _near_first_prices(first_guess(scenario), promised)
    last = _searched(scenario, promised, sought, begin, progress)
    scenario, tariff, start = last.scenario, last.tariff, last.found.value.dispatch
    sketch = _sketched(scenario, tariff, last.problem, start, asked)

    def respond(given: Scenario, before: Answer | None) -> Answer:
        """The answer to the prices found; to others, once wear is another than they are for."""
        if before is not None:
            posted = _relevelled(given, before, asked)
            return _post(given, posted, asked, promised, near=before.dispatch)
        if given is scenario:
            return _post(given, tariff, asked, promised, start=start)
        return _post(given, sketch.tariff, asked, promised, near=sketch.dispatch)

    answer, wear = settle(sketch.scenario, respond)
    assert answer.dispatch is not None
    joined = answer.scenario.fleet.participating
    same = np.array_equal(joined, scenario.fleet.participating)
    relaxed = last.relaxed if same else relaxed_problem(answer.scenario, promised)[1]
    bounded = settled(answer.scenario, promised, answer.dispatch.hub_kw, relaxed)
    return replace(
        answer,
        method=name,
        evaluations=last.evaluations,
        profit_bound=profit_bound(*bounded),
        family_bound=_family_bound(answer, *bounded),
        wear=wear,
        relaxed=relaxed,
    )


def _family_bound(answer: Answer, problem: Problem, relaxed: Dispatch) -> FamilyBound:
    """The bound of the family in use, with as many boxes as the scenario asks for."""
    assert answer.dispatch is not None
    planned = answer.tariff, answer.dispatch
    family, boxes = make_family(answer.scenario), answer.scenario.search.boxes
    return family_bound(problem, family, relaxed, planned, boxes=boxes)


@dataclass(frozen=True, slots=True)
class _Searched:
    """What a search for prices found.

    Parameters
    ----------
    scenario
        What is given, with those whom the prices were searched for.
    tariff, found
        The prices.
    problem, relaxed
        The relaxed problem and its answer.
    evaluations
        Tariffs tried, in all searches.
    """

    scenario: Scenario
    tariff: Tariff
    found: Found
    problem: Problem
    relaxed: Dispatch
    evaluations: int


def _searched(
    scenario: Scenario,
    promised: Promised,
    sought: Method,
    begin: Tariff | None,
    progress: Progress | None,
) -> _Searched:
    """Search for prices; where some would decline them, again for the others.

    Of all prices found, those are taken that are worth most with those who take part at them.
    """
    asked, families, spent = scenario.fleet.participating, coarse_to_fine(scenario), 0
    best: tuple[float, _Searched] | None = None

    def tell(done: int, total: int) -> None:
        if progress:
            progress(done, total, "prices tried")

    for _ in range(SEARCHES):
        problem, relaxed = relaxed_problem(scenario, promised)
        family, found = search_in_steps(
            sought,
            problem,
            families,
            relaxed,
            evaluations=scenario.search.evaluations,
            seed=scenario.search.seed,
            begin=begin,
            progress=tell,
        )
        begin, spent = family.tariff(found.prices), spent + found.evaluations
        last = _Searched(scenario, begin, found, problem, relaxed, spent)
        ready, joined = willing(scenario, begin, asked), scenario.fleet.participating
        left = joined & ready.fleet.participating
        if best is None and np.array_equal(left, joined):
            return last
        merit = _merit(ready, problem, begin, found.value.dispatch)
        best = (merit, last) if best is None or merit > best[0] else best
        if np.array_equal(left, joined) or not left.any():
            break
        scenario = replace(scenario, fleet=scenario.fleet.with_participating(left))
    assert best is not None
    return replace(best[1], evaluations=spent)


def _merit(ready: Scenario, problem: Problem, tariff: Tariff, near: Dispatch) -> float:
    """What a tariff is worth with those who take part at it."""
    its_own = make_problem(ready, problem.limits, span_kw=problem.span_kw)
    return value(its_own, tariff, rounds=RELAXED_ROUNDS[0], start=near.multipliers).merit


def _near_first_prices(scenario: Scenario, promised: Promised) -> tuple[Scenario, Tariff | None]:
    """The scenario with wear prices that hold near the first prices, and a tariff to begin with."""
    if not due(scenario):
        return scenario, None
    problem, relaxed = relaxed_problem(scenario, promised)
    family = coarse_to_fine(scenario)[-1]
    first = family.tariff(first_prices(problem, family, relaxed))
    asked = scenario.fleet.participating
    sketch = _sketched(scenario, first, problem, relaxed, asked)
    return sketch.scenario, sketch.tariff


def _sketched(
    scenario: Scenario, tariff: Tariff, problem: Problem, near: Dispatch, asked: Flags
) -> Answer:
    """An answer to a tariff in few rounds, settled as to wear; the tariff follows the wear."""
    if not due(scenario):
        return Answer(scenario, tariff, problem.uncoordinated, near.stations, True, problem)

    def respond(given: Scenario, before: Answer | None) -> Answer:
        posted = tariff if before is None else _relevelled(given, before, asked)
        made = replace(problem, scenario=given, fleet=given.fleet.select(given.fleet.participating))
        found = dispatch(made, posted, rounds=SKETCH_ROUNDS, start=near.multipliers)
        schedule = with_participants(made, found.schedule)
        return Answer(given, posted, schedule, found.stations, True, made, dispatch=found)

    return settle(scenario, respond)[0]


def _post(
    scenario: Scenario,
    tariff: Tariff,
    asked: Flags,
    promised: Promised,
    *,
    start: Dispatch | None = None,
    near: Dispatch | None = None,
) -> Answer:
    """What those do who were asked and take part at a posted tariff, steered under AC limits."""
    before, posted = scenario.fleet.participating, tariff
    scenario, tariff = _agreed(scenario, tariff, asked, promised)
    same = np.array_equal(before, scenario.fleet.participating) and tariff is posted
    # What a search found is settled already.
    start, rounds = (start, ONWARD_ROUNDS) if same and start else (None, ROUNDS)
    steered = steer(scenario, tariff, promised, start=start, near=near, rounds=rounds)
    final, problem = steered.dispatch, steered.problem
    schedule = with_participants(problem, final.schedule)
    return Answer(scenario, tariff, schedule, final.stations, True, problem, dispatch=final)


def _agreed(
    scenario: Scenario, tariff: Tariff, asked: Flags, promised: Promised
) -> tuple[Scenario, Tariff]:
    """Who takes part, and a tariff at which what they are promised together is kept.

    Where some decline, the others may pay more than was promised; prices then give way, which
    brings drivers in and never drives one out.
    """
    for _ in range(AGREEING):
        ready = willing(scenario, tariff, asked)
        if not (asked & ~ready.fleet.participating).any():
            break
        problem = make_problem(ready, promised.limits)
        family = _family_of_all(ready, asked)
        prices = family.posted(tariff)
        if participants_pay(problem, family, prices) <= cost_ceiling(problem):
            break
        tariff = family.tariff(level(problem, family, prices))
    return willing(scenario, tariff, asked), tariff


def _family_of_all(scenario: Scenario, asked: Flags) -> Family:
    """The finest tariff family, lawful towards all who were asked."""
    everybody = scenario.fleet.with_participating(asked)
    return coarse_to_fine(replace(scenario, fleet=everybody))[-1]


def _relevelled(scenario: Scenario, before: Answer, asked: Flags) -> Tariff:
    """The prices posted before, made lawful at other wear prices, and again as promised.

    Lawful towards all who were asked, as promised to those who took part.
    """
    assert before.problem is not None
    family = _family_of_all(scenario, asked)
    fleet = scenario.fleet.select(scenario.fleet.participating)
    problem = replace(before.problem, scenario=scenario, fleet=fleet)
    return family.tariff(level(problem, family, family.posted(before.tariff)))


def settled(
    scenario: Scenario, promised: Promised, hub_kw: Array, relaxed: Dispatch
) -> tuple[Problem, Dispatch]:
    """The relaxed problem, settled for a bound, with the feeder linearised at ``hub_kw``.

    Linearised at a plan, that plan is one of its schedules. ``relaxed`` is gone on from, where it
    has the same participants; its multipliers serve at any rate.
    """
    limits = feeder_limits(scenario.feeder, scenario.hubs.bus, hub_kw)
    problem = make_problem(scenario, limits, span_kw=promised.span_kw)
    if len(problem.fleet) == len(relaxed.schedule.charge_kw):
        return problem, dispatch(problem, None, rounds=BOUND_ROUNDS, onward=relaxed, flat=False)
    start = relaxed.multipliers
    return problem, dispatch(problem, None, rounds=RELAXED_ROUNDS[0], start=start, flat=False)


def relaxed_problem(scenario: Scenario, promised: Promised) -> tuple[Problem, Dispatch]:
    """The relaxed problem, with the feeder linearised where its answer leads."""
    limits, relaxed = promised.limits, None
    for rounds in RELAXED_ROUNDS:
        problem = make_problem(scenario, limits, span_kw=promised.span_kw)
        relaxed = dispatch(problem, None, rounds=rounds, onward=relaxed)
        limits = feeder_limits(scenario.feeder, scenario.hubs.bus, relaxed.hub_kw)
    assert relaxed is not None
    return make_problem(scenario, limits, span_kw=promised.span_kw), relaxed
