"""The strategies: what drivers, stations and prices do under each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from hubwise.dispatch import (
    Dispatch,
    Problem,
    dispatch,
    feeder_limits,
    make_problem,
    undelegated,
    with_participants,
)
from hubwise.domain import Schedule, Situation, StationSchedule, Tariff
from hubwise.domain.arrays import Array, Flags
from hubwise.drivers import uncoordinated
from hubwise.plan.ac_dispatch import ONWARD_ROUNDS, ROUNDS, ac_dispatch
from hubwise.plan.baseline import Baseline, at_rest
from hubwise.plan.participation import willing
from hubwise.plan.wear import Convergence, converge, due, first_guess
from hubwise.pricing import (
    Family,
    FamilyBound,
    Found,
    bound_family,
    coarse_to_fine,
    cost_ceiling,
    first_prices,
    level_prices,
    make_family,
    participants_pay,
    profit_bound,
    search_in_steps,
    search_method,
    value_of,
)
from hubwise.pricing.search import Method

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
class Decision:
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

    situation: Situation
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
    wear: Convergence = field(default_factory=Convergence)
    relaxed: Dispatch | None = None


def reference_tariff(situation: Situation) -> Tariff:
    """The reference tariff at every hub; it buys nothing back."""
    hubs = len(situation.hubs)
    charge = np.tile(situation.market.reference_price, (hubs, 1))
    return Tariff(charge, np.zeros_like(charge))


def uncoordinated_strategy(situation: Situation) -> Decision:
    """Everybody plugs in and charges at once; no station battery."""
    schedule = uncoordinated(situation.fleet, situation.horizon)
    return Decision(
        situation, reference_tariff(situation), schedule, at_rest(situation, schedule), False
    )


def passive_strategy(situation: Situation, baseline: Baseline) -> Decision:
    """Participants' own devices shift charging against the reference tariff; no station battery."""
    tariff = reference_tariff(situation)
    one_way = replace(situation, fleet=situation.fleet.one_way())
    problem = make_problem(one_way, baseline.limits)
    schedule = with_participants(problem, undelegated(problem, tariff))
    return Decision(situation, tariff, schedule, at_rest(situation, schedule), False)


def storage_strategy(situation: Situation, baseline: Baseline) -> Decision:
    """Everybody charges at once; station batteries earn, and flatten as far as was promised."""
    tariff = reference_tariff(situation)
    fixed = uncoordinated(situation.fleet.select(situation.fleet.participating), situation.horizon)
    answer = ac_dispatch(situation, tariff, baseline, sessions=fixed).dispatch
    schedule = uncoordinated(situation.fleet, situation.horizon)
    return Decision(situation, tariff, schedule, answer.stations, True)


def hubwise_strategy(
    situation: Situation, baseline: Baseline, method: str | None, progress: Progress | None
) -> Decision:
    """The bilevel plan: search for the prices, dispatch the answer, meet the limits under AC."""
    name, sought = search_method(method or situation.search.method)
    asked = situation.fleet.participating
    situation, begin = _near_first_prices(first_guess(situation), baseline)
    last = _searched(situation, baseline, sought, begin, progress)
    situation, tariff, start = last.situation, last.tariff, last.found.value.dispatch
    sketch = _sketched(situation, tariff, last.problem, start, asked)

    def respond(given: Situation, before: Decision | None) -> Decision:
        """The answer to the prices found; to others, once wear is another than they are for."""
        if before is not None:
            posted = _relevelled(given, before, asked)
            return _post(given, posted, asked, baseline, near=before.dispatch)
        if given is situation:
            return _post(given, tariff, asked, baseline, start=start)
        return _post(given, sketch.tariff, asked, baseline, near=sketch.dispatch)

    answer, wear = converge(sketch.situation, respond)
    assert answer.dispatch is not None
    participants = answer.situation.fleet.participating
    same = np.array_equal(participants, situation.fleet.participating)
    relaxed = last.relaxed if same else relaxed_problem(answer.situation, baseline)[1]
    bounded = relaxed_for_bound(answer.situation, baseline, answer.dispatch.hub_kw, relaxed)
    return replace(
        answer,
        method=name,
        evaluations=last.evaluations,
        profit_bound=profit_bound(*bounded),
        family_bound=_family_bound(answer, *bounded),
        wear=wear,
        relaxed=relaxed,
    )


