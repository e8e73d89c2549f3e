"""One linear program a driver in HiGHS, put together as fast as its interface allows."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csc_array

from hubwise.domain import Fleet, Horizon, Tariff
from hubwise.domain.arrays import Array
from hubwise.drivers import Batteries, batteries_of

Index = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Programs:
    """The drivers' problems of a fleet as linear programs.

    Columns are charge, discharge [kW] and energy at the end of each slot of the stay [kWh]; row k
    says how energy follows from the slot before. Discharge limits are left out: the reference
    scenario has none.
    """

    fleet: Fleet
    horizon: Horizon
    limits: Batteries

    @classmethod
    def of(cls, fleet: Fleet, horizon: Horizon) -> Programs:
        """The programs of a fleet whose drivers set no discharge limit."""
        if np.isfinite(fleet.discharge_limit_kwh).any():
            raise ValueError("these programs know no discharge limit")
        return cls(fleet, horizon, batteries_of(fleet, horizon))

    def slots(self, i: int) -> slice:
        """The slots of session ``i``."""
        return slice(int(self.fleet.arrival_slot[i]), int(self.fleet.departure_slot[i]))

    def costs(self, i: int, tariff: Tariff) -> Array:
        """Costs of the columns of session ``i``."""
        fleet, hours, stay, hub = (
            self.fleet,
            self.horizon.slot_hours,
            self.slots(i),
            self.fleet.hub[i],
        )
        wear = fleet.wear_cost[i] / fleet.discharge_efficiency[i]
        energy = np.zeros(stay.stop - stay.start)
        energy[-1] = -fleet.surplus_value[i]
        buy, sell = tariff.charge_price[hub, stay], tariff.discharge_price[hub, stay]
        return np.concatenate([hours * buy, hours * (wear - sell), energy])

    def program(self, i: int, tariff: Tariff) -> highspy.HighsLp:
        """The linear program of session ``i``."""
        fleet, limits, stay = self.fleet, self.limits, self.slots(i)
        n = stay.stop - stay.start
        floor = fleet.arrival_kwh[i] + limits.up[i, 0] * np.arange(1, n + 1)
        floor = np.minimum(floor, fleet.reserve_kwh[i])
        floor[-1] = max(floor[-1], limits.target[i])
        most = [fleet.charge_kw_max[i], fleet.discharge_kw_max[i], limits.most[i, 0]]
        balance = np.zeros(n)
        balance[0] = fleet.arrival_kwh[i]
        program = highspy.HighsLp()
        program.num_col_, program.num_row_ = 3 * n, n
        program.col_cost_ = self.costs(i, tariff)
        program.col_lower_ = np.concatenate([np.zeros(2 * n), floor])
        program.col_upper_ = np.repeat(most, n)
        program.row_lower_ = program.row_upper_ = balance
        matrix = program.a_matrix_
        matrix.format_ = highspy.MatrixFormat.kColwise
        matrix.start_, matrix.index_, matrix.value_ = self._columns(i, n)
        return program

    def by_linprog(self, i: int, tariff: Tariff) -> float:
        """The same program and its optimum as one call of `scipy.optimize.linprog`, as it comes."""
        program = self.program(i, tariff)
        matrix, balance = program.a_matrix_, np.array(program.row_lower_)
        arrays = np.array(matrix.value_), np.array(matrix.index_), np.array(matrix.start_)
        found = linprog(
            np.array(program.col_cost_),
            A_eq=csc_array(arrays, shape=(program.num_row_, program.num_col_)),
            b_eq=balance,
            bounds=np.stack([program.col_lower_, program.col_upper_], axis=1),
        )
        if found.status:
            raise RuntimeError(f"linprog ended with {found.message}")
        return float(found.fun)

    def _columns(self, i: int, n: int) -> tuple[Index, Index, Array]:
        """The matrix by columns: where each begins, rows, coefficients."""
        hours, fleet = self.horizon.slot_hours, self.fleet
        row = np.arange(n, dtype=np.int32)
        start = np.concatenate([row, n + row, 2 * n + 2 * row, [4 * n - 1]])
        index = np.concatenate([row, row, np.stack([row, row + 1], axis=1).ravel()[:-1]])
        charged = np.full(n, -hours * fleet.charge_efficiency[i])
        drawn = np.full(n, hours / fleet.discharge_efficiency[i])
        step = np.tile([1.0, -1.0], n)[:-1]
        return start.astype(np.int32), index, np.concatenate([charged, drawn, step])

    def cost(self, i: int, solver: highspy.Highs) -> float:
        """The cost of session ``i`` that the solver found, as `best_response` counts it."""
        surplus = self.fleet.surplus_value[i] * self.fleet.required_kwh[i]
        return float(optimum(solver) + surplus)


def solver(*, presolve: bool = True) -> highspy.Highs:
    """HiGHS as it comes, on one core; these small programs are solved faster without presolve."""
    highs = highspy.Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("threads", 1)
    highs.setOptionValue("presolve", "choose" if presolve else "off")
    return highs


def optimum(highs: highspy.Highs) -> float:
    """The optimal value; an error where HiGHS has not proved one."""
    status = highs.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS ended with {status}")
    return float(highs.getInfo().objective_function_value)
