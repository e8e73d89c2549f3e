"""Station batteries, hubs' sums, and the feeder's limits as the dispatch sees them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.dispatch import dispatch, feeder_limits, with_participants
from hubwise.domain import Tariff
from hubwise.grid import power_flow
from hubwise.ledger import hub_flows

seeds = st.integers(0, 2**32 - 1)


@given(seeds, st.booleans())
@settings(max_examples=20)
def test_stations_keep_their_limits(small_situation, make_problem_of, seed, posted) -> None:
    """Power and energy within the battery's, never both ways at once, no emptier at the end."""
    situation = small_situation(seed, solar=True)
    charge = np.random.default_rng(seed).uniform(0.1, 0.9, (2, 24))
    tariff = Tariff(charge, 0.5 * charge) if posted else None
    stations = dispatch(make_problem_of(situation, 0.7), tariff, rounds=8).stations
    hubs, hours = situation.hubs, situation.horizon.slot_hours
    assert (np.stack([stations.charge_kw, stations.discharge_kw]) >= 0.0).all()
    assert not ((stations.charge_kw > 0.0) & (stations.discharge_kw > 0.0)).any()
    assert (stations.charge_kw <= hubs.battery_kw[:, None]).all()
    assert (stations.discharge_kw <= hubs.battery_kw[:, None]).all()
    gained = hours * hubs.battery_charge_efficiency[:, None] * stations.charge_kw
    drawn = hours * stations.discharge_kw / hubs.battery_discharge_efficiency[:, None]
    energy = hubs.battery_initial_kwh[:, None] + np.cumsum(gained - drawn, axis=1)
    np.testing.assert_allclose(stations.energy_kwh, energy, atol=1e-9)
    assert energy.min() >= -1e-9
    assert (energy <= hubs.battery_kwh[:, None] + 1e-9).all()
    assert (energy[:, -1] >= hubs.battery_initial_kwh - 1e-9).all()


@given(seeds, st.sampled_from([0.0, 0.5, 1.0]))
@settings(max_examples=15)
def test_hub_draw_is_the_sum_of_its_parts(small_situation, make_problem_of, seed, share) -> None:
    """Participants, the others, station battery and solar add up to what the hub draws."""
    situation = small_situation(seed, solar=True)
    participants = np.random.default_rng(seed).permutation(8) < share * 8
    situation = replace(situation, fleet=situation.fleet.with_participating(participants))
    problem = make_problem_of(situation, 0.7)
    answer = dispatch(problem, None, rounds=5)
    schedule = with_participants(problem, answer.schedule)
    flows = hub_flows(2, situation.fleet, schedule, answer.stations)
    np.testing.assert_allclose(answer.hub_kw, flows.net_kw, atol=1e-9)
    alone = problem.uncoordinated.charge_kw[~participants]
    assert np.array_equal(schedule.charge_kw[~participants], alone)


def test_hubs_without_station_battery(small_situation, make_problem_of) -> None:
    """Where there is no battery nothing charges it; one without power stays as it is."""
    for hubs in (
        small_situation(2, station=False).hubs,
        replace(small_situation(2).hubs, battery_kw=np.zeros(2)),
    ):
        situation = replace(small_situation(2), hubs=hubs)
        stations = dispatch(make_problem_of(situation), None, rounds=3).stations
        assert not stations.charge_kw.any()
        assert not stations.discharge_kw.any()
        assert (stations.energy_kwh == hubs.battery_initial_kwh[:, None]).all()


def test_given_sessions_stay_as_they_are(small_situation, make_problem_of) -> None:
    """Where schedules are given only the stations move, and they take them into account."""
    problem = make_problem_of(small_situation(5), 0.8)
    given_ones = problem.uncoordinated
    answer = dispatch(problem, None, rounds=100, sessions=given_ones)
    assert answer.schedule is given_ones
    alone = dispatch(make_problem_of(small_situation(5)), None, rounds=100, sessions=given_ones)
    spans = [np.ptp(problem.limits.head(each.hub_kw)) for each in (answer, alone)]
    assert spans[0] < 0.95 * spans[1]


def test_nothing_at_all(small_situation, make_problem_of) -> None:
    """No participants, no stations, no solar: the others' draw is what is left."""
    situation = small_situation(6, station=False)
    nobody = situation.fleet.with_participating(np.zeros(8, bool))
    problem = make_problem_of(replace(situation, fleet=nobody), 0.7)
    answer = dispatch(problem, None, rounds=3)
    assert answer.schedule.charge_kw.shape == (0, 24)
    np.testing.assert_allclose(answer.hub_kw, problem.others_kw)
    assert answer.gap == 0.0


