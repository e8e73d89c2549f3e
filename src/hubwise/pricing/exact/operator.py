"""The operator's side of the program: prices, connections, stations, promises, money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.dispatch import Problem, past_within
from hubwise.dispatch.program import Program
from hubwise.domain import connection_spots
from hubwise.domain.arrays import Array, Index
from hubwise.pricing.bound import most_felt
from hubwise.pricing.exact.driver import DriverColumns
from hubwise.pricing.exact.session import Session
from hubwise.pricing.family import Family
from hubwise.pricing.value import cost_ceiling

# By so much of it a driver's saving is above what it asks for: HiGHS keeps rows to this.
ROUNDING = 2e-6


@dataclass(frozen=True, slots=True)
class Hub:
    """Columns of the hubs; every array has shape (hubs, slots) [kW].

    Parameters
    ----------
    imported, exported
        Net draw where positive, and where negative.
    charged, discharged
        By the station batteries.
    solar
        Solar power used.
    """

    imported: Index
    exported: Index
    charged: Index
    discharged: Index
    solar: Index


def lawful_prices(program: Program, family: Family, *, posted: bool) -> Index:
    """Prices of a family; columns of shape (2, groups) [currency/kWh].

    ``posted`` asks for whole ticks of the family's decimals.
    """
    prices = program.columns(family.low.shape, family.low, family.high)
    if posted:
        tick = 10.0**-family.decimals
        ends = np.round(family.low / tick), np.round(family.high / tick)
        ticks = program.columns(family.low.shape, *ends, whole=True)
        program.require((prices, 1.0), (ticks, -tick), low=0.0, high=0.0)
    intercept, slope = family.headroom[:, :, None]
    program.require((prices[1], 1.0), (prices[0], -slope), high=intercept)
    if np.isfinite(family.average_cap):
        for groups in np.unique(family.group, axis=0):
            share = np.bincount(groups, minlength=family.groups) / len(groups)
            program.put(program.rows(1, -np.inf, family.average_cap), prices[0], share)
    for sign in family.signs:
        for kind in (0, 1):
            tied = np.isfinite(sign.apart[kind]) & ~np.eye(len(sign.members), dtype=bool)
            above, below = (prices[kind, sign.members[each]] for each in np.nonzero(tied))
            most = sign.apart[kind][tied] * 10.0**-family.decimals
            program.require((above, 1.0), (below, -1.0), high=most)
    return prices


def hubs(
    program: Program, problem: Problem, sessions: list[Session], answers: list[DriverColumns]
) -> Hub:
    """Connections, station batteries and solar, with what the drivers draw."""
    given, hours = problem.situation.hubs, problem.situation.horizon.slot_hours
    shape = given.solar_kw.shape
    power = np.where(given.battery_kwh > 0.0, given.battery_kw, 0.0)[:, None]
    hub = Hub(
        imported=program.columns(shape, 0.0, problem.import_limit_kw[:, None]),
        exported=program.columns(shape, 0.0, problem.export_limit_kw[:, None]),
        charged=program.columns(shape, 0.0, power),
        discharged=program.columns(shape, 0.0, power),
        solar=program.columns(shape, 0.0, given.solar_kw),
    )
    rows = program.require(
        (hub.imported, 1.0), (hub.exported, -1.0), (hub.solar, 1.0), (hub.charged, -1.0),
        (hub.discharged, 1.0), low=problem.others_kw, high=problem.others_kw,
    )  # fmt: skip
    for session, driver in zip(sessions, answers, strict=True):
        row = rows[session.hub, session.arrival : session.arrival + len(driver.into)]
        program.put(row, driver.into, -session.step_kwh / (session.charge_efficiency * hours))
        program.put(row, driver.out, session.step_kwh * session.discharge_efficiency / hours)
    _store(program, problem, hub)
    _keep_lines(program, problem, hub, sessions, answers)
    return hub


def _keep_lines(
    program: Program,
    problem: Problem,
    hub: Hub,
    sessions: list[Session],
    answers: list[DriverColumns],
) -> None:
    """What flows through circuits and phases, either way, is within their limits."""
    lines, others = problem.lines, problem.others_line_kw
    if not len(lines):
        return
    limit, hours = lines.limit_kw[:, None], problem.situation.horizon.slot_hours
    rows = program.rows(others.shape, -limit - others, limit - others)
    for unit, line, share in zip(*lines.of_spots(problem.fleet.spots), strict=True):
        session, driver = sessions[unit], answers[unit]
        row = rows[line, session.arrival : session.arrival + len(driver.into)]
        step = share * session.step_kwh / hours
        program.put(row, driver.into, step / session.charge_efficiency)
        program.put(row, driver.out, -step * session.discharge_efficiency)
    at, line, share = lines.of_spots(connection_spots(len(problem.situation.hubs)))
    for part, sign in ((hub.charged, 1.0), (hub.discharged, -1.0), (hub.solar, -1.0)):
        program.put(rows[line], part[at], sign * share[:, None])


def _store(program: Program, problem: Problem, hub: Hub) -> None:
    """Energy of the station batteries."""
    given, hours = problem.situation.hubs, problem.situation.horizon.slot_hours
    start = given.battery_initial_kwh
    least = np.zeros(hub.charged.shape)
    least[:, -1] = given.least_final_kwh
    before = np.zeros_like(least)
    before[:, 0] = start
    energy = program.columns(least.shape, least, np.maximum(given.battery_kwh, start)[:, None])
    into = hours * given.battery_charge_efficiency[:, None]
    out = hours / given.battery_discharge_efficiency[:, None]
    rows = program.require(
        (energy, 1.0), (hub.charged, -into), (hub.discharged, out), low=before, high=before
    )
    program.put(rows[:, 1:], energy[:, :-1], -1.0)
    value = np.broadcast_to(given.battery_end_value, len(given))
    program.earn(energy[:, -1], value)
    program.constant -= float(value @ given.least_final_kwh)


def keep_limits(program: Program, problem: Problem, hub: Hub) -> None:
    """What all hubs share: feeder head, voltages, branches, and the peak-valley promise."""
    limits = problem.limits
    row, slot = np.nonzero(np.isfinite(limits.upper))
    _share(program, problem, hub, row, slot, limits.upper[row, slot])
    if np.isfinite(problem.span_kw):
        slot = np.arange(limits.upper.shape[1])
        past = problem.situation.so_far
        span = max(problem.span_kw, past.head_span_kw)
        peak = program.columns(1, past.head_peak_kw, past.head_valley_kw + span)
        head = np.zeros_like(slot)
        for row, most, sign in ((head, 0.0, -1.0), (head + 1, span, 1.0)):
            program.put(_share(program, problem, hub, row, slot, most), peak, sign)


def _share(
    program: Program, problem: Problem, hub: Hub, row: Index, slot: Index, most: Array | float
) -> Index:
    """Rows that keep rows ``row`` of the shared limits in slots ``slot`` at most at ``most``."""
    limits = problem.limits
    rows = program.rows(row.shape, -np.inf, most - limits.offset[row, slot])
    coefficient = limits.coefficient[row, :, slot]
    program.put(rows[:, None], hub.imported[:, slot].T, coefficient)
    program.put(rows[:, None], hub.exported[:, slot].T, -coefficient)
    return rows


def keep_saving(program: Program, problem: Problem, answers: list[DriverColumns]) -> None:
    """Participants' net cost, wear included, is together at most what was promised."""
    most = cost_ceiling(problem)
    if np.isfinite(most):
        row = program.rows(1, -np.inf, most)
        for driver in answers:
            for columns, factor in driver.net_cost:
                program.put(row, columns, factor)


