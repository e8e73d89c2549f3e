"""The power flow: published truths, physical limits, and three methods that must agree."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.domain import Feeder
from hubwise.grid import (
    FeederState,
    PowerFlow,
    power_flow,
    power_flow_gauss,
    power_flow_pandapower,
)

NO_HUBS = np.array([], dtype=np.int64), np.zeros((0, 1))
ABSURD_KW = 1e6


@st.composite
def radial_feeders(draw) -> Feeder:
    """A random tree of lines."""
    return random_feeder(draw)


@st.composite
def feeders(draw) -> Feeder:
    """A random tree with a few loops, of lines with charging and transformers, with shunts."""
    feeder = random_feeder(draw)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    buses = len(feeder.bus)
    loops = draw(st.integers(0, min(2, buses - 2)))
    pairs = [rng.choice(feeder.bus, 2, replace=False) for _ in range(loops)]
    more = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    branches = buses - 1 + loops
    level = rng.choice([11.0, 11.0, 33.0, 0.4], buses)
    far = np.append(feeder.to_bus, more[:, 1])
    order = np.argsort(feeder.bus)
    scale = (level[order[np.searchsorted(feeder.bus, far, sorter=order)]] / 11.0) ** 2
    ohm = {
        name: scale * np.append(getattr(feeder, name), rng.uniform(0.5, 2.0, loops))
        for name in ("r_ohm", "x_ohm")
    }
    return replace(
        feeder,
        nominal_kv=level,
        from_bus=np.append(feeder.from_bus, more[:, 0]),
        to_bus=far,
        **ohm,
        ampacity_a=rng.uniform(100.0, 400.0, branches),
        from_ampacity_a=rng.uniform(100.0, 400.0, branches),
        g_siemens=rng.uniform(0.0, 1e-5, branches) / scale,
        b_siemens=rng.uniform(-1e-4, 0.0, branches) / scale,
        ratio=np.append(rng.uniform(0.95, 1.05, buses - 1), np.ones(loops)),
        shift_degrees=np.append(rng.choice([0.0, 30.0, 150.0], buses - 1), np.zeros(loops))
        * (loops == 0),
        shunt_kw=rng.uniform(0.0, 1.0, buses),
        shunt_kvar=rng.uniform(-5.0, 5.0, buses),
    )


def random_feeder(draw) -> Feeder:
    """A random tree with random ends, source and two-way loads, never near voltage collapse.

    Loads are scaled so that Σ|s|·Σ|z| is a tenth of the squared voltage: a solution exists.
    """
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    buses, slots = draw(st.integers(2, 14)), draw(st.integers(1, 4))
    bus = rng.permutation(np.arange(1, buses + 1))
    ends = np.array([(rng.integers(0, k), k) for k in range(1, buses)])
    ends = np.where(rng.random((buses - 1, 1)) < 0.5, ends, ends[:, ::-1])
    r_ohm, x_ohm = rng.uniform(0.01, 2.0, (2, buses - 1))
    load = rng.uniform(-1.0, 1.0, (2, buses, slots))
    impedance, power = np.hypot(r_ohm, x_ohm).sum(), np.hypot(*load).sum(axis=0).max()
    load *= 0.1 * 11.0**2 * 1e3 / (impedance * power)
    return Feeder(
        bus=bus,
        source_bus=int(rng.choice(bus)),
        nominal_kv=11.0,
        source_voltage_pu=float(rng.uniform(0.95, 1.05)),
        from_bus=bus[ends[:, 0]],
        to_bus=bus[ends[:, 1]],
        r_ohm=r_ohm,
        x_ohm=x_ohm,
        ampacity_a=rng.uniform(100.0, 400.0, buses - 1),
        transformer_kva=1000.0,
        transformer_limit=0.85,
        voltage_min_pu=0.9,
        voltage_max_pu=1.1,
        base_kw=load[0],
        base_kvar=load[1],
    )


def assert_same_state(one: FeederState, other: FeederState, tolerance: float) -> None:
    """Voltages and loadings agree to the tolerance, powers to a thousand times that in kW."""
    for field in fields(FeederState):
        scale = 1e3 if field.name.endswith(("kw", "kvar")) else 1.0
        a, b = getattr(one, field.name), getattr(other, field.name)
        np.testing.assert_allclose(a, b, rtol=0.0, atol=scale * tolerance, err_msg=field.name)


def without_hubs(feeder: Feeder) -> FeederState:
    return power_flow(feeder, NO_HUBS[0], np.zeros((0, feeder.base_kw.shape[1])))


def test_base_case_is_the_published_one(ieee33_peak: Feeder) -> None:
    """Baran & Wu's feeder at full load loses 202.68 kW and falls to 0.9131 p.u. at bus 18."""
    assert ieee33_peak.base_kw.sum() == pytest.approx(3715.0)
    assert ieee33_peak.base_kvar.sum() == pytest.approx(2300.0)
    state = power_flow(ieee33_peak, *NO_HUBS)
    assert state.losses_kw[0] == pytest.approx(202.68, abs=0.005)
    assert ieee33_peak.bus[state.voltage_pu[:, 0].argmin()] == 18
    assert state.voltage_pu[:, 0].min() == pytest.approx(0.9131, abs=5e-5)


