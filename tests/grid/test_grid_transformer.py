"""Transformer ageing: closed forms, an integrator, an independent library, and symmetries."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from hubwise.grid import (
    DISTRIBUTION_ONAN,
    POWER_ONAN,
    Paper,
    ThermalModel,
    loss_of_life_days,
    relative_ageing_rate,
    temperatures,
    thermal_model,
)

MODELS = pytest.mark.parametrize("model", [DISTRIBUTION_ONAN, POWER_ONAN])
DAYS = st.integers(0, 2**32 - 1).map(
    lambda seed: np.random.default_rng(seed).uniform(0.0, 1.4, 24).repeat(4)
)


@pytest.fixture
def day() -> np.ndarray:
    """A day of 96 slots with a morning and an evening peak, and steps between."""
    return np.random.default_rng(11).uniform(0.2, 1.1, 24).repeat(4)


@MODELS
def test_rated_load_at_twenty_degrees_ages_a_day_a_day(model: ThermalModel) -> None:
    """The standard's normal: rated load, 20 °C, hot spot at 98 °C, one day of life a day."""
    full = np.ones(96)
    np.testing.assert_allclose(temperatures(full, 0.25, model=model).hot_spot_c, 98.0, atol=1e-9)
    assert loss_of_life_days(full, 0.25, model=model) == pytest.approx(1.0, abs=1e-9)


@MODELS
@pytest.mark.parametrize("load", [0.0, 0.5, 1.3])
def test_steady_load_reaches_the_steady_state(model: ThermalModel, load: float) -> None:
    """Constant load: the standard's closed form for top oil and hot spot, in every slot."""
    losses = (1.0 + model.loss_ratio * load**2) / (1.0 + model.loss_ratio)
    oil = 30.0 + model.top_oil_rise_k * losses**model.oil_exponent
    found = temperatures(np.full(24, load), 1.0, 30.0, model)
    np.testing.assert_allclose(found.top_oil_c, oil, atol=1e-9)
    rise = model.hot_spot_rise_k * load**model.winding_exponent
    np.testing.assert_allclose(found.hot_spot_c, oil + rise, atol=1e-9)


