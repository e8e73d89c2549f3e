"""The same dispatch as one linear program, for hubs that are small enough.

Going round the units is quick where many sessions average out; where few make lumps it stops short
of the best, by a third of a tariff's worth at times. Here all of it is one program: among all
cheapest schedules of every driver, what is best for operator and feeder. Limits that cannot be kept
are missed at a price, so that it says by how much.

A driver keeps to its cheapest schedules by one row: its cost is at most what the driver kernel says
is least. Nothing forbids a battery to charge and discharge in one slot, and where that costs it
nothing a program may do it: there one of the two is ruled out, and it is solved again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hubwise.dispatch.problem import Problem
from hubwise.dispatch.program import Linear, Program
from hubwise.dispatch.solve import Dispatch, held_in
from hubwise.dispatch.stays import Stays, energies, stays_of
from hubwise.dispatch.ties import Held
from hubwise.dispatch.units import station_schedule
from hubwise.dispatch.warm import Multipliers
from hubwise.domain import Schedule, Tariff, connection_spots
from hubwise.domain.arrays import Array, Index
from hubwise.drivers import best_response, felt_tariff, schedule_of
from hubwise.ledger import sum_by_hub

# What a kW of a broken limit costs in each slot, in mean purchase prices an hour; as in the merit
# of a tariff, far above all that a limit can be worth.
MISSED = 20.0
# A battery that is charged and discharged in a slot, each by more than this [kWh], circles.
CIRCLE = 1e-6
# Price of a kW of peak-valley difference, in mean purchase prices of a slot's energy: a choice
# among what costs the operator nearly the same.
FLAT = 1e-3
# How much above its least cost a driver's schedule may be [currency].
REGRET = 5e-10
# How often circles are ruled out where they are found.
TRIES = 20


@dataclass(frozen=True, slots=True)
class _Columns:
    """Columns of the program; sessions' of shape (session-slots,), hubs' of shape (hubs, slots)."""

    into: Index
    out: Index
    energy: Index
    imported: Index
    exported: Index
    charged: Index
    discharged: Index
    solar: Index


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows whose prices are asked for.

    Parameters
    ----------
    balance, exports
        Of every hub and slot; shape (hubs, slots).
    imports
        The connection's, and the paid peak's where demand is charged for; (1 or 2, hubs, slots).
    limits
        The feeder's; shape (rows, slots), -1 where there is none.
    span
        Below the peak, and above the valley; shape (2, slots).
    lines
        Of circuits and phases; shape (lines, slots).
    """

    balance: Index
    limits: Index
    span: Index | None
    imports: Index
    exports: Index
    lines: Index


def dispatch_linear(
    problem: Problem,
    tariff: Tariff | None,
    *,
    sessions: Schedule | None = None,
    flat: bool = True,
    weight: float | None = None,
) -> Dispatch:
    """What `hubwise.dispatch.dispatch` approaches, exactly.

    Parameters
    ----------
    problem
        Participants and shared limits; those that cannot be kept are missed by as little as can be.
    tariff
        Posted prices; ``None`` asks for the relaxed problem.
    sessions
        Schedules of the participants, where they are given; only stations are then dispatched.
    flat
        Whether a flat head is preferred among what costs the operator nearly the same.
    weight
        Where it is given, drivers need not keep to their cheapest schedules: what they feel that
        theirs cost is weighed so much against what the operator's costs.

    Raises
    ------
    UnsolvedError
        If HiGHS ends without a solution: there is none where a battery's own bounds exclude all
        schedules, which the door refuses.
    """
    if sessions is not None:
        return _stations_alone(problem, sessions, flat=flat)
    program = Program()
    stays = stays_of(problem)
    held = held_in(problem, None if weight is not None else tariff)
    columns = _written(program, problem, stays, held)
    rows = _shared(program, problem, stays, columns)
    if flat:
        _prefer_flat(program, problem, columns)
    if tariff is not None and weight is not None:
        for part, price in _felt(problem, tariff, stays, columns):
            program.earn(part, -weight * price)
    elif tariff is not None:
        _keep_cheapest(program, problem, tariff, stays, columns, held)
    solution = _solved(program, problem, stays, columns)
    found = _dispatch(problem, stays, columns, rows, solution)
    if held is None:
        return found
    schedule = held.into(found.schedule)
    return replace(found, schedule=schedule, line_kw=problem.line_kw(schedule, found.stations))


