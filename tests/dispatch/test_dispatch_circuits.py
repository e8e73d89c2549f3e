"""Circuits and phases: limits over sets of sessions; dispatch, programs, packing, bounds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from builders import with_circuits
from hubwise.dispatch import dispatch, dispatch_linear, social_cost_bound
from hubwise.dispatch.objective import objective_of
from hubwise.dispatch.packing import left_of, pack, round_off
from hubwise.domain import Schedule, Tariff, Terms, connection_spots
from hubwise.drivers import uncoordinated
from hubwise.ledger import line_flows
from hubwise.plan.ac_dispatch import over_lines
from hubwise.scenario.carried import carried_alone

seeds = st.integers(0, 2**32 - 1)
KEPT_KW = 1e-5


def members(hubs, fleet):
    """Of every line what each session puts on it, found by walking up from each session."""
    lines, given = hubs.lines, hubs.circuits
    share = np.zeros((len(lines), len(fleet)))
    for i in range(len(fleet)):
        above, circuit = [-1], int(fleet.circuit[i])
        while circuit >= 0:
            above.append(circuit)
            circuit = int(given.parent[circuit])
        for k in range(len(lines)):
            if lines.hub[k] == fleet.hub[i] and lines.circuit[k] in above:
                phase, mine = lines.phase[k], 0 if fleet.phase is None else fleet.phase[i]
                share[k, i] = 1.0 if phase == 0 else 1 / 3 if mine == 0 else float(mine == phase)
    return share


def flat_tariff(situation) -> Tariff:
    """One charge price, and nothing paid for discharging: all ties."""
    shape = len(situation.hubs), situation.horizon.slots
    return Tariff(np.full(shape, 0.4), np.zeros(shape))


@given(seeds, st.booleans())
@settings(max_examples=40)
def test_charging_at_once_takes_turns_on_every_circuit(small_situation, seed, phases) -> None:
    """No circuit or phase is passed; who waited, waited for something that was full."""
    situation = with_circuits(small_situation(seed, station=False), seed, phases=phases)
    hubs, fleet = situation.hubs, situation.fleet
    schedule = uncoordinated(fleet, situation.horizon)
    flows = members(hubs, fleet) @ schedule.charge_kw
    assert (flows <= hubs.lines.limit_kw[:, None] + KEPT_KW).all()
    full = flows >= 0.99 * hubs.lines.limit_kw[:, None]
    share = members(hubs, fleet)
    for i in np.flatnonzero(fleet.required_kwh < fleet.wished_kwh - 1e-3):
        stay = slice(fleet.arrival_slot[i], fleet.departure_slot[i])
        waited = schedule.charge_kw[i, stay] < fleet.charge_kw_max[i] - 1e-6
        assert full[share[:, i] > 0.0][:, stay].any(axis=0)[waited].all()


@given(seeds, st.booleans(), st.booleans())
@settings(max_examples=25)
def test_what_charging_at_once_could_keep_is_kept(
    small_situation, make_problem_of, seed, phases, all_in
) -> None:
    """Where drivers do not mind, no schedule passes a circuit or a phase, whoever takes part."""
    situation = with_circuits(small_situation(seed, solar=seed % 2 == 0), seed, phases=phases)
    part = np.random.default_rng(seed).random(len(situation.fleet)) < (1.0 if all_in else 0.6)
    situation = replace(situation, fleet=situation.fleet.with_participating(part), terms=Terms())
    problem, tariff = make_problem_of(situation), flat_tariff(situation)
    answer = dispatch_linear(problem, tariff)
    assert over_lines(situation.hubs.lines, answer.line_kw) <= KEPT_KW
    station = answer.stations
    stored = station.charge_kw - station.discharge_kw - station.solar_kw
    spots = connection_spots(len(situation.hubs))
    by_hand = problem.others_line_kw + situation.hubs.lines.loads(spots, stored)
    by_hand = by_hand + members(situation.hubs, problem.fleet) @ answer.schedule.charge_kw
    assert answer.line_kw == pytest.approx(by_hand, abs=1e-6)


@given(seeds, st.sampled_from([None, 0.1, 1.0]), st.sampled_from([None, 1.0]))
@settings(max_examples=40, deadline=None)
def test_packing_passes_no_circuit(small_situation, make_problem_of, seed, step, starts) -> None:
    """Schedules that chargers can follow, in steps or not, pass no circuit or phase once kept."""
    situation = with_circuits(small_situation(seed, station=False), seed)
    ones = np.ones(len(situation.fleet))
    fleet = replace(
        situation.fleet,
        step_kw=None if step is None else step * ones,
        starts_max=None if starts is None else starts * ones,
    )
    situation = replace(situation, fleet=fleet, terms=Terms())
    problem, tariff = make_problem_of(situation), flat_tariff(situation)
    answer = dispatch_linear(problem, tariff)
    packed = pack(problem, tariff, answer.schedule, answer.marginal_price, line_kw=answer.line_kw)
    flows = line_flows(situation.hubs, problem.fleet, packed, answer.stations)
    assert over_lines(situation.hubs.lines, flows) <= KEPT_KW
    assert packed.charge_kw.sum() == pytest.approx(answer.schedule.charge_kw.sum(), rel=1e-6)


def cheapest_by_hand(problem) -> float:
    """The least cost of one-way cars behind circuits: a program of its own, by scipy [currency]."""
    situation, fleet = problem.situation, problem.fleet
    slots, hours = situation.horizon.slots, situation.horizon.slot_hours
    share, limit = members(situation.hubs, fleet), situation.hubs.lines.limit_kw
    slot = np.arange(slots)
    size = len(fleet) * slots
    rows, most = [], []
    for k in range(len(limit)):
        for t in range(slots):
            row = np.zeros((len(fleet), slots))
            row[:, t] = share[k]
            rows.append(row.ravel())
            most.append(limit[k])
    for i in range(len(fleet)):
        put_in = hours * fleet.charge_efficiency[i]
        reach = (fleet.departure_slot[i] - fleet.arrival_slot[i]) * fleet.charge_kw_max[i] * put_in
        need = min(fleet.required_kwh[i] - fleet.arrival_kwh[i], reach)
        row = np.zeros((len(fleet), slots))
        row[i] = put_in
        rows += [-row.ravel(), row.ravel()]
        top = max(fleet.max_kwh[i], fleet.arrival_kwh[i]) - fleet.arrival_kwh[i]
        most += [-need + 1e-9, top + 1e-9]
    here = (slot >= fleet.arrival_slot[:, None]) & (slot < fleet.departure_slot[:, None])
    bounds = np.stack([np.zeros(size), (here * fleet.charge_kw_max[:, None]).ravel()], axis=1)
    cost = np.tile(hours * situation.market.purchase_price, len(fleet))
    found = linprog(cost, np.array(rows), np.array(most), bounds=bounds, method="highs")
    assert found.status == 0, found.message
    return float(found.fun)


def bought(problem, answer) -> float:
    """What participants' energy is bought for [currency]."""
    situation = problem.situation
    drawn = answer.schedule.charge_kw.sum(axis=0)
    return situation.horizon.slot_hours * float(drawn @ situation.market.purchase_price)