@MODELS
def test_an_integrator_finds_the_same_temperatures(model: ThermalModel, day: np.ndarray) -> None:
    """The standard's differential equations, integrated over four days by scipy, end the same."""

    def change(minute: float, state: np.ndarray) -> list[float]:
        load = day[int(minute // 15.0) % 96]
        oil, fast, slow = state
        losses = (1.0 + load**2 * model.loss_ratio) / (1.0 + model.loss_ratio)
        rise = model.hot_spot_rise_k * load**model.winding_exponent
        return [
            (model.top_oil_rise_k * losses**model.oil_exponent - (oil - 12.0))
            / (model.k11 * model.oil_minutes),
            (model.k21 * rise - fast) / (model.k22 * model.winding_minutes),
            ((model.k21 - 1.0) * rise - slow) / (model.oil_minutes / model.k22),
        ]

    ends = 3 * 1440.0 + 15.0 * np.arange(1, 97)
    run = solve_ivp(change, (0.0, ends[-1]), [12.0, 0.0, 0.0], t_eval=ends, max_step=5.0, rtol=1e-6)
    found = temperatures(day, 0.25, 12.0, model)
    np.testing.assert_allclose(found.top_oil_c, run.y[0], atol=0.02)
    np.testing.assert_allclose(found.hot_spot_c, run.y[0] + run.y[1] - run.y[2], atol=0.05)


# The library's own dependencies warn; that says nothing about temperatures.
@pytest.mark.filterwarnings("ignore")
@MODELS
def test_transformer_thermal_model_agrees(model: ThermalModel, day: np.ndarray) -> None:
    """Alliander's library, stepped through a week of the same day, agrees within 0.1 K."""
    pytest.importorskip("transformer_thermal_model")
    import pandas as pd
    from transformer_thermal_model.aging import days_aged
    from transformer_thermal_model.cooler import CoolerType
    from transformer_thermal_model.model import Model
    from transformer_thermal_model.schemas import InputProfile, UserTransformerSpecifications
    from transformer_thermal_model.transformer import PaperInsulationType, PowerTransformer

    specs = UserTransformerSpecifications(
        load_loss=model.loss_ratio,
        no_load_loss=1.0,
        nom_load_sec_side=1.0,
        time_const_oil=model.oil_minutes,
        time_const_windings=model.winding_minutes,
        top_oil_temp_rise=model.top_oil_rise_k,
        winding_oil_gradient=model.hot_spot_rise_k,
        hot_spot_fac=1.0,
        oil_const_k11=model.k11,
        winding_const_k21=int(model.k21),
        winding_const_k22=int(model.k22),
        oil_exp_x=model.oil_exponent,
        winding_exp_y=model.winding_exponent,
        end_temp_reduction=0.0,
        amb_temp_surcharge=0.0,
    )
    week = np.tile(day, 7)
    profile = InputProfile.create(
        datetime_index=pd.date_range("2023-01-01", periods=len(week), freq="15min"),
        load_profile=week,
        ambient_temperature_profile=np.full(len(week), 25.0),
    )
    run = Model(profile, PowerTransformer(specs, CoolerType.ONAN)).run()
    found = temperatures(day, 0.25, 25.0, model)
    last = slice(-96, None)
    np.testing.assert_allclose(found.top_oil_c, run.top_oil_temp_profile[last], atol=0.1)
    np.testing.assert_allclose(found.hot_spot_c, run.hot_spot_temp_profile[last], atol=0.1)
    aged = days_aged(run.hot_spot_temp_profile[-97:], PaperInsulationType.NORMAL)
    ours = relative_ageing_rate(found.hot_spot_c).sum() * 0.25 / 24.0
    assert ours == pytest.approx(aged, rel=0.01)


def test_ageing_rates_are_the_standards() -> None:
    """The standard's table of relative ageing rates, for plain and for upgraded paper."""
    hot_spot_c = np.array([80.0, 98.0, 110.0, 116.0, 140.0])
    plain, upgraded = (relative_ageing_rate(hot_spot_c, paper) for paper in Paper)
    np.testing.assert_allclose(plain, [0.125, 1.0, 4.0, 8.0, 128.0])
    np.testing.assert_allclose(upgraded, [0.036, 0.282, 1.0, 1.83, 17.2], rtol=0.01)


@MODELS
@settings(deadline=None, max_examples=30)
@given(day=DAYS, shift=st.integers(1, 95))
def test_a_day_has_no_beginning(model: ThermalModel, day: np.ndarray, shift: int) -> None:
    """A day that starts later has the same temperatures, later; two days are one twice."""
    once = temperatures(day, 0.25, model=model).hot_spot_c
    later = temperatures(np.roll(day, shift), 0.25, model=model).hot_spot_c
    np.testing.assert_allclose(later, np.roll(once, shift), atol=1e-8)
    twice = temperatures(np.tile(day, 2), 0.25, model=model).hot_spot_c
    np.testing.assert_allclose(twice, np.tile(once, 2), atol=1e-8)


@settings(deadline=None, max_examples=30)
@given(day=DAYS, slot=st.integers(0, 95), more=st.floats(0.0, 0.5))
def test_more_load_never_saves_life(day: np.ndarray, slot: int, more: float) -> None:
    """Without overshoot (a distribution transformer), more load anywhere uses more life."""
    higher = day.copy()
    higher[slot] += more
    assert loss_of_life_days(higher, 0.25) >= loss_of_life_days(day, 0.25) * (1.0 - 1e-12)


@MODELS
@settings(deadline=None, max_examples=30)
@given(day=DAYS, warmer=st.floats(-30.0, 30.0))
def test_ambient_adds_up(model: ThermalModel, day: np.ndarray, warmer: float) -> None:
    """A warmer day is hotter by as much inside, and ages by 2 to a sixth of that as fast."""
    cool, warm = (loss_of_life_days(day, 0.25, c, model) for c in (20.0, 20.0 + warmer))
    assert warm == pytest.approx(cool * 2.0 ** (warmer / 6.0), rel=1e-9)


def test_direction_of_power_does_not_matter(day: np.ndarray) -> None:
    """Feeding back heats as drawing does."""
    assert loss_of_life_days(-day, 0.25) == loss_of_life_days(day, 0.25)


@MODELS
def test_life_does_not_depend_on_how_time_is_cut(model: ThermalModel, day: np.ndarray) -> None:
    """Hours and quarter-hours of the same load use the same life."""
    hours = loss_of_life_days(day[::4], 1.0, model=model)
    assert hours == pytest.approx(loss_of_life_days(day, 0.25, model=model), rel=1e-9)


def test_steps_of_five_minutes_are_short_enough(day: np.ndarray) -> None:
    """Steps of a fifth of that change the life used by less than one per cent."""
    fine = temperatures(day.repeat(15), 0.25 / 15).hot_spot_c
    assert loss_of_life_days(day, 0.25) == pytest.approx(
        relative_ageing_rate(fine).mean(), rel=0.01
    )


def test_series_are_independent(day: np.ndarray) -> None:
    """Leading axes are series: stacked they give what each gives, with ambient of its own."""
    loading = np.stack([day, day[::-1], 0.5 * day]).reshape(3, 1, 96)
    ambient = np.array([[10.0], [25.0]])
    both = np.broadcast_to(loading, (3, 2, 96))
    together = loss_of_life_days(both, 0.25, ambient)
    assert together.shape == (3, 2)
    for k in range(3):
        for j in range(2):
            alone = loss_of_life_days(loading[k, 0], 0.25, ambient[j, 0])
            assert together[k, j] == pytest.approx(alone, rel=1e-12)


def test_an_unknown_slot_leaves_the_life_unknown(day: np.ndarray) -> None:
    """A slot whose power flow failed makes the day's ageing NaN, not a good-looking number."""
    lost = np.stack([day, day])
    lost[0, 40] = np.nan
    life = loss_of_life_days(lost, 0.25)
    assert np.isnan(life[0])
    assert life[1] == loss_of_life_days(day, 0.25)


def test_the_rating_picks_the_standards_class() -> None:
    """Up to 2500 kVA a distribution transformer, above it a medium power transformer."""
    assert thermal_model(630.0) is DISTRIBUTION_ONAN
    assert thermal_model(2500.0) is DISTRIBUTION_ONAN
    assert thermal_model(6300.0) is POWER_ONAN


def test_a_slower_winding_runs_cooler_through_a_short_peak() -> None:
    """The model's parameters act: a winding with a longer time constant smooths a short peak."""
    peak = np.where(np.arange(96) == 70, 1.5, 0.5)
    slow = replace(DISTRIBUTION_ONAN, winding_minutes=12.0)
    quick_c, slow_c = (
        temperatures(peak, 0.25, model=model).hot_spot_c.max()
        for model in (DISTRIBUTION_ONAN, slow)
    )
    assert slow_c < quick_c


def test_ageing_speed(benchmark) -> None:
    """A thousand days of 96 slots at once."""
    loading = np.random.default_rng(5).uniform(0.2, 1.1, (1000, 96))
    assert benchmark(loss_of_life_days, loading, 0.25).shape == (1000,)