def keep_each(
    program: Program, problem: Problem, sessions: list[Session], answers: list[DriverColumns]
) -> None:
    """Whoever would decline some lawful tariff finds this one worth taking part."""
    most, declines = most_felt(problem)
    for i in np.flatnonzero(declines):
        worth = sessions[i].surplus_value
        paid = float(most[i] - worth * problem.fleet.required_kwh[i])
        row = program.rows(1, -np.inf, paid - ROUNDING * (1.0 + abs(paid)))
        for columns, factor in answers[i].net_cost:
            program.put(row, columns, factor)
        program.put(row, answers[i].left, -worth * sessions[i].step_kwh)


def earn(
    program: Program,
    problem: Problem,
    hub: Hub,
    sessions: list[Session],
    answers: list[DriverColumns],
) -> None:
    """The operator's profit, line by line as the ledger counts it."""
    situation = problem.situation
    given, market, hours = situation.hubs, situation.market, situation.horizon.slot_hours
    terms = problem.terms
    for session, driver in zip(sessions, answers, strict=True):
        for columns, factor in driver.net_cost:
            program.earn(columns, factor)
        plugged = slice(session.arrival, session.arrival + len(driver.out))
        worth = terms.discharge[session.group_of_terms, plugged] * session.discharge_efficiency
        program.earn(driver.out, session.step_kwh * (worth - session.wear_cost))
        stored = terms.charge[session.group_of_terms, plugged] / session.charge_efficiency
        program.earn(driver.into, session.step_kwh * stored)
    program.earn(hub.imported, -hours * market.purchase_price)
    program.earn(hub.exported, hours * market.feed_in_price)
    wear = given.battery_wear_cost / given.battery_discharge_efficiency
    program.earn(hub.discharged, -hours * wear[:, None])
    if situation.periods.charged:
        periods, past = situation.periods, past_within(problem)
        peak = program.columns(past.shape, past, problem.import_limit_kw[:, None])
        program.require((hub.imported, 1.0), (periods.by_slot(peak), -1.0), high=0.0)
        program.earn(peak, -periods.charge)
        program.constant += float((past * periods.charge).sum())
    program.constant += problem.others_cost - float(
        given.lease_cost.sum() + given.running_cost.sum()
    )