@pytest.mark.parametrize("seed", range(4))
def test_the_optimum_behind_circuits(small_situation, make_problem_of, seed) -> None:
    """Another program finds the same least cost; going round the units comes near, and bounds hold.

    Circuits bind: without them the same cars cost less.
    """
    usual = small_situation(seed, sessions=6, hubs=1, station=False)
    situation = replace(with_circuits(usual, seed), terms=Terms())
    problem = make_problem_of(situation)
    least = cheapest_by_hand(problem)
    answer = dispatch_linear(problem, None, flat=False)
    assert bought(problem, answer) == pytest.approx(least, abs=1e-5)
    free = make_problem_of(replace(situation, hubs=usual.hubs))
    assert bought(free, dispatch_linear(free, None, flat=False)) < least - 1e-3
    assert social_cost_bound(problem, answer) == pytest.approx(least, abs=1e-4)
    rounds = dispatch(problem, None, rounds=400, flat=False)
    assert over_lines(situation.hubs.lines, rounds.line_kw) <= 0.1
    assert bought(problem, rounds) == pytest.approx(least, rel=0.01)
    assert social_cost_bound(problem, rounds) <= least + 1e-6
    value = objective_of(problem, rounds)
    assert np.isfinite(value.total)


def test_without_circuits_nothing_is_different(small_situation, make_problem_of) -> None:
    """Circuits without limits, and sessions on phases, leave every digit as it was."""
    usual = small_situation(3)
    problem, tariff = make_problem_of(usual), flat_tariff(usual)
    wide = with_circuits(usual, 1)
    none = np.full(3 * len(usual.hubs), np.inf)
    circuits = replace(wide.hubs.circuits, limit_kw=none, phase_kw=none)
    hubs = replace(usual.hubs, circuits=circuits)
    fleet = replace(usual.fleet, circuit=wide.fleet.circuit, phase=wide.fleet.phase)
    other = make_problem_of(replace(usual, hubs=hubs, fleet=fleet))
    one, two = dispatch(problem, tariff, rounds=5), dispatch(other, tariff, rounds=5)
    assert np.array_equal(one.schedule.charge_kw, two.schedule.charge_kw)
    assert np.array_equal(one.hub_kw, two.hub_kw)
    assert two.line_kw.shape == (0, usual.horizon.slots)


