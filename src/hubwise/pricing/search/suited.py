"""Prices that suit held answers: linear programs over prices and the duals of drivers' problems."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hubwise.dispatch import Problem, Stays, energies
from hubwise.dispatch.program import Program, UnsolvedError
from hubwise.domain import Schedule
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.pricing.bound import most_felt
from hubwise.pricing.exact.operator import lawful_prices
from hubwise.pricing.family import Family
from hubwise.pricing.value import COST_EXCESS_WEIGHT, cost_ceiling

# By how many ticks prices should leave no doubt about an answer, tried in turn.
MARGINS = (1.1, 0.55, 0.0)
# What is moved in a slot, as a share of what can be: less is nothing, more is all.
ROUNDING = 1e-6


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
    _savings(model, problem, stays, answer, 10.0**-family.decimals)
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
        _savings(model, problem, stays, answer, 10.0**-family.decimals)
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


def _savings(model: _Model, problem: Problem, stays: Stays, answer: Schedule, tick: float) -> None:
    """Each who might decline pays for its held answer no more than what it would take part for.

    What one pays above that is charged for, as a broken promise is: not all may be worth keeping.
    Prices that are rounded to ticks, half a tick either way, keep it, too.
    """
    most, declines = most_felt(problem)
    asking = np.flatnonzero(declines)
    if not len(asking):
        return
    into, out = energies(stays, answer, problem.situation.horizon.slot_hours)
    here = np.flatnonzero(declines[stays.session])
    # What of its cost is no posted price: wear, terms, other lists, and the worth of energy left.
    beside = model.buy[2] * into - model.sell[2] * out
    fixed: Array = np.bincount(stays.session[here], beside[here], len(most))[asking].astype(float)
    left = answer.energy_kwh[asking, -1] - problem.fleet.required_kwh[asking]
    fixed -= stays.units.surplus[asking] * left
    for _, factor in _cost_of(model, problem, stays, answer):
        moved = np.bincount(stays.session, np.abs(factor), len(most))[asking]
        fixed = fixed + 0.5 * tick * moved
    row = np.zeros(len(most), dtype=np.int64)
    row[asking] = model.program.rows(len(asking), -np.inf, most[asking] - fixed)
    for columns, factor in _cost_of(model, problem, stays, answer):
        model.program.put(row[stays.session[here]], columns[here], factor[here])
    over = model.program.columns(len(asking), 0.0, np.inf)
    model.program.put(row[asking], over, -1.0)
    model.program.earn(over, -COST_EXCESS_WEIGHT)


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