def write_dispatch(
    program: Program, problem: Problem, tariff: Tariff, stays: Stays, held: Held
) -> _Columns:
    """The program of `dispatch_linear`: drivers at their least costs, stations, limits."""
    columns = _written(program, problem, stays, held)
    _shared(program, problem, stays, columns)
    _prefer_flat(program, problem, columns)
    _keep_cheapest(program, problem, tariff, stays, columns, held)
    return columns


def _stations_alone(problem: Problem, sessions: Schedule, *, flat: bool) -> Dispatch:
    """Stations dispatched to what participants do, as to what the others do."""
    fleet, power = problem.fleet, sessions.charge_kw - sessions.discharge_kw
    more = sum_by_hub(len(problem.situation.hubs), fleet.hub, power)
    nobody = fleet.select(np.zeros(0, np.int64))
    through = problem.others_line_kw + problem.lines.loads(fleet.spots, power)
    alone = replace(
        problem, fleet=nobody, others_kw=problem.others_kw + more, others_line_kw=through
    )
    found = dispatch_linear(alone, None, flat=flat)
    return replace(found, schedule=sessions, session=fleet.session)


def _written(program: Program, problem: Problem, stays: Stays, held: Held | None) -> _Columns:
    """Columns with their costs, and the energy in batteries; the rest is left to `_shared`."""
    hubs, market = problem.situation.hubs, problem.situation.market
    hours, units = problem.situation.horizon.slot_hours, stays.units
    most = _moves(stays, held, hours)
    into, out = (program.columns(stays.up.shape, *ends) for ends in most)
    low, high, drawn = stays.floor, np.maximum(stays.top, stays.floor), units.limit
    if held is not None:
        mine = held.rows[stays.session]
        low, high = np.where(mine, -np.inf, low), np.where(mine, np.inf, high)
        drawn = np.where(held.rows, np.inf, drawn)
    energy = program.columns(stays.up.shape, low, high)
    before = np.zeros(len(energy))
    before[stays.first] = units.start
    rows = program.require((energy, 1.0), (into, -1.0), (out, 1.0), low=before, high=before)
    later = np.setdiff1d(np.arange(len(energy)), stays.first)
    program.put(rows[later], energy[later - 1], -1.0)
    if np.isfinite(drawn).any():
        limit = program.rows(len(units.hub), -np.inf, drawn)
        program.put(limit[stays.session], out, 1.0)
    power = np.where(hubs.battery_kwh > 0.0, hubs.battery_kw, 0.0)[:, None]
    shape = hubs.solar_kw.shape
    columns = _Columns(
        into, out, energy,
        imported=program.columns(shape, 0.0, np.inf),
        exported=program.columns(shape, 0.0, np.inf),
        charged=program.columns(shape, 0.0, power),
        discharged=program.columns(shape, 0.0, power),
        solar=program.columns(shape, 0.0, hubs.solar_kw),
    )  # fmt: skip
    _store(program, problem, columns)
    group, terms = units.group[stays.session], problem.terms
    to_charge = terms.charge[group, stays.slot] / units.charge_eff[stays.session]
    to_discharge = terms.discharge[group, stays.slot] * units.discharge_eff[stays.session]
    program.earn(into, to_charge)
    program.earn(out, to_discharge - units.wear[stays.session])
    program.earn(energy[stays.last], units.surplus)
    program.earn(columns.imported, -hours * market.purchase_price)
    program.earn(columns.exported, hours * market.feed_in_price)
    wear = hubs.battery_wear_cost / hubs.battery_discharge_efficiency
    program.earn(columns.discharged, -hours * wear[:, None])
    return columns


def _moves(
    stays: Stays, held: Held | None, hours: float
) -> tuple[tuple[Array | float, Array], tuple[Array | float, Array]]:
    """Least and most that is put into, and drawn from, batteries; one, where schedules are held.

    Each shape (session-slots,) [kWh].
    """
    if held is None:
        return (0.0, stays.up), (0.0, stays.down)
    mine, (into, out) = held.rows[stays.session], energies(stays, held.schedule, hours)
    low = np.where(mine, into, 0.0), np.where(mine, out, 0.0)
    return (low[0], np.where(mine, into, stays.up)), (low[1], np.where(mine, out, stays.down))


def _prefer_flat(program: Program, problem: Problem, columns: _Columns) -> None:
    """A small price on the head's peak, less its valley."""
    offset, situation = problem.limits.offset, problem.situation
    slots = np.arange(offset.shape[1])
    worth = float(np.abs(situation.market.purchase_price).mean()) * situation.horizon.slot_hours
    for row in (0, 1):
        most = program.columns(1, -np.inf, np.inf)
        rows = program.rows(len(slots), -np.inf, -offset[row])
        _draw(program, problem, columns, rows, np.full(len(slots), row), slots)
        program.put(rows, most, -1.0)
        program.earn(most, -FLAT * worth)