def test_the_head_holds_its_voltage(ieee33_peak: Feeder) -> None:
    """No impedance is left behind the source: the head is at its set voltage to rounding."""
    state = power_flow(ieee33_peak, *NO_HUBS)
    source = ieee33_peak.bus == ieee33_peak.source_bus
    assert state.voltage_pu[source, 0] == pytest.approx(ieee33_peak.source_voltage_pu, abs=1e-12)


@settings(deadline=None, max_examples=60)
@given(radial_feeders())
def test_without_load_nothing_flows(feeder: Feeder) -> None:
    """Zero load: the source's voltage everywhere, no losses, nothing at the head."""
    rest = replace(feeder, base_kw=0.0 * feeder.base_kw, base_kvar=0.0 * feeder.base_kvar)
    state = without_hubs(rest)
    np.testing.assert_allclose(state.voltage_pu, feeder.source_voltage_pu, rtol=1e-12)
    np.testing.assert_allclose(state.losses_kw, 0.0, atol=1e-9)
    np.testing.assert_allclose(state.head_kw, 0.0, atol=1e-9)


@settings(deadline=None, max_examples=60)
@given(feeders())
def test_energy_balances(feeder: Feeder) -> None:
    """The head supplies loads, shunts and losses, which are summed branch by branch."""
    state = without_hubs(feeder)
    assert (state.losses_kw >= -1e-9).all()
    shunts = np.broadcast_to(feeder.shunt_kw, len(feeder.bus)) @ state.voltage_pu**2
    supplied = feeder.base_kw.sum(axis=0) + shunts + state.losses_kw
    np.testing.assert_allclose(state.head_kw, supplied, rtol=0.0, atol=1e-6)


@settings(deadline=None, max_examples=60)
@given(feeders())
def test_newton_and_gauss_agree(feeder: Feeder) -> None:
    """Two methods of other equations find the same state of any feeder."""
    hubs, hub_kw = NO_HUBS[0], np.zeros((0, feeder.base_kw.shape[1]))
    one, other = power_flow(feeder, hubs, hub_kw), power_flow_gauss(feeder, hubs, hub_kw)
    assert one.converged.all()
    assert_same_state(one, other, 1e-9)


def test_newton_and_gauss_agree_through_a_day(ieee33, hub_bus, hub_kw) -> None:
    """They agree on the reference feeder too, with hubs that draw and hubs that feed back."""
    one = power_flow(ieee33, hub_bus, hub_kw)
    assert_same_state(one, power_flow_gauss(ieee33, hub_bus, hub_kw), 1e-9)


# pandapower warns about its own dependencies' changes, which say nothing about our results.
@pytest.mark.filterwarnings("ignore")
def test_pandapower_agrees(ieee33, hub_bus, hub_kw) -> None:
    """An independent library finds the same state, radial and with two ties closed."""
    pytest.importorskip("pandapower")
    some = slice(0, None, 48)
    feeder = replace(ieee33, base_kw=ieee33.base_kw[:, some], base_kvar=ieee33.base_kvar[:, some])
    for case in (feeder, with_ties(feeder)):
        one = power_flow(case, hub_bus, hub_kw[:, some])
        assert_same_state(one, power_flow_pandapower(case, hub_bus, hub_kw[:, some]), 1e-7)
        assert_same_state(one, power_flow_gauss(case, hub_bus, hub_kw[:, some]), 1e-9)


