"""The bilevel plan as a loop: prices → who takes part → AC dispatch → wear, until all agree.

Prices are searched for by valuing many dispatches, at wear prices that hold near by. Then the loop:
at posted prices drivers decide whether they take part; the platform dispatches them within AC
limits; the schedule says what a kWh drawn costs in battery life; at that wear the prices are made
lawful and levelled again. Where wear is given, one turn does it. The same loop with a quick
dispatch brings wear near before the search, and again before the last turns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, product

import numpy as np

from hubwise.dispatch import (
    Baseline,
    Dispatch,
    Problem,
    WarmStart,
    best_dispatch,
    make_baseline,
    with_participants,
    with_situation,
)
from hubwise.domain import Search, Situation, Status, Tariff
from hubwise.domain.arrays import Array, Flags
from hubwise.plan.ac_dispatch import ONWARD_ROUNDS, ROUNDS, ac_dispatch
from hubwise.plan.decision import PostedDecision
from hubwise.plan.easing import eased, passed_kw, promising_less
from hubwise.plan.packed import packed, rounded
from hubwise.plan.participation import agreed, family_of_all, willing
from hubwise.plan.price_search import Progress, Searched, search_prices
from hubwise.plan.ramp import ramped
from hubwise.plan.relaxed import relaxed_for_bound, relaxed_problem
from hubwise.plan.sampled import is_many, sampled
from hubwise.plan.settled import settle
from hubwise.plan.turn import Turn
from hubwise.plan.wear import (
    Convergence,
    WearState,
    first_guess,
    learn_wear,
    wear_change,
    wear_due,
    wear_found,
)
from hubwise.pricing import (
    FEW,
    Family,
    FamilyBound,
    Value,
    best_of,
    bound_family,
    bound_profit,
    coarse_to_fine,
    first_prices,
    level_prices,
    make_family,
    search_method,
)
from hubwise.pricing.search import Method
from hubwise.pricing.search.alternating import NODES, PROVEN, prove

# Rounds of the quick dispatches at which wear prices are brought near.
QUICK_ROUNDS = 5
# Shifts of discharge prices that are tried where wear changes with what is done, as shares of the
# mean purchase price, first far, then near the best; and rounds of dispatch that tell them apart.
SCAN = tuple(np.arange(-0.475, 0.055, 0.025))
FINE = (-0.018, -0.012, -0.006, -0.003, 0.003, 0.006, 0.012, 0.018)
SCAN_ROUNDS = 5
# By how much less is paid, step by step, where promises were missed.
BACK = (-0.0015, -0.003, -0.006, -0.012, -0.024)
# How exactly the program in ticks keeps its rows, as a share.
ROUNDING = 1e-6
# Found wear is true enough within this share of what the models say.
TRUE = 0.005
# Rounds after which a plan's own prices of the shared limits stand.
OWN_ROUNDS = 15


@dataclass(frozen=True, slots=True)
class State:
    """Where the loop stands.

    Parameters
    ----------
    asked
        Who is asked to take part; shape (sessions,).
    baseline
        The uncoordinated day.
    wear
        The situation at the wear prices to answer to next, and whether these agree with what was
        last done.
    tariff
        What is posted in the first turn.
    problem
        The dispatch problem that the prices were found for.
    warm
        Where the first dispatch begins.
    turn
        The last turn, if there was one.
    held
        Whether the tariff stays as it is, whatever it does not keep.
    """

    asked: Flags
    baseline: Baseline
    wear: WearState
    tariff: Tariff
    problem: Problem
    warm: WarmStart
    turn: Turn | None = None
    held: bool = False


Answer = Callable[[State, Tariff], Turn]
"""How drivers and platform answer to a tariff: `quickly`, or `within_limits`."""


def run(state: State, answer: Answer) -> tuple[Turn, Convergence]:
    """Turn the loop until wear agrees with what is done, or the turns are over."""
    while not state.wear.done:
        state = step(state, answer)
    assert state.turn is not None
    return state.turn, state.wear.convergence


def step(state: State, answer: Answer) -> State:
    """One turn: prices, who takes part and what everybody does, and the wear that this makes."""
    turn = answer(state, propose(state, fine=answer is within_limits))
    return replace(state, wear=learn_wear(state.wear, turn.situation, turn.schedule), turn=turn)


def propose(state: State, *, fine: bool) -> Tariff:
    """The prices of the next turn: the last ones, made lawful at the wear that holds now.

    Lawful towards all who were asked, and levelled as promised to those who took part. Where wear
    is found, the best margin over it moves with it, and little beside it is far from as good: once
    prices are to be posted (``fine``), it is looked for again.
    """
    if state.turn is None or state.held:
        return state.tariff
    situation = state.wear.situation
    family = family_of_all(situation, state.asked)
    problem = with_situation(state.turn.problem, situation)
    prices = level_prices(problem, family, family.posted(state.turn.tariff))
    if fine and wear_found(situation):
        prices, _ = _best_beside(problem, family, prices, FINE, state.turn.dispatch.warm().near())
    return family.tariff(prices)


def quickly(state: State, tariff: Tariff) -> Turn:
    """Everybody who was asked takes part; a dispatch of few rounds on the feeder as it was."""
    situation = state.wear.situation
    problem = with_situation(state.problem, situation)
    answer = best_dispatch(problem, tariff, rounds=QUICK_ROUNDS, warm=state.warm.near())
    schedule = with_participants(problem, answer.schedule)
    return Turn(situation, tariff, schedule, problem, answer, Status.ROUNDS_SPENT)


def within_limits(state: State, tariff: Tariff) -> Turn:
    """Those who save what they ask for take part; the dispatch keeps promises and AC limits."""
    before, posted = state.wear.situation, tariff
    if state.held:
        situation = willing(before, posted, state.asked)
    else:
        situation, tariff = agreed(before, posted, state.asked, state.baseline)
    same = situation is before and tariff is posted
    warm, rounds = _begun(state, same=same)
    found = ac_dispatch(situation, tariff, state.baseline, warm=warm, rounds=rounds)
    schedule = with_participants(found.problem, found.dispatch.schedule)
    return Turn(situation, tariff, schedule, found.problem, found.dispatch, found.status)


def _begun(state: State, *, same: bool) -> tuple[WarmStart | None, int]:
    """Where a turn's dispatch begins, in how many rounds: at the last one, or at the search's."""
    if state.turn is not None:
        return state.turn.dispatch.warm().near(), ROUNDS
    if state.warm.session is None:
        return state.warm, ROUNDS
    # What the search has dispatched for long is nearly there, if it was for the same drivers.
    return (state.warm, ONWARD_ROUNDS) if same else (None, ROUNDS)


def bilevel_strategy(
    situation: Situation, baseline: Baseline, search: Search, progress: Progress | None
) -> PostedDecision:
    """Search for prices, then turn the loop until drivers, prices, feeder and wear agree."""
    name, method = search_method(search.method)
    asked = situation.fleet.participating
    if is_many(situation) and name != "exact":
        searched = _on_sample(situation, baseline, search, method, progress)
    else:
        situation, begin = near_first_prices(first_guess(situation), baseline)
        searched = search_prices(situation, baseline, search, method, begin, progress)
    return conclude(searched, asked, baseline, search, searched.method or name)


def _on_sample(
    situation: Situation,
    baseline: Baseline,
    search: Search,
    method: Method,
    progress: Progress | None,
) -> Searched:
    """Prices searched on a sample of very many sessions, made lawful and levelled on the whole."""
    few = sampled(situation)
    theirs = make_baseline(few)
    few, begin = near_first_prices(first_guess(few), theirs)
    found = search_prices(few, theirs, search, method, begin, progress)
    situation = first_guess(situation)
    problem, relaxed = relaxed_problem(situation, baseline)
    family = coarse_to_fine(situation)[-1]
    prices = level_prices(problem, family, family.posted(found.tariff))
    tariff = family.tariff(prices)
    answer = best_dispatch(problem, tariff, rounds=ROUNDS, warm=relaxed.warm().near())
    return Searched(
        situation, tariff, answer, problem, relaxed, found.evaluations, found.status, found.method
    )


def at_tariff(
    situation: Situation, baseline: Baseline, search: Search, tariff: Tariff, *, held: bool = False
) -> PostedDecision:
    """The same at prices that are given: nothing is searched for.

    ``held``: nor do they give way to wear that is found, or to who declines them.
    """
    problem, relaxed = relaxed_problem(situation, baseline)
    tariff = situation.with_accepted(tariff)
    answer = best_dispatch(problem, tariff, rounds=ROUNDS, warm=relaxed.warm().near())
    posted = Searched(situation, tariff, answer, problem, relaxed, 0, Status.GIVEN)
    return conclude(posted, situation.fleet.participating, baseline, search, "given", held=held)


def conclude(
    searched: Searched,
    asked: Flags,
    baseline: Baseline,
    search: Search,
    method: str,
    *,
    held: bool = False,
) -> PostedDecision:
    """Turn the loop at the prices found, and bound what others could bring."""
    state = after_search(searched, asked, baseline, held=held)
    turn, wear = run(state, within_limits)
    if not held:
        turn, wear = _held_back(state, turn, wear)
    if not held and searched.status is not Status.GIVEN:
        state, turn, wear = _eased(state, turn, wear)
    promised = state.baseline
    turn = ramped(turn, promised)
    before = turn.dispatch
    pack = partial(packed, baseline=promised, exactly=search.evaluations >= FEW)
    turn, wear = (pack(turn), wear) if held else _followed(turn, wear, asked, pack)
    relaxed = searched.relaxed
    if not np.array_equal(turn.problem.fleet.session, relaxed.session):
        relaxed = relaxed_problem(turn.situation, baseline)[1]
    proven = searched.status is Status.OPTIMAL
    bounds = float("inf"), FamilyBound(float("inf"), 0, Status.NOT_BOUNDED)
    if not turn.situation.market.sells_above:
        told = relaxed, before
        bounds = _bounds(turn, asked, baseline, told, boxes=search.boxes, proven=proven)
    if search.rounds_schedules:
        turn, wear = _rounded(turn, wear, promised)
    return PostedDecision(
        situation=turn.situation,
        tariff=turn.tariff,
        schedule=turn.schedule,
        stations=turn.dispatch.stations,
        has_stations=True,
        problem=turn.problem,
        dispatch=turn.dispatch,
        wear=wear,
        method=method,
        evaluations=searched.evaluations,
        searched=searched.status,
        dispatched=turn.status,
        profit_bound=bounds[0],
        family_bound=bounds[1],
        relaxed=relaxed,
    )


def _followed(
    turn: Turn, wear: Convergence, asked: Flags, pack: Callable[[Turn], Turn]
) -> tuple[Turn, Convergence]:
    """The turn packed and settled; settled alone where found wear would be further off for it."""
    now = pack(turn)
    if not wear_found(turn.situation):
        return now, wear
    there = replace(wear, change=wear_change(now.situation, now.schedule))
    followed, kept = settle(now, there, asked), settle(turn, wear, asked)
    return followed if followed[1].change <= max(kept[1].change, TRUE) else kept


def _rounded(turn: Turn, wear: Convergence, baseline: Baseline) -> tuple[Turn, Convergence]:
    """The turn rounded, and how far its wear is from the models' then."""
    turn = rounded(turn, baseline)
    if not wear_found(turn.situation):
        return turn, wear
    return turn, replace(wear, change=wear_change(turn.situation, turn.schedule))


