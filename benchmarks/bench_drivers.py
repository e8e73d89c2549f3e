"""The exact best response against one HiGHS linear program a driver."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import highspy
import numpy as np
from scipy.sparse import bmat, csc_matrix, eye

from benchmarks.figure import Figure
from hubwise.domain import Fleet, Scenario, Tariff
from hubwise.drivers import best_response, bounds
from hubwise.scenario import load

SAMPLE = 60
REPEATS = 20


def bench() -> Iterator[Figure]:
    """Time ratio and largest difference in cost, on the fleet of ``ieee33``."""
    scenario = load("ieee33")
    fleet, tariff = scenario.fleet, _tariff(scenario)
    cost = best_response(fleet, tariff, scenario.horizon)[1]  # compiles
    start = perf_counter()
    for _ in range(REPEATS):
        best_response(fleet, tariff, scenario.horizon)
    ours = (perf_counter() - start) / REPEATS
    sample = np.random.default_rng(1).choice(len(fleet), SAMPLE, replace=False)
    start = perf_counter()
    theirs = np.array([_highs_cost(scenario, tariff, fleet.select([i])) for i in sample])
    a_program = (perf_counter() - start) / SAMPLE
    how = (
        f"{len(fleet)} drivers of ieee33 x {scenario.horizon.slots} slots, three-block prices: "
        f"mean of {REPEATS} calls ({1e3 * ours:.2f} ms each), against building and solving one "
        f"HiGHS linear program a driver (mean of {SAMPLE} drivers, {1e3 * a_program:.2f} ms each)"
    )
    ratio = a_program * len(fleet) / ours
    yield Figure("best response, times faster than linear programs", ratio, "x", how, at_least=300)
    worst = float(np.abs(cost[sample] - theirs).max())
    yield Figure(
        "best response, largest difference in cost", worst, scenario.currency, how, at_most=1e-6
    )


def _tariff(scenario: Scenario) -> Tariff:
    """The reference tariff, and a discharge price that makes the evening worth selling in."""
    shape = (len(scenario.hubs), 1)
    reference = scenario.market.reference_price
    selling = 0.9 * reference * (reference == reference.max())
    return Tariff(np.tile(reference, shape), np.tile(selling, shape))


def _highs_cost(scenario: Scenario, tariff: Tariff, one: Fleet) -> float:
    """The optimal cost of one session by a linear program; variables charge, discharge, energy."""
    hours = scenario.horizon.slot_hours
    limits = bounds(one, hours)
    first, last, hub = one.arrival_slot[0], one.departure_slot[0], one.hub[0]
    n = int(last - first)
    buy = hours * tariff.charge_price[hub, first:last]
    sell = hours * tariff.discharge_price[hub, first:last]
    into, out_of = hours * one.charge_efficiency[0], hours / one.discharge_efficiency[0]
    floor = np.minimum(one.reserve_kwh[0], one.arrival_kwh[0] + limits.up[0] * np.arange(1, n + 1))
    floor[-1] = max(floor[-1], limits.target[0])
    worth = np.zeros(n)
    worth[-1] = one.surplus_value[0]
    unit = eye(n, format="csc")
    steps = unit - eye(n, k=-1, format="csc")
    drawn = csc_matrix(np.full((1, n), out_of))
    program = highspy.HighsLp()
    matrix = csc_matrix(bmat([[-into * unit, out_of * unit, steps], [None, drawn, None]]))
    program.num_col_, program.num_row_ = 3 * n, n + 1
    program.col_cost_ = np.concatenate([buy, one.wear_cost[0] * out_of - sell, -worth])
    program.col_lower_ = np.concatenate([np.zeros(2 * n), floor])
    program.col_upper_ = np.repeat(
        [one.charge_kw_max[0], one.discharge_kw_max[0], limits.top[0]], n
    )
    start = np.zeros(n)
    start[0] = one.arrival_kwh[0]
    program.row_lower_ = np.append(start, -np.inf)
    program.row_upper_ = np.append(start, one.discharge_limit_kwh[0])
    program.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    program.a_matrix_.start_ = matrix.indptr
    program.a_matrix_.index_ = matrix.indices
    program.a_matrix_.value_ = matrix.data
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.passModel(program)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"session {one.session[0]}: HiGHS ended with {solver.getModelStatus()}")
    value = solver.getInfo().objective_function_value
    return float(value + one.surplus_value[0] * limits.target[0])