def test_what_flows_back_is_limited_alike(small_situation, make_problem_of) -> None:
    """Two-way cars discharge no more through a circuit than it carries."""
    situation = small_situation(2, sessions=10, hubs=1, slots=12, station=False)
    given = with_circuits(situation, 2, phases=False)
    circuits = replace(given.hubs.circuits, limit_kw=np.full(3, 8.0))
    ones, whole = np.ones(10), np.zeros(10, np.int64)
    fleet = replace(
        situation.fleet, circuit=whole, arrival_slot=whole, departure_slot=whole + 12,
        charge_kw_max=7.0 * ones, discharge_kw_max=7.0 * ones, discharge_limit_kwh=np.inf * ones,
        arrival_kwh=20.0 * ones, required_kwh=20.0 * ones, reserve_kwh=5.0 * ones,
        max_kwh=38.0 * ones, wear_cost=0.0 * ones,
    )  # fmt: skip
    price = np.where(np.arange(12) < 6, 0.1, 0.9)
    market = replace(situation.market, purchase_price=price, feed_in_price=price)
    hubs = replace(situation.hubs, circuits=circuits)
    problem = make_problem_of(
        replace(situation, hubs=hubs, fleet=fleet, market=market, terms=Terms())
    )
    for answer in (dispatch_linear(problem, None), dispatch(problem, None, rounds=300)):
        power = (answer.schedule.charge_kw - answer.schedule.discharge_kw).sum(axis=0)
        assert power.min() == pytest.approx(-8.0, abs=0.1)
        assert power.max() <= 8.1
        assert answer.line_kw[0] == pytest.approx(power, abs=1e-9)


def test_cars_on_a_tight_circuit_charge_one_after_another(small_situation, make_problem_of) -> None:
    """Three cars that trickle behind 6 kW are packed into turns that chargers can follow."""
    situation = small_situation(0, sessions=3, hubs=1, slots=24, station=False)
    given = with_circuits(situation, 0, phases=False)
    ones, whole = np.ones(3), np.zeros(3, np.int64)
    circuits = replace(given.hubs.circuits, limit_kw=np.array([6.0, np.inf, np.inf]))
    fleet = replace(
        situation.fleet.one_way(), hub=whole, circuit=whole, arrival_slot=whole,
        departure_slot=whole + 24, arrival_kwh=20.0 * ones, required_kwh=40.0 * ones,
        reserve_kwh=0.0 * ones, max_kwh=57.0 * ones, charge_kw_max=11.0 * ones,
        charge_kw_min=4.1 * ones, charge_efficiency=ones,
    )  # fmt: skip
    hubs = replace(situation.hubs, circuits=circuits)
    problem = make_problem_of(replace(situation, hubs=hubs, fleet=fleet, terms=Terms()))
    trickle = np.full((3, 24), 20.0 / 12.0)
    energy = 20.0 + np.cumsum(0.5 * trickle, axis=1)
    schedule = Schedule(trickle, np.zeros((3, 24)), energy)
    packed = pack(problem, flat_tariff(situation), schedule, np.zeros((1, 24)))
    power = packed.charge_kw
    assert power.sum(axis=0).max() <= 6.0 + KEPT_KW
    assert power.sum(axis=1) == pytest.approx(40.0)
    assert ((power > 1e-6) & (power < 4.1 - 1e-6)).sum() <= 2


