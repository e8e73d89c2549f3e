"""AC power flow of feeders given per phase by Newton's method: a second method, other equations.

Source of the method: P. A. N. Garcia, J. L. R. Pereira, S. Carneiro, V. M. da Costa, N. Martins,
"Three-phase power flow calculations using the current injection method", IEEE Transactions on
Power Systems 15(2), 508-514, 2000. Branches are matrices of three phases, and the currents of all
phases at all buses are one system of equations, slot by slot.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import block_array, coo_array, csc_array, diags_array
from scipy.sparse.linalg import splu

from hubwise.domain import PHASES, Feeder
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.domain.phases import Complex
from hubwise.grid.state import FeederState, phase_state
from hubwise.grid.topology import bus_load_kw, bus_rows, check_fed

STEPS = 30
TOLERANCE_PU = 1e-12  # largest step of a voltage

_A = np.exp(2j * np.pi / 3.0)
_TURNS: Complex = np.array([1.0, _A**2, _A], dtype=np.complex128)
_KVA = 1000.0 / 3.0  # base of a phase


def power_flow_phases(feeder: Feeder, hub_bus: Index, hub_kw: Array) -> FeederState:
    """AC power flow of every slot of a feeder given per phase.

    A slot without a solution within 30 steps counts as not converged, and so does one with a power
    that is not a number.

    Parameters
    ----------
    feeder
        Network, limits and base load; radial or meshed.
    hub_bus
        Bus number of every hub; shape (hubs,).
    hub_kw
        Net draw of every hub at unity power factor, import positive; shape (hubs, slots) [kW].

    Raises
    ------
    ValueError
        If the feeder is not connected, a hub is at an unknown bus, or a shape does not fit.
    """
    check_fed(feeder)
    load, squared = _loads(feeder, bus_load_kw(feeder, hub_bus, hub_kw))
    blocks = _blocks(feeder)
    admittance = _joined(feeder, blocks)
    source = int(bus_rows(feeder, np.array([feeder.source_bus]))[0])
    held = 3 * source + np.arange(3)
    rest = np.setdiff1d(np.arange(3 * len(feeder.bus)), held)
    fixed: Complex = np.asarray(feeder.source_voltage_pu * _TURNS, dtype=np.complex128)
    voltage = np.zeros(load.shape, dtype=np.complex128)
    voltage[held] = fixed[:, None]
    converged = np.zeros(load.shape[1], dtype=np.bool_)
    inner = admittance[rest][:, rest].tocsc()
    fed = admittance[rest][:, held] @ fixed
    with np.errstate(all="ignore"):  # where no solution exists the steps run away
        for slot in range(load.shape[1]):
            voltage[rest, slot], converged[slot] = _newton(
                inner, fed, load[rest, slot], squared[rest, slot]
            )
        current = admittance[held] @ voltage + np.conj(load[held] / voltage[held])
        current += np.conj(squared[held]) * voltage[held]
        return _state(feeder, blocks, voltage, voltage[held] * np.conj(current), converged)


def _loads(feeder: Feeder, load_kw: Array) -> tuple[Complex, Complex]:
    """What every phase draws: of constant power, and with the squared voltage; (nodes, slots)."""
    assert feeder.phases is not None, "feeders given per phase have them"
    active = load_kw[:, None, :] / len(PHASES) + feeder.phases.uneven_kw
    reactive = feeder.base_kvar[:, None, :] / len(PHASES) + feeder.phases.uneven_kvar
    load = (active + 1j * reactive).reshape(-1, load_kw.shape[1]) / _KVA
    squared_kw, squared_kvar = feeder.squared
    each = (squared_kw + 1j * squared_kvar) / len(PHASES) / _KVA
    return np.asarray(load, np.complex128), np.repeat(each, len(PHASES), axis=0)


def _of_phases(zero: Complex, positive: Complex, negative: Complex) -> Complex:
    """Matrices of three phases from those of sequences; (branches,) each → (branches, 3, 3).

    With a voltage of one sequence alone, phases carry it turned by a third each.
    """
    turns = np.stack([np.ones(3), _TURNS, np.conj(_TURNS)])
    of_sequence = np.stack([zero, positive, negative], axis=-1)
    whole = np.einsum("ks,sp,sq->kpq", of_sequence, turns, np.conj(turns)) / 3.0
    return np.asarray(whole, dtype=np.complex128)


def _blocks(feeder: Feeder) -> tuple[tuple[Complex, Complex], tuple[Complex, Complex]]:
    """Current into (near, far) by the voltage at (near, far), of every branch [p.u.]."""
    phases = feeder.phases
    assert phases is not None, "feeders given per phase have them"
    ohm = 1e3 * feeder.bus_kv[bus_rows(feeder, feeder.to_bus)] ** 2 / (3.0 * _KVA)
    series = ohm / (feeder.r_ohm + 1j * feeder.x_ohm)
    half = ohm * (feeder.g_siemens + 1j * np.asarray(feeder.b_siemens)) / 2.0
    shape = len(feeder.from_bus)
    k, angle = np.broadcast_to(feeder.ratio, shape), np.radians(feeder.shift_degrees)
    turn = np.broadcast_to(np.exp(1j * np.asarray(angle)), shape)
    zero_turn = 1.0 - 2.0 * (np.rint(np.asarray(angle) * 3.0 / np.pi) % 2.0)
    full: Complex = np.asarray(series + half, dtype=np.complex128)
    none: Complex = np.asarray(ohm * phases.zero_series, dtype=np.complex128)
    return (
        (
            _of_phases((none + ohm * phases.zero_near) / k**2, full / k**2, full / k**2),
            _of_phases(-none / k * zero_turn, -series / k * turn, -series / k / turn),
        ),
        (
            _of_phases(-none / k * zero_turn, -series / k / turn, -series / k * turn),
            _of_phases(none + ohm * phases.zero_far, full, full),
        ),
    )


def _joined(feeder: Feeder, blocks: tuple[tuple[Complex, Complex], ...]) -> csc_array:
    """Current into the network at every node by the voltage at every node [p.u.]."""
    ends = bus_rows(feeder, feeder.from_bus), bus_rows(feeder, feeder.to_bus)
    nodes, three = 3 * len(feeder.bus), np.arange(3)
    value, row, column = [], [], []
    for at, line in zip(ends, blocks, strict=True):
        for by, block in zip(ends, line, strict=True):
            value.append(block.ravel())
            shape = block.shape
            row.append(np.broadcast_to((3 * at[:, None] + three)[:, :, None], shape).ravel())
            column.append(np.broadcast_to((3 * by[:, None] + three)[:, None, :], shape).ravel())
    shunt = np.asarray(feeder.shunt_kw - 1j * np.asarray(feeder.shunt_kvar)) / (3.0 * _KVA)
    own = np.repeat(np.broadcast_to(shunt, len(feeder.bus)), 3)
    value.append(own)
    row.append(np.arange(nodes))
    column.append(np.arange(nodes))
    entries = np.concatenate(value), (np.concatenate(row), np.concatenate(column))
    return csc_array(coo_array(entries, shape=(nodes, nodes)))


def _newton(
    inner: csc_array, fed: Complex, load: Complex, squared: Complex
) -> tuple[Complex, bool]:
    """Voltages of one slot, and whether the steps have come to rest."""
    linear = inner + diags_array(np.conj(squared))
    voltage: Complex = splu(linear.tocsc()).solve(-fed)
    if not np.isfinite(load).all():
        return voltage, False
    real, imaginary = linear.real, linear.imag
    for _ in range(STEPS):
        drawn = np.conj(load / voltage)
        off = linear @ voltage + fed + drawn
        # The current of a constant power changes with the conjugate of the voltage.
        bend = -drawn / np.conj(voltage)
        jacobian = block_array(
            [
                [real + diags_array(bend.real), diags_array(bend.imag) - imaginary],
                [imaginary + diags_array(bend.imag), real - diags_array(bend.real)],
            ]
        )
        try:
            step = splu(jacobian.tocsc()).solve(-np.concatenate([off.real, off.imag]))
        except RuntimeError:  # singular
            return voltage, False
        moved = step[: len(load)] + 1j * step[len(load) :]
        voltage = voltage + moved
        if not np.isfinite(moved).all():
            return voltage, False
        if np.abs(moved).max(initial=0.0) <= TOLERANCE_PU:
            return voltage, True
    return voltage, False


def _state(
    feeder: Feeder,
    blocks: tuple[tuple[Complex, Complex], tuple[Complex, Complex]],
    voltage: Complex,
    head: Complex,
    converged: Flags,
) -> FeederState:
    by_bus = voltage.reshape(len(feeder.bus), 3, -1)
    near, far = bus_rows(feeder, feeder.from_bus), bus_rows(feeder, feeder.to_bus)
    into = [
        np.einsum("kpq,kqs->kps", line[0], by_bus[near])
        + np.einsum("kpq,kqs->kps", line[1], by_bus[far])
        for line in blocks
    ]
    lost = (by_bus[near] * np.conj(into[0]) + by_bus[far] * np.conj(into[1])).real
    base_a = (np.sqrt(3.0) * _KVA / feeder.bus_kv)[:, None, None]
    return phase_state(
        feeder,
        head_kva=np.asarray(_KVA * head, np.complex128),
        losses_kw=_KVA * lost.sum(axis=(0, 1)),
        voltage=by_bus,
        from_a=np.abs(into[0]) * base_a[near],
        to_a=np.abs(into[1]) * base_a[far],
        converged=converged,
    )
