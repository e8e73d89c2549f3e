"""Dispatch: among all cheapest schedules, those that are best for operator and feeder.

Several futures may be dispatched at once: sessions that are present take one schedule for all of
them, sessions that are only expected are in one future and count with its weight, and station
batteries answer to each future as it comes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from hubwise.dispatch import kernel
from hubwise.dispatch.alike import check_alike, weights
from hubwise.dispatch.board import (
    duals_of,
    line_prices,
    make_board,
    places,
    rows,
)
from hubwise.dispatch.game import Game, Play
from hubwise.dispatch.present import rows_of_sessions
from hubwise.dispatch.problem import Problem
from hubwise.dispatch.ties import Held, by_devices
from hubwise.dispatch.units import (
    concatenated,
    rows_of,
    session_units,
    station_schedule,
    station_units,
)
from hubwise.dispatch.warm import Multipliers, WarmStart
from hubwise.domain import Fleet, Schedule, StationSchedule, Tariff
from hubwise.domain.arrays import Array, Flags, Index, Names, among, standing
from hubwise.drivers import Batteries, schedule_of
from hubwise.ledger import sum_by_hub


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
    duals
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
    line_kw
        What flows through every circuit and phase; shape (lines, slots) [kW].
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
    line_kw: Array

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
    held = held_in(problem, tariff, sessions)
    game = begun([problem], np.ones(1), tariff, [warm], held=[held], flat=flat)
    gap = _played(game, tariff, rounds)
    return result_of(game, 0, gap, rounds)


def dispatch_futures(
    problems: Sequence[Problem],
    shares: Sequence[float],
    tariff: Tariff | None,
    *,
    present: Names | None = None,
    rounds: int = 6,
    warm: Sequence[WarmStart | None] | None = None,
    flat: bool = True,
) -> tuple[Dispatch, ...]:
    """Schedule participants and stations in several futures at once.

    Parameters
    ----------
    problems
        One for each future: its sessions, loads and prices, on the same slots and at the same hubs.
    shares
        Their weights; they are made to sum to 1.
    tariff
        As in `dispatch`.
    present
        Sessions that are here already: participants in every future, with one schedule in all.
        The others are only expected, each in its own future.
    rounds
        Rounds over all units.
    warm
        Where to begin in each future.
    flat
        As in `dispatch`.

    Returns
    -------
    tuple
        What is dispatched in each future; ``gap`` is that of all together, by their weights.

    Raises
    ------
    ValueError
        Where a present session is missing in a future or is another one there, where futures are
        not of one place and its terms, or where weights are none.
    """
    weight = weights(problems, shares)
    starts = list(warm) if warm is not None else [None] * len(problems)
    if len(starts) != len(problems):
        raise ValueError(f"{len(starts)} starts for {len(problems)} futures: give each its own")
    check_alike(problems)
    held = [held_in(problem, tariff) for problem in problems]
    game = begun(problems, weight, tariff, starts, held=held, present=present, flat=flat)
    gap = _played(game, tariff, rounds)
    return tuple(result_of(game, f, gap, rounds) for f in range(len(problems)))


def held_in(
    problem: Problem, tariff: Tariff | None, sessions: Schedule | None = None
) -> Held | None:
    """Whose schedules are not to be chosen: all where they are given; nobody's when relaxed."""
    if sessions is not None:
        return Held(np.ones(len(problem.fleet), np.bool_), sessions)
    return None if tariff is None else by_devices(problem, tariff)