def coarse(small_situation, make_problem_of, seed):
    """A hub's problem behind circuits whose chargers are coarse, at a tariff with few prices."""
    rng = np.random.default_rng(seed)
    situation = with_circuits(small_situation(seed, sessions=8, station=False), seed)
    ones = np.ones(len(situation.fleet))
    fleet = replace(
        situation.fleet,
        charge_kw_min=1.4 * ones,
        step_kw=[None, 0.7 * ones, 1.1 * ones][seed % 3],
        starts_max=[None, ones][seed % 2],
    )
    problem = make_problem_of(replace(situation, fleet=fleet, terms=Terms()))
    price = rng.choice([0.3, 0.5, 0.8], (len(situation.hubs), 4)).repeat(6, axis=1)
    return problem, Tariff(price, np.zeros(price.shape))


def test_rounding_passes_no_circuit_where_one_that_knows_none_does(
    small_situation, make_problem_of
) -> None:
    """What is rounded stays within circuits and phases, bounds hold, and most is rounded."""
    passed, before, after = 0, 0, 0
    for seed in range(40):
        problem, tariff = coarse(small_situation, make_problem_of, seed)
        situation, fleet = problem.situation, problem.fleet
        lines, horizon = situation.hubs.lines, situation.horizon
        answer = dispatch_linear(problem, tariff)
        schedule, price = answer.schedule, answer.marginal_price
        rounded = round_off(problem, tariff, schedule, price, line_kw=answer.line_kw)
        flows = line_flows(situation.hubs, fleet, rounded, answer.stations)
        was = max(over_lines(lines, answer.line_kw), 0.0)
        assert over_lines(lines, flows) <= was + KEPT_KW
        most = np.maximum(fleet.max_kwh, fleet.arrival_kwh)[:, None]
        assert (rounded.energy_kwh <= most + 1e-6).all()
        last = np.arange(len(fleet)), fleet.departure_slot - 1
        had, has = (fleet.required_kwh - one.energy_kwh[last] for one in (schedule, rounded))
        assert (has <= np.maximum(had, 0.0) + 1e-6).all()
        left, still = (left_of(fleet, one, horizon) for one in (schedule, rounded))
        assert not left.less_than(still).any()
        before, after = before + left.count, after + still.count
        wide = replace(problem.lines, limit_kw=np.full(len(lines), 1e6))
        blind = round_off(replace(problem, lines=wide), tariff, schedule, price)
        flows = line_flows(situation.hubs, fleet, blind, answer.stations)
        passed += over_lines(lines, flows) > was + 0.1
    assert after < 0.35 * before
    assert passed > 3


def test_no_car_draws_more_than_its_wires_carry_to_it_alone(
    small_situation, make_problem_of
) -> None:
    """What carries it caps it, whoever chooses; nothing that keeps limits is lost."""
    capped, seen = 0, 0
    for seed in range(25):
        drawn = small_situation(seed, sessions=7, station=seed % 2 == 0, solar=seed % 3 == 0)
        situation = with_circuits(drawn, seed)
        rng, size = np.random.default_rng(seed), len(situation.fleet)
        back = rng.choice([0.0, 0.0, 4.0], size) * (seed % 2)
        strong = rng.choice([7.0, 11.0, 22.0], size)
        both = replace(situation.fleet, charge_kw_max=strong, discharge_kw_max=back)
        fleet, said = carried_alone(both, situation.hubs)
        less = fleet.charge_kw_max < both.charge_kw_max
        assert bool(said) == less.any()
        capped += less.sum()
        problem = make_problem_of(replace(situation, fleet=both, terms=Terms()))
        answer = dispatch_linear(problem, flat_tariff(situation))
        if over_lines(situation.hubs.lines, answer.line_kw) > KEPT_KW:
            continue
        most = np.broadcast_to(situation.hubs.most_import_kw[:, None], answer.hub_kw.shape)
        if (answer.hub_kw > most + KEPT_KW).any():
            continue
        seen += 1
        highest = fleet.charge_kw_max[both.participating]
        assert (answer.schedule.charge_kw <= highest[:, None] + 2 * KEPT_KW).all()
    assert capped > 20
    assert seen > 5
