"""Sensitivities: against the equations differentiated by hand, and against the feeder itself."""

from dataclasses import fields, replace

import numpy as np
import pytest

from hubwise.domain import Feeder
from hubwise.grid import FeederState, power_flow, tangent

SQRT3 = np.sqrt(3.0)


def slopes_by_hand(feeder: Feeder, hub_bus: np.ndarray, load_kva: np.ndarray) -> dict:
    """All derivatives in one slot, from the implicit function theorem.

    Bus voltages solve v = v0 - Z·conj(s/v), with Z the bus impedance matrix seen from the source.
    Its differential is linear in dv and conj(dv). Nothing here is shared with power-grid-model.
    """
    near, far = (
        np.searchsorted(feeder.bus, feeder.from_bus),
        np.searchsorted(feeder.bus, feeder.to_bus),
    )
    buses, branches = len(feeder.bus), len(near)
    incidence = np.zeros((branches, buses))
    incidence[np.arange(branches), near], incidence[np.arange(branches), far] = 1.0, -1.0
    admittance = 1.0 / (feeder.r_ohm + 1j * feeder.x_ohm)
    rest = feeder.bus != feeder.source_bus
    inner = incidence[:, rest]
    z = np.linalg.inv(inner.T @ (admittance[:, None] * inner))
    source = feeder.source_voltage_pu * feeder.nominal_kv * 1e3
    load = 1e3 * load_kva[rest]
    v = np.full(buses - 1, source, dtype=complex)
    for _ in range(200):
        v = source - z @ np.conj(load / v)

    bend = z * np.conj(load / v**2)  # columns scaled: how conj(dv) comes back as dv
    system = np.block([[np.eye(buses - 1), -bend], [-bend.conj(), np.eye(buses - 1)]])
    draw = (feeder.bus[rest][:, None] == hub_bus) * 1e3  # W per kW of each hub
    push = -z @ np.conj(draw / v[:, None])
    dv = np.linalg.solve(system, np.vstack([push, push.conj()]))[: buses - 1]

    full, dfull = np.full(buses, source, dtype=complex), np.zeros((buses, len(hub_bus)), complex)
    full[rest], dfull[rest] = v, dv
    current, dcurrent = (admittance * (incidence @ full), admittance[:, None] * (incidence @ dfull))
    dsize = (np.conj(current)[:, None] * dcurrent).real / np.abs(current)[:, None]
    out = incidence[:, ~rest][:, 0]  # +1 where a branch leaves the source
    head = source * np.conj(out @ current) / 1e3
    dhead = source * np.conj(out @ dcurrent) / 1e3
    return {
        "head_kw": dhead.real,
        "head_loading": (np.conj(head) * dhead).real[None] / np.abs(head) / feeder.transformer_kva,
        "voltage_pu": (np.conj(full)[:, None] * dfull).real
        / np.abs(full)[:, None]
        / (feeder.nominal_kv * 1e3),
        "branch_loading": dsize / SQRT3 / feeder.ampacity_a[:, None],
    }


def test_slopes_are_those_of_the_equations(ieee33, hub_bus, hub_kw) -> None:
    """Derivatives are within 1e-5 of the largest found by hand; of branch currents, 1e-4."""
    found = tangent(ieee33, hub_bus, hub_kw)
    rows = np.searchsorted(ieee33.bus, hub_bus)
    for slot in (0, 29, 61):
        load = ieee33.base_kw[:, slot] + 1j * ieee33.base_kvar[:, slot]
        load[rows] += hub_kw[:, slot]
        for name, due in slopes_by_hand(ieee33, hub_bus, load).items():
            values = getattr(found, name)[..., slot]
            share = 1e-4 if name == "branch_loading" else 1e-5
            atol = share * np.abs(due).max()
            np.testing.assert_allclose(values, due, rtol=0.0, atol=atol, err_msg=name)


def test_the_state_is_the_power_flows(ieee33, hub_bus, hub_kw) -> None:
    """The point where the tangent touches is the power flow's own state, to the bit."""
    found, due = tangent(ieee33, hub_bus, hub_kw).state, power_flow(ieee33, hub_bus, hub_kw)
    for field in fields(FeederState):
        np.testing.assert_array_equal(getattr(found, field.name), getattr(due, field.name))


def test_the_error_of_a_prediction_is_of_second_order(ieee33, hub_bus, hub_kw) -> None:
    """Half the step leaves a quarter of the error: the slope is right, the rest is curvature."""
    slope = tangent(ieee33, hub_bus, hub_kw)
    step = np.random.default_rng(3).uniform(-60.0, 60.0, hub_kw.shape)

    def error(share: float) -> float:
        moved = power_flow(ieee33, hub_bus, hub_kw + share * step)
        predicted = slope.state.voltage_pu + np.einsum("bht,ht->bt", slope.voltage_pu, share * step)
        return float(np.abs(moved.voltage_pu - predicted).max())

    assert error(1.0) < 1e-3
    assert error(0.5) / error(1.0) == pytest.approx(0.25, abs=0.03)


def test_the_head_supplies_the_losses_too(ieee33_peak, hub_bus) -> None:
    """A kW drawn far out costs more than a kW at the head: itself and its marginal losses."""
    zero = np.zeros((6, 1))
    slope = tangent(ieee33_peak, hub_bus, zero).head_kw[:, 0]
    for hub in range(6):
        step = zero.copy()
        step[hub] = 1.0
        more, less = (power_flow(ieee33_peak, hub_bus, kw).losses_kw[0] for kw in (step, -step))
        assert slope[hub] == pytest.approx(1.0 + (more - less) / 2.0, abs=1e-5)
    assert (slope > 1.0).all()
    assert slope[np.searchsorted(hub_bus, 14)] > slope[np.searchsorted(hub_bus, 4)]


def test_hubs_at_one_bus_have_one_slope(ieee33_peak: Feeder) -> None:
    """Two hubs at the same bus act on the feeder alike."""
    slope = tangent(ieee33_peak, np.array([14, 14]), np.array([[100.0], [20.0]]))
    np.testing.assert_array_equal(slope.voltage_pu[:, 0], slope.voltage_pu[:, 1])


def test_a_slot_without_solution_has_no_slope(ieee33, hub_bus, hub_kw) -> None:
    """Where the power flow fails its derivatives are NaN, and nowhere else."""
    absurd = hub_kw.copy()
    absurd[0, 5] = 1e6
    slope = tangent(ieee33, hub_bus, absurd)
    assert np.isnan(slope.voltage_pu[..., 5]).all()
    assert np.flatnonzero(np.isnan(slope.head_kw).any(axis=0)).tolist() == [5]


def test_without_hubs_there_is_nothing_to_move(ieee33_peak: Feeder) -> None:
    """No hubs: a state, and derivatives of no hubs."""
    alone = replace(ieee33_peak, source_voltage_pu=1.02)
    slope = tangent(alone, np.array([], dtype=np.int64), np.zeros((0, 1)))
    assert slope.voltage_pu.shape == (33, 0, 1)
    assert slope.state.converged.all()


def test_tangent_speed(benchmark, ieee33, hub_bus, hub_kw) -> None:
    """Six hubs, 96 slots, 33 buses: 672 power flows in one batch."""
    slope = benchmark(tangent, ieee33, hub_bus, hub_kw)
    assert np.isfinite(slope.voltage_pu).all()
