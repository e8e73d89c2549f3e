"""Transformers: heat and insulation life, with IEC 60076-7's lags solved in the frequency domain.

Planning steps a periodic day through time. Here the day is a sum of waves: each passes a
first-order lag by itself, damped and late by a known factor, and nothing has to be repeated until
it settles. The standard's characteristics are written down a second time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hubwise.domain import Feeder, Hubs
from hubwise.domain.arrays import Array
from hubwise.grid import FeederState

MOST_MINUTES = 5.0  # a winding follows its load within minutes
LIFE_HOURS = 150_000.0
RATED_C, DOUBLES_EVERY_K = 98.0, 6.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the standard's table of characteristics, cooled by natural oil and air.

    Steady rises at rated load [K], ratio of losses, exponents of oil and winding, time constants
    [min], and k11, k21, k22.
    """

    oil_k: float
    winding_k: float
    losses: float
    x: float
    y: float
    oil_minutes: float
    winding_minutes: float
    k11: float
    k21: float
    k22: float


DISTRIBUTION = Kind(55.0, 23.0, 5.0, 0.8, 1.6, 180.0, 4.0, 1.0, 1.0, 2.0)
MEDIUM_POWER = Kind(52.0, 26.0, 6.0, 0.8, 1.3, 210.0, 10.0, 0.5, 2.0, 2.0)
MOST_DISTRIBUTION_KVA = 2500.0


def hot_spot_c(loading: Array, kva: float, hours: float, ambient_c: Array | float) -> Array:
    """Hottest spot of the winding at the end of every step of a day that repeats itself [°C].

    Parameters
    ----------
    loading
        Shape (slots,), as a share of the rating; NaN anywhere makes all NaN.
    kva, hours, ambient_c
        Rating, length of a slot, ambient temperature by slot or for all.

    Returns
    -------
    Array
        Shape (slots, steps); steps of a slot are equal and no longer than `MOST_MINUTES`.
    """
    kind = DISTRIBUTION if kva <= MOST_DISTRIBUTION_KVA else MEDIUM_POWER
    steps = int(np.ceil(60.0 * hours / MOST_MINUTES))
    minutes = 60.0 * hours / steps
    load = np.repeat(loading, steps)
    ambient = np.repeat(np.broadcast_to(ambient_c, loading.shape), steps)
    share = (1.0 + kind.losses * load**2) / (1.0 + kind.losses)
    rise = kind.winding_k * np.abs(load) ** kind.y
    top_oil = _late(ambient + kind.oil_k * share**kind.x, minutes, kind.k11 * kind.oil_minutes)
    fast = _late(rise, minutes, kind.k22 * kind.winding_minutes)
    slow = _late(rise, minutes, kind.oil_minutes / kind.k22)
    hottest: Array = top_oil + kind.k21 * fast - (kind.k21 - 1.0) * slow
    return hottest.reshape(-1, steps)


def life_days(hot_spot: Array, hours: float) -> float:
    """Days of normal life that a day with these temperatures uses; shape as of `hot_spot_c`."""
    rate = np.exp2((hot_spot - RATED_C) / DOUBLES_EVERY_K)
    return float(rate.mean(axis=1).sum() * hours / 24.0)


def transformers(
    feeder: Feeder, hubs: Hubs, state: FeederState, hub_kw: Array, hours: float
) -> list[dict[str, float | str]]:
    """What summary.json should say of every transformer: substation, network, hubs.

    ``hub_kw`` is the net draw of every hub; shape (hubs, slots) [kW].
    """
    carried: list[tuple[str, float, Array]] = [
        ("substation transformer", feeder.transformer_kva, state.transformer_loading)
    ]
    for k, name in enumerate(feeder.branch_names):
        kva = float(np.broadcast_to(feeder.rating_kva, len(feeder.from_bus))[k])
        if np.isfinite(kva):
            carried.append((name, kva, state.heaviest_loading[k]))
    for h, name in enumerate(hubs.name):
        kva = float(np.broadcast_to(hubs.transformer_kva, len(hubs))[h])
        if np.isfinite(kva):
            carried.append((f"hub {name}, transformer", kva, np.abs(hub_kw[h]) / kva))
    return [_row(name, kva, loading, hours, feeder.ambient_c) for name, kva, loading in carried]


def _row(
    name: str, kva: float, loading: Array, hours: float, ambient_c: Array | float
) -> dict[str, float | str]:
    hottest = hot_spot_c(loading, kva, hours, ambient_c)
    used, day = life_days(hottest, hours), len(loading) * hours / 24.0
    return {
        "name": name,
        "rating_kva": kva,
        "peak_loading": float(loading.max()),
        "hottest_c": float(hottest[:, -1].max()),
        "life_days": used,
        "life_years": LIFE_HOURS / 8760.0 * day / used if used else np.inf,
    }


def _late(target: Array, minutes: float, constant: float) -> Array:
    """What follows ``target`` with a time constant [min], round the clock; at steps' ends.

    y_k = keep y_(k-1) + (1 - keep) target_k is, for the wave of frequency w, a factor of
    (1 - keep) / (1 - keep e^(-iw)).
    """
    keep = np.exp(-minutes / constant)
    wave = np.exp(-2j * np.pi * np.arange(len(target) // 2 + 1) / len(target))
    followed = np.fft.rfft(target) * (1.0 - keep) / (1.0 - keep * wave)
    late: Array = np.fft.irfft(followed, len(target))
    return late