def _bounds(
    turn: Turn,
    asked: Flags,
    baseline: Baseline,
    told: tuple[Dispatch, Dispatch],
    *,
    boxes: int,
    proven: bool,
) -> tuple[float, FamilyBound]:
    """The most that any tariff, and any of the family, can bring, whoever takes part at it.

    ``told``: the relaxed problem's answer, and the turn's before it was packed, whose prices of the
    limits are of sessions and stations alike. ``proven``: the search's program told the best; it
    tells it again where the feeder is now.
    """
    relaxed, before = told
    everybody = turn.situation.fleet.with_participating(asked)
    situation = replace(turn.situation, fleet=everybody)
    problem, settled = relaxed_for_bound(situation, baseline, turn.dispatch.hub_kw, relaxed)
    found = bound_profit(problem, settled)
    # A tariff must be lawful towards those who take part, which some may not.
    asked_rows = np.flatnonzero(asked)
    always = np.zeros_like(asked)
    always[asked_rows[np.isinf(found.out)]] = True
    family = make_family(replace(situation, fleet=everybody.with_participating(always)))
    if proven and boxes and always.sum() == asked.sum():
        best = prove(problem, family, family.posted(turn.tariff), NODES)
        if best is not None and best.gap <= PROVEN:
            # Rows are kept to a tolerance, and so is what they bound.
            most = min(best.bound + ROUNDING * (1.0 + abs(best.bound)), found.profit)
            return found.profit, FamilyBound(most, max(best.nodes, 1), Status.CLOSED)
    own, posted = _unflattened(turn, problem, before), family.posted(turn.tariff)
    within = bound_family(problem, family, settled, own, posted=posted, boxes=boxes)
    return found.profit, within


