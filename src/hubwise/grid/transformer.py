"""How load ages an oil-immersed transformer: top oil, hot spot, insulation life.

Source: IEC 60076-7:2018, Loading guide for mineral-oil-immersed power transformers: exponential
equations (IEC 60354:1991 with the constants k11, k21, k22 added), stepped slot by slot as its
difference equations are; relative ageing rates. Each step is solved exactly for the slot's
constant load, where the standard takes Euler steps of a few minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from hubwise.domain.arrays import Array

AMBIENT_C = (
    20.0  # the standard's yearly weighted ambient temperature, at which rated load ages by 1
)
STEP_MINUTES = 5.0
# Normal insulation life at the rated hot spot, by the standard's table for a well-dried system free
# of oxygen: 150,000 h until the paper's degree of polymerisation is 200.
NORMAL_LIFE_YEARS = 150_000.0 / 8_760.0


class Paper(Enum):
    """Winding insulation: plain paper, or paper treated to age less."""

    PLAIN = "plain"
    UPGRADED = "upgraded"


@dataclass(frozen=True, slots=True)
class ThermalModel:
    """Thermal characteristics of one kind of transformer.

    Parameters
    ----------
    top_oil_rise_k
        Top oil above ambient, steady at rated losses (Δθor) [K].
    hot_spot_rise_k
        Hot spot above top oil, steady at rated current (Δθhr) [K].
    loss_ratio
        Load losses at rated current over no-load losses (R).
    oil_exponent, winding_exponent
        Exponents of losses and of current (x, y).
    oil_minutes, winding_minutes
        Time constants of oil and winding (τo, τw) [min].
    k11, k21, k22
        Thermal model constants: oil slower or faster than τo, overshoot of the hot spot over oil.
    """

    top_oil_rise_k: float
    hot_spot_rise_k: float
    loss_ratio: float
    oil_exponent: float
    winding_exponent: float
    oil_minutes: float
    winding_minutes: float
    k11: float
    k21: float
    k22: float


# The standard's recommended characteristics; at rated load and 20 °C both reach 98 °C.
DISTRIBUTION_ONAN = ThermalModel(55.0, 23.0, 5.0, 0.8, 1.6, 180.0, 4.0, 1.0, 1.0, 2.0)
POWER_ONAN = ThermalModel(52.0, 26.0, 6.0, 0.8, 1.3, 210.0, 10.0, 0.5, 2.0, 2.0)
LARGEST_DISTRIBUTION_KVA = 2500.0


@dataclass(frozen=True, slots=True)
class Temperatures:
    """Temperatures at the end of every step; shape (..., steps) [°C].

    Parameters
    ----------
    top_oil_c, hot_spot_c
        Top oil in the tank; hottest spot of the winding.
    """

    top_oil_c: Array
    hot_spot_c: Array


def thermal_model(rating_kva: float) -> ThermalModel:
    """The standard's characteristics, natural oil and air cooling, for a rating [kVA].

    Up to 2500 kVA a distribution transformer, above it a medium power transformer.
    """
    return DISTRIBUTION_ONAN if rating_kva <= LARGEST_DISTRIBUTION_KVA else POWER_ONAN


def temperatures(
    loading: Array,
    slot_hours: float,
    ambient_c: Array | float = AMBIENT_C,
    model: ThermalModel = DISTRIBUTION_ONAN,
) -> Temperatures:
    """Temperatures at the end of every slot of a day that repeats itself.

    The state at the start is the one at the end, as if every day before had been the same.

    Parameters
    ----------
    loading
        Load as a share of the rating; shape (..., slots). NaN makes the whole series NaN.
    slot_hours
        Length of a slot [h].
    ambient_c
        Ambient temperature; a constant, or any shape that broadcasts to ``loading`` [°C].
    model
        Thermal characteristics.
    """
    losses = (1.0 + model.loss_ratio * loading**2) / (1.0 + model.loss_ratio)
    oil_target = ambient_c + model.top_oil_rise_k * losses**model.oil_exponent
    rise_target = model.hot_spot_rise_k * np.abs(loading) ** model.winding_exponent
    minutes = 60.0 * slot_hours
    top_oil = _lag(oil_target, minutes / (model.k11 * model.oil_minutes))
    winding = _lag(rise_target, minutes / (model.k22 * model.winding_minutes))
    oil_near_winding = _lag(rise_target, minutes * model.k22 / model.oil_minutes)
    hot_spot = top_oil + model.k21 * winding - (model.k21 - 1.0) * oil_near_winding
    return Temperatures(top_oil, hot_spot)


def relative_ageing_rate(hot_spot_c: Array, paper: Paper = Paper.PLAIN) -> Array:
    """Life used per unit of time, against that at the rated hot spot; shape as ``hot_spot_c``.

    Plain paper ages at rate 1 at 98 °C and twice as fast every 6 K; upgraded paper at rate 1 at
    110 °C, after Arrhenius.
    """
    if paper is Paper.PLAIN:
        return np.asarray(2.0 ** ((hot_spot_c - 98.0) / 6.0))
    return np.asarray(np.exp(15000.0 / (110.0 + 273.0) - 15000.0 / (hot_spot_c + 273.0)))


def loss_of_life_days(
    loading: Array,
    slot_hours: float,
    ambient_c: Array | float = AMBIENT_C,
    model: ThermalModel = DISTRIBUTION_ONAN,
    paper: Paper = Paper.PLAIN,
) -> Array:
    """Days of normal life that the horizon uses, if every day were like it; shape (...).

    A transformer that is at its rated hot spot all day uses one day a day. Slots are cut into
    steps of at most five minutes, because the winding follows its load within minutes.

    Parameters
    ----------
    loading
        Load as a share of the rating; shape (..., slots). NaN makes the whole series NaN.
    slot_hours
        Length of a slot [h].
    ambient_c
        Ambient temperature; a constant, or any shape that broadcasts to ``loading`` [°C].
    model
        Thermal characteristics.
    paper
        Winding insulation.
    """
    steps = int(np.ceil(60.0 * slot_hours / STEP_MINUTES))
    ambient = np.broadcast_to(ambient_c, loading.shape)
    step_hours = slot_hours / steps
    fine = temperatures(
        np.repeat(loading, steps, axis=-1), step_hours, np.repeat(ambient, steps, axis=-1), model
    )
    rate = relative_ageing_rate(fine.hot_spot_c, paper)
    return np.asarray(rate.sum(axis=-1) * step_hours / 24.0)


def loss_of_life_by_rating(
    loading: Array, rating_kva: Array, slot_hours: float, ambient_c: Array | float = AMBIENT_C
) -> Array:
    """Days of normal life that several transformers use; shape (..., transformers).

    Parameters
    ----------
    loading
        Load as a share of each rating; shape (..., transformers, slots), where the leading axes
        are scenarios.
    rating_kva
        Shape (transformers,) [kVA]; it picks each one's thermal characteristics.
    slot_hours
        Length of a slot [h].
    ambient_c
        Ambient temperature; any shape that broadcasts to ``loading`` [°C].
    """
    ambient = np.broadcast_to(ambient_c, loading.shape)
    used = np.empty(loading.shape[:-1])
    for model in (DISTRIBUTION_ONAN, POWER_ONAN):
        own = [thermal_model(float(rating)) is model for rating in rating_kva]
        some = loading[..., own, :], ambient[..., own, :]
        used[..., own] = loss_of_life_days(some[0], slot_hours, some[1], model)
    return used


def life_years(days_used: Array, horizon_days: float = 1.0) -> Array:
    """How long the insulation would last if every day were like these; shape as ``days_used``.

    `NORMAL_LIFE_YEARS` over the rate of ageing: an extrapolation of one day, and of heat alone.
    Beyond some decades other things end a transformer first.

    Parameters
    ----------
    days_used
        Days of normal life that a horizon uses.
    horizon_days
        Its length [days].
    """
    with np.errstate(divide="ignore"):
        return np.asarray(NORMAL_LIFE_YEARS * horizon_days / np.asarray(days_used))


def _lag(target: Array, step: float) -> Array:
    """A first-order lag behind ``target``, periodic over the last axis; values at steps' ends.

    ``step`` is the step's length over the time constant. The periodic start y satisfies
    y = end + keep·y, where end is what a start at zero leads to and keep what remains of y.
    """
    remains, steps = np.exp(-step), target.shape[-1]
    from_zero, value = np.empty_like(target), np.zeros(target.shape[:-1])
    for k in range(steps):
        value = target[..., k] + (value - target[..., k]) * remains
        from_zero[..., k] = value
    start = from_zero[..., -1:] / -np.expm1(-step * steps)
    return np.asarray(from_zero + start * remains ** np.arange(1, steps + 1))
