"""What the dispatch minimises, written down.

The kernel never computes it: it knows the marginal prices, which are its derivative
(`hubwise.dispatch.kernel.marginal_prices`), and what a unit's own terms add on the way to another
schedule. A test takes this function's finite differences and compares them with both.

With the symbols of docs/model.md, all in currency over the horizon:

    objective = purchases + demand charges + wear + limits + flatness - terms - surplus

    purchases       sum h, t    D (pi_t [n_ht]+ - phi_t [-n_ht]+)
    demand charges  sum h, m    demand charge_m * (L_hm - highest import so far_hm)
    wear            sum i, t    w_i D p-_it / eta-_i
    limits          sum x, t    D ([lambda_xt + s_x (x_t - L_xt)]+^2 - lambda_xt^2) / (2 s_x)
    flatness        sum t       D/2 gamma (H_t - mean H)^2
                    sum h, t    D/2 gamma_h (n_ht - mean n_h)^2
    terms           sum i, t    D (tau+_it p+_it + tau-_it p-_it)
    surplus         sum i       v_i (energy at departure - least energy at departure)

D is the slot's length (Delta). The positive part [n]+ is rounded where the connection draws less
than kappa either way: there it is (n + kappa)^2 / (4 kappa), which is [n]+ outside and tends to it
everywhere as kappa falls. Limits are an augmented Lagrangian: x stands for the head and its
negative, voltages and currents near their limits, and each hub's import and export; L is its limit,
lambda its multiplier, s its stiffness. L of the head's peak, of its valley, and of imports is free
where a promise or a demand charge asks for it: what the demand charge of a billing period m costs
is counted at its level, and imports above it are pressed on by the limit's multiplier. Means are
those of the last round. tau is what a kWh is worth beside the price list (the incentive is a tau-).
i runs over participants and station batteries; what the others draw is in n, and so in the
purchases.

Where there are several futures, each counts with its weight, and a unit with that of the futures
that it is in.

Solar power counts as it is used. A kernel's marginal price knows that it follows: it is the
derivative of the least of this function over the solar power used at that hub and in that slot,
all else as it is (`hubwise.dispatch.kernel.curtail` finds that least).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hubwise.dispatch import kernel
from hubwise.dispatch.board import KINK, make_board, with_levels
from hubwise.dispatch.kernel import Board
from hubwise.dispatch.lines import LINE_LIMIT, LINE_STIFFNESS, SHARE
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.solve import Dispatch
from hubwise.dispatch.units import concatenated, session_units, station_units
from hubwise.domain import Periods
from hubwise.domain.arrays import Array
from hubwise.drivers import Batteries


class Futures(NamedTuple):
    """A board as the objective reads it: futures are an axis of their own.

    ``share`` (futures,); terms' worth (groups, slots); all other arrays (futures, hubs, rows or 1,
    slots or 1). Names, units and meaning are those of `Board`.
    """

    slot_hours: float
    share: Array
    net: Array
    rows: Array
    bound: Array
    multiplier: Array
    import_multiplier: Array
    export_multiplier: Array
    import_level: Array
    export_level: Array
    purchase: Array
    feed_in: Array
    charge_worth: Array
    discharge_worth: Array
    kink: Array
    stiffness: Array
    hub_stiffness: Array
    flatness: Array
    middle: Array
    hub_flatness: Array
    hub_middle: Array
    line_load: Array
    line_multiplier: Array
    line_limit: Array
    line_stiffness: Array


@dataclass(frozen=True, slots=True)
class Objective:
    """The value of the dispatch objective, term by term [currency].

    Parameters
    ----------
    purchases
        Energy imported at the purchase price less energy exported at the feed-in price, rounded
        where a hub draws next to nothing. The others' energy is in it.
    demand_charges
        For every hub's import level of a billing period, above what the period has seen.
    wear
        Of participants' and station batteries.
    limits
        Augmented Lagrangian of the limits: below zero where priced limits are slack.
    flatness
        Pull towards a flat head and flat hubs, a choice among what costs the same.
    terms
        What terms are worth to drivers and operator together, lump sums aside.
    surplus
        What energy above the least at departure is worth.
    """

    purchases: float
    demand_charges: float
    wear: float
    limits: float
    flatness: float
    terms: float
    surplus: float

    @property
    def total(self) -> float:
        """What is minimised [currency]."""
        costs = self.purchases + self.demand_charges + self.wear + self.limits + self.flatness
        return costs - self.terms - self.surplus


def objective_on(
    board: Board,
    units: Batteries,
    change: Array,
    *,
    periods: Periods | None = None,
) -> Objective:
    """The objective of units that do ``change`` on a board that counts it already.

    Parameters
    ----------
    board
        Net draw, rows, limits and prices; see `hubwise.dispatch.kernel.Board`.
    units
        Sessions and slices of stations.
    change
        Their schedules; shape (units, slots) [kWh in the battery].
    periods
        Billing periods in which highest imports are charged for; ``None`` for no charge.
    """
    shared = _by_future(board)
    return Objective(
        purchases=purchases(shared),
        demand_charges=demand_charges(shared, periods),
        wear=wear(shared, units, change),
        limits=limits(shared),
        flatness=flatness(shared),
        terms=terms(shared, units, change),
        surplus=surplus(shared, units, change),
    )


def objective_of(problem: Problem, dispatch: Dispatch) -> Objective:
    """The objective of what was dispatched, at the multipliers that it was dispatched with.

    Free levels and means are taken where the dispatch has led.

    Parameters
    ----------
    problem, dispatch
        A dispatch problem, and its answer.
    """
    drawn, prices = [dispatch.hub_kw], [dispatch.multipliers]
    board = make_board([problem], np.ones(1), drawn, prices, flat=True, line_kw=[dispatch.line_kw])
    board = with_levels(board, [problem], KINK, learn=False)
    periods = problem.situation.periods
    return objective_on(board, *units_of(problem, dispatch), periods=periods)


def units_of(problem: Problem, dispatch: Dispatch) -> tuple[Batteries, Array]:
    """Sessions and slices of stations, and what they do; (units, slots) [kWh in the battery].

    Slices of a station share its schedule alike.
    """
    horizon, hubs = problem.situation.horizon, problem.situation.hubs
    cars = session_units(problem.fleet, horizon, own=False)
    units = concatenated(cars, station_units(hubs, horizon, problem.terms.rest))
    station = units.hub[len(problem.fleet) :]
    slices = np.bincount(station, minlength=len(hubs))[station, None]
    sessions, stations = dispatch.schedule, dispatch.stations
    charge = np.concatenate([sessions.charge_kw, stations.charge_kw[station] / slices])
    discharge = np.concatenate([sessions.discharge_kw, stations.discharge_kw[station] / slices])
    gained = charge * units.charge_eff[:, None] - discharge / units.discharge_eff[:, None]
    return units, horizon.slot_hours * gained


def purchases(board: Futures) -> float:
    """Imports at the purchase price less exports at the feed-in price [currency]."""
    imported, exported = rounded_part(board.net, board.kink), rounded_part(-board.net, board.kink)
    return _summed(board, board.purchase * imported - board.feed_in * exported)


def rounded_part(power: Array, kink: Array) -> Array:
    """The positive part, rounded between ``-kink`` and ``kink``; the same shape [kW]."""
    within = np.clip(power + kink, 0.0, 2.0 * kink)
    # Where the kink is nothing, so is what is within it.
    share = within / np.where(kink > 0.0, 4.0 * kink, 1.0)
    part: Array = share * within + np.maximum(power - kink, 0.0)
    return part


def demand_charges(board: Futures, periods: Periods | None) -> float:
    """What the hubs' import levels cost beyond past peaks [currency]."""
    if periods is None or not periods.charged:
        return 0.0
    return float(board.share @ [periods.money(level) for level in board.import_level])