def _family_bound(answer: Decision, problem: Problem, relaxed: Dispatch) -> FamilyBound:
    """The bound of the family in use, with as many boxes as the scenario asks for."""
    assert answer.dispatch is not None
    planned = answer.tariff, answer.dispatch
    family, boxes = make_family(answer.situation), answer.situation.search.boxes
    return bound_family(problem, family, relaxed, planned, boxes=boxes)


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

    situation: Situation
    tariff: Tariff
    found: Found
    problem: Problem
    relaxed: Dispatch
    evaluations: int


def _searched(
    situation: Situation,
    baseline: Baseline,
    sought: Method,
    begin: Tariff | None,
    progress: Progress | None,
) -> _Searched:
    """Search for prices; where some would decline them, again for the others.

    Of all prices found, those are taken that are worth most with those who take part at them.
    """
    asked, families, spent = situation.fleet.participating, coarse_to_fine(situation), 0
    best: tuple[float, _Searched] | None = None

    def tell(done: int, total: int) -> None:
        if progress:
            progress(done, total, "prices tried")

    for _ in range(SEARCHES):
        problem, relaxed = relaxed_problem(situation, baseline)
        family, found = search_in_steps(
            sought,
            problem,
            families,
            relaxed,
            evaluations=situation.search.evaluations,
            seed=situation.search.seed,
            begin=begin,
            progress=tell,
        )
        begin, spent = family.tariff(found.prices), spent + found.evaluations
        last = _Searched(situation, begin, found, problem, relaxed, spent)
        ready, participants = willing(situation, begin, asked), situation.fleet.participating
        left = participants & ready.fleet.participating
        if best is None and np.array_equal(left, participants):
            return last
        merit = _merit(ready, problem, begin, found.value.dispatch)
        best = (merit, last) if best is None or merit > best[0] else best
        if np.array_equal(left, participants) or not left.any():
            break
        situation = replace(situation, fleet=situation.fleet.with_participating(left))
    assert best is not None
    return replace(best[1], evaluations=spent)


def _merit(ready: Situation, problem: Problem, tariff: Tariff, near: Dispatch) -> float:
    """What a tariff is worth with those who take part at it."""
    its_own = make_problem(ready, problem.limits, span_kw=problem.span_kw)
    return value_of(its_own, tariff, rounds=RELAXED_ROUNDS[0], start=near.multipliers).merit


def _near_first_prices(situation: Situation, baseline: Baseline) -> tuple[Situation, Tariff | None]:
    """The scenario with wear prices that hold near the first prices, and a tariff to begin with."""
    if not due(situation):
        return situation, None
    problem, relaxed = relaxed_problem(situation, baseline)
    family = coarse_to_fine(situation)[-1]
    first = family.tariff(first_prices(problem, family, relaxed))
    asked = situation.fleet.participating
    sketch = _sketched(situation, first, problem, relaxed, asked)
    return sketch.situation, sketch.tariff


def _sketched(
    situation: Situation, tariff: Tariff, problem: Problem, near: Dispatch, asked: Flags
) -> Decision:
    """An answer to a tariff in few rounds, settled as to wear; the tariff follows the wear."""
    if not due(situation):
        return Decision(situation, tariff, problem.uncoordinated, near.stations, True, problem)

    def respond(given: Situation, before: Decision | None) -> Decision:
        posted = tariff if before is None else _relevelled(given, before, asked)
        made = replace(
            problem, situation=given, fleet=given.fleet.select(given.fleet.participating)
        )
        found = dispatch(made, posted, rounds=SKETCH_ROUNDS, start=near.multipliers)
        schedule = with_participants(made, found.schedule)
        return Decision(given, posted, schedule, found.stations, True, made, dispatch=found)

    return converge(situation, respond)[0]