def _held_back(state: State, turn: Turn, wear: Convergence) -> tuple[Turn, Convergence]:
    """The turn, with less paid for discharging where found wear made it miss a promise or limit.

    A little too much lets all cars of one kind draw at once; a little less is far from as bad.
    """
    for shift in BACK:
        if turn.status is Status.LIMITS_HOLD or not wear_found(turn.situation):
            break
        situation, family = turn.situation, family_of_all(turn.situation, state.asked)
        prices = family.posted(turn.tariff)
        problem = with_situation(turn.problem, situation)
        lower = _beside(problem, family, prices, shift)
        now = replace(state, wear=WearState(situation), turn=turn)
        turn = within_limits(now, family.tariff(lower))
        wear = Convergence(wear_change(turn.situation, turn.schedule), wear.rounds + 1)
    return turn, wear


def _eased(state: State, turn: Turn, wear: Convergence) -> tuple[State, Turn, Convergence]:
    """The turn at prices that keep all; where none do, at those that pass limits least.

    Limits come before the promise to the grid: where both cannot be had it gives way, in the state.
    """
    best, within, promised = turn, state, state.baseline
    if turn.status is Status.LIMITS_HOLD:
        return state, turn, wear
    tariffs = tuple(eased(family_of_all(turn.situation, state.asked), turn))
    less = promising_less(promised, turn.situation.promises)
    ways = product((promised,), tariffs), product((less,), (turn.tariff, *tariffs))
    for baseline, tariff in chain(*ways):
        limit, promise = passed_kw(best, promised)
        if limit == 0.0 and (promise == 0.0 or baseline is less):
            break
        now = replace(state, wear=WearState(turn.situation), turn=turn, baseline=baseline)
        there = within_limits(now, tariff)
        if passed_kw(there, promised) < (limit, promise):
            best, within = there, now
    if passed_kw(best, promised)[1] > 0.0:
        best = replace(best, status=Status.LIMITS_MISSED)
    if best is not turn and wear_found(best.situation):
        wear = replace(wear, change=wear_change(best.situation, best.schedule))
    return within, best, wear