def _store(program: Program, problem: Problem, columns: _Columns) -> None:
    """Energy of the station batteries; what cannot be reached at the end is not asked for."""
    hubs, hours = problem.situation.hubs, problem.situation.horizon.slot_hours
    slots = columns.charged.shape[1]
    into = hours * hubs.battery_charge_efficiency
    most = np.maximum(hubs.battery_kwh, hubs.battery_initial_kwh)
    power = np.where(hubs.battery_kwh > 0.0, hubs.battery_kw, 0.0)
    reachable = np.minimum(most, hubs.battery_initial_kwh + slots * power * into)
    least = np.zeros(columns.charged.shape)
    least[:, -1] = np.minimum(hubs.least_final_kwh, reachable)
    before = np.zeros_like(least)
    before[:, 0] = hubs.battery_initial_kwh
    energy = program.columns(least.shape, least, most[:, None])
    out = hours / hubs.battery_discharge_efficiency[:, None]
    rows = program.require(
        (energy, 1.0), (columns.charged, -into[:, None]), (columns.discharged, out),
        low=before, high=before,
    )  # fmt: skip
    program.put(rows[:, 1:], energy[:, :-1], -1.0)
    program.earn(energy[:, -1], np.broadcast_to(hubs.battery_end_value, len(hubs)))


def _shared(program: Program, problem: Problem, stays: Stays, columns: _Columns) -> _Rows:
    """Balance of every hub, connections, demand charges, and what all hubs share."""
    hours, units = problem.situation.horizon.slot_hours, stays.units
    balance = program.require(
        (columns.imported, 1.0), (columns.exported, -1.0), (columns.solar, 1.0),
        (columns.charged, -1.0), (columns.discharged, 1.0),
        low=problem.others_kw, high=problem.others_kw,
    )  # fmt: skip
    row = balance[units.hub[stays.session], stays.slot]
    program.put(row, columns.into, -1.0 / (units.charge_eff[stays.session] * hours))
    program.put(row, columns.out, units.discharge_eff[stays.session] / hours)
    imports, exports = _keep_connections(program, problem, columns)
    limits, span = _keep_limits(program, problem, columns), _keep_span(program, problem, columns)
    lines = _keep_lines(program, problem, stays, columns)
    return _Rows(balance, limits, span, imports, exports, lines)


def _keep_lines(program: Program, problem: Problem, stays: Stays, columns: _Columns) -> Index:
    """Rows of circuits and phases, shape (lines, slots): what flows either way is in the limit."""
    lines, others, units = problem.lines, problem.others_line_kw, stays.units
    if not len(lines):
        return np.zeros(others.shape, np.int64)
    limit, hours = lines.limit_kw[:, None], problem.situation.horizon.slot_hours
    rows = program.rows(others.shape, -limit - others, limit - others)
    entry, line, share = lines.of_spots(units.spot[stays.session])
    row, session = rows[line, stays.slot[entry]], stays.session[entry]
    program.put(row, columns.into[entry], share / (units.charge_eff[session] * hours))
    program.put(row, columns.out[entry], -share * units.discharge_eff[session] / hours)
    hub, line, share = lines.of_spots(connection_spots(len(problem.situation.hubs)))
    for part, sign in ((columns.charged, 1.0), (columns.discharged, -1.0), (columns.solar, -1.0)):
        program.put(rows[line], part[hub], sign * share[:, None])
    for sign in (-1.0, 1.0):
        missed = program.columns(rows.shape, 0.0, np.inf)
        program.put(rows, missed, sign)
        program.earn(missed, -_price_of_missed(problem))
    return rows


def _price_of_missed(problem: Problem) -> float:
    """What a kW of a broken limit costs in a slot [currency]."""
    worth = float(np.abs(problem.situation.market.purchase_price).mean())
    return MISSED * max(worth, 1.0)


def _missable(program: Program, problem: Problem, rows: Index) -> None:
    """Let ``rows`` be missed, at a price."""
    missed = program.columns(rows.shape, 0.0, np.inf)
    program.put(rows, missed, -1.0)
    program.earn(missed, -_price_of_missed(problem))


