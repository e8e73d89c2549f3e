"""Dispatch: among all cheapest schedules, those that are best for operator and feeder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch import kernel
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.units import (
    concatenated,
    session_units,
    station_schedule,
    station_units,
)
from hubwise.dispatch.warm import Multipliers, WarmStart
from hubwise.domain import Schedule, StationSchedule, Tariff
from hubwise.domain.arrays import Array, Flags, Names
from hubwise.drivers import schedule_of
from hubwise.ledger import sum_by_hub

# How hard a shared limit pushes back before its multiplier has settled: half the mean purchase
# price when it is broken by the whole spread of the head. Softer needs more rounds to keep limits,
# harder makes the units' own weight felt and the last per cent slow. A hub's own limits push back
# as many times harder as there are hubs: that much smaller is its share of the spread.
STIFFNESS = 0.5
# Pull towards a flat head, among what costs the operator the same, in the same measure.
FLATNESS = 0.01
# The same for each hub. Without it a hub may crowd its energy into any few slots of one price;
# power flow and dispatch then chase each other, and voltages and losses suffer.
HUB_FLATNESS = 0.03
# Half-width of the band in which the purchase price passes into feed-in, as shares of the spread:
# in the first and the last round. Going round the units one by one, all stop where the price jumps;
# a wide band lets them pass, a narrow one prices right.
FIRST_KINK = 0.3
KINK = 1e-3
# In the first round of a dispatch that goes on from another.
ONWARD_KINK = 1e-2
# Rounds over the stations for each round over the sessions: stations are few but large.
STATION_ROUNDS = 3
# The order of visits is drawn once; any fixed order gives the same promise.
ORDER_SEED = 33


@dataclass(frozen=True, slots=True)
class Dispatch:
    """What was dispatched, and how well it was done.

    Parameters
    ----------
    schedule
        Of the participating sessions.
    stations
        Of station batteries and solar.
    hub_kw
        Hub net draw, the others included; shape (hubs, slots) [kW].
    multipliers
        Prices of the shared limits.
    pressure
        What another kW of each shared limit would be worth in each slot.
    marginal_price
        What another kWh drawn at a hub would cost the operator, shared limits included; shape
        (hubs, slots) [currency/kWh].
    span_price
        What another kW of peak-valley difference would be worth [currency/kW].
    gap
        Duality gap of the last round [currency].
    rounds
        Rounds over all units.
    session
        Whose schedules they are; shape (sessions,).
    """

    schedule: Schedule
    stations: StationSchedule
    hub_kw: Array
    multipliers: Multipliers
    duals: Multipliers
    marginal_price: Array
    span_price: float
    gap: float
    rounds: int
    session: Names

    def warm(self) -> WarmStart:
        """Where a dispatch of the same sessions at the same prices goes on from here."""
        return WarmStart(self.multipliers, self.hub_kw, self.session, self.schedule, self.stations)


def dispatch(
    problem: Problem,
    tariff: Tariff | None,
    *,
    rounds: int = 6,
    warm: WarmStart | None = None,
    sessions: Schedule | None = None,
    flat: bool = True,
) -> Dispatch:
    """Schedule participants and stations together.

    Parameters
    ----------
    problem
        Participants and shared limits.
    tariff
        Posted prices: every driver keeps to its cheapest schedules (zero regret). ``None`` asks
        for the schedules that would be best for all if nobody had to be paid (the relaxed
        problem, whose marginal prices show which tariff to try first).
    rounds
        Rounds over all units.
    warm
        Where to begin: at its multipliers, and, where it has schedules, from those. They must be
        among the cheapest at this tariff; the feeder and the market may have changed, and sessions
        that it does not know are placed anew.
    sessions
        Schedules of the participants, where they are given; only stations are then dispatched.
    flat
        Whether a flat draw is preferred among what costs the operator the same. A bound on costs
        alone does without.

    Notes
    -----
    Block-coordinate Frank-Wolfe (Lacoste-Julien et al. 2013) inside a method of multipliers.
    """
    situation = problem.situation
    horizon, hubs = situation.horizon, situation.hubs
    cars = session_units(problem.fleet, horizon, own=tariff is not None)
    units = concatenated(cars, station_units(hubs, horizon))
    resumed = None if warm is None else _resumed(problem, warm)
    fixed = _fixed_kw(problem, sessions, resumed)
    board = _board(problem, fixed, None if warm is None else warm.multipliers, flat=flat)
    if resumed is not None:
        _resume(units, problem, resumed)
        board.used[:] = resumed.stations.solar_kw
    zero = np.zeros((len(hubs), horizon.slots))
    prices = (tariff.charge_price, tariff.discharge_price) if tariff else (zero, zero)
    order = np.random.default_rng(ORDER_SEED).permutation(len(units.hub))
    is_session = order < len(problem.fleet)
    visits = [order[is_session]] if sessions is None else []
    visits += [order[~is_session]] * STATION_ROUNDS
    gap, first_kink = 0.0, FIRST_KINK if resumed is None else ONWARD_KINK
    for count in range(rounds):
        done = count / (rounds - 1) if rounds > 1 else 1.0
        kink = first_kink * (KINK / first_kink) ** done * problem.spread_kw
        learn = count > 0 or resumed is not None
        board = _with_levels(board._replace(kink=kink), problem, learn=learn)
        gap = sum(kernel.go_round(units, board, *prices, visit) for visit in visits)
        kernel.curtail(board)
    return _result(problem, units, board, sessions, gap, rounds)


@dataclass(frozen=True, slots=True)
class _Resumed:
    """Schedules to go on from: of the sessions that have one, and of the stations."""

    known: Flags
    schedule: Schedule
    stations: StationSchedule


def _resumed(problem: Problem, warm: WarmStart) -> _Resumed | None:
    """What a start knows of the participants' schedules; None where it is only near."""
    if warm.session is None or warm.schedule is None or warm.stations is None:
        return None
    wanted = problem.fleet.session
    if np.array_equal(wanted, warm.session):
        return _Resumed(np.ones(len(wanted), dtype=bool), warm.schedule, warm.stations)
    place = {name: k for k, name in enumerate(warm.session.tolist())}
    row = np.array([place.get(name, -1) for name in wanted.tolist()], np.int64)
    known = row >= 0
    had = warm.schedule

    def of(values: Array) -> Array:
        return np.where(known[:, None], values[row], 0.0)

    schedule = Schedule(of(had.charge_kw), of(had.discharge_kw), of(had.energy_kwh))
    return _Resumed(known, schedule, warm.stations)