def _unflattened(turn: Turn, problem: Problem, before: Dispatch) -> Dispatch:
    """The turn's dispatch as profit alone would have it: what that presses on prices the limits."""
    mine = replace(with_situation(problem, turn.situation), others_kw=turn.problem.others_kw)
    warm = before.warm()
    return best_dispatch(mine, turn.tariff, rounds=OWN_ROUNDS, warm=warm, flat=False)


def near_first_prices(situation: Situation, baseline: Baseline) -> tuple[Situation, Tariff | None]:
    """The situation at wear prices that hold near the first prices, and these to begin with."""
    if not wear_due(situation):
        return situation, None
    problem, relaxed = relaxed_problem(situation, baseline)
    family = coarse_to_fine(situation)[-1]
    first = family.tariff(first_prices(problem, family, relaxed))
    asked, wear = situation.fleet.participating, WearState(situation)
    turn, _ = run(State(asked, baseline, wear, first, problem, relaxed.warm().near()), quickly)
    here = replace(problem, situation=turn.situation, fleet=turn.problem.fleet)
    return turn.situation, _scanned(here, family, turn.tariff, relaxed.warm().near())


def _scanned(problem: Problem, family: Family, tariff: Tariff, warm: WarmStart) -> Tariff:
    """The best of tariffs whose discharge prices lie beside these, each levelled as promised.

    Cars with alike batteries answer within a window of prices so narrow that a search steps over
    it: above it all draw at once, below it none. Between, a cent decides.
    """
    prices = family.posted(tariff)
    for shifts in (SCAN, FINE):
        prices, _ = _best_beside(problem, family, prices, shifts, warm)
    return family.tariff(prices)


def _best_beside(
    problem: Problem, family: Family, prices: Array, shifts: Sequence[float], warm: WarmStart
) -> tuple[Array, Value]:
    """The best of prices, and of those whose discharge prices are shifted and levelled again.

    ``shifts``: shares of the mean purchase price.
    """
    trials = [prices, *(_beside(problem, family, prices, shift) for shift in shifts)]
    return best_of(problem, family, trials, rounds=SCAN_ROUNDS, warm=warm)


def _beside(problem: Problem, family: Family, prices: Array, shift: float) -> Array:
    """Prices whose discharge prices in use are shifted by a share of the mean purchase price.

    Levelled again as promised.
    """
    used = prices[1] > family.low[1]
    by = shift * float(np.abs(problem.situation.market.purchase_price).mean())
    return level_prices(problem, family, prices + np.stack([0.0 * used, by * used]))


def after_search(
    searched: Searched, asked: Flags, baseline: Baseline, *, held: bool = False
) -> State:
    """The loop's state once prices are found; wear brought near, where schedules change it."""
    situation, tariff = searched.situation, searched.tariff
    warm = searched.dispatch.warm()
    state = State(asked, baseline, WearState(situation), tariff, searched.problem, warm, held=held)
    if not wear_due(situation):
        return state
    turn, _ = run(state, quickly)
    if turn.situation is situation:
        return state
    return replace(
        state,
        wear=WearState(turn.situation),
        tariff=turn.tariff,
        warm=turn.dispatch.warm().near(),
    )
