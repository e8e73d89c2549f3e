"""AC power flow of feeders given per phase: three sequence networks, joined by the loads.

Source of the method: the fixed point on bus currents of `hubwise.grid.gauss` (Chen et al. 1991) in
symmetrical components (Fortescue 1918; M. Abdel-Akher, K. M. Nor, A. H. A. Rashid, "Improved
three-phase power-flow methods using sequence components", IEEE Transactions on Power Systems 20(3),
1389-1397, 2005). What branches do to the three sequences does not mix them, so that each is solved
by one factorised matrix of its own; loads draw from phases to earth, and do.
"""

from __future__ import annotations

import numpy as np
from scipy.sparse import csc_array
from scipy.sparse.linalg import splu

from hubwise.domain import PHASES, Feeder
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.domain.phases import Complex
from hubwise.grid.admittance import BASE_KVA, TwoPorts, bus_admittance
from hubwise.grid.gauss import ROUNDS, TOLERANCE_PU
from hubwise.grid.sequences import POSITIVE, TO_PHASES, TO_SEQUENCES, sequence_ports
from hubwise.grid.state import FeederState, phase_state
from hubwise.grid.topology import bus_load_kw, bus_rows, check_fed

# Where voltages have left this, the rounds run away: the slot has no solution that is found.
_LOST_PU = 1e3