def _keep_connections(program: Program, problem: Problem, columns: _Columns) -> tuple[Index, Index]:
    """Rows of imports and exports: what the hub draws is at most its limit, or its paid peaks."""
    most = problem.import_limit_kw[:, None]
    sides = []
    for power, limit in ((columns.imported, most), (columns.exported, problem.export_limit_kw)):
        ends = np.broadcast_to(np.reshape(limit, (-1, 1)), power.shape)
        rows = program.require((power, 1.0), high=ends)
        _missable(program, problem, rows)
        sides.append(rows)
    periods = problem.situation.periods
    if not periods.charged:
        return sides[0][None], sides[1]
    peak = program.columns(periods.past_kw.shape, periods.past_kw, np.inf)
    program.earn(peak, -periods.charge)
    paid = program.require((columns.imported, 1.0), (periods.by_slot(peak), -1.0), high=0.0)
    return np.stack([sides[0], paid]), sides[1]


def _keep_limits(program: Program, problem: Problem, columns: _Columns) -> Index:
    """Rows of the feeder's limits, shape (rows, slots); -1 where there is none."""
    limits = problem.limits
    rows = np.full(limits.upper.shape, -1)
    row, slot = np.nonzero(np.isfinite(limits.upper))
    kept = program.rows(row.shape, -np.inf, (limits.upper - limits.offset)[row, slot])
    _draw(program, problem, columns, kept, row, slot)
    _missable(program, problem, kept)
    rows[row, slot] = kept
    return rows


def _keep_span(program: Program, problem: Problem, columns: _Columns) -> Index | None:
    """Rows of the promised peak-valley difference, shape (2, slots): below its peak, above it less.

    The peak is free, but for what the past has seen; the difference may be missed at a price.
    """
    if not np.isfinite(problem.span_kw):
        return None
    past, offset = problem.situation.so_far, problem.limits.offset
    slot, slots = np.arange(offset.shape[1]), offset.shape[1]
    # Who aims inside the past's own difference aims inside both its ends.
    inside = max(past.head_span_kw - problem.span_kw, 0.0)
    span = problem.span_kw - inside
    peak = program.columns(1, past.head_peak_kw - inside, np.inf)
    missed = program.columns(1, 0.0, np.inf)
    program.earn(missed, -_price_of_missed(problem))
    below = program.rows(slots, -np.inf, -offset[0])
    above = program.rows(slots, -np.inf, span - offset[1])
    _draw(program, problem, columns, below, np.zeros(slots, np.int64), slot)
    _draw(program, problem, columns, above, np.ones(slots, np.int64), slot)
    program.put(below, peak, -1.0)
    program.put(above, peak, 1.0)
    program.put(above, missed, -1.0)
    if np.isfinite(past.head_valley_kw):
        program.require((peak, 1.0), (missed, -1.0), high=past.head_valley_kw + problem.span_kw)
    return np.stack([below, above])


def _draw(
    program: Program, problem: Problem, columns: _Columns, rows: Index, row: Index, slot: Index
) -> None:
    """Put what the hubs' draw adds to ``row`` of the limits in ``slot`` into ``rows``."""
    coefficient = problem.limits.coefficient[row, :, slot]
    program.put(rows[:, None], columns.imported[:, slot].T, coefficient)
    program.put(rows[:, None], columns.exported[:, slot].T, -coefficient)


def _keep_cheapest(
    program: Program,
    problem: Problem,
    tariff: Tariff,
    stays: Stays,
    columns: _Columns,
    held: Held | None,
) -> None:
    """One row a driver who is not held: what it feels that its stay costs is what is least."""
    fleet, felt = felt_tariff(problem.fleet, tariff, problem.terms)
    least = best_response(fleet, felt, problem.situation.horizon, parallel=False)[1]
    most = least - fleet.surplus_value * fleet.required_kwh + REGRET
    if held is not None:
        most = np.where(held.rows, np.inf, most)
    rows = program.rows(len(most), -np.inf, most)
    into, out, energy = _felt(problem, tariff, stays, columns)
    program.put(rows[stays.session], *into)
    program.put(rows[stays.session], *out)
    program.put(rows, *energy)


def _felt(
    problem: Problem, tariff: Tariff, stays: Stays, columns: _Columns
) -> tuple[tuple[Index, Array], ...]:
    """What a stay costs its driver: columns in, out and at the end, and what each kWh costs."""
    fleet, felt = felt_tariff(problem.fleet, tariff, problem.terms)
    units, session = stays.units, stays.session
    here = fleet.lists[session], stays.slot
    buy = felt.charge_price[here] / units.charge_eff[session]
    sell = felt.discharge_price[here] * units.discharge_eff[session]
    return (
        (columns.into, buy),
        (columns.out, units.wear[session] - sell),
        (columns.energy[stays.last], -units.surplus),
    )


