"""What the dispatch is compared with: its own problem as one linear program for HiGHS."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import highspy
import numpy as np
import pytest

from builders import billed, stay_bounds
from hubwise.dispatch import Dispatch, Problem, feeder_limits, make_problem
from hubwise.domain import Situation, Tariff
from hubwise.drivers import best_response, felt_tariff, uncoordinated
from hubwise.ledger import hub_flows, sum_by_hub


@pytest.fixture(scope="session")
def make_problem_of() -> Callable[..., Problem]:
    """Makes the dispatch problem of a scenario; see `_make_problem_of`."""
    return _make_problem_of


def _make_problem_of(situation: Situation, promise: float = np.inf) -> Problem:
    """The problem with a peak-valley promise, the feeder linearised when all charge at once."""
    hubs = situation.hubs
    everybody = uncoordinated(situation.fleet, situation.horizon)
    draw = sum_by_hub(len(hubs), situation.fleet.hub, everybody.charge_kw)
    limits = feeder_limits(situation.feeder, hubs.bus, draw)
    span = promise * float(np.ptp(limits.head(draw))) if np.isfinite(promise) else np.inf
    return make_problem(situation, limits, span_kw=span)


@pytest.fixture(scope="session")
def social_cost() -> Callable[[Problem, Dispatch], float]:
    """What a dispatch costs all together; see `_social_cost`."""
    return _social_cost


@pytest.fixture(scope="session")
def least_social_cost() -> Callable[..., float]:
    """The least that a dispatch can cost; see `_least_social_cost`."""
    return _least_social_cost


@pytest.fixture(scope="session")
def least_mean_cost() -> Callable[..., float]:
    """The least mean cost over several futures; see `_least_mean_cost`."""
    return _least_mean_cost


def _social_cost(problem: Problem, answer: Dispatch) -> float:
    """Wear, purchases, demand charges, less feed-in, incentives and station stock [currency]."""
    situation = problem.situation
    hubs, market, hours = situation.hubs, situation.market, situation.horizon.slot_hours
    flows = hub_flows(len(hubs), problem.fleet, answer.schedule, answer.stations)
    net = flows.net_kw + problem.others_kw
    wear = problem.fleet.wear_cost / problem.fleet.discharge_efficiency
    station_wear = hubs.battery_wear_cost / hubs.battery_discharge_efficiency
    energy = (
        np.maximum(net, 0.0) @ market.purchase_price - np.maximum(-net, 0.0) @ market.feed_in_price
    ).sum()
    group = problem.fleet.groups
    energy -= (answer.schedule.discharge_kw * problem.terms.discharge[group]).sum()
    energy -= (answer.schedule.charge_kw * problem.terms.charge[group]).sum()
    wears = wear @ answer.schedule.discharge_kw.sum(axis=1)
    wears += station_wear @ answer.stations.discharge_kw.sum(axis=1)
    peaks = sum(
        charge * np.maximum(net[:, list(slots)].max(axis=1) - past, 0.0).sum()
        for slots, charge, past in billed(situation)
    )
    left = answer.stations.energy_kwh[:, -1] - hubs.least_final_kwh
    stock = float((hubs.battery_end_value * left).sum())
    return float(hours * (energy + wears) + peaks) - stock


def _least_social_cost(problem: Problem, tariff: Tariff | None = None) -> float:
    """The same at its least, by HiGHS: with ``tariff``, no driver may pay above its least cost."""
    return _least_mean_cost([problem], [1.0], tariff)


def _least_mean_cost(
    problems: Sequence[Problem],
    shares: Sequence[float],
    tariff: Tariff | None = None,
    present: Sequence[str] = (),
) -> float:
    """The least mean over futures, all of them in one program (the extensive form), by HiGHS.

    Sessions that are ``present`` have one schedule in all; the others, and stations, have one in
    each.
    """
    program = highspy.Highs()
    program.silent()
    here: dict[str, list[object]] = {}
    left = 0.0
    for problem, share in zip(problems, shares, strict=True):
        hubs, slots = problem.situation.hubs, problem.situation.horizon.slots
        parts: list[list[list[object]]] = [[[] for _ in range(slots)] for _ in hubs.name]
        _add_sessions(program, problem, tariff, parts, share, (present, here))
        _add_stations(program, problem, parts, share)
        _add_hubs(program, problem, parts, share)
        left += share * float((hubs.battery_end_value * hubs.least_final_kwh).sum())
    program.run()
    assert program.getModelStatus() == highspy.HighsModelStatus.kOptimal
    return float(program.getInfo().objective_function_value + left)


def _add_hubs(program, problem, parts, share) -> None:
    situation = problem.situation
    hubs, market, hours = situation.hubs, situation.market, situation.horizon.slot_hours
    slots = situation.horizon.slots
    draw = [[program.addVariable(-np.inf, np.inf) for _ in range(slots)] for _ in hubs.name]
    for h in range(len(hubs)):
        most = {}
        for within, charge, past in billed(situation):
            above = program.addVariable(0.0, np.inf, share * charge)
            most |= dict.fromkeys(within, (float(past[h]), above))
        for t in range(slots):
            bought = program.addVariable(
                0.0, problem.import_limit_kw[h], share * hours * market.purchase_price[t]
            )
            sold = program.addVariable(
                0.0, problem.export_limit_kw[h], -share * hours * market.feed_in_price[t]
            )
            others = float(problem.others_kw[h, t])
            program.addConstr(draw[h][t] == sum(parts[h][t]) + others)
            program.addConstr(draw[h][t] == bought - sold)
            already, above = most[t]
            program.addConstr(bought <= already + above)
    _add_limits(program, problem, draw)


def _add_sessions(program, problem, tariff, parts, share, known) -> None:
    present, here = known
    fleet, situation = problem.fleet, problem.situation
    hours, terms = situation.horizon.slot_hours, problem.terms
    felt = felt_tariff(fleet, tariff, terms) if tariff else None
    least = best_response(*felt, situation.horizon)[1] if felt else np.zeros(len(fleet))
    for i in range(len(fleet)):
        name = str(fleet.session[i])
        if name in here:
            for t, power in enumerate(here[name], int(fleet.arrival_slot[i])):
                parts[int(fleet.hub[i])][t].append(power)
            continue
        weight = 1.0 if name in present else share
        h, wear = int(fleet.hub[i]), fleet.wear_cost[i] / fleet.discharge_efficiency[i]
        group, energy, paid, drawn = int(fleet.groups[i]), float(fleet.arrival_kwh[i]), 0.0, 0.0
        bounds = zip(*stay_bounds(fleet, i, hours), strict=True)
        for t, (most_in, most_out, lowest, highest) in enumerate(
            bounds, int(fleet.arrival_slot[i])
        ):
            charge = program.addVariable(0.0, most_in, -weight * hours * terms.charge[group, t])
            discharge = program.addVariable(
                0.0, most_out, weight * hours * (wear - terms.discharge[group, t])
            )
            level = program.addVariable(min(lowest, highest), highest)
            loss = hours / fleet.discharge_efficiency[i]
            gain = hours * fleet.charge_efficiency[i]
            program.addConstr(level == energy + gain * charge - loss * discharge)
            energy = level
            drawn += loss * discharge
            parts[h][t].append(charge - discharge)
            if name in present:
                here.setdefault(name, []).append(charge - discharge)
            if felt:
                row = int(felt[0].lists[i])
                pays = felt[1].charge_price[row, t] * charge
                earns = (felt[1].discharge_price[row, t] - wear) * discharge
                paid += hours * pays - hours * earns
        if np.isfinite(fleet.discharge_limit_kwh[i]):
            program.addConstr(drawn <= fleet.discharge_limit_kwh[i])
        if tariff:
            program.addConstr(paid <= least[i] + 1e-7)


def _add_stations(program, problem, parts, share) -> None:
    situation = problem.situation
    hubs, hours = situation.hubs, situation.horizon.slot_hours
    for h in range(len(hubs)):
        energy = float(hubs.battery_initial_kwh[h])
        loss = hours / hubs.battery_discharge_efficiency[h]
        for t in range(situation.horizon.slots):
            solar = program.addVariable(0.0, hubs.solar_kw[h, t])
            parts[h][t].append(-1.0 * solar)
            if hubs.battery_kwh[h] == 0.0:
                continue
            charge = program.addVariable(0.0, hubs.battery_kw[h])
            discharge = program.addVariable(
                0.0, hubs.battery_kw[h], share * loss * hubs.battery_wear_cost[h]
            )
            last = t == situation.horizon.slots - 1
            worth = np.broadcast_to(hubs.battery_end_value, len(hubs))[h] if last else 0.0
            level = program.addVariable(
                hubs.least_final_kwh[h] if last else 0.0, hubs.battery_kwh[h], -share * worth
            )
            gain = hours * hubs.battery_charge_efficiency[h]
            program.addConstr(level == energy + gain * charge - loss * discharge)
            energy = level
            parts[h][t].append(charge - discharge)


def _add_limits(program, problem, draw) -> None:
    limits = problem.limits
    past = problem.situation.so_far
    peak = program.addVariable(past.head_peak_kw, past.head_valley_kw + problem.span_kw)
    for t in range(limits.offset.shape[1]):
        rows = [
            sum(limits.coefficient[k, h, t] * draw[h][t] for h in range(len(draw)))
            + float(limits.offset[k, t])
            for k in range(len(limits.offset))
        ]
        if np.isfinite(problem.span_kw):
            program.addConstr(rows[0] <= peak)
            program.addConstr(rows[0] >= peak - problem.span_kw)
        for row, upper in zip(rows, limits.upper[:, t], strict=True):
            if np.isfinite(upper):
                program.addConstr(row <= float(upper))
