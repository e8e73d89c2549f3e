"""A bound on what the whole must cost, whatever the tariff: Lagrangian duality.

With a price on every shared limit each session and each station is on its own, and the kernel
gives its least cost exactly. Any non-negative prices give a bound; those of a settled relaxed
dispatch give a tight one.
"""

from __future__ import annotations

import numpy as np

from hubwise.dispatch import kernel
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.solve import Dispatch
from hubwise.dispatch.units import session_units, station_units
from hubwise.domain import TermSums, connection_spots
from hubwise.domain.arrays import Array, Index
from hubwise.drivers import Batteries


def social_cost_bound(problem: Problem, relaxed: Dispatch) -> float:
    """Least that participants and stations can cost under the shared limits [currency].

    Wear of vehicles and stations, purchases (the others' energy at the purchase price taken out),
    demand charges above the past's peaks, less feed-in, what terms are worth, and what is left in
    station batteries. It holds for every schedule that keeps the limits of ``problem``, in which
    the feeder is linear (see `hubwise.dispatch.limits`), whatever prices are posted; what surplus
    energy is worth to drivers is no part of it.

    Parameters
    ----------
    problem
        What is dispatched.
    relaxed
        A dispatch of it without a tariff, for the prices of the shared limits.
    """
    situation = problem.situation
    hubs, hours = situation.hubs, situation.horizon.slot_hours
    duals = _balanced(problem, relaxed.duals.rows)
    imports, exports = relaxed.duals.imports, relaxed.duals.exports
    prices = prices_of_limits(problem, relaxed)
    bound = float(least_cost(problem, prices).sum())
    price = prices[: len(hubs)]
    bound += _least_of_stations(problem, price)
    bound += hours * float((price * problem.others_kw).sum())
    bound -= hours * float((np.maximum(price, 0.0) * hubs.solar_kw).sum())
    bound += hours * _limits_term(problem, duals)
    bound += hours * _lines_term(problem, relaxed.duals.lines)
    bound -= hours * float(exports.sum(axis=1) @ problem.export_limit_kw)
    pressed, charge = hours * situation.periods.sums(imports), situation.periods.charge
    bound += float(np.minimum(charge - pressed, 0.0).sum(axis=1) @ problem.import_limit_kw)
    bound -= float((np.minimum(charge, pressed) * past_within(problem)).sum())
    return bound - problem.others_cost


def prices_of_limits(problem: Problem, answer: Dispatch) -> Array:
    """What a kWh drawn costs, with the shared limits at their prices [currency/kWh].

    Shape (places, slots), see `places_of`; of purchase and feed-in, the one that the hub's draw
    leads to.
    """
    market = problem.situation.market
    duals = _balanced(problem, answer.duals.rows)
    through = np.einsum("kt,kht->ht", duals, problem.limits.coefficient)
    through = through + answer.duals.imports - answer.duals.exports
    if answer.rounds == 0:
        # An optimum's own price of a connection: a hub at rest has one between the two.
        base = np.clip(answer.marginal_price - through, market.feed_in_price, market.purchase_price)
    else:
        base = _slope_between(market.feed_in_price, market.purchase_price, answer.hub_kw)
    price: Array = base + through
    if not len(problem.lines):
        return price
    _, spot, hub = _places(problem)
    return price[hub] + problem.lines.prices(spot, answer.duals.lines)


def places_of(problem: Problem) -> Index:
    """Where each participant draws: a row of `prices_of_limits`; shape (sessions,).

    The first rows are the hubs' connections; circuits and phases make more of them.
    """
    return _places(problem)[0]


def _places(problem: Problem) -> tuple[Index, Index, Index]:
    """Place of every participant; spot and hub of every place."""
    hubs, hub = len(problem.situation.hubs), problem.fleet.hub
    own, connections = np.arange(hubs), connection_spots(hubs)
    if not len(problem.lines):
        return hub, connections, own
    spot, first, place = np.unique(problem.fleet.spots, return_index=True, return_inverse=True)
    return hubs + place, np.append(connections, spot), np.append(own, hub[first])


def _lines_term(problem: Problem, price: Array) -> float:
    """What circuits and phases add at their prices: the others' flows, less the limits.

    In the hubs' prices the others count as if they drew at the connection: what that adds is taken
    off [currency/h].
    """
    lines = problem.lines
    if not len(lines):
        return 0.0
    flows = problem.others_line_kw - lines.loads(
        connection_spots(len(problem.others_kw)), problem.others_kw
    )
    return float((price * flows).sum() - (np.abs(price) * lines.limit_kw[:, None]).sum())


def least_cost(problem: Problem, price: Array) -> Array:
    """The least that each participant can cost at prices (places, slots); (sessions,) [currency].

    ``price`` as `prices_of_limits` has it.
    """
    units = session_units(problem.fleet, problem.situation.horizon, own=False)
    units = units._replace(hub=places_of(problem), surplus=np.zeros(len(units.hub)))
    return _least(units, price, problem.terms)


