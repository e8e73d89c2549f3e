"""The operator's bilevel problem as one mixed-integer program, solved to optimality."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from time import perf_counter

import numpy as np

from hubwise.dispatch import Problem
from hubwise.dispatch.program import Program, Solution, UnsolvedError
from hubwise.dispatch.units import station_schedule
from hubwise.domain import Schedule, StationSchedule, Status, Tariff
from hubwise.domain.arrays import Array, Index
from hubwise.drivers import batteries_of, best_response, schedule_cost, schedule_of
from hubwise.pricing.exact.driver import DriverColumns, driver_columns
from hubwise.pricing.exact.operator import (
    Hub,
    earn,
    hubs,
    keep_each,
    keep_limits,
    keep_saving,
    lawful_prices,
)
from hubwise.pricing.exact.session import Session, sessions
from hubwise.pricing.exact.ticks import rounded
from hubwise.pricing.family import Family
from hubwise.pricing.value import Value, account_of, value_of

# Ways to round the prices that are tried, in how many rounds of dispatch; and the best's rounds.
ROUNDINGS = 40
FEW_ROUNDS = 8
ROUNDS = 40
# A battery that is both charged and discharged in a slot, each by more than this share of what it
# can, goes in a circle.
CIRCLE = 1e-6
# Program and ledger count the same profit to this share.
AGREEMENT = 1e-6


@dataclass(frozen=True, slots=True)
class Exact:
    """The best tariff of a family, and how sure that is.

    Parameters
    ----------
    status
        ``OPTIMAL``, or ``TIME_LIMIT`` where the gap asked for was not reached.
    prices
        The price vector; shape (2, groups) [currency/kWh].
    tariff
        The same, as posted at every hub and slot.
    schedule, stations
        What participants and stations do.
    profit, bound
        The operator's profit, and the most that any tariff of the family brings [currency].
    gap
        What lies between them, as a share of the bound.
    regret
        The most that any participant could gain by another schedule [currency].
    posted
        What the dispatch makes of the prices rounded as posted, in the best way found.
    nodes, seconds
        Of the branch-and-bound tree, and of the whole [s].
    """

    status: Status
    prices: Array
    tariff: Tariff
    schedule: Schedule
    stations: StationSchedule
    profit: float
    bound: float
    gap: float
    regret: float
    posted: Value
    nodes: int
    seconds: float


def solve_exact(
    problem: Problem,
    family: Family,
    *,
    seconds: float = 60.0,
    nodes: int | None = None,
    gap: float = 1e-4,
    start: Array | None = None,
    posted: bool = False,
) -> Exact:
    """The best tariff of ``family``, drivers answering with their best responses.

    Ties among a driver's best responses are broken for the operator, as the dispatch does. The
    feeder is the linear one of ``problem``. Meant for few sessions, each standing for a class of
    identical drivers (see `merged`): the effort grows steeply with their number.

    Parameters
    ----------
    problem, family
        What is priced.
    seconds
        Most time for the search [s].
    nodes
        Most nodes of its tree: a limit that is the same on every machine.
    gap
        How near to the bound is near enough, as a share.
    start
        A price vector to begin with; shape (2, groups) [currency/kWh].
    posted
        Whether prices are whole ticks of the family's decimals, as they are posted. Else they are
        any numbers between their bounds, which is easier to solve and bounds what can be posted;
        the difference is what ties are worth that a price list cannot express.

    Raises
    ------
    UnsolvedError
        If no tariff keeps promises and limits, or none was found in time.
    UnsuitableError
        If the family leaves prices unbounded, or sessions have what the program does not know.

    Notes
    -----
    Lower level by its Karush-Kuhn-Tucker conditions, revenue by strong duality: see `answer` and,
    for the big-M constants, `stay`.
    """
    began = perf_counter()
    model = _written(problem, family, posted=posted)
    solution = _solved(model, began, seconds, nodes, gap, start)
    return _result(problem, family, model, solution, began)


def count_switches(problem: Problem, family: Family, most: float = np.inf) -> int:
    """How many columns of the exact program in ticks are whole: what its effort grows with.

    Parameters
    ----------
    problem, family
        As `solve_exact`.
    most
        Beyond so many it is not counted on.

    Raises
    ------
    UnsuitableError
        As `solve_exact`.
    """
    program = Program()
    prices = lawful_prices(program, family, posted=True)
    for session in sessions(problem, family):
        driver_columns(program, prices, session)
        if program.switch_count > most:
            break
    return program.switch_count


@dataclass(frozen=True, slots=True)
class _Model:
    """The program, and which of its columns are what."""

    program: Program
    prices: Index
    sessions: list[Session]
    answers: list[DriverColumns]
    hub: Hub
    station_kw: Array

    def batteries(self) -> Iterator[tuple[Index, Index, Array, Array]]:
        """Columns in and out of every battery, and the most that a slot can hold of each."""
        for session, driver in zip(self.sessions, self.answers, strict=True):
            yield driver.into, driver.out, session.up, session.down
        for charged, discharged, power in zip(
            self.hub.charged, self.hub.discharged, self.station_kw, strict=True
        ):
            most = np.full(len(charged), power)
            yield charged, discharged, most, most


def _written(problem: Problem, family: Family, *, posted: bool) -> _Model:
    program = Program()
    prices = lawful_prices(program, family, posted=posted)
    given = sessions(problem, family)
    answers = [driver_columns(program, prices, session) for session in given]
    hub = hubs(program, problem, given, answers)
    keep_limits(program, problem, hub)
    keep_saving(program, problem, answers)
    keep_each(program, problem, given, answers)
    earn(program, problem, hub, given, answers)
    return _Model(program, prices, given, answers, hub, problem.situation.hubs.battery_kw)


def _solved(
    model: _Model,
    began: float,
    seconds: float,
    nodes: int | None,
    gap: float,
    start: Array | None,
) -> Solution:
    """Solve; where a battery goes in a circle, forbid that there and solve again.

    Circles pay only where a slot's energy has a negative price or an incentive outweighs the
    losses, so the switches against them are left out until one is found.
    """
    program = model.program
    while True:
        left = max(seconds - (perf_counter() - began), 0.1 * seconds)
        begin = _begun(model, left, nodes, gap, start)
        solution = program.solve(seconds=left, nodes=nodes, gap=gap, start=begin)
        circles = _circles(model, solution.values)
        if not circles:
            return solution
        for into, out, most_in, most_out in circles:
            fills = program.switches(into.shape)
            program.require((into, 1.0), (fills, -most_in), high=0.0)
            program.require((out, 1.0), (fills, most_out), high=most_out)
        start = solution.values[model.prices]


def _begun(
    model: _Model, seconds: float, nodes: int | None, gap: float, start: Array | None
) -> Array | None:
    """All columns at the prices ``start``; None where these keep not all promises."""
    if start is None:
        return None
    try:
        fixed = (model.prices, start)
        return model.program.solve(seconds=seconds, nodes=nodes, gap=gap, fixed=fixed).values
    except UnsolvedError:
        return None


def _circles(model: _Model, values: Array) -> list[tuple[Index, Index, Array, Array]]:
    """Slots in which a battery is charged and discharged: columns in and out, and their most."""
    found = []
    for into, out, most_in, most_out in model.batteries():
        circling = (values[into] > CIRCLE * most_in) & (values[out] > CIRCLE * most_out)
        if circling.any():
            found.append((into[circling], out[circling], most_in[circling], most_out[circling]))
    return found


def _result(
    problem: Problem, family: Family, model: _Model, solution: Solution, began: float
) -> Exact:
    fleet, horizon = problem.fleet, problem.situation.horizon
    prices = solution.values[model.prices]
    tariff = family.tariff(prices)
    schedule = schedule_of(
        batteries_of(fleet, horizon), _session_change(problem, model, solution.values), horizon
    )
    stations = _stations(problem, model, solution.values)
    profit = account_of(problem, tariff, schedule, stations)[0].profit
    if abs(profit - solution.objective) > AGREEMENT * (1.0 + abs(profit)):
        raise UnsolvedError(f"the ledger counts {profit}, the program {solution.objective}")
    cost = schedule_cost(fleet, tariff, schedule, horizon)
    bound = max(solution.bound, profit)
    return Exact(
        status=Status.OPTIMAL if solution.optimal else Status.TIME_LIMIT,
        prices=prices,
        tariff=tariff,
        schedule=schedule,
        stations=stations,
        profit=profit,
        bound=bound,
        gap=(bound - profit) / abs(bound) if bound else 0.0,
        regret=float(np.max(cost - best_response(fleet, tariff, horizon)[1], initial=0.0)),
        posted=_posted(problem, family, prices),
        nodes=solution.nodes,
        seconds=perf_counter() - began,
    )


def _posted(problem: Problem, family: Family, prices: Array) -> Value:
    """The most that prices in ticks were found to bring near ``prices``."""
    tariffs = [family.tariff(each) for each in rounded(family, prices, ROUNDINGS)]
    best = max(tariffs, key=lambda tariff: value_of(problem, tariff, rounds=FEW_ROUNDS).merit)
    return value_of(problem, best, rounds=ROUNDS)


def _session_change(problem: Problem, model: _Model, values: Array) -> Array:
    """Energy changes of the sessions' batteries; shape (sessions, slots) [kWh]."""
    change = np.zeros((len(problem.fleet), problem.situation.horizon.slots))
    for row, session, driver in zip(change, model.sessions, model.answers, strict=True):
        moved = session.step_kwh * (values[driver.into] - values[driver.out])
        row[session.arrival : session.arrival + len(moved)] = moved
    return change


def _stations(problem: Problem, model: _Model, values: Array) -> StationSchedule:
    hubs, horizon = problem.situation.hubs, problem.situation.horizon
    into = values[model.hub.charged] * hubs.battery_charge_efficiency[:, None]
    out = values[model.hub.discharged] / hubs.battery_discharge_efficiency[:, None]
    change = horizon.slot_hours * (into - out)
    return station_schedule(hubs, horizon, change, values[model.hub.solar])
