"""What the dispatch minimises, written down.

The kernel never computes it: it knows the marginal prices, which are its derivative
(`hubwise.dispatch.kernel.marginal_prices`), and what a unit's own terms add on the way to another
schedule. A test takes this function's finite differences and compares them with both.

With the symbols of docs/model.md, all in currency over the horizon:

    objective = purchases + demand charges + wear + limits + flatness - terms - surplus

    purchases       sum over h, t of   D (pi_t [n_ht]+ - phi_t [-n_ht]+)
    demand charges  sum over h of      demand charge * (L_h - highest import so far)
    wear            sum over i, t of   w_i D p-_it / eta-_i
    limits          sum over x, t of   D ([lambda_xt + s_x (x_t - L_xt)]+ ^2 - lambda_xt^2) / (2 s_x)
    flatness        sum over t of      D/2 gamma (H_t - mean H)^2
                    sum over h, t of   D/2 gamma_h (n_ht - mean n_h)^2
    terms           sum over i, t of   D (tau+_it p+_it + tau-_it p-_it)
    surplus         sum over i of      v_i (energy at departure - least energy at departure)

D is the slot's length (Delta). The positive part [n]+ is rounded where the connection draws less
than kappa either way: there it is (n + kappa)^2 / (4 kappa), which is [n]+ outside and tends to it
everywhere as kappa falls. Limits are an augmented Lagrangian: x stands for the head and its
negative, voltages and currents near their limits, and each hub's import and export; L is its limit,
lambda its multiplier, s its stiffness. L of the head's peak, of its valley, and of imports is free
where a promise or a demand charge asks for it: what a demand charge costs is counted at that level,
and imports above it are pressed on by the limit's multiplier. Means are those of the last round.
tau is what a kWh is worth beside the price list (the incentive is a tau-). i runs over participants
and station batteries; what the others draw is in n, and so in the purchases.

Where there are several futures, each counts with its weight, and a unit with that of the futures
that it is in.

Solar power counts as it is used. A kernel's marginal price knows that it follows: it is the
derivative of the least of this function over the solar power used at that hub and in that slot,
all else as it is (`hubwise.dispatch.kernel.curtail` finds that least).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch.board import KINK, make_board, with_levels
from hubwise.dispatch.kernel import Board
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.solve import Dispatch
from hubwise.dispatch.units import concatenated, session_units, station_units
from hubwise.domain.arrays import Array
from hubwise.drivers import Batteries

_BY_PLACE_AND_SLOT = (
    "net", "rows", "bound", "multiplier", "import_multiplier", "export_multiplier",
)  # fmt: skip
_BY_PLACE = ("import_level", "export_level", "hub_middle")


@dataclass(frozen=True, slots=True)
class Objective:
    """The value of the dispatch objective, term by term [currency].

    Parameters
    ----------
    purchases
        Energy imported at the purchase price less energy exported at the feed-in price, rounded
        where a hub draws next to nothing. The others' energy is in it.
    demand_charges
        For every hub's import level, above what the billing period has seen.
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


