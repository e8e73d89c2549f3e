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

from hubwise.dispatch import Dispatch, Problem, Stays, dispatch_linear, energies, stays_of
from hubwise.dispatch.program import Program, UnsolvedError
from hubwise.domain import Schedule, Status, Tariff
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.pricing.exact.operator import lawful_prices
from hubwise.pricing.family import Family
from hubwise.pricing.levelling import level_prices
from hubwise.pricing.search.loop import SearchResult
from hubwise.pricing.value import Value, cost_ceiling, value_of

# What a unit of a driver's duality gap costs, step by step.
PENALTIES = (1.05, 1.2, 1.5, 2.0, 3.0, 5.0, 9.0, 17.0, 33.0, 65.0)
# The same in smaller steps, from the relaxed answers of so many session-slots.
SLOWLY = tuple(1.0 + 0.1 * 1.35**j for j in range(24))
FEW = 2_000
# By how many ticks prices should leave no doubt about an answer, tried in turn.
MARGINS = (1.1, 0.55, 0.0)
# What is moved in a slot, as a share of what can be: less is nothing, more is all.
ROUNDING = 1e-6
# A promise is kept where it is passed by no more than this share, which is rounding.
KEPT = 1e-9
# Rounds of answers and prices once a good tariff stands.
POLISHES = 8
# Moves about the best prices: so many session-slots valued together, and moves between these.
MOVES_EFFORT, FEWEST_MOVES, MOST_MOVES = 100_000, 20, 250


@dataclass
class _Best:
    """The best price vector so far, and all that were valued."""

    problem: Problem
    family: Family
    most: int
    progress: Callable[[int, int], None] | None
    prices: Array | None = None
    value: Value | None = None
    history: list[float] = field(default_factory=list)
    seen: dict[bytes, Value] = field(default_factory=dict)

    @property
    def spent(self) -> bool:
        """Whether all evaluations are used up."""
        return len(self.history) >= self.most

    def _rank(self, value: Value) -> tuple[bool, float]:
        """What keeps all promises and limits comes first, then what is worth more."""
        ceiling = cost_ceiling(self.problem)
        kept = value.broken_kw <= 0.0 and value.participant_cost <= ceiling + KEPT * abs(ceiling)
        return kept, value.merit

    def offer(self, prices: Array, *, levelled: bool = True) -> Value | None:
        """Value ``prices`` as posted, and levelled; the better of both."""
        lawful = self.family.project(prices)
        tried = [lawful]
        if levelled:
            tried.append(level_prices(self.problem, self.family, lawful))
        values = [value for each in tried if (value := self._valued(each)) is not None]
        return max(values, key=self._rank, default=None)

    def _valued(self, prices: Array) -> Value | None:
        key = prices.tobytes()
        if key in self.seen:
            return self.seen[key]
        if self.spent:
            return None
        value = value_of(self.problem, self.family.tariff(prices), rounds=1)
        self.seen[key] = value
        if self.value is None or self._rank(value) > self._rank(self.value):
            self.prices, self.value = prices, value
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
    progress: Callable[[int, int], None] | None = None,
) -> SearchResult[Value]:
    """The best tariff of ``family`` that turns of prices and answers find.

    Parameters
    ----------
    problem, family
        What is priced; small (`hubwise.dispatch.is_small`).
    relaxed
        The relaxed problem's answer: the first answers.
    starts
        Tariffs that are valued first, and whose answers are begun with, too.
    evaluations
        Most tariffs to be valued.
    seed
        Of the moves about the best; ``None`` for a quick search without them, from fewer answers.
    progress
        Called with (done, total).
    """
    best = _Best(problem, family, evaluations, progress)
    answers = [relaxed.schedule]
    for tariff in starts:
        value = best.offer(family.posted(tariff))
        if value is not None:
            answers.append(value.dispatch.schedule)
    stays = stays_of(problem)
    for k, answer in enumerate(answers[: 2 if seed is None else None]):
        slowly = k == 0 and len(stays.session) <= FEW and seed is not None
        for prices in _turns(problem, family, stays, answer, SLOWLY if slowly else PENALTIES):
            best.offer(prices)
            if best.spent:
                break
    _polish(best, stays)
    if seed is not None and len(stays.session):
        _shift_about(best, stays, seed)
    assert best.prices is not None
    assert best.value is not None
    status = Status.EVALUATIONS_SPENT if best.spent else Status.STILL
    return SearchResult(best.prices, best.value, len(best.history), tuple(best.history), status)


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
    moves = MOVES_EFFORT // max(len(stays.session), 1)
    for _ in range(min(max(moves, FEWEST_MOVES), MOST_MOVES)):
        if best.spent or best.prices is None:
            return
        before = best.value
        best.offer(_moved(best, stays, rng), levelled=bool(rng.integers(2)))
        if best.value is not before:
            _polish(best, stays)


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