@pytest.mark.filterwarnings("ignore")
@settings(deadline=None, max_examples=8)
@given(feeders())
def test_pandapower_agrees_on_transformers(feeder: Feeder) -> None:
    """The library's π model has the same ratios, shifts, charging and shunts."""
    pytest.importorskip("pandapower")
    lines = (
        feeder.bus_kv[rows(feeder, feeder.from_bus)] == feeder.bus_kv[rows(feeder, feeder.to_bus)]
    )
    straight = lines & (feeder.ratio == 1.0) & (feeder.shift_degrees == 0.0)
    feeder = replace(feeder, b_siemens=np.where(straight, -feeder.b_siemens, feeder.b_siemens))
    hubs, hub_kw = NO_HUBS[0], np.zeros((0, feeder.base_kw.shape[1]))
    one, other = power_flow(feeder, hubs, hub_kw), power_flow_pandapower(feeder, hubs, hub_kw)
    assert_same_state(one, other, 1e-7)


def rows(feeder: Feeder, bus: np.ndarray) -> np.ndarray:
    order = np.argsort(feeder.bus)
    return order[np.searchsorted(feeder.bus, bus, sorter=order)]


@pytest.mark.filterwarnings("ignore")
def test_pandapower_names_the_same_lost_slots(ieee33_peak, hub_bus) -> None:
    """A slot without a solution is lost to pandapower as well, and only there."""
    pytest.importorskip("pandapower")
    feeder = replace(
        ieee33_peak,
        base_kw=np.tile(ieee33_peak.base_kw, 3),
        base_kvar=np.tile(ieee33_peak.base_kvar, 3),
    )
    hub_kw = np.zeros((6, 3))
    hub_kw[2, 1] = ABSURD_KW
    state = power_flow_pandapower(feeder, hub_bus, hub_kw)
    assert state.converged.tolist() == [True, False, True]


def with_ties(feeder: Feeder) -> Feeder:
    """The feeder with two of Baran & Wu's tie branches closed: 8-21 and 25-29."""
    return replace(
        feeder,
        from_bus=np.append(feeder.from_bus, [8, 25]),
        to_bus=np.append(feeder.to_bus, [21, 29]),
        r_ohm=np.append(feeder.r_ohm, [2.0, 0.5]),
        x_ohm=np.append(feeder.x_ohm, [2.0, 0.5]),
        ampacity_a=np.append(feeder.ampacity_a, [200.0, 200.0]),
    )


def test_meshed_feeders_are_solved(ieee33_peak: Feeder) -> None:
    """Every branch replaced by two of twice its impedance is the same feeder, and has loops."""
    twice = {name: np.repeat(getattr(ieee33_peak, name), 2) for name in ("from_bus", "to_bus")}
    double = {name: 2.0 * np.repeat(getattr(ieee33_peak, name), 2) for name in ("r_ohm", "x_ohm")}
    halves = np.repeat(ieee33_peak.ampacity_a, 2) / 2.0
    meshed = replace(ieee33_peak, **twice, **double, ampacity_a=halves)
    one, other = power_flow(ieee33_peak, *NO_HUBS), power_flow(meshed, *NO_HUBS)
    np.testing.assert_allclose(one.voltage_pu, other.voltage_pu, atol=1e-10)
    np.testing.assert_allclose(one.losses_kw, other.losses_kw, atol=1e-7)
    np.testing.assert_allclose(one.branch_loading, other.branch_loading[::2], atol=1e-10)


def test_a_slot_without_solution_is_named_and_alone(ieee33, hub_bus, hub_kw) -> None:
    """An absurd load leaves NaN in its own slot, and every other slot as it was, to the bit."""
    absurd = hub_kw.copy()
    absurd[2, 10] = ABSURD_KW
    state, before = (power_flow(ieee33, hub_bus, kw) for kw in (absurd, hub_kw))
    assert np.flatnonzero(~state.converged).tolist() == [10]
    others = np.arange(hub_kw.shape[1]) != 10
    for field in fields(FeederState):
        if field.name != "converged":
            values = getattr(state, field.name)
            assert np.isnan(values[..., 10]).all(), field.name
            np.testing.assert_array_equal(
                values[..., others], getattr(before, field.name)[..., others]
            )
    gauss = power_flow_gauss(ieee33, hub_bus, absurd)
    np.testing.assert_array_equal(gauss.converged, state.converged)


