"""The bound on any tariff: how long it takes, and how far it is from the linear program's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from time import process_time

import highspy
import numpy as np

from benchmarks.figure import Figure
from benchmarks.reference import ieee33
from hubwise.dispatch import Problem, social_cost_bound
from hubwise.dispatch.program import Program
from hubwise.domain import Scenario
from hubwise.plan import relax
from hubwise.pricing import make_family
from hubwise.pricing.exact.driver import DriverColumns
from hubwise.pricing.exact.operator import earn, hubs, keep_limits
from hubwise.pricing.exact.session import Session, sessions
from hubwise.scenario import with_participation

SHARE = 0.6
# One in so many drivers stays in the reduced fleet, each as large as so many.
THINNED = 6
SIZES = (
    "capacity_kwh", "arrival_kwh", "required_kwh", "reserve_kwh", "max_kwh", "charge_kw_max",
    "discharge_kw_max", "discharge_limit_kwh",
)  # fmt: skip


def bench(quick: bool) -> Iterator[Figure]:
    """Distance to the linear program, on a reduced fleet and on the full one; seconds."""
    fleets = {f"one driver in {THINNED}": _thinned(ieee33())}
    if not quick:
        fleets["all drivers"] = ieee33()
    for name, scenario in fleets.items():
        yield from _compared(name, with_participation(scenario, SHARE))


def _compared(name: str, scenario: Scenario) -> Iterator[Figure]:
    relax(scenario.situation)  # compiles
    began = process_time()
    problem, relaxed = relax(scenario.situation)
    ours = social_cost_bound(problem, relaxed)
    spent = process_time() - began
    began = process_time()
    exact = least_social_cost(problem)
    by_program = process_time() - began
    how = (
        f"ieee33 at {SHARE:g}, {name} ({len(problem.fleet)} participants): least cost of all by "
        f"Lagrangian dual {ours:.2f}, by HiGHS {exact:.2f}; as a share of it"
    )
    off = 100.0 * abs(exact - ours) / abs(exact)
    yield Figure(f"bound against the linear program, {name}", off, "%", how, ("at most", 0.1))
    said = f"CPU, {name}, feeder linearised thrice; HiGHS took {by_program:.0f} s for the last"
    yield Figure(f"bound on any tariff, {name}", spent, "s", said, ("at most", 10.0))


def least_social_cost(problem: Problem) -> float:
    """The same as `social_cost_bound`, as one linear program solved to optimality [currency]."""
    program = Program()
    given = sessions(problem, make_family(problem.situation, "time-of-use"))
    answers = [_free(program, session) for session in given]
    hub = hubs(program, problem, given, answers)
    keep_limits(program, problem, hub)
    earn(program, problem, hub, given, answers)
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, setting in {"output_flag": False, "solver": "ipm"}.items():
        solver.setOptionValue(option, setting)
    solver.passModel(program.relaxed())
    solver.run()
    status = solver.getModelStatus()
    if status != highspy.HighsModelStatus.kOptimal:
        raise RuntimeError(f"HiGHS ended with {solver.modelStatusToString(status)}")
    costs = problem.situation.hubs
    fixed = costs.lease_cost.sum() + costs.running_cost.sum()
    return -float(solver.getInfo().objective_function_value) - float(fixed)


def _free(program: Program, session: Session) -> DriverColumns:
    """A driver's feasible schedules: no prices, and no more in a slot than it is long."""
    slots = len(session.floor)
    into = program.columns(slots, 0.0, session.up)
    out = program.columns(slots, 0.0, session.down)
    energy = program.columns(slots, session.floor, session.top)
    before = np.zeros(slots)
    before[0] = session.start
    rows = program.require((energy, 1.0), (into, -1.0), (out, 1.0), low=before, high=before)
    program.put(rows[1:], energy[:-1], -1.0)
    both = (session.up > 0.0) & (session.down > 0.0)
    shares = (into[both], 1.0 / session.up[both]), (out[both], 1.0 / session.down[both])
    program.require(*shares, high=1.0)
    if np.isfinite(session.limit):
        program.put(program.rows(1, -np.inf, session.limit), out, 1.0)
    return DriverColumns(into, out, [])


def _thinned(scenario: Scenario) -> Scenario:
    """The scenario with one driver in `THINNED`, as large as those that it stands for."""
    kept = np.arange(0, len(scenario.situation.fleet), THINNED)
    fleet = scenario.situation.fleet.select(kept)
    grown = {name: getattr(fleet, name) * THINNED for name in SIZES}
    place = {int(i): k for k, i in enumerate(kept)}
    order = tuple(place[i] for i in scenario.participation_order if i in place)
    return scenario.having(fleet=replace(fleet, **grown), participation_order=order)