def limits(board: Futures) -> float:
    """Augmented Lagrangian of the feeder's rows and of the hubs' connections [currency]."""
    over_import, over_export = board.net - board.import_level, -board.net - board.export_level
    push, hub_push = board.stiffness, board.hub_stiffness
    return (
        _of_lines(board)
        + _summed(board, penalty(board.rows - board.bound, board.multiplier, push))
        + _summed(board, penalty(over_import, board.import_multiplier, hub_push))
        + _summed(board, penalty(over_export, board.export_multiplier, hub_push))
    )


def _of_lines(board: Futures) -> float:
    """The same of circuits and phases, either way [currency]."""
    limit, push = board.line_limit, board.line_stiffness
    price, load = board.line_multiplier, board.line_load
    over = penalty(load - limit, np.maximum(price, 0.0), push)
    under = penalty(-load - limit, np.maximum(-price, 0.0), push)
    return _summed(board, over + under)


def penalty(over: Array, multiplier: Array, stiffness: Array) -> Array:
    """Augmented Lagrangian of limits that are broken by ``over`` [kW]; its shape [currency/h]."""
    pressed = np.maximum(multiplier + stiffness * over, 0.0)
    cost: Array = (pressed**2 - multiplier**2) / (2.0 * stiffness)
    return cost