def _polish(best: _Best, stays: Stays) -> None:
    """Prices that leave no doubt about the best tariff's own answers, while that helps."""
    for _ in range(POLISHES):
        if best.value is None or best.spent:
            return
        before = best.value
        answer = best.value.dispatch.schedule
        for prices in inverse(best.problem, best.family, stays, answer):
            best.offer(prices)
        if best.value is before:
            return


@dataclass(frozen=True, slots=True)
class _Model:
    """The price program: prices, the worth of energy, and the bounds' duals of every stay.

    Parameters
    ----------
    program
        Columns and rows so far.
    prices
        Columns (2, groups).
    worth
        What another kWh in the battery is worth after each slot; (session-slots,).
    buy, sell
        Prices of a kWh into and out of the battery, as terms (columns, factor) and a constant.
    """

    program: Program
    prices: Index
    worth: Index
    buy: tuple[Index, Array, Array]
    sell: tuple[Index, Array, Array]


def suited(
    problem: Problem, family: Family, stays: Stays, answer: Schedule, penalty: float
) -> Array | None:
    """The prices that suit held answers, a duality gap costing ``penalty`` a unit.

    Shape (2, groups) [currency/kWh]; None where no lawful prices keep what is promised.
    """
    model = _model(problem, family, stays)
    paid = _dual_value(model, stays)
    _promise(model.program, problem, stays, answer, paid)
    for columns, factor in paid:
        model.program.earn(columns, penalty * factor)
    for columns, factor in _cost_of(model, problem, stays, answer):
        model.program.earn(columns, (1.0 - penalty) * factor)
    return _solved(model)


def inverse(problem: Problem, family: Family, stays: Stays, answer: Schedule) -> Iterator[Array]:
    """Prices at which held answers are best responses: dearest, and with a margin in ticks."""
    for margin in MARGINS:
        model = _model(problem, family, stays)
        paid = _dual_value(model, stays)
        _promise(model.program, problem, stays, answer, paid)
        _complementary(model, problem, stays, answer, margin * 10.0**-family.decimals)
        for columns, factor in paid:
            model.program.earn(columns, factor)
        prices = _solved(model)
        if prices is not None:
            yield prices
            return


def _model(problem: Problem, family: Family, stays: Stays) -> _Model:
    program = Program()
    prices = lawful_prices(program, family, posted=False)
    units, session, slot = stays.units, stays.session, stays.slot
    hub, lists = units.hub[session], problem.fleet.lists[session]
    own = lists == hub
    group = family.group[hub, slot]
    terms, mine = problem.terms, units.group[session]
    charge_eff, discharge_eff = units.charge_eff[session], units.discharge_eff[session]
    kept = np.zeros((2, len(session)))
    if family.accepted is not None:
        row = np.where(own, 0, lists - len(family.group))
        tariff = family.accepted
        kept = np.stack([tariff.charge_price[row, slot], tariff.discharge_price[row, slot]])
    charged = np.where(own, 0.0, kept[0]) - terms.charge_to_driver[mine, slot]
    earned = np.where(own, 0.0, kept[1]) + terms.discharge_to_driver[mine, slot]
    buy = prices[0, group], own / charge_eff, charged / charge_eff
    sell = (
        prices[1, group],
        own * discharge_eff,
        earned * discharge_eff - units.wear[session],
    )
    worth = program.columns(len(session), -np.inf, np.inf)
    return _Model(program, prices, worth, buy, sell)


