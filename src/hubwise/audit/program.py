"""A driver's problem as a linear program, solved by HiGHS: the model's text, nothing clever."""

from __future__ import annotations

from dataclasses import dataclass, replace

import highspy
import numpy as np
from numpy.typing import NDArray

from hubwise.audit.stays import least_kwh, limits_of
from hubwise.domain import Fleet, Horizon, Tariff
from hubwise.domain.arrays import Array

FEASIBILITY = 1e-9


@dataclass(frozen=True, slots=True)
class Stay:
    """One driver's problem; arrays have shape (slots of the stay,).

    Parameters
    ----------
    charge_cost, discharge_cost
        What a kW over one slot costs, wear included [currency/kW].
    least_kwh, most_kwh
        Bounds on the energy at the end of each slot [kWh].
    charge_gain, discharge_loss
        Energy into, and out of, the battery by a kW over one slot [kWh/kW].
    charge_kw_max, discharge_kw_max
        Limits at the charger [kW].
    arrival_kwh, discharge_limit_kwh, surplus_value
        As in `Fleet`.
    """

    charge_cost: Array
    discharge_cost: Array
    least_kwh: Array
    most_kwh: Array
    charge_gain: float
    discharge_loss: float
    charge_kw_max: Array
    discharge_kw_max: Array
    arrival_kwh: float
    discharge_limit_kwh: float
    surplus_value: float


def best_response_costs(fleet: Fleet, tariff: Tariff, horizon: Horizon) -> Array:
    """Least cost of every session, wear counted and the worth of surplus energy taken off.

    One linear program a session.

    Returns
    -------
    Array
        Shape (sessions,) [currency].

    Raises
    ------
    RuntimeError
        If HiGHS finds no optimum; the session is named.
    """
    solver = make_solver()
    costs = np.empty(len(fleet))
    for row, stay in enumerate(stays(fleet, tariff, horizon)):
        costs[row] = _optimum(solver, stay, fleet.session[row])
    return costs + fleet.surplus_value * fleet.required_kwh


def drawn_at_most(fleet: Fleet, horizon: Horizon) -> Array:
    """Most energy that each stay may draw: as wished, or as little as its bounds leave it.

    What may not be held any longer is drawn whatever was wished, and no more than that.

    Returns
    -------
    Array
        Shape (sessions,) [kWh].
    """
    most = fleet.discharge_limit_kwh.copy()
    if fleet.bounds is None:
        return most
    solver = make_solver()
    nothing = Tariff(np.zeros((len(fleet), horizon.slots)), np.zeros((len(fleet), horizon.slots)))
    free = replace(
        fleet.offered(np.arange(len(fleet))),
        wear_cost=np.ones(len(fleet)),
        surplus_value=np.zeros(len(fleet)),
        discharge_limit_kwh=np.full(len(fleet), np.inf),
    )
    wished = np.flatnonzero(np.isfinite(most))
    for row, stay in zip(wished, _stays(free.select(wished), nothing, horizon), strict=True):
        most[row] = max(most[row], _optimum(solver, stay, fleet.session[row]))
    return most


def _optimum(solver: highspy.Highs, stay: Stay, session: str) -> float:
    solver.passModel(linear_program(stay))
    solver.run()
    status = solver.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS ends with {status} for session {session}")
    return float(solver.getObjectiveValue())


def stays(fleet: Fleet, tariff: Tariff, horizon: Horizon) -> list[Stay]:
    """Every session's problem."""
    return _stays(
        replace(fleet, discharge_limit_kwh=drawn_at_most(fleet, horizon)), tariff, horizon
    )


def _stays(fleet: Fleet, tariff: Tariff, horizon: Horizon) -> list[Stay]:
    hours = horizon.slot_hours
    limits = limits_of(fleet, horizon)
    least, most = least_kwh(fleet, horizon), limits.most_kwh
    issues = []
    for i in range(len(fleet)):
        when = slice(int(fleet.arrival_slot[i]), int(fleet.departure_slot[i]))
        row, loss = fleet.lists[i], hours / fleet.discharge_efficiency[i]
        issues.append(
            Stay(
                charge_cost=hours * tariff.charge_price[row, when],
                discharge_cost=loss * fleet.wear_cost[i]
                - hours * tariff.discharge_price[row, when],
                least_kwh=least[i, when],
                most_kwh=most[i, when],
                charge_gain=float(hours * fleet.charge_efficiency[i]),
                discharge_loss=float(loss),
                charge_kw_max=limits.charge_kw[i, when],
                discharge_kw_max=limits.discharge_kw[i, when],
                arrival_kwh=float(fleet.arrival_kwh[i]),
                discharge_limit_kwh=float(fleet.discharge_limit_kwh[i]),
                surplus_value=float(fleet.surplus_value[i]),
            )
        )
    return issues


def linear_program(stay: Stay) -> highspy.HighsLp:
    """The columns are charge, discharge and energy of every slot.

    The rows are e_k - e_(k-1) - gain * charge_k + loss * discharge_k = 0 (the arrival energy on
    the right of the first), and below them the limit on the energy drawn over the stay.
    """
    n = len(stay.charge_cost)
    zero = np.zeros(n)
    worth = np.append(zero[1:], -stay.surplus_value)
    start, index, value = _matrix(n, stay.charge_gain, stay.discharge_loss)
    right = np.append(np.append(stay.arrival_kwh, zero[1:]), 0.0)
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = 3 * n, n + 1
    program.col_cost_ = np.concatenate([stay.charge_cost, stay.discharge_cost, worth])
    program.col_lower_ = np.concatenate([zero, zero, stay.least_kwh])
    program.col_upper_ = np.concatenate([stay.charge_kw_max, stay.discharge_kw_max, stay.most_kwh])
    program.row_lower_ = right
    program.row_upper_ = np.append(right[:-1], stay.discharge_limit_kwh)
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_, program.a_matrix_.index_ = start, index
    program.a_matrix_.value_ = value
    return program


def _matrix(n: int, gain: float, loss: float) -> tuple[NDArray[np.int32], NDArray[np.int32], Array]:
    """The columns' start, rows and values."""
    rows = np.arange(n)
    drawn = np.column_stack([rows, np.full(n, n)]).ravel()
    carried = np.column_stack([rows, rows + 1]).ravel()[:-1]
    counts = np.concatenate([np.ones(n), np.full(n, 2), np.full(n - 1, 2), [1]])
    start = np.concatenate([[0], np.cumsum(counts)]).astype(np.int32)
    index = np.concatenate([rows, drawn, carried]).astype(np.int32)
    value = np.concatenate([np.full(n, -gain), np.full(2 * n, loss), np.tile([1.0, -1.0], n)[:-1]])
    return start, index, value


def make_solver() -> highspy.Highs:
    """A solver of small programs: the simplex method, exact and silent."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    solver.silent()
    solver.setOptionValue("solver", "simplex")
    solver.setOptionValue("presolve", "off")  # it costs more than it saves at this size
    solver.setOptionValue("threads", 1)
    solver.setOptionValue("primal_feasibility_tolerance", FEASIBILITY)
    solver.setOptionValue("dual_feasibility_tolerance", FEASIBILITY)
    return solver