def weak(situation):
    """The situation on a feeder with low voltages, loaded branches and a small transformer."""
    feeder = situation.feeder
    return replace(
        situation,
        feeder=replace(
            feeder,
            nominal_kv=0.4,
            r_ohm=0.06 * np.ones(2),
            x_ohm=0.03 * np.ones(2),
            base_kw=0.25 * feeder.base_kw,
            base_kvar=0.25 * feeder.base_kvar,
            ampacity_a=np.full(2, 110.0),
            voltage_min_pu=0.94,
            transformer_kva=130.0,
        ),
    )


def test_limit_rows_are_the_power_flow_where_linearised(small_situation) -> None:
    """Head, lowest voltage and highest branch loading are those of AC, and a small move is told."""
    situation = weak(small_situation(7))
    feeder, bus = situation.feeder, situation.hubs.bus
    rng = np.random.default_rng(7)
    draw = rng.uniform(10.0, 40.0, (2, 24))
    limits = feeder_limits(feeder, bus, draw)
    assert len(limits.offset) == 4  # head twice, low voltages, branches
    for hub_kw, tolerance in ((draw, 1e-9), (draw + rng.uniform(-0.2, 0.2, draw.shape), 1e-3)):
        state, rows = power_flow(feeder, bus, hub_kw), limits.rows(hub_kw)
        np.testing.assert_allclose(rows[0], state.head_kw, atol=tolerance)
        np.testing.assert_allclose(rows[1], -state.head_kw, atol=tolerance)
        for row, upper, value, limit in (
            (rows[2], limits.upper[2], -state.voltage_pu.min(axis=0), -feeder.voltage_min_pu),
            (rows[3], limits.upper[3], state.branch_loading.max(axis=0), 1.0),
        ):
            near = np.isfinite(upper)
            assert near.any()
            # A row is scaled to kW: its distance to the limit against the limit's own scale.
            spare = (upper - row)[near] / np.abs(upper[near])
            np.testing.assert_allclose(spare, (limit - value)[near] / abs(limit), atol=tolerance)


def test_the_transformer_is_a_limit_of_the_head(small_situation) -> None:
    """Active power at its limit, with the reactive power of the slot, is the rating's share."""
    situation = weak(small_situation(7))
    draw = np.full((2, 24), 20.0)
    limits = feeder_limits(situation.feeder, situation.hubs.bus, draw)
    state = power_flow(situation.feeder, situation.hubs.bus, draw)
    apparent = np.hypot(limits.upper[0], state.head_kvar)
    np.testing.assert_allclose(apparent, 0.85 * 130.0)


def test_feeder_limits_are_met_where_they_can_be(small_situation, make_problem_of) -> None:
    """A dispatch that would break voltages and branches is bent until they hold, to 0.2 kW."""
    situation = weak(small_situation(7, sessions=24))
    tariff = Tariff(np.full((2, 24), 0.5), np.zeros((2, 24)))
    problem = make_problem_of(situation)
    free = replace(problem.limits, upper=np.where(np.isfinite(problem.limits.upper), 1e9, np.inf))
    loose = dispatch(replace(problem, limits=free), tariff, rounds=100, flat=False)
    bent = dispatch(problem, tariff, rounds=300)
    limits = problem.limits
    assert (limits.rows(loose.hub_kw) - limits.upper).max() > 2.0
    assert (limits.rows(bent.hub_kw) - limits.upper).max() <= 0.2


@pytest.mark.parametrize("slots", [slice(10, 12), slice(None)])
def test_slots_without_power_flow_make_finite_limits(small_situation, slots) -> None:
    """Where no power flow is found the head is taken lossless, and nothing is unknown."""
    situation = weak(small_situation(7))
    load = situation.feeder.base_kw.copy()
    load[:, slots] *= 1000.0
    feeder = replace(situation.feeder, base_kw=load)
    limits = feeder_limits(feeder, situation.hubs.bus, np.full((2, 24), 30.0))
    assert np.isfinite(limits.coefficient).all()
    assert np.isfinite(limits.offset).all()
    assert not np.isnan(limits.upper).any()
    lossless = load.sum(axis=0) + 60.0
    np.testing.assert_allclose(
        limits.rows(np.full((2, 24), 30.0))[0, slots], lossless[slots], rtol=1e-12
    )
