"""What flows where, counted once more: circuits, phases, and the sun that connections ask for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import small_situation, with_circuits
from hubwise.domain import Schedule, Situation, StationSchedule
from hubwise.domain.arrays import Array
from hubwise.ledger import line_flows, solar_that_pays, solar_within_limits, with_credits
from hubwise.ledger.bills import Bills

seeds = st.integers(0, 2**32 - 1)


def drawn(seed: int, solar: float = 0.0) -> tuple[Situation, Schedule, StationSchedule]:
    """Circuits and phases, and whatever cars and stations do."""
    rng = np.random.default_rng(seed)
    given = with_circuits(small_situation(seed % 1000, sessions=6, slots=4), seed % 1000)
    shape, stations = (len(given.fleet), 4), (len(given.hubs), 4)
    schedule = Schedule(*rng.uniform(0.0, 7.0, (3, *shape)))
    charge, discharge, stored = rng.uniform(0.0, 5.0, (3, *stations))
    return given, schedule, StationSchedule(charge, discharge, stored, np.full(stations, solar))


def through(given: Situation, schedule: Schedule, others: Array, line: int) -> Array:
    """What flows through a line: of each car beneath it its power, or what its phase takes."""
    lines, fleet, circuits = given.hubs.lines, given.fleet, given.hubs.circuits
    hub, circuit, phase = int(lines.hub[line]), int(lines.circuit[line]), int(lines.phase[line])
    flow = np.zeros(schedule.charge_kw.shape[1])
    if circuit < 0:
        flow = flow + others[hub] / (3.0 if phase else 1.0)
    for i in range(len(fleet)):
        own = int(fleet.circuit[i])
        above = circuits.through(own) if own >= 0 else []
        if int(fleet.hub[i]) != hub or (circuit >= 0 and circuit not in above):
            continue
        on = 0 if fleet.phase is None else int(fleet.phase[i])
        share = 1.0 if phase == 0 else (1.0 / 3.0 if on == 0 else float(on == phase))
        flow = flow + share * (schedule.charge_kw[i] - schedule.discharge_kw[i])
    return flow


@given(seeds)
def test_a_line_carries_what_is_drawn_beneath_it(seed: int) -> None:
    """Charging less giving back of every car beneath, on its phase or a third on each; stations
    and the sun at the connection alone."""
    given, schedule, stations = drawn(seed, solar=2.0)
    found = line_flows(given.hubs, given.fleet, schedule, stations)
    others = stations.charge_kw - stations.discharge_kw - stations.solar_kw
    for line in range(len(given.hubs.lines)):
        expected = through(given, schedule, others, line)
        np.testing.assert_allclose(found[line], expected, atol=1e-9)


@given(seeds)
def test_the_sun_that_a_connection_asks_for_just_suffices(seed: int) -> None:
    """With the least, the connection and its phases carry what is drawn, as far as the sun alone
    decides, and with a trifle less they do not; with the most nothing flows back beyond them."""
    given, schedule, _ = drawn(seed)
    least, most = solar_within_limits(given.hubs, given.fleet, schedule)
    idle, lines = np.zeros_like(least), given.hubs.lines
    mine = [k for k in range(len(lines)) if lines.circuit[k] < 0 and lines.phase[k] > 0]

    def worst(solar: Array) -> Array:
        """By hub and slot, by how much the draw passes what the connection carries [kW]."""
        stations = StationSchedule(idle, idle, idle, solar)
        flows = line_flows(given.hubs, given.fleet, schedule, stations)
        net = np.zeros_like(idle)
        power = schedule.charge_kw - schedule.discharge_kw
        np.add.at(net, given.fleet.hub, power)
        over: Array = net - solar - given.hubs.most_import_kw[:, None]
        for k in mine:
            over[lines.hub[k]] = np.maximum(over[lines.hub[k]], flows[k] - lines.limit_kw[k])
        return over

    assert (worst(least) <= 1e-9).all()
    needed = least > 1e-6
    assert (worst(np.maximum(least - 1e-3, 0.0))[needed] > 0.0).all()
    bounded = np.where(np.isfinite(most), most, 0.0)
    flows = line_flows(
        given.hubs, given.fleet, schedule, StationSchedule(idle, idle, idle, bounded)
    )
    for k in mine:
        kept = most[lines.hub[k]] > 0.0
        assert (flows[k][kept] >= -lines.limit_kw[k] - 1e-9).all()


def test_the_sun_is_sold_where_buying_costs_nothing() -> None:
    """At a purchase price of nothing the own draw asks for no sun; all that may be sold is."""
    given = small_situation(1, hubs=1, slots=4, sessions=1)
    hubs = replace(given.hubs, solar_kw=np.full((1, 4), 10.0), export_limit_kw=np.array([3.0]))
    market = replace(given.market, purchase_price=np.zeros(4), feed_in_price=np.full(4, 0.1))
    there = replace(given, hubs=hubs, market=market)
    np.testing.assert_allclose(solar_that_pays(there, np.full((1, 4), 4.0)), [[3.0] * 4])


@given(st.lists(st.floats(0.01, 9.0), min_size=1, max_size=5), st.floats(0.0, 3.0))
def test_credits_add_up(regrets: list[float], before: float) -> None:
    """What was credited before stays credited, and what is added is told once in every column."""
    flat = np.zeros(len(regrets))
    columns = dict.fromkeys(Bills.__dataclass_fields__, flat)
    regret = np.array(regrets)
    given = Bills(**{**columns, "regret": regret, "credited": flat + before, "net_cost": regret})
    found = with_credits(given)
    assert found.credited == pytest.approx(before + regret)
    assert found.net_cost == pytest.approx(flat)
    assert found.saving == pytest.approx(regret)
    assert found.regret == pytest.approx(flat)