def begun(
    problems: Sequence[Problem],
    shares: Array,
    tariff: Tariff | None,
    starts: Sequence[WarmStart | None],
    *,
    held: Sequence[Held | None],
    present: Names | None = None,
    flat: bool = True,
) -> Game:
    """Units and board before the first round, with the schedules to go on from."""
    horizon = problems[0].situation.horizon
    for start in starts:
        if start is not None:
            start.check_fits(len(problems[0].situation.hubs), horizon.slots)
    fleets, cars = rows_of_sessions([problem.fleet for problem in problems], present)
    units, stations = _units(problems, fleets, present, own=tariff is not None)
    resumed = [
        None if start is None else _resumed(problem, start, mine)
        for problem, start, mine in zip(problems, starts, held, strict=True)
    ]
    fixed = [
        _fixed_kw(problem, mine, part)
        for problem, mine, part in zip(problems, held, resumed, strict=True)
    ]
    prices = [None if start is None else start.multipliers for start in starts]
    flows = [
        _fixed_lines(problem, mine, part)
        for problem, mine, part in zip(problems, held, resumed, strict=True)
    ]
    board = make_board(problems, shares, fixed, prices, flat=flat, line_kw=flows)
    change = np.zeros((len(units.hub), horizon.slots))
    placed = np.zeros(len(units.hub), np.bool_)
    count = sum(len(fleet) for fleet in fleets)
    game = Game(
        problems, units, change, placed, cars, stations, count, board,
        all(part is not None for part in resumed), held,
    )  # fmt: skip
    for f, part in enumerate(resumed):
        if part is not None:
            _resume(game, f, part)
        elif (mine := held[f]) is not None:
            _place(game, cars[f], mine)
    return game


def _units(
    problems: Sequence[Problem], fleets: Sequence[Fleet], present: Names | None, *, own: bool
) -> tuple[Batteries, tuple[Index, ...]]:
    """Sessions of all futures, then stations of all; and the rows of each future's stations.

    Those of the first fleet that are not present are only expected, like the others'.
    """
    horizon, futures = problems[0].situation.horizon, len(problems)
    rest = problems[0].terms.rest
    parts = [session_units(fleet, horizon, own=own) for fleet in fleets]
    parts += [station_units(problem.situation.hubs, horizon, rest) for problem in problems]
    for k, part in enumerate(parts):
        f = k % futures
        size = len(part.hub)
        first, last = np.full(size, f), np.full(size, f + 1)
        if k == 0 and present is not None:
            shared = among(fleets[0].session, present)
            first, last = np.where(shared, 0, first), np.where(shared, futures, last)
        parts[k] = part._replace(first_future=first, last_future=last)
    units = parts[0]
    for part in parts[1:]:
        units = concatenated(units, part)
    ends = np.cumsum([sum(len(fleet) for fleet in fleets), *(len(p.hub) for p in parts[futures:])])
    return units, tuple(np.arange(a, b) for a, b in pairwise(ends))


def _played(game: Game, tariff: Tariff | None, rounds: int) -> float:
    """Go round the units; the duality gap of the last round [currency]."""
    play = Play.of(game, tariff)
    gap = 0.0
    for count in range(rounds):
        gap = play.round(count, rounds)
    return gap


@dataclass(frozen=True, slots=True)
class _Resumed:
    """Schedules to go on from: of the sessions that have one, and of the stations."""

    known: Flags
    schedule: Schedule
    stations: StationSchedule


def _resumed(problem: Problem, warm: WarmStart, held: Held | None) -> _Resumed | None:
    """What a start knows of the participants' schedules; None where it is only near.

    Who is held does what it is held to.
    """
    known = _known(problem, warm)
    if known is None or held is None:
        return known
    return _Resumed(known.known | held.rows, held.into(known.schedule), known.stations)


def _known(problem: Problem, warm: WarmStart) -> _Resumed | None:
    if warm.session is None or warm.schedule is None or warm.stations is None:
        return None
    wanted = problem.fleet.session
    if np.array_equal(wanted, warm.session):
        return _Resumed(np.ones(len(wanted), dtype=bool), warm.schedule, warm.stations)
    row = standing(wanted, warm.session)
    known = row >= 0
    had = warm.schedule

    def of(values: Array) -> Array:
        found = np.zeros((len(row), values.shape[1]))
        found[known] = values[row[known]]
        return found

    schedule = Schedule(of(had.charge_kw), of(had.discharge_kw), of(had.energy_kwh))
    return _Resumed(known, schedule, warm.stations)