class PhaseFlow:
    """A feeder given per phase, prepared once and solved many times, with other loads each time.

    The head holds voltages that are balanced; its short-circuit power is infinite in every
    sequence. Shunts and loads of constant impedance are stars whose point is earthed.

    Parameters
    ----------
    feeder
        Network, limits and base load; radial or meshed.

    Raises
    ------
    ValueError
        If a bus has no path to the source, or its zero sequence none to earth.
    """

    def __init__(self, feeder: Feeder) -> None:
        """Factorise the three networks that all solutions share."""
        check_fed(feeder)
        if lost := feeder.unearthed():
            raise ValueError(f"no way to earth for the zero sequence at bus {lost}")
        self.feeder = feeder
        self._ports = sequence_ports(feeder)
        self._admittance: list[csc_array] = [bus_admittance(feeder, ports) for ports in self._ports]
        self._source = int(bus_rows(feeder, np.array([feeder.source_bus]))[0])
        self._rest = np.arange(len(feeder.bus)) != self._source
        self._inner = [splu(y[self._rest][:, self._rest].tocsc()) for y in self._admittance]

    def __call__(self, hub_bus: Index, hub_kw: Array) -> FeederState:
        """The state with hubs, each on all three phases alike, added to the base load.

        Parameters
        ----------
        hub_bus
            Bus number of every hub; shape (hubs,).
        hub_kw
            Net draw of every hub at unity power factor, import positive; shape (hubs, slots) [kW].

        Raises
        ------
        ValueError
            If a hub is at an unknown bus, a shape does not fit, or a power is not finite.
        """
        load_kw = bus_load_kw(self.feeder, hub_bus, hub_kw)
        return self.solve(load_kw, self.feeder.base_kvar)

    def solve(
        self,
        load_kw: Array,
        load_kvar: Array,
        repeats: int = 1,
        uneven_kw: Array | None = None,
    ) -> FeederState:
        """The state under given loads, one case a column; both of shape (buses, cases) [kW, kvar].

        The cases are the feeder's slots, ``repeats`` times over: how unevenly a bus's phases draw,
        and what is drawn in proportion to the squared voltage, is that of the slot.
        ``uneven_kw``, of shape (buses, 3, cases) [kW], comes on top.

        Raises
        ------
        ValueError
            If a power is not finite.
        """
        phases = self.feeder.phases
        assert phases is not None, "feeders given per phase have them"
        even = np.asarray(load_kw + 1j * load_kvar)[:, None, :] / len(PHASES)
        uneven = np.tile(phases.uneven_kw + 1j * np.asarray(phases.uneven_kvar), repeats)
        load = even + uneven + (0.0 if uneven_kw is None else uneven_kw)
        if not np.isfinite(load).all():
            raise ValueError("loads must be finite")
        active, reactive = self.feeder.squared
        squared = np.asarray(np.tile(active + 1j * reactive, repeats) / BASE_KVA, np.complex128)
        # A phase's power is counted on a third of the base.
        return self._solved(np.asarray(load * len(PHASES) / BASE_KVA, np.complex128), squared)

    def _solved(self, load: Complex, squared: Complex) -> FeederState:
        """The state under loads (buses, 3, cases) and squared loads (buses, cases) [p.u.]."""
        with np.errstate(all="ignore"):  # where no solution exists the rounds run away
            voltage, converged = self._rounds(load, squared)
            return self._state(voltage, load, squared, converged)

    def _unloaded(self) -> Complex:
        """Voltages of the sequences with nothing drawn; shape (3, rest) [p.u.]."""
        unloaded = np.zeros((3, int(self._rest.sum())), dtype=np.complex128)
        fed = self._admittance[POSITIVE][self._rest][:, [self._source]].toarray()[:, 0]
        held = -self.feeder.source_voltage_pu * fed
        unloaded[POSITIVE] = self._inner[POSITIVE].solve(held)
        return unloaded

    def _rounds(self, load: Complex, squared: Complex) -> tuple[Complex, Flags]:
        """Voltages of the sequences (3, buses, cases) [p.u.], and which cases have settled."""
        cases, unloaded = load.shape[-1], self._unloaded()[:, :, None]
        inside = np.repeat(unloaded, cases, axis=2)
        drawn_kva, drawn_squared = load[self._rest], squared[self._rest]
        settled, lost = np.zeros(cases, dtype=np.bool_), np.zeros(cases, dtype=np.bool_)
        for _ in range(ROUNDS):
            todo = np.flatnonzero(~(settled | lost))
            if not todo.size:
                break
            old = inside[:, :, todo]
            current = _drawn(old, drawn_kva[..., todo], drawn_squared[:, todo])
            found = np.stack(
                [
                    free - inner.solve(np.ascontiguousarray(each))
                    for free, inner, each in zip(unloaded, self._inner, current, strict=True)
                ]
            )
            change = np.abs(found - old).max(axis=(0, 1), initial=0.0)
            settled[todo] = change <= TOLERANCE_PU
            lost[todo] = ~(change < _LOST_PU)
            inside[:, :, todo] = found
        voltage = np.zeros((3, len(self._rest), cases), dtype=np.complex128)
        voltage[POSITIVE, self._source] = self.feeder.source_voltage_pu
        voltage[:, self._rest] = inside
        return voltage, settled

    def _state(
        self, voltage: Complex, load: Complex, squared: Complex, converged: Flags
    ) -> FeederState:
        feeder, at = self.feeder, self._source
        base_a = (BASE_KVA / np.sqrt(3.0) / feeder.bus_kv)[:, None, None]
        near, far = _currents(self._ports, voltage)
        lost = sum(
            (voltage[k][ports.near] * np.conj(near[k]) + voltage[k][ports.far] * np.conj(far[k]))
            for k, ports in enumerate(self._ports)
        )
        into = np.stack([(y @ v)[[at]] for y, v in zip(self._admittance, voltage, strict=True)])
        drawn = into + _drawn(voltage[:, [at]], load[[at]], squared[[at]])
        of_phase = _phases(voltage[:, [at]])[0] * np.conj(_phases(drawn)[0]) / len(PHASES)
        return phase_state(
            feeder,
            head_kva=BASE_KVA * of_phase,
            losses_kw=BASE_KVA * np.asarray(lost).real.sum(axis=0),
            voltage=_phases(voltage),
            from_a=np.abs(_phases(near)) * base_a[self._ports[0].near],
            to_a=np.abs(_phases(far)) * base_a[self._ports[0].far],
            converged=converged,
        )


def _drawn(voltage: Complex, load: Complex, squared: Complex) -> Complex:
    """What loads draw, in sequences (3, buses, cases), at sequences of voltages [p.u.]."""
    current = np.conj(load / _phases(voltage))
    in_sequence: Complex = np.einsum("kp,bpc->kbc", TO_SEQUENCES, current)
    return np.asarray(in_sequence + np.conj(squared) * voltage, dtype=np.complex128)


def _phases(sequences: Complex) -> Complex:
    """(3 sequences, elements, cases) → (elements, 3 phases, cases)."""
    return np.asarray(np.einsum("pk,kec->epc", TO_PHASES, sequences), dtype=np.complex128)


def _currents(ports: tuple[TwoPorts, ...], voltage: Complex) -> tuple[Complex, Complex]:
    """Currents into both ends of every branch; each (3 sequences, branches, cases) [p.u.]."""
    near, far = [], []
    for of, v in zip(ports, voltage, strict=True):
        here, there = v[of.near], v[of.far]
        near.append(of.near_near[:, None] * here + of.near_far[:, None] * there)
        far.append(of.far_near[:, None] * here + of.far_far[:, None] * there)
    return np.stack(near), np.stack(far)