def flatness(board: Futures) -> float:
    """Pull of the head, and of each hub, towards its middle [currency]."""
    head, hubs = board.rows[:, :1] - board.middle, board.net - board.hub_middle
    pulled = _summed(board, 0.5 * board.flatness * head**2)
    return pulled + _summed(board, 0.5 * board.hub_flatness * hubs**2)


def wear(board: Futures, units: Batteries, change: Array) -> float:
    """Of all energy drawn from batteries [currency]."""
    drawn = np.maximum(-change, 0.0).sum(axis=1)
    return float(_weight(board, units) @ (units.wear * drawn))


def terms(board: Futures, units: Batteries, change: Array) -> float:
    """What terms give for energy charged and discharged, at the charger [currency]."""
    charged = np.maximum(change, 0.0) / units.charge_eff[:, None]
    discharged = np.maximum(-change, 0.0) * units.discharge_eff[:, None]
    worth = board.charge_worth[units.group] * charged
    worth += board.discharge_worth[units.group] * discharged
    return float(_weight(board, units) @ worth.sum(axis=1))


def surplus(board: Futures, units: Batteries, change: Array) -> float:
    """What energy above the least at departure is worth [currency]."""
    above = units.start + change.sum(axis=1) - units.target
    return float(_weight(board, units) @ (units.surplus * above))


def _by_future(board: Board) -> Futures:
    futures, slots = board.purchase.shape

    def unfolded(values: Array) -> Array:
        return values.reshape(futures, -1, slots)

    numbers = {
        name: board.of_future[:, column, None, None]
        for name, column in (
            ("kink", kernel.KINK),
            ("stiffness", kernel.STIFFNESS),
            ("hub_stiffness", kernel.HUB_STIFFNESS),
            ("flatness", kernel.FLATNESS),
            ("middle", kernel.MIDDLE),
            ("hub_flatness", kernel.HUB_FLATNESS),
        )
    }
    levels = {
        name: board.of_place[:, column].reshape(futures, -1, 1)
        for name, column in (
            ("hub_middle", kernel.HUB_MIDDLE),
            ("export_level", kernel.EXPORT_LEVEL),
        )
    }
    return Futures(
        slot_hours=board.slot_hours,
        share=board.of_future[:, SHARE],
        net=unfolded(board.net),
        rows=unfolded(board.rows),
        bound=unfolded(board.bound),
        multiplier=unfolded(board.multiplier),
        import_multiplier=unfolded(board.import_multiplier),
        export_multiplier=unfolded(board.export_multiplier),
        import_level=unfolded(board.import_level),
        purchase=board.purchase[:, None, :],
        feed_in=board.feed_in[:, None, :],
        charge_worth=board.charge_worth,
        discharge_worth=board.discharge_worth,
        **numbers,
        **levels,
        **_lines_of(board, futures),
    )


def _lines_of(board: Board, futures: int) -> dict[str, Array]:
    """What of circuits and phases the objective reads, futures an axis of their own."""
    lines, slots = board.lines, board.net.shape[1]
    if lines is None:
        nothing = np.zeros((futures, 0, slots))
        names = ("line_load", "line_multiplier", "line_limit", "line_stiffness")
        return dict.fromkeys(names, nothing)
    shape = futures, lines.width
    return {
        "line_load": lines.load.reshape(*shape, slots),
        "line_multiplier": lines.multiplier.reshape(*shape, slots),
        "line_limit": lines.of_line[:, LINE_LIMIT].reshape(*shape, 1),
        "line_stiffness": lines.of_line[:, LINE_STIFFNESS].reshape(*shape, 1),
    }


def _summed(board: Futures, values: Array) -> float:
    """Values (futures, places, slots) [currency/h] over slots and places, futures weighed."""
    return float(board.slot_hours * board.share @ values.sum(axis=(1, 2)))


def _weight(board: Futures, units: Batteries) -> Array:
    """Weight of the futures that each unit is in, together; shape (units,)."""
    before = np.concatenate([[0.0], np.cumsum(board.share)])
    weight: Array = before[units.last_future] - before[units.first_future]
    return weight