def test_a_feeder_can_feed_back(ieee33_peak, hub_bus) -> None:
    """Hubs that export more than the base load turn the head's power round."""
    state = power_flow(ieee33_peak, hub_bus, np.full((6, 1), -900.0))
    assert state.head_kw[0] == pytest.approx(3715.0 - 5400.0 + state.losses_kw[0], abs=1e-6)
    assert state.transformer_loading[0] > 0.0


@settings(deadline=None, max_examples=25)
@given(hub=st.integers(0, 5), more=st.floats(1.0, 300.0), seed=st.integers(0, 2**32 - 1))
def test_more_draw_lowers_every_voltage(ieee33_peak, hub_bus, hub, more, seed) -> None:
    """Where everybody draws, more draw at one hub lowers all voltages and raises the losses."""
    hub_kw = np.random.default_rng(seed).uniform(0.0, 200.0, (6, 1))
    higher = hub_kw.copy()
    higher[hub] += more
    before, after = (power_flow(ieee33_peak, hub_bus, kw) for kw in (hub_kw, higher))
    assert (after.voltage_pu <= before.voltage_pu + 1e-12).all()
    assert after.losses_kw > before.losses_kw


def test_hubs_at_one_bus_add_up(ieee33_peak: Feeder) -> None:
    """Two hubs at a bus are one hub with the sum of their draws."""
    two = power_flow(ieee33_peak, np.array([18, 18]), np.array([[100.0], [50.0]]))
    one = power_flow(ieee33_peak, np.array([18]), np.array([[150.0]]))
    np.testing.assert_array_equal(two.voltage_pu, one.voltage_pu)


def test_a_prepared_feeder_forgets(ieee33, hub_bus, hub_kw) -> None:
    """One object solved with other loads in between gives the same answer to the bit."""
    flow = PowerFlow(ieee33)
    first = flow(hub_bus, hub_kw)
    flow(hub_bus, -2.0 * hub_kw)
    again = flow(hub_bus, hub_kw)
    for field in fields(FeederState):
        np.testing.assert_array_equal(getattr(first, field.name), getattr(again, field.name))


@pytest.mark.parametrize("method", [power_flow, power_flow_gauss])
def test_a_lost_bus_is_refused(ieee33_peak: Feeder, method) -> None:
    """Buses without a path to the source are named, not solved at zero volts."""
    keep = ieee33_peak.to_bus != 31
    names = ("from_bus", "to_bus", "r_ohm", "x_ohm", "ampacity_a")
    cut = replace(ieee33_peak, **{name: getattr(ieee33_peak, name)[keep] for name in names})
    with pytest.raises(ValueError, match="no path from the source to bus 31, 32, 33"):
        method(cut, *NO_HUBS)


@pytest.mark.parametrize("method", [power_flow, power_flow_gauss])
def test_bad_hubs_are_refused(ieee33_peak: Feeder, method) -> None:
    """Unknown buses, wrong shapes and powers that are no numbers never pass silently."""
    with pytest.raises(ValueError, match="no bus 77, 99"):
        method(ieee33_peak, np.array([99, 4, 77]), np.zeros((3, 1)))
    with pytest.raises(ValueError, match=r"shape \(1, 2\)"):
        method(ieee33_peak, np.array([4]), np.zeros((1, 2)))


def test_powers_that_are_no_numbers_are_refused(ieee33_peak: Feeder) -> None:
    """NaN is refused: power-grid-model would read it as "leave the load as it was"."""
    with pytest.raises(ValueError, match="finite"):
        power_flow(ieee33_peak, np.array([4]), np.array([[np.nan]]))
    gauss = power_flow_gauss(ieee33_peak, np.array([4]), np.array([[np.nan]]))
    assert not gauss.converged.any()


def test_power_flow_speed(benchmark, ieee33, hub_bus, hub_kw) -> None:
    """A day of 96 slots on 33 buses, the feeder prepared before."""
    state = benchmark(PowerFlow(ieee33), hub_bus, hub_kw)
    assert state.converged.all()