def _dual_value(model: _Model, stays: Stays) -> list[tuple[Index, Array]]:
    """Columns and factors of what all drivers feel that their stays cost, by their duals.

    The constant is left out: the worth of energy that is required at departure.
    """
    program, units, session = model.program, stays.units, stays.session
    size = len(session)
    into, out, low, high = (program.columns(size, 0.0, np.inf) for _ in range(4))
    columns, factor, constant = model.buy
    # Into the battery: worth less the price, where that is above nothing.
    program.require((into, 1.0), (model.worth, -1.0), (columns, factor), low=-constant)
    columns, factor, constant = model.sell
    limited = np.flatnonzero(np.isfinite(units.limit))
    limit = program.columns(len(units.hub), 0.0, np.where(np.isfinite(units.limit), np.inf, 0.0))
    program.require(
        (out, 1.0), (limit[session], 1.0), (model.worth, 1.0), (columns, -factor), low=constant
    )
    end = np.zeros(size)
    end[stays.last] = units.surplus
    rows = program.require((model.worth, 1.0), (low, -1.0), (high, 1.0), low=end, high=end)
    before = np.setdiff1d(np.arange(size), stays.last)
    program.put(rows[before], model.worth[before + 1], -1.0)
    top = np.maximum(stays.top, stays.floor)
    paid = [
        (model.worth[stays.first], -units.start),
        (into, -stays.up),
        (out, -stays.down),
        (low, stays.floor),
        (high, -top),
    ]
    if len(limited):
        paid.append((limit[limited], -units.limit[limited]))
    return paid


def _cost_of(
    model: _Model, problem: Problem, stays: Stays, answer: Schedule
) -> list[tuple[Index, Array]]:
    """What drivers feel that held answers cost, as columns and factors; constants left out."""
    into, out = energies(stays, answer, problem.situation.horizon.slot_hours)
    charge, factor_in, _ = model.buy
    discharge, factor_out, _ = model.sell
    return [(charge, factor_in * into), (discharge, -factor_out * out)]


def _promise(
    program: Program,
    problem: Problem,
    stays: Stays,
    answer: Schedule,
    paid: list[tuple[Index, Array]],
) -> None:
    """Drivers pay together at most what was promised, with the energy that answers leave with."""
    ceiling = cost_ceiling(problem)
    if not np.isfinite(ceiling):
        return
    worth = stays.units.surplus @ answer.energy_kwh[:, -1] if len(answer.energy_kwh) else 0.0
    row = program.rows(1, -np.inf, ceiling - float(worth))
    for columns, factor in paid:
        program.put(row, columns, factor)


def _complementary(
    model: _Model, problem: Problem, stays: Stays, answer: Schedule, margin: float
) -> None:
    """Held answers are optimal: worth on the right side of each price, by a margin where it can."""
    program = model.program
    into, out = energies(stays, answer, problem.situation.horizon.slot_hours)
    near = ROUNDING * np.maximum(stays.up, stays.down)
    _side(program, model.worth, model.buy, into <= near, into >= stays.up - near, margin)
    _side(program, model.worth, model.sell, out >= stays.down - near, out <= near, margin)
    energy = stays.units.start[stays.session] + _running(stays, into - out)
    top = np.maximum(stays.top, stays.floor)
    ends = np.zeros(len(energy))
    ends[stays.last] = stays.units.surplus
    # Worth falls after a slot only at the floor, and rises only where the battery is full.
    at_floor, at_top = energy <= stays.floor + 10 * near, energy >= top - 10 * near
    low = np.where(at_top, -np.inf, ends)
    high = np.where(at_floor, np.inf, ends)
    rows = program.require((model.worth, 1.0), low=low, high=high)
    before = np.setdiff1d(np.arange(len(energy)), stays.last)
    program.put(rows[before], model.worth[before + 1], -1.0)


def _running(stays: Stays, moved: Array) -> Array:
    """Sums of what was moved, from each stay's beginning; (session-slots,) [kWh]."""
    total = np.cumsum(moved)
    return total - (total[stays.first] - moved[stays.first])[stays.session]


def _side(
    program: Program,
    worth: Index,
    price: tuple[Index, Array, Array],
    below: Flags,
    above: Flags,
    margin: float,
) -> None:
    """Worth is at most the price where ``below``, at least it where ``above``; else it is it."""
    columns, factor, constant = price
    fixed = below & above  # nothing can be moved: any worth will do
    low = np.where(above, constant + margin * ~below, -np.inf)
    high = np.where(below, constant - margin * ~above, np.inf)
    between = ~below & ~above
    low, high = np.where(between, constant, low), np.where(between, constant, high)
    kept = np.flatnonzero(~fixed)
    program.require(
        (worth[kept], 1.0), (columns[kept], -factor[kept]), low=low[kept], high=high[kept]
    )


def _solved(model: _Model) -> Array | None:
    try:
        values = model.program.linear().values
    except UnsolvedError:
        return None
    return values[model.prices]