def _solved(program: Program, problem: Problem, stays: Stays, columns: _Columns) -> Linear:
    """Solve; where a battery goes in a circle, let it go one way there and solve again.

    First what is charged and what is discharged share the slot's time; what still does both then
    does what takes more of it. That may miss the best by a little, where circles pay.
    """
    solution = program.linear()
    into, out, most_in, most_out = _circles(problem, stays, columns, solution.values)
    if not len(into):
        return solution
    program.require((into, 1.0 / most_in), (out, 1.0 / most_out), high=1.0)
    idle: list[Index] = []
    for _ in range(TRIES):
        solution = program.linear(idle=np.concatenate([np.zeros(0, np.int64), *idle]))
        parts = solution.values[into], solution.values[out]
        circling = np.minimum(*parts) > CIRCLE
        if not circling.any():
            break
        filling = parts[0] / most_in >= parts[1] / most_out
        idle.append(np.where(filling, out, into)[circling])
    return solution


def _circles(
    problem: Problem, stays: Stays, columns: _Columns, values: Array
) -> tuple[Index, Index, Array, Array]:
    """Columns in and out of batteries that do both in some slot, and the most of each."""
    hubs = problem.situation.hubs
    power = np.broadcast_to(hubs.battery_kw[:, None], columns.charged.shape).ravel()
    into = np.concatenate([columns.into, columns.charged.ravel()])
    out = np.concatenate([columns.out, columns.discharged.ravel()])
    most_in, most_out = np.concatenate([stays.up, power]), np.concatenate([stays.down, power])
    hub = np.repeat(np.arange(len(power)) // columns.charged.shape[1], 1)
    battery = np.concatenate([stays.session, len(stays.first) + hub])
    circles = np.minimum(values[into], values[out]) > CIRCLE
    whole = np.isin(battery, battery[circles]) & (np.minimum(most_in, most_out) > 0.0)
    return into[whole], out[whole], most_in[whole], most_out[whole]


def _dispatch(
    problem: Problem, stays: Stays, columns: _Columns, rows: _Rows, solution: Linear
) -> Dispatch:
    values, horizon, hubs = solution.values, problem.situation.horizon, problem.situation.hubs
    change = np.zeros((len(problem.fleet), horizon.slots))
    change[stays.session, stays.slot] = values[columns.into] - values[columns.out]
    schedule = schedule_of(stays.units, change, horizon)
    kept = values[columns.charged] * hubs.battery_charge_efficiency[:, None]
    drawn = values[columns.discharged] / hubs.battery_discharge_efficiency[:, None]
    stored = horizon.slot_hours * (kept - drawn)
    stations = station_schedule(hubs, horizon, stored, values[columns.solar])
    vehicles = sum_by_hub(len(hubs), problem.fleet.hub, schedule.charge_kw - schedule.discharge_kw)
    net = stations.charge_kw - stations.discharge_kw - stations.solar_kw
    duals, price = _prices(problem, rows, solution.duals)
    return Dispatch(
        schedule=schedule,
        stations=stations,
        hub_kw=problem.others_kw + vehicles + net,
        multipliers=duals,
        duals=duals,
        marginal_price=price,
        span_price=horizon.slot_hours * float(duals.rows[:2].sum(axis=1).max()),
        gap=0.0,
        rounds=0,
        session=problem.fleet.session,
        line_kw=problem.line_kw(schedule, stations),
    )


def _prices(problem: Problem, rows: _Rows, duals: Array) -> tuple[Multipliers, Array]:
    """Prices of limits and connections, and of a kWh at every hub [currency/kWh]."""
    hours = problem.situation.horizon.slot_hours
    price = np.where(rows.limits >= 0, duals[rows.limits], 0.0)
    if rows.span is not None:
        price[:2] += duals[rows.span]
    imports = duals[rows.imports].sum(axis=0)
    limits, marginal = np.maximum(price, 0.0) / hours, -duals[rows.balance] / hours
    # Where nothing may be sold, or is bought in a whole billing period, a program may price that
    # limit as it likes: no more than it must.
    own = marginal - np.einsum("kt,kht->ht", limits, problem.limits.coefficient)
    forgone = problem.situation.market.feed_in_price - own
    exports = np.clip(duals[rows.exports] / hours, 0.0, np.maximum(forgone, 0.0))
    imports = np.clip(imports / hours, 0.0, np.maximum(-forgone, 0.0))
    lines = duals[rows.lines] / hours
    return Multipliers(problem.limits.row, limits, imports, exports, lines), marginal