def objective(
    board: Board,
    units: Batteries,
    change: Array,
    *,
    demand_charge: float = 0.0,
    past_kw: Array | float = 0.0,
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
    demand_charge
        For every hub's highest import [currency/kW].
    past_kw
        Highest imports of the billing period so far; shape (hubs,) [kW].
    """
    shared = _by_future(board)
    return Objective(
        purchases=purchases(shared),
        demand_charges=demand_charges(shared, demand_charge, past_kw),
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
    situation = problem.situation
    past = situation.so_far.import_peak_kw
    drawn, prices = [dispatch.hub_kw], [dispatch.multipliers]
    board = make_board([problem], np.ones(1), drawn, prices, flat=True)
    board = with_levels(board, [problem], KINK, learn=False)
    return objective(
        board,
        *units_of(problem, dispatch),
        demand_charge=situation.market.demand_charge,
        past_kw=0.0 if past is None else past,
    )


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


def purchases(board: Board) -> float:
    """Imports at the purchase price less exports at the feed-in price [currency]."""
    kink = board.kink[:, None, None]
    imported, exported = rounded_part(board.net, kink), rounded_part(-board.net, kink)
    bought, sold = board.purchase[:, None, :] * imported, board.feed_in[:, None, :] * exported
    return _summed(board, bought - sold)


def rounded_part(power: Array, kink: Array) -> Array:
    """The positive part, rounded between ``-kink`` and ``kink``; the same shape [kW]."""
    within = np.clip(power + kink, 0.0, 2.0 * kink)
    # Where the kink is nothing, so is what is within it.
    share = within / np.where(kink > 0.0, 4.0 * kink, 1.0)
    part: Array = share * within + np.maximum(power - kink, 0.0)
    return part


def demand_charges(board: Board, demand_charge: float, past_kw: Array | float) -> float:
    """What the hubs' import levels cost beyond past peaks [currency]."""
    if demand_charge <= 0.0:
        return 0.0
    above = np.maximum(board.import_level - past_kw, 0.0)
    return float(demand_charge * board.share @ above.sum(axis=1))


def limits(board: Board) -> float:
    """Augmented Lagrangian of the feeder's rows and of the hubs' connections [currency]."""
    over_import = board.net - board.import_level[:, :, None]
    over_export = -board.net - board.export_level[:, :, None]
    push, hub_push = board.stiffness[:, None, None], board.hub_stiffness[:, None, None]
    return (
        _summed(board, penalty(board.rows - board.bound, board.multiplier, push))
        + _summed(board, penalty(over_import, board.import_multiplier, hub_push))
        + _summed(board, penalty(over_export, board.export_multiplier, hub_push))
    )


def penalty(over: Array, multiplier: Array, stiffness: Array) -> Array:
    """Augmented Lagrangian of limits that are broken by ``over`` [kW]; its shape [currency/h]."""
    pressed = np.maximum(multiplier + stiffness * over, 0.0)
    cost: Array = (pressed**2 - multiplier**2) / (2.0 * stiffness)
    return cost


def flatness(board: Board) -> float:
    """Pull of the head, and of each hub, towards its middle [currency]."""
    head = board.rows[:, :1] - board.middle[:, None, None]
    hubs = board.net - board.hub_middle[:, :, None]
    pull, hub_pull = board.flatness[:, None, None], board.hub_flatness[:, None, None]
    return _summed(board, 0.5 * pull * head**2) + _summed(board, 0.5 * hub_pull * hubs**2)


def wear(board: Board, units: Batteries, change: Array) -> float:
    """Of all energy drawn from batteries [currency]."""
    drawn = np.maximum(-change, 0.0).sum(axis=1)
    return float(_weight(board, units) @ (units.wear * drawn))


def terms(board: Board, units: Batteries, change: Array) -> float:
    """What terms give for energy charged and discharged, at the charger [currency]."""
    charged = np.maximum(change, 0.0) / units.charge_eff[:, None]
    discharged = np.maximum(-change, 0.0) * units.discharge_eff[:, None]
    worth = board.charge_worth[units.group] * charged
    worth += board.discharge_worth[units.group] * discharged
    return float(_weight(board, units) @ worth.sum(axis=1))


def surplus(board: Board, units: Batteries, change: Array) -> float:
    """What energy above the least at departure is worth [currency]."""
    above = units.start + change.sum(axis=1) - units.target
    return float(_weight(board, units) @ (units.surplus * above))


def _by_future(board: Board) -> Board:
    """The board with futures as an axis of their own: (futures, places, slots)."""
    futures, slots = board.purchase.shape
    parts = {name: getattr(board, name) for name in (*_BY_PLACE_AND_SLOT, *_BY_PLACE)}
    parts |= {name: parts[name].reshape(futures, -1, slots) for name in _BY_PLACE_AND_SLOT}
    parts |= {name: parts[name].reshape(futures, -1) for name in _BY_PLACE}
    return board._replace(**parts)


def _summed(board: Board, values: Array) -> float:
    """Values (futures, places, slots) [currency/h] over slots and places, futures weighed."""
    return float(board.slot_hours * board.share @ values.sum(axis=(1, 2)))


def _weight(board: Board, units: Batteries) -> Array:
    """Weight of the futures that each unit is in, together; shape (units,)."""
    before = np.concatenate([[0.0], np.cumsum(board.share)])
    weight: Array = before[units.last_future] - before[units.first_future]
    return weight

