"""Symmetrical components: three phases as zero, positive and negative sequence.

Source: C. L. Fortescue, "Method of symmetrical co-ordinates applied to the solution of polyphase
networks", Transactions of the AIEE 37, 1027-1140, 1918.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.domain import Feeder
from hubwise.domain.phases import Complex
from hubwise.grid.admittance import BASE_KVA, TwoPorts, two_ports
from hubwise.grid.topology import bus_rows

_TURN = np.exp(2j * np.pi / 3.0)
# Phases (L1, L2, L3) of sequences (zero, positive, negative).
TO_PHASES: Complex = np.array(
    [[1.0, 1.0, 1.0], [1.0, _TURN**2, _TURN], [1.0, _TURN, _TURN**2]], dtype=np.complex128
)
TO_SEQUENCES: Complex = np.asarray(np.conj(TO_PHASES) / 3.0, dtype=np.complex128)
ZERO, POSITIVE, NEGATIVE = range(3)


def sequence_ports(feeder: Feeder) -> tuple[TwoPorts, TwoPorts, TwoPorts]:
    """Every branch in the zero, the positive and the negative sequence [p.u.].

    A transformer turns the negative sequence the other way. It turns the zero sequence by no angle,
    and by half a turn where it turns the voltages by that (and a third, to either side).
    """
    against = replace(feeder, shift_degrees=-np.asarray(feeder.shift_degrees))
    return _zero_ports(feeder), two_ports(feeder), two_ports(against)


def _zero_ports(feeder: Feeder) -> TwoPorts:
    assert feeder.phases is not None, "feeders given per phase have them"
    near, far = bus_rows(feeder, feeder.from_bus), bus_rows(feeder, feeder.to_bus)
    base_ohm = feeder.bus_kv[far] ** 2 * 1e3 / BASE_KVA
    series, at_near, at_far = (
        base_ohm * admittance
        for admittance in (
            feeder.phases.zero_series,
            feeder.phases.zero_near,
            feeder.phases.zero_far,
        )
    )
    upside = np.round(np.asarray(feeder.shift_degrees) / 60.0) % 2.0 == 1.0
    ratio = np.where(upside, -1.0, 1.0) * feeder.ratio
    return TwoPorts(
        near=near,
        far=far,
        near_near=np.asarray((series + at_near) / ratio**2, dtype=np.complex128),
        near_far=np.asarray(-series / ratio, dtype=np.complex128),
        far_near=np.asarray(-series / ratio, dtype=np.complex128),
        far_far=np.asarray(series + at_far, dtype=np.complex128),
    )