def _least_of_stations(problem: Problem, price: Array) -> float:
    """The same of the station batteries, the worth of what they keep taken off [currency]."""
    hubs, horizon = problem.situation.hubs, problem.situation.horizon
    units = station_units(hubs, horizon, problem.terms.rest)
    least = float(_least(units, price, problem.terms).sum())
    # A station that cannot reach what it is asked for is short of it at that worth.
    asked, reached = hubs.least_final_kwh, np.zeros(len(hubs))
    np.add.at(reached, units.hub, units.target)
    worth = np.where(hubs.battery_kwh > 0.0, hubs.battery_end_value, 0.0)
    return least + float(worth @ (asked - reached))


def _least(units: Batteries, price: Array, terms: TermSums) -> Array:
    least = np.zeros(len(units.hub))
    kernel.least_costs(units, price, terms.charge, terms.discharge, least)
    return least


def excess_cost(problem: Problem, answer: Dispatch) -> float:
    """What it would cost the operator to keep the shared limits exactly [currency], first order.

    Few rounds leave limits a little broken, or a little slack. At the limits' prices that excess
    has a worth: with it the operator's cost is that of the Lagrangian, which differs from its end
    by the second order only. Negative where limits are slack.
    """
    periods, hours = problem.situation.periods, problem.situation.horizon.slot_hours
    duals = _balanced(problem, answer.duals.rows)
    imports, exports = answer.duals.imports, answer.duals.exports
    through = problem.limits.rows(answer.hub_kw) - problem.limits.offset
    rows = float((duals * through).sum()) + _limits_term(problem, duals)
    over_export = -answer.hub_kw - problem.export_limit_kw[:, None]
    # The demand charge is paid for the highest import that there is: what presses on the others
    # within it says only what a flatter draw might pay, and that may be no driver's answer.
    paid = hours * periods.sums(imports)
    limits = periods.by_slot(1.0 - np.minimum(paid, periods.charge) / np.maximum(paid, 1e-12))
    over_import = answer.hub_kw - problem.import_limit_kw[:, None]
    pressed = np.where(imports > 0.0, limits * imports, 0.0)
    connections = float((pressed * np.where(pressed > 0.0, over_import, 0.0)).sum())
    connections += float((exports * np.where(exports > 0.0, over_export, 0.0)).sum())
    return hours * (rows + connections + _excess_of_lines(problem, answer))


def _excess_of_lines(problem: Problem, answer: Dispatch) -> float:
    """What circuits and phases are broken by, or slack, at their prices [currency/h]."""
    price, limit = answer.duals.lines, problem.lines.limit_kw[:, None]
    return float((price * answer.line_kw - np.abs(price) * limit).sum())


def past_within(problem: Problem) -> Array:
    """Every hub's highest import of each billing period so far; shape (hubs, periods) [kW].

    As far as the connection lets in now.
    """
    past_kw = problem.situation.periods.past_kw
    within: Array = np.minimum(past_kw, problem.import_limit_kw[:, None])
    return within


def _balanced(problem: Problem, duals: Array) -> Array:
    """Prices of the rows; those of the peak-valley promise sum alike, as its free level asks.

    Where the past has a peak the level is not free downwards: then the valley may weigh more.
    """
    duals = np.maximum(duals, 0.0)
    past = problem.situation.so_far
    if not np.isfinite(problem.span_kw) or np.isfinite(past.head_peak_kw):
        return duals
    peak, valley = duals[0].sum(), duals[1].sum()
    if valley > peak:
        duals = duals.copy()
        duals[1] *= peak / valley
    return duals


def _slope_between(feed_in: Array, purchase: Array, hub_kw: Array) -> Array:
    """A slope of the connection's cost at the draw: any between feed-in and purchase bounds it."""
    return np.where(hub_kw > 0.0, purchase, np.where(hub_kw < 0.0, feed_in, purchase))


def _limits_term(problem: Problem, duals: Array) -> float:
    """What the rows' offsets and limits add, at their prices [currency/h]."""
    limits = problem.limits
    offsets = float((duals * limits.offset).sum())
    upper = np.where(np.isfinite(limits.upper), limits.upper, 0.0)
    rows = float((duals[2:] * upper[2:]).sum())
    if not np.isfinite(problem.span_kw):
        return offsets - rows - float((duals[:2] * upper[:2]).sum())
    # The peak level is free within what has been so far. What presses more on one side than on the
    # other presses on where the past, or the transformer, holds that side.
    past = problem.situation.so_far
    span = max(problem.span_kw, past.head_span_kw)
    peak, valley = float(duals[0].sum()), float(duals[1].sum())
    known = np.isfinite(past.head_peak_kw)
    both = min(peak, valley) if known else valley
    beyond = duals[0] * (1.0 - both / max(peak, 1e-300))
    term = offsets - rows - both * span
    term -= float((beyond * np.minimum(upper[0], past.head_valley_kw + span)).sum())
    if known:
        below = duals[1] * (1.0 - both / max(valley, 1e-300))
        term -= float((below * np.minimum(upper[1], span - past.head_peak_kw)).sum())
    return term