def _post(
    situation: Situation,
    tariff: Tariff,
    asked: Flags,
    baseline: Baseline,
    *,
    start: Dispatch | None = None,
    near: Dispatch | None = None,
) -> Decision:
    """What those do who were asked and take part at a posted tariff, steered under AC limits."""
    before, posted = situation.fleet.participating, tariff
    situation, tariff = _agreed(situation, tariff, asked, baseline)
    same = np.array_equal(before, situation.fleet.participating) and tariff is posted
    # What a search found is settled already.
    start, rounds = (start, ONWARD_ROUNDS) if same and start else (None, ROUNDS)
    dispatched = ac_dispatch(situation, tariff, baseline, start=start, near=near, rounds=rounds)
    final, problem = dispatched.dispatch, dispatched.problem
    schedule = with_participants(problem, final.schedule)
    return Decision(situation, tariff, schedule, final.stations, True, problem, dispatch=final)


def _agreed(
    situation: Situation, tariff: Tariff, asked: Flags, baseline: Baseline
) -> tuple[Situation, Tariff]:
    """Who takes part, and a tariff at which what they are promised together is kept.

    Where some decline, the others may pay more than was promised; prices then give way, which
    brings drivers in and never drives one out.
    """
    for _ in range(AGREEING):
        ready = willing(situation, tariff, asked)
        if not (asked & ~ready.fleet.participating).any():
            break
        problem = make_problem(ready, baseline.limits)
        family = _family_of_all(ready, asked)
        prices = family.posted(tariff)
        if participants_pay(problem, family, prices) <= cost_ceiling(problem):
            break
        tariff = family.tariff(level_prices(problem, family, prices))
    return willing(situation, tariff, asked), tariff


def _family_of_all(situation: Situation, asked: Flags) -> Family:
    """The finest tariff family, lawful towards all who were asked."""
    everybody = situation.fleet.with_participating(asked)
    return coarse_to_fine(replace(situation, fleet=everybody))[-1]


def _relevelled(situation: Situation, before: Decision, asked: Flags) -> Tariff:
    """The prices posted before, made lawful at other wear prices, and again as promised.

    Lawful towards all who were asked, as promised to those who took part.
    """
    assert before.problem is not None
    family = _family_of_all(situation, asked)
    fleet = situation.fleet.select(situation.fleet.participating)
    problem = replace(before.problem, situation=situation, fleet=fleet)
    return family.tariff(level_prices(problem, family, family.posted(before.tariff)))


def relaxed_for_bound(
    situation: Situation, baseline: Baseline, hub_kw: Array, relaxed: Dispatch
) -> tuple[Problem, Dispatch]:
    """The relaxed problem, settled for a bound, with the feeder linearised at ``hub_kw``.

    Linearised at a plan, that plan is one of its schedules. ``relaxed`` is gone on from, where it
    has the same participants; its multipliers serve at any rate.
    """
    limits = feeder_limits(situation.feeder, situation.hubs.bus, hub_kw)
    problem = make_problem(situation, limits, span_kw=baseline.span_kw)
    if len(problem.fleet) == len(relaxed.schedule.charge_kw):
        return problem, dispatch(problem, None, rounds=BOUND_ROUNDS, onward=relaxed, flat=False)
    start = relaxed.multipliers
    return problem, dispatch(problem, None, rounds=RELAXED_ROUNDS[0], start=start, flat=False)


def relaxed_problem(situation: Situation, baseline: Baseline) -> tuple[Problem, Dispatch]:
    """The relaxed problem, with the feeder linearised where its answer leads."""
    limits, relaxed = baseline.limits, None
    for rounds in RELAXED_ROUNDS:
        problem = make_problem(situation, limits, span_kw=baseline.span_kw)
        relaxed = dispatch(problem, None, rounds=rounds, onward=relaxed)
        limits = feeder_limits(situation.feeder, situation.hubs.bus, relaxed.hub_kw)
    assert relaxed is not None
    return make_problem(situation, limits, span_kw=baseline.span_kw), relaxed