def _resume(game: Game, f: int, resumed: _Resumed) -> None:
    """Give the units the schedules that they had; slices of a station have equal shares of it."""
    units, cars, slices = game.units, game.cars[f], game.stations[f]
    station, hours = units.hub[slices], game.board.slot_hours
    each = np.bincount(station, minlength=game.board.hubs)[station, None]
    had, stations = resumed.schedule, resumed.stations
    charge = np.concatenate([had.charge_kw, stations.charge_kw[station] / each])
    discharge = np.concatenate([had.discharge_kw, stations.discharge_kw[station] / each])
    rows = np.concatenate([cars, slices])
    gained = charge * units.charge_eff[rows, None] - discharge / units.discharge_eff[rows, None]
    game.change[rows] = hours * gained
    game.placed[cars] = resumed.known
    game.placed[slices] = True
    game.board.used[places(game.board, f)] = stations.solar_kw


def _place(game: Game, cars: Index, held: Held) -> None:
    """Give the units that are held the schedules that they are held to."""
    rows, done = cars[held.rows], held.schedule
    into = done.charge_kw[held.rows] * game.units.charge_eff[rows, None]
    out = done.discharge_kw[held.rows] / game.units.discharge_eff[rows, None]
    game.change[rows] = game.board.slot_hours * (into - out)
    game.placed[rows] = True


def _fixed_kw(problem: Problem, held: Held | None, resumed: _Resumed | None) -> Array:
    """Hub net draw before any unit moves; shape (hubs, slots) [kW]."""
    if resumed is not None:
        stations = resumed.stations
        stored = stations.charge_kw - stations.discharge_kw - stations.solar_kw
        return problem.others_kw + _vehicles(problem, resumed.schedule) + stored
    fixed = problem.others_kw - problem.situation.hubs.solar_kw
    return fixed if held is None else fixed + _vehicles(problem, held.alone())


def _fixed_lines(problem: Problem, held: Held | None, resumed: _Resumed | None) -> Array:
    """What flows through lines before any unit moves; shape (lines, slots) [kW]."""
    if resumed is not None:
        return problem.line_kw(resumed.schedule, resumed.stations)
    solar = problem.situation.hubs.solar_kw
    idle = np.zeros_like(solar)
    nothing = np.zeros((len(problem.fleet), solar.shape[1]))
    alone = Schedule(nothing, nothing, nothing) if held is None else held.alone()
    return problem.line_kw(alone, StationSchedule(idle, idle, idle, solar))


def result_of(game: Game, f: int, gap: float, rounds: int) -> Dispatch:
    """What was dispatched in future ``f``."""
    problem, board, units = game.problems[f], game.board, game.units
    hubs, horizon = problem.situation.hubs, problem.situation.horizon
    cars, slices = game.cars[f], game.stations[f]
    here, limits = places(board, f), rows(board, f, problem)
    schedule, held = schedule_of(rows_of(units, cars), game.change[cars], horizon), game.held[f]
    if held is not None:
        schedule = held.into(schedule)
    station_change = np.zeros((len(hubs), horizon.slots))
    np.add.at(station_change, units.hub[slices], game.change[slices])
    stations = station_schedule(hubs, horizon, station_change, board.used[here])
    vehicles = _vehicles(problem, schedule)
    hub_kw = (
        problem.others_kw + vehicles + stations.charge_kw - stations.discharge_kw - board.used[here]
    )
    row, duals = problem.limits.row, duals_of(board, f, problem)
    multipliers = Multipliers(
        row,
        board.multiplier[limits],
        board.import_multiplier[here].copy(),
        board.export_multiplier[here].copy(),
        line_prices(board, f).copy(),
    )
    return Dispatch(
        schedule=schedule,
        stations=stations,
        hub_kw=hub_kw,
        multipliers=multipliers,
        duals=duals,
        marginal_price=kernel.marginal_prices(board)[here],
        span_price=horizon.slot_hours * float(duals.rows[:2].sum(axis=1).max()),
        gap=gap,
        rounds=rounds,
        session=problem.fleet.session,
        line_kw=problem.line_kw(schedule, stations),
    )


def _vehicles(problem: Problem, schedule: Schedule) -> Array:
    power = schedule.charge_kw - schedule.discharge_kw
    return sum_by_hub(len(problem.situation.hubs), problem.fleet.hub, power)
