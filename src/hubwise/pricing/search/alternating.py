"""Answers first, prices second: a search for small hubs, by linear programs alone.

The operator's profit is what drivers pay less what the whole costs. Once answers are held, the
prices (with the duals of every driver's problem) that suit them are a linear program; once prices
are held, so are the answers. Between the two stands each driver's duality gap, which is nothing
exactly where its answer is a best response: it is charged for, ever more dearly. The two programs
take turns, and every price vector on the way is rounded, levelled and valued as it would be posted.

It is a penalty method on the strong duality of the lower level (Anandalingam and White 1990), here
with the multiplier raised by steps, from several starts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from hubwise.dispatch import EXACTLY, Dispatch, Problem, Stays, dispatch_linear, stays_of
from hubwise.dispatch.program import UnsolvedError
from hubwise.domain import Schedule, Status, Tariff
from hubwise.domain.arrays import Array
from hubwise.pricing.bound import most_felt
from hubwise.pricing.exact import Exact, UnsuitableError, count_switches, solve_exact
from hubwise.pricing.family import Family
from hubwise.pricing.levelling import level_prices
from hubwise.pricing.search.loop import SearchResult
from hubwise.pricing.search.suited import inverse, suited
from hubwise.pricing.value import Value, value_of

# What a unit of a driver's duality gap costs, step by step.
PENALTIES = (1.05, 1.2, 1.5, 2.0, 3.0, 5.0, 9.0, 17.0, 33.0, 65.0)
# The same in smaller steps, from the relaxed answers of so few drivers.
SLOWLY = tuple(1.0 + 0.1 * 1.35**j for j in range(24))
FEW = 30
# So many session-slots in all the price programs of one way of steps; at least so many steps.
STEPS_EFFORT, FEWEST_STEPS = 7_000, 2
# A promise is kept where it is passed by no more than this share, which is rounding.
KEPT = 1e-9
# Rounds of answers and prices once a good tariff stands.
POLISHES = 8
# Moves about the best prices: so many session-slots valued together; for each group of prices and
# beside; most; all with so many evaluations allowed, and in proportion with more.
MOVES_EFFORT, MOVES_A_GROUP, FEWEST_MOVES, MOST_MOVES = 100_000, 4, 20, 250
EVALUATIONS = 400
# The exact program is tried with so many switches, and with more where so few drivers take part.
MOST_SWITCHES, MOST_OF_FEW, FEW_DRIVERS = 500, 600, 10
# Its nodes, fewer where each is dear, and where they are cheap those after moves.
NODES, MORE_NODES, NODE_SWITCHES, CHEAP = 20, 60, 5_000, 300
# A safeguard where a node takes very long [s]; nothing else depends on the clock.
SECONDS = 60.0
# What the program proves best is reached where this share of it lies between.
PROVEN = 2e-4


def rank(value: Value) -> tuple[bool, bool, float]:
    """What keeps all limits comes first, then what keeps promises too, then what is worth more."""
    ceiling = value.cost_ceiling
    kept = value.broken_kw <= 0.0 and value.participant_cost <= ceiling + KEPT * abs(ceiling)
    return value.over_kw <= 0.0, kept, value.merit


@dataclass
class _Best:
    """The best price vector so far, and all that were valued.

    ``problem`` has those who are asked; ``at`` those who take part at the best.
    """

    problem: Problem
    family: Family
    ask: Callable[[Tariff], Problem]
    most: int
    progress: Callable[[int, int], None] | None
    prices: Array | None = None
    value: Value | None = None
    at: Problem | None = None
    history: list[float] = field(default_factory=list)
    seen: dict[bytes, Value] = field(default_factory=dict)

    @property
    def spent(self) -> bool:
        """Whether all evaluations are used up."""
        return len(self.history) >= self.most

    def offer(self, prices: Array, *, levelled: bool = True) -> Value | None:
        """Value ``prices`` as posted, and levelled; the better of both."""
        lawful = self.family.project(prices)
        tried = [lawful]
        if levelled:
            tried.append(level_prices(self.problem, self.family, lawful))
        values = [value for each in tried if (value := self._valued(each)) is not None]
        return max(values, key=rank, default=None)

    def _valued(self, prices: Array) -> Value | None:
        key = prices.tobytes()
        if key in self.seen:
            return self.seen[key]
        if self.spent:
            return None
        tariff = self.family.tariff(prices)
        at = self.ask(tariff)
        value = value_of(at, tariff, rounds=EXACTLY)
        self.seen[key] = value
        if self.value is None or rank(value) > rank(self.value):
            self.prices, self.value, self.at = prices, value, at
        self.history.append(self.value.merit)
        if self.progress:
            self.progress(len(self.history), self.most)
        return value


def alternate(
    problem: Problem,
    family: Family,
    relaxed: Dispatch,
    starts: Sequence[Tariff],
    *,
    evaluations: int,
    seed: int | None = 0,
    ask: Callable[[Tariff], Problem] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> SearchResult[Value]:
    """The best tariff of ``family`` that turns of prices and answers find.

    Parameters
    ----------
    problem, family
        What is priced; it fits one program (`hubwise.dispatch.fits_program`).
    relaxed
        The relaxed problem's answer: the first answers.
    starts
        Tariffs that are valued first, and whose answers are begun with, too.
    evaluations
        Most tariffs to be valued.
    seed
        Of the moves about the best; ``None`` for a quick search without them, from fewer answers.
    ask
        The problem with those who take part at a tariff; default: with all of ``problem``.
    progress
        Called with (done, total).
    """
    best = _Best(problem, family, ask or (lambda _: problem), evaluations, progress)
    values = [best.offer(family.posted(tariff)) for tariff in starts]
    answers = [_of_all(problem, value) for value in values if value is not None]
    # The last begins where a poorer family ended.
    answers = [relaxed.schedule, *answers[:1], *(answers[-1:] if len(answers) > 1 else [])]
    stays = stays_of(problem)
    quick = seed is None or not len(stays.session)
    steps = max(STEPS_EFFORT // max(len(stays.session), 1), FEWEST_STEPS)
    penalties = PENALTIES[1 :: -(-len(PENALTIES) // steps)] if steps < len(PENALTIES) else PENALTIES
    for answer in answers[: 2 if quick else None]:
        _follow(best, stays, answer, penalties)
    _polish(best)
    proven = seed is not None and _exactly(best, NODES)
    if seed is not None and not quick and not proven:
        if len(problem.fleet) <= FEW:
            _follow(best, stays, relaxed.schedule, SLOWLY)
        _shift_about(best, stays, seed)
        proven = _exactly(best, MORE_NODES)
    assert best.prices is not None
    assert best.value is not None
    status = Status.OPTIMAL if proven else Status.STILL
    if best.spent and not proven:
        status = Status.EVALUATIONS_SPENT
    return SearchResult(best.prices, best.value, len(best.history), tuple(best.history), status)


def _exactly(best: _Best, nodes: int) -> bool:
    """What the exact program makes of it, from the best so far; whether that is proven best."""
    if best.at is None or best.prices is None or best.spent:
        return False
    found = prove(best.at, best.family, best.prices, nodes)
    if found is None:
        return False
    best.offer(found.prices, levelled=False)
    _polish(best)
    assert best.value is not None
    near = PROVEN * max(abs(found.bound), 1.0)
    return (
        found.gap <= PROVEN
        and rank(best.value) >= (True, True, found.bound - near)
        and not most_felt(best.problem)[1].any()
    )


def prove(problem: Problem, family: Family, start: Array, nodes: int) -> Exact | None:
    """The exact program in ticks, from prices in hand; None where it is too large, or finds none.

    Parameters
    ----------
    problem, family
        What is priced.
    start
        Lawful prices to begin with; shape (2, groups) [currency/kWh].
    nodes
        Most nodes of its tree.
    """
    few = len(problem.fleet) <= FEW_DRIVERS
    try:
        most = MOST_OF_FEW if few else MOST_SWITCHES
        switches = count_switches(problem, family, most)
        if switches > most:
            return None
        if nodes > NODES and switches > CHEAP:
            return None
        within = max(NODE_SWITCHES // max(switches, 1), 1)
        most = nodes if nodes > NODES else min(nodes, within)
        return solve_exact(problem, family, seconds=SECONDS, nodes=most, start=start, posted=True)
    except (UnsolvedError, UnsuitableError):
        return None


def _follow(best: _Best, stays: Stays, answer: Schedule, penalties: Sequence[float]) -> None:
    """Offer every price vector on the way from held answers."""
    for prices in _turns(best.problem, best.family, stays, answer, penalties):
        if best.spent:
            return
        best.offer(prices)


def _turns(
    problem: Problem,
    family: Family,
    stays: Stays,
    answer: Schedule,
    penalties: Sequence[float],
) -> Iterator[Array]:
    """Price vectors on the way, as the duality gap grows dearer."""
    last: bytes = b""
    for penalty in penalties:
        prices = suited(problem, family, stays, answer, penalty)
        if prices is None:
            return
        yield prices
        try:
            answer = dispatch_linear(
                problem, family.tariff(prices), flat=False, weight=penalty - 1.0
            ).schedule
        except UnsolvedError:  # bounds that ask for more than a discharge limit leaves
            return
        if answer.charge_kw.tobytes() != last:
            yield from inverse(problem, family, stays, answer)
        last = answer.charge_kw.tobytes()


def _shift_about(best: _Best, stays: Stays, seed: int) -> None:
    """Moves about the best prices, each kept where it helps; a helpful one is polished.

    Drivers' answers change only where two prices of a stay cross, or where a cycle begins to pay.
    So prices move to such places: to another price, to where a cycle with it pays just so or just
    not, a tick beside either; groups are swapped, and several move together.
    """
    assert best.value is not None
    rng = np.random.default_rng(seed)
    moves = min(MOVES_EFFORT // max(len(stays.session), 1), MOST_MOVES)
    moves = max(min(moves, MOVES_A_GROUP * best.family.groups), 0) + FEWEST_MOVES
    for _ in range(moves * best.most // EVALUATIONS):
        if best.spent or best.prices is None:
            return
        before = best.value
        best.offer(_moved(best, stays, rng), levelled=bool(rng.integers(2)))
        if best.value is not before:
            _polish(best)


def _moved(best: _Best, stays: Stays, rng: np.random.Generator) -> Array:
    """A price vector beside the best one."""
    assert best.prices is not None
    prices, family = best.prices.copy(), best.family
    tick, groups = 10.0**-family.decimals, family.groups
    kind = int(rng.integers(2))
    here = int(rng.integers(groups))
    match int(rng.integers(5)):
        case 0:
            prices[kind, here] = prices[kind, rng.integers(groups)]
            prices[kind, here] += tick * rng.integers(-1, 2)
        case 1:
            prices[kind, here] = _threshold(stays, prices, kind, rng)
            prices[kind, here] += tick * rng.integers(-1, 2)
        case 2:
            there = int(rng.integers(groups))
            prices[:, [here, there]] = prices[:, [there, here]]
        case 3:
            end = min(here + 1 + int(rng.integers(max(groups // 4, 1))), groups)
            prices[kind, here:end] += tick * rng.integers(-20, 21)
        case _:
            alike = np.abs(prices[kind] - prices[kind, here]) < 0.5 * tick
            prices[kind, alike] += tick * rng.integers(-10, 11)
    return prices


def _threshold(stays: Stays, prices: Array, kind: int, rng: np.random.Generator) -> float:
    """Where a cycle of some driver with some other price pays neither way [currency/kWh]."""
    units = stays.units
    who = int(rng.integers(len(units.hub)))
    other = float(prices[1 - kind, rng.integers(prices.shape[1])])
    kept = float(units.charge_eff[who] * units.discharge_eff[who])
    wear = float(units.wear[who] * units.charge_eff[who])
    return (other + wear) / kept if kind else other * kept - wear


def _polish(best: _Best) -> None:
    """Prices that leave no doubt about the best tariff's own answers, while that helps."""
    for _ in range(POLISHES):
        if best.value is None or best.at is None or best.spent:
            return
        before, stays = best.value, stays_of(best.at)
        for prices in inverse(best.at, best.family, stays, before.dispatch.schedule):
            best.offer(prices)
        if best.value is before:
            return


def _of_all(problem: Problem, value: Value) -> Schedule:
    """The answers to a tariff of all who are asked; who declines charges at once."""
    answer, sessions = value.dispatch.schedule, problem.fleet.session
    mine = problem.situation.fleet.participating
    rows, among = (
        np.isin(sessions, value.dispatch.session),
        np.isin(value.dispatch.session, sessions),
    )
    columns = []
    for name in ("charge_kw", "discharge_kw", "energy_kwh"):
        column = getattr(problem.uncoordinated, name)[mine].copy()
        column[rows] = getattr(answer, name)[among]
        columns.append(column)
    return Schedule(*columns)
