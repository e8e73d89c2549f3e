"""Transformers: recorded days of an independent library, many at once, and years of life."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.grid import (
    DISTRIBUTION_ONAN,
    NORMAL_LIFE_YEARS,
    POWER_ONAN,
    SUBSTATION,
    life_years,
    loss_of_life_by_rating,
    loss_of_life_days,
    power_flow,
    relative_ageing_rate,
    temperatures,
    transformer_day,
)
from hubwise.scenario import check, load, new

RECORDED = json.loads((Path(__file__).parent / "thermal" / "found.json").read_text("utf-8"))
MODELS = {"distribution": DISTRIBUTION_ONAN, "power": POWER_ONAN}
IDS = [f"{case['kind']}: {case['name']}" for case in RECORDED["cases"]]


@pytest.mark.parametrize("case", RECORDED["cases"], ids=IDS)
def test_recorded_days_of_transformer_thermal_model(case) -> None:
    """Top oil and hot spot within 0.1 K of the library, ambient temperature through the day."""
    loading, ambient = np.array(case["loading"]), np.array(case["ambient_c"])
    found = temperatures(loading, 0.25, ambient, MODELS[case["kind"]])
    np.testing.assert_allclose(found.top_oil_c, case["top_oil_c"], rtol=0.0, atol=0.1)
    np.testing.assert_allclose(found.hot_spot_c, case["hot_spot_c"], rtol=0.0, atol=0.1)
    used = relative_ageing_rate(found.hot_spot_c).sum() * 0.25 / 24.0
    assert used == pytest.approx(case["days_aged"], rel=0.01)


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**32 - 1))
def test_many_at_once_are_each_alone(seed) -> None:
    """Scenarios by transformers in one call: each as if it were alone, by its own rating."""
    rng = np.random.default_rng(seed)
    loading, rating = rng.uniform(0.0, 1.3, (3, 4, 24)), np.array([100.0, 2500.0, 2501.0, 4e4])
    ambient = rng.uniform(-10.0, 35.0, (3, 1, 24))
    found = loss_of_life_by_rating(loading, rating, 1.0, ambient)
    assert found.shape == (3, 4)
    for scenario, row in np.ndindex(3, 4):
        model = DISTRIBUTION_ONAN if rating[row] <= 2500.0 else POWER_ONAN
        alone = loss_of_life_days(loading[scenario, row], 1.0, ambient[scenario, 0], model)
        assert found[scenario, row] == pytest.approx(float(alone), rel=1e-12)


@given(st.floats(-20.0, 40.0), st.floats(0.1, 10.0))
def test_warmer_days_use_more_life(celsius, more) -> None:
    """Every kelvin of ambient temperature counts: six double the ageing of plain paper."""
    day = np.linspace(0.3, 1.0, 24)
    cool, warm = (loss_of_life_days(day, 1.0, at) for at in (celsius, celsius + more))
    assert warm / cool == pytest.approx(2.0 ** (more / 6.0), rel=1e-9)


def test_years_are_the_normal_life_over_the_rate() -> None:
    """Rated load at 20 °C lasts the standard's 17.1 years; half the ageing, twice the years."""
    assert round(NORMAL_LIFE_YEARS, 2) == 17.12
    used = loss_of_life_days(np.ones((2, 96)), 0.25)
    np.testing.assert_allclose(life_years(used), NORMAL_LIFE_YEARS)
    np.testing.assert_allclose(life_years(used / 2.0), 2.0 * NORMAL_LIFE_YEARS)
    np.testing.assert_allclose(life_years(2.0 * used, 2.0), NORMAL_LIFE_YEARS)


def test_a_day_names_substation_network_and_hubs(ieee33, hub_bus) -> None:
    """Each transformer by name with its own loading; hubs without one are not there."""
    scenario = load("ieee33")
    rating = np.full(32, np.nan)
    rating[4] = 3000.0
    feeder = replace(ieee33, rating_kva=rating)
    hubs = replace(scenario.situation.hubs, transformer_kva=np.where(hub_bus == 14, 500.0, np.inf))
    hub_kw = np.zeros((6, 96))
    hub_kw[2, 40:60] = -450.0
    state = power_flow(feeder, hub_bus, hub_kw)
    day = transformer_day(feeder, hubs, state, hub_kw, 0.25)
    names = (SUBSTATION, feeder.branch_names[4], f"hub {hubs.name[2]}, transformer")
    assert day.name == names
    np.testing.assert_array_equal(day.rating_kva, [feeder.transformer_kva, 3000.0, 500.0])
    np.testing.assert_allclose(
        day.peak_loading,
        [state.transformer_loading.max(), state.branch_loading[4].max(), 0.9],
    )
    alone = loss_of_life_days(state.transformer_loading, 0.25, feeder.ambient_c, POWER_ONAN)
    assert day.life_days[0] == pytest.approx(float(alone), rel=1e-12)
    assert [row["name"] for row in day.rows()] == list(names)


def test_ambient_temperature_is_the_scenarios(tmp_path) -> None:
    """A number or a table by hour; both reach the feeder, and mistakes are told."""
    new(tmp_path / "s")
    toml = tmp_path / "s" / "scenario.toml"
    text = toml.read_text(encoding="utf-8")
    assert load("example").situation.feeder.ambient_c == 20.0
    toml.write_text(text.replace("[feeder]", "[feeder]\nambient_c = 31.5"), encoding="utf-8")
    assert load(tmp_path / "s").situation.feeder.ambient_c == 31.5
    toml.write_text(text.replace("[feeder]", '[feeder]\nambient = "a.csv"'), encoding="utf-8")
    (tmp_path / "s" / "a.csv").write_text("hour,celsius\n0,12\n10,30.5\n", encoding="utf-8")
    scenario = load(tmp_path / "s")
    late = scenario.situation.horizon.local_hours() >= 10
    np.testing.assert_array_equal(scenario.situation.feeder.ambient_c, np.where(late, 30.5, 12.0))
    (tmp_path / "s" / "a.csv").write_text("hour,celsius\n0,12\n10,300\n", encoding="utf-8")
    (problem,) = check(tmp_path / "s")
    assert (problem.file, problem.where, problem.field) == ("a.csv", "row 3", "celsius")
