"""Cell models: published equations of capacity fade, as implemented in BLAST-Lite 1.1 (NREL).

Each model says what calendar and cycles take at a given stress. Tests, conditions and papers stand
beside each cell's name in `hubwise.domain.CELLS`; equations and constants are those of BLAST-Lite
(https://github.com/NREL/BLAST-Lite), which the tests hold them against.

Symbols: ``T`` temperature [K], ``s`` state of charge, ``U`` potential of the graphite electrode
[V], ``d`` depth of a cycle, ``C`` mean rate of the current [1/h]. The models of 2023 use ``T`` as
a share of 308.15 K and ``U`` as a share of 0.123 V.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from hubwise.battery.stress import Stress
from hubwise.battery.trajectory import Curve, Power, Sigmoid
from hubwise.domain.arrays import Array

WARM_K = 308.15
HALF_FULL_V = 0.123


@dataclass(frozen=True, slots=True)
class Model:
    """What takes capacity from a cell.

    Parameters
    ----------
    calendar
        The curve over days, for a stress.
    cycles
        The curve over equivalent full cycles, for a stress.
    day, cycle
        What the curves count in: days and cycles are divided by these.
    electrode
        The curve of lost electrode material over equivalent full cycles, where the cell has one:
        capacity is what the scarcer of lithium and electrode leaves.
    """

    calendar: Callable[[Stress], Curve]
    cycles: Callable[[Stress], Curve]
    day: float = 1.0
    cycle: float = 1.0
    electrode: Callable[[Stress], Curve] | None = None


def _electrode_potential(soc: Array) -> Array:
    """Potential of graphite against lithium; soc as a share [V].

    Safari and Delacourt 2011 (https://doi.org/10.1149/1.3567007), with the lithiation of Schimpe
    et al. 2018 (https://doi.org/10.1149/2.1181714jes).
    """
    x = 8.5e-3 + soc * (0.78 - 8.5e-3)
    potential: Array = (
        0.6379
        + 0.5416 * np.exp(-305.5309 * x)
        + 0.044 * np.tanh(-(x - 0.1958) / 0.1088)
        - 0.1978 * np.tanh((x - 1.0571) / 0.0854)
        - 0.6875 * np.tanh((x + 0.0117) / 0.0529)
        - 0.0175 * np.tanh((x - 0.5692) / 0.0875)
    )
    return potential


# Five transcendental functions a point are slow; between these points a line is off by 1e-6 V.
_SOC = np.linspace(0.0, 1.0, 8193)
_POTENTIAL = _electrode_potential(_SOC)


def potential(soc: Array) -> Array:
    """`_electrode_potential`, read from a table; same shape as ``soc`` [V]."""
    return np.interp(soc, _SOC, _POTENTIAL)


def _calendar_by_potential(
    size: float, heat: float, volt: float, exponent: float
) -> Callable[[Stress], Curve]:
    """``size exp(heat/T) exp(volt U/T)``."""

    def curve(stress: Stress) -> Curve:
        T = stress.temperature_k
        rate = size * np.exp((heat + volt * potential(stress.soc)) / T)
        return Power(stress.mean(rate), exponent)

    return curve


def _calendar_by_charge(
    size: float, heat: float, charge: float, exponent: float
) -> Callable[[Stress], Curve]:
    """``size exp(heat/T) exp(charge s/T)``."""

    def curve(stress: Stress) -> Curve:
        rate = size * np.exp((heat + charge * stress.soc) / stress.temperature_k)
        return Power(stress.mean(rate), exponent)

    return curve


def _cycles_in_cold(
    flat: float, deep: float, fast: float, cold: float, warm: float, exponent: float
) -> Callable[[Stress], Curve]:
    """``(flat + deep d + fast C) (exp(cold/T) + exp(-warm/T))``."""

    def curve(stress: Stress) -> Curve:
        T = stress.mean_temperature_k
        rate = flat + deep * stress.depth + fast * stress.rate[:, None]
        return Power(
            stress.over_cycles(rate * (np.exp(cold / T) + np.exp(-warm / T))),
            exponent,
        )

    return curve


def _sony_calendar(stress: Stress) -> Curve:
    T, U = stress.temperature_k, potential(stress.soc)
    half, third, fourth = U**0.5, U ** (1.0 / 3.0), U**0.25
    # What this cell loses to time ends at a ceiling; stress says how high that is.
    ceiling = 0.989687151293590 * np.exp(
        -2881067.56019324 * half / T**2 + 8742.06309157261 * half / T
    )
    exponent = 0.000332850281062177 * np.exp(
        734553185711.369 * third / T**4
        - 2.82161575620780e-06 * T**3 * fourth
        - 3284991315.45121 * third / T**3
        + 0.00127227593657290 * T**2 * fourth
    )
    return Sigmoid(0.000130510034211874, stress.mean(exponent), stress.mean(ceiling))


def _sony_cycles(stress: Stress) -> Curve:
    d, C = stress.depth, stress.rate[:, None]
    rate = np.abs(
        -6.81260579372875e-06
        + 2.59615973160844e-05 * d
        + 2.11559710307295e-06 * np.exp(d**2 * C**3)
    )
    # Published as (rate x) ** p.
    return Power(stress.over_cycles(rate) ** 1.12847759334355, 1.12847759334355)


def _a_calendar(stress: Stress) -> Curve:
    T, U = stress.temperature_k / WARM_K, potential(stress.soc) / HALF_FULL_V
    return Power(stress.mean(8.71e-07 * np.exp(10.0 * T**3 / U ** (1.0 / 3.0))), 0.578)


def _a_cycles(stress: Stress) -> Curve:
    T, d, C = stress.mean_temperature_k / WARM_K, stress.depth, stress.rate[:, None]
    rate = np.abs(
        0.0267
        + 1.64 * T**3 * d**0.5
        + 0.011 * np.exp(C**2 / T**0.5)
        - 0.44 * np.exp(d**0.5 * T**2 * C**0.5)
    )
    return Power(stress.over_cycles(rate), 1.11)


def _kokam_cycles(stress: Stress) -> Curve:
    T = stress.mean_temperature_k
    rate = 3.80e3 * np.exp(-18.4 * WARM_K / T) * np.exp(1.04 * np.exp(stress.depth**2))
    return Power(stress.over_cycles(rate), 0.778)


def _kokam_electrode(stress: Stress) -> Curve:
    celsius = stress.mean_temperature_k - 273.15
    filled = stress.mean(stress.soc)[:, None]
    lasts = 1e4 + 153.0 * (celsius - 55.0) * stress.depth * filled / 0.6
    return Sigmoid(1.0 / np.maximum(stress.over_cycles(lasts), 1.0), 10.0, 1.0)


def _leaf_cycles(stress: Stress) -> Curve:
    return Power(np.full(len(stress.soc), 7.58e-05), 1.08)


MODELS: Mapping[str, Model] = {
    "LFP-250Ah": Model(
        _calendar_by_potential(8.37e4, -5.21e3, -3.56e3, 0.526),
        _cycles_in_cold(4.38e-08, 1.55e-08, 1.68e-07, 2.19e3, 1.55e5, 0.828),
    ),
    "LFP-3Ah": Model(_sony_calendar, _sony_cycles),
    "NMC-75Ah": Model(_a_calendar, _a_cycles, day=1e3, cycle=1e4),
    "NMC111-75Ah": Model(
        _calendar_by_potential(2.66e7, -17.8 * WARM_K, -5.21 * WARM_K / HALF_FULL_V, 0.357),
        _kokam_cycles,
        electrode=_kokam_electrode,
    ),
    "NMC811-3.5Ah": Model(
        _calendar_by_charge(0.0353, -1.03e3, 57.7, 0.743),
        _cycles_in_cold(1.77e-07, 2.21e-07, 8.08e-13, 2.25e3, 1.14e4, 0.695),
    ),
    "NCA-3.2Ah": Model(
        _calendar_by_charge(75.4, -3.34e3, 353.0, 0.512),
        _cycles_in_cold(1.86e-06, 1.77e-04, 4.74e-11, 3.34e-11, 2.81e-09, 0.699),
    ),
    "LMO-66Ah": Model(_calendar_by_charge(3.25e8, -7.58e3, 162.0, 0.464), _leaf_cycles),
}
"""The model of every cell of `hubwise.domain.CELLS`, by name."""