def _resume(units: kernel.Units, problem: Problem, resumed: _Resumed) -> None:
    """Give the units the schedules that they had; slices of a station have equal shares of it."""
    count, hours = len(problem.fleet), problem.situation.horizon.slot_hours
    station = units.hub[count:]
    slices = np.bincount(station, minlength=len(problem.situation.hubs))[station, None]
    cars, stations = resumed.schedule, resumed.stations
    charge = np.concatenate([cars.charge_kw, stations.charge_kw[station] / slices])
    discharge = np.concatenate([cars.discharge_kw, stations.discharge_kw[station] / slices])
    gained = charge * units.charge_eff[:, None] - discharge / units.discharge_eff[:, None]
    units.change[:] = hours * gained
    units.placed[:count] = resumed.known
    units.placed[count:] = True


def _fixed_kw(problem: Problem, sessions: Schedule | None, resumed: _Resumed | None) -> Array:
    """Hub net draw before any unit moves; shape (hubs, slots) [kW]."""
    if resumed is not None:
        stations = resumed.stations
        stored = stations.charge_kw - stations.discharge_kw - stations.solar_kw
        return problem.others_kw + _vehicles(problem, resumed.schedule) + stored
    fixed = problem.others_kw - problem.situation.hubs.solar_kw
    return fixed if sessions is None else fixed + _vehicles(problem, sessions)


