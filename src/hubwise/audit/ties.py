"""Other choices among drivers' cheapest schedules, by two linear programs a driver.

The first finds the least cost. Its reduced costs say what every cheapest schedule has in common;
the second chooses among what they leave open.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np

from hubwise.audit.evidence import Evidence
from hubwise.audit.felt import felt_prices
from hubwise.audit.program import Stay, linear_program, make_solver, stays
from hubwise.domain import Fleet, Schedule, Tariff
from hubwise.domain.arrays import Array, Index

# Reduced costs above this are a price that no cheapest schedule pays [currency/kW].
OPEN = 1e-8


# Prices that agree in so many decimals are one.
PRICE_DECIMALS = 9

# Schedules nearer than this are the same [kW, kWh].
SAME = 1e-5


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice among drivers' cheapest schedules.

    Parameters
    ----------
    schedule
        Of every session; who does not take part keeps the plan's.
    single
        Whether no other schedule is as good by both costs.
    """

    schedule: Schedule
    single: bool


@dataclass(frozen=True, slots=True)
class SecondCost:
    """What decides among cheapest schedules.

    Parameters
    ----------
    put_in, taken
        Of charging and discharging [1/kWh at the charger]; (sessions, slots).
    drawn, surplus
        Of what is drawn from the battery, and what energy at departure is worth; (sessions,)
        [1/kWh in the battery].
    """

    put_in: Array
    taken: Array
    drawn: Array
    surplus: Array


def as_early_as_possible(evidence: Evidence) -> Choice:
    """Each driver's own device breaks ties by itself: a kWh counts more the later it flows."""
    slots = evidence.schedule.charge_kw.shape
    late = np.broadcast_to(np.arange(slots[1]) / slots[1], slots)
    nothing = np.zeros(slots[0])
    return chosen(evidence, SecondCost(late, late, nothing, nothing))


def against_the_operator(evidence: Evidence) -> Choice:
    """Ties take the operator as much as they can, all energy at the purchase price.

    What drivers pay less wear, and with the worth of surplus, is the same in all cheapest
    schedules; so what the operator keeps is that, with terms, less wear and purchases.
    """
    fleet, situation = evidence.fleet, evidence.scenario.situation
    put_in = np.broadcast_to(-situation.market.purchase_price, evidence.schedule.charge_kw.shape)
    taken = -put_in
    for term in situation.terms.parts:
        g = fleet.groups
        put_in = put_in + (term.charge_to_driver + term.charge_to_operator)[g]
        taken = taken + (term.discharge_to_driver + term.discharge_to_operator)[g]
    return chosen(evidence, SecondCost(put_in, taken, -fleet.wear_cost, -fleet.surplus_value))


def begun_by_devices(evidence: Evidence, rows: Index) -> tuple[Array, Array]:
    """How late devices choose, and how late they may: what they do, and the least; (rows,).

    A kWh counts more the later it flows: in time, or, where devices begin at a moment of their own,
    with the first slots at every price after all others.
    """
    fleet, slots = evidence.fleet.select(rows), evidence.schedule.charge_kw.shape[1]
    late = [np.broadcast_to(np.arange(slots) / slots, (len(rows), slots))] * 2
    if fleet.device_begins is not None:
        prices = felt_prices(evidence)
        late = [_turned(fleet, fleet.device_begins, price[rows]) for price in prices]
    done = [getattr(evidence.schedule, name)[rows] for name in ("charge_kw", "discharge_kw")]
    did = sum((evidence.hours * kw * each).sum(axis=1) for kw, each in zip(done, late, strict=True))
    least = np.empty(len(rows))
    program, nothing = make_solver(), np.zeros(slots)
    for k, stay in enumerate(_stays_of(evidence, rows)):
        when = slice(int(fleet.arrival_slot[k]), int(fleet.departure_slot[k]))
        cost = np.concatenate([evidence.hours * each[k, when] for each in late] + [nothing[when]])
        program.passModel(linear_program(stay))
        _solved(program)
        _close(program)
        least[k] = cost @ _solved(program, cost)
    return np.asarray(did), least


def _turned(fleet: Fleet, begins: Array, price: Array) -> Array:
    """The place of every slot in a device's own order; (sessions, slots)."""
    slots = price.shape[1]
    late = np.tile(np.arange(slots, dtype=float), (len(fleet), 1))
    for i, share in enumerate(begins):
        here = np.arange(fleet.arrival_slot[i], fleet.departure_slot[i])
        levels = np.round(price[i, here], PRICE_DECIMALS)
        for level in set(levels.tolist()):
            same = here[levels == level]
            late[i, same[: int(share * len(same))]] += slots
    turned: Array = late / slots
    return turned


def chosen(evidence: Evidence, second: SecondCost) -> Choice:
    """What each participant takes among its cheapest schedules: the least by a second cost."""
    fleet = evidence.fleet
    rows = np.flatnonzero(fleet.participating)
    columns = [getattr(evidence.schedule, name).copy() for name in _COLUMNS]
    program, single = make_solver(), True
    for i, stay in zip(rows, _stays_of(evidence, rows), strict=True):
        when = slice(int(fleet.arrival_slot[i]), int(fleet.departure_slot[i]))
        loss = evidence.hours / fleet.discharge_efficiency[i]
        at_departure = np.append(np.zeros(len(stay.charge_cost) - 1), -second.surplus[i])
        cost = [
            evidence.hours * second.put_in[i, when],
            evidence.hours * second.taken[i, when] + loss * second.drawn[i],
            at_departure,
        ]
        program.passModel(linear_program(stay))
        found, alone = _least(program, np.concatenate(cost))
        single = single and alone
        for column, values in zip(columns, found.reshape(3, -1), strict=True):
            column[i, when] = values
        columns[2][i, when.stop :] = found[-1]
    return Choice(Schedule(*columns), single)


def _stays_of(evidence: Evidence, rows: Index) -> list[Stay]:
    """The problems of some sessions at what they feel."""
    charge, discharge = felt_prices(evidence)
    own = evidence.fleet.select(rows).offered(np.arange(len(rows)))
    felt = Tariff(charge[rows], discharge[rows])
    return stays(own, felt, evidence.scenario.situation.horizon)


_COLUMNS = ("charge_kw", "discharge_kw", "energy_kwh")


def _least(program: highspy.Highs, cost: Array) -> tuple[Array, bool]:
    """The columns of least second cost among a program's optima, and whether they are alone."""
    _solved(program)
    _close(program)
    best = _solved(program, cost)
    _close(program)
    # Two opposite ways through what is still open lead to one place only where there is one.
    way = np.cos(np.arange(len(cost)) ** 2)
    ends = [_solved(program, side * way) for side in (1.0, -1.0)]
    return best, bool(np.abs(ends[0] - ends[1]).max(initial=0.0) <= SAME)


def _solved(program: highspy.Highs, cost: Array | None = None) -> Array:
    if cost is not None:
        program.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), cost)
    program.run()
    if program.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS ends with {program.getModelStatus()} among cheapest schedules")
    return np.array(program.getSolution().col_value)


def _close(program: highspy.Highs) -> None:
    """Hold what every optimum has in common: columns and the limit that have a reduced cost."""
    found = program.getSolution()
    value, last = np.array(found.col_value), len(found.row_value) - 1
    for column in np.flatnonzero(np.abs(found.col_dual) > OPEN):
        program.changeColBounds(int(column), value[column], value[column])
    if abs(found.row_dual[last]) > OPEN:
        program.changeRowBounds(last, found.row_value[last], found.row_value[last])