def _board(
    problem: Problem, fixed_kw: Array, start: Multipliers | None, *, flat: bool
) -> kernel.Board:
    market = problem.situation.market
    rows = problem.limits.rows(fixed_kw)
    worth = float(np.abs(market.purchase_price).mean()) or 1.0
    spread = problem.spread_kw
    start = start or Multipliers(
        (), np.zeros_like(rows), np.zeros_like(fixed_kw), np.zeros_like(fixed_kw)
    )
    return kernel.Board(
        net=fixed_kw.copy(),
        rows=rows,
        coefficient=problem.limits.coefficient,
        bound=problem.limits.upper.copy(),
        multiplier=start.on(problem.limits.row),
        import_level=problem.import_limit_kw.copy(),
        export_level=problem.export_limit_kw.copy(),
        import_multiplier=start.imports.copy(),
        export_multiplier=start.exports.copy(),
        purchase=market.purchase_price,
        feed_in=market.feed_in_price,
        incentive=market.incentive,
        solar=problem.situation.hubs.solar_kw,
        used=problem.situation.hubs.solar_kw.copy(),
        slot_hours=problem.situation.horizon.slot_hours,
        kink=KINK * spread,
        stiffness=STIFFNESS * worth / spread,
        hub_stiffness=STIFFNESS * worth / spread * len(fixed_kw),
        flatness=FLATNESS * worth / spread * flat,
        middle=float(rows[0].mean()),
        hub_flatness=HUB_FLATNESS * worth / spread * len(fixed_kw) * flat,
        hub_middle=fixed_kw.mean(axis=1),
    )


def _with_levels(board: kernel.Board, problem: Problem, *, learn: bool) -> kernel.Board:
    """Set the free levels to balance; then, where ``learn``, let the multipliers follow."""
    if np.isfinite(problem.span_kw):
        upper = problem.limits.upper
        peak = kernel.head_level(board, problem.span_kw, float(upper[0].max()))
        board.bound[0] = np.minimum(peak, upper[0])
        board.bound[1] = np.minimum(problem.span_kw - peak, upper[1])
    for h, limit in enumerate(problem.import_limit_kw):
        demand_charge = problem.situation.market.demand_charge
        board.import_level[h] = kernel.import_level(board, h, limit, demand_charge)
    if learn:
        pressed = _duals(problem.limits.row, board)
        board.multiplier[:] = pressed.rows
        board.import_multiplier[:] = pressed.imports
        board.export_multiplier[:] = pressed.exports
    board.hub_middle[:] = board.net.mean(axis=1)
    return board._replace(middle=float(board.rows[0].mean()))


def _result(
    problem: Problem,
    units: kernel.Units,
    board: kernel.Board,
    sessions: Schedule | None,
    gap: float,
    rounds: int,
) -> Dispatch:
    situation, count = problem.situation, len(problem.fleet)
    hubs, horizon = situation.hubs, situation.horizon
    schedule = sessions or schedule_of(problem.fleet, units.change[:count], horizon)
    station_change = np.zeros((len(hubs), horizon.slots))
    np.add.at(station_change, units.hub[count:], units.change[count:])
    stations = station_schedule(hubs, horizon, station_change, board.used)
    cars = _vehicles(problem, schedule)
    hub_kw = problem.others_kw + cars + stations.charge_kw - stations.discharge_kw - board.used
    price = kernel.marginal_prices(board)
    row = problem.limits.row
    multipliers = Multipliers(
        row, board.multiplier, board.import_multiplier, board.export_multiplier
    )
    duals = _duals(row, board)
    span_price = horizon.slot_hours * float(duals.rows[:2].sum(axis=1).max())
    return Dispatch(
        schedule, stations, hub_kw, multipliers, duals, price, span_price, gap, rounds,
        problem.fleet.session,
    )  # fmt: skip


def _duals(row: tuple[str, ...], board: kernel.Board) -> Multipliers:
    """How hard each shared limit pushes now: its multiplier, moved by what is over."""
    over_import = board.net - board.import_level[:, None]
    over_export = -board.net - board.export_level[:, None]
    return Multipliers(
        row,
        _pushed(board.multiplier, board.stiffness * (board.rows - board.bound)),
        _pushed(board.import_multiplier, board.hub_stiffness * over_import),
        _pushed(board.export_multiplier, board.hub_stiffness * over_export),
    )


def _pushed(multiplier: Array, by: Array) -> Array:
    pushed: Array = np.maximum(multiplier + by, 0.0)
    return pushed


def _vehicles(problem: Problem, schedule: Schedule) -> Array:
    power = schedule.charge_kw - schedule.discharge_kw
    return sum_by_hub(len(problem.situation.hubs), problem.fleet.hub, power)
