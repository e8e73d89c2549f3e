"""The figures: drawn from the tables, on the site's clock, in the same colours everywhere."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, time
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go
import polars as pl
import pytest

from hubwise.domain import Horizon, Scenario
from hubwise.study.report import glossary
from hubwise.study.report.axes import clock_axis, line, slot_labels
from hubwise.study.report.cases import Cases, by_slot, grid_of, read_study
from hubwise.study.report.figures_grid import voltage_map
from hubwise.study.report.figures_money import savings, waterfall
from hubwise.study.report.figures_power import fleet_layers, load, prices
from hubwise.study.report.page import _figures
from hubwise.study.report.palette import STRATEGIES

Make = Callable[..., Scenario]
Write = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def cases(scenario: Make, study: Write, tmp_path_factory: pytest.TempPathFactory) -> Cases:
    folder = tmp_path_factory.mktemp("figures")
    given = scenario(solar=True)
    study(given, folder)
    return read_study(given, folder)


def test_plotly_accepts_every_figure(cases: Cases) -> None:
    """Every property of every figure is one that plotly knows."""
    figures = _figures(cases, cases.participations)
    specs = [spec for at in figures["at"].values() for spec in at.values()]
    for spec in [*specs, *figures["all"].values()]:
        go.Figure(spec)


def test_load_curves_are_the_feeder_tables(cases: Cases) -> None:
    """Each strategy's curve is the head power of its own plan folder, rounded to a kilowatt."""
    drawn = load(cases.scenario, cases.at(0.6))
    assert drawn is not None
    curves = {trace["name"]: trace for trace in drawn["data"]}
    for case in cases.at(0.6):
        table = case.table("feeder")
        assert table is not None
        curve = curves[glossary.label(case.strategy)]
        np.testing.assert_allclose(curve["y"][1:-1], table["head_kw"], atol=0.5)
        assert curve["line"]["color"] == STRATEGIES[case.strategy]


def test_stacked_layers_add_up_to_the_feeder_head(cases: Cases) -> None:
    """Load, charging, discharging and solar sum to the head (the made-up feeder has no losses)."""
    for case in cases.at(0.8):
        layers, table = fleet_layers(cases.scenario, case), case.table("feeder")
        assert layers is not None
        assert table is not None
        np.testing.assert_allclose(sum(kw for _, _, kw in layers), table["head_kw"], atol=1e-9)


def test_the_waterfall_ends_at_the_profit(cases: Cases) -> None:
    """The last bar is the result's profit, and the bars before it add up to it."""
    case = cases.chosen(0.7)
    drawn = waterfall(case, "CNY")
    assert drawn is not None
    assert case is not None
    steps, bars, _ = drawn["data"]
    *items, total = bars["x"]
    assert total == pytest.approx(case.result["operator_profit"], abs=0.01)
    assert sum(items) == pytest.approx(total, abs=0.05)
    ends = [base + item for base, item in zip(bars["base"], items, strict=False)]
    assert bars["base"][1:-1] == pytest.approx(ends[:-1], abs=0.011)
    assert steps["x"][::3] == pytest.approx(ends, abs=0.011)


def test_the_histogram_counts_participants_only(cases: Cases) -> None:
    """Every participating session is in one bin, nobody else in any."""
    drawn = savings(cases.chosen(0.6), "CNY")
    assert drawn is not None
    assert sum(drawn["data"][0]["y"]) == round(0.6 * len(cases.scenario.situation.fleet))


def test_prices_that_differ_between_hubs_become_a_band(
    scenario: Make, study: Write, tmp_path: Path
) -> None:
    """The band's edges are the lowest and highest hub in every slot."""
    given = scenario(hubs=3)
    study(given, tmp_path, shares=(0.7,), spread=0.05)
    cases = read_study(given, tmp_path)
    case = cases.chosen(0.7)
    drawn = prices(given, case)
    assert drawn is not None
    lines = {trace["name"]: trace["y"] for trace in drawn["data"]}
    low, high = lines["Charge price, lowest hub"], lines["Charge price, highest hub"]
    np.testing.assert_allclose(np.subtract(high, low), 0.10, atol=1e-9)


@pytest.mark.parametrize(
    ("day", "slots"), [((2024, 3, 12), 96), ((2024, 3, 30), 92), ((2024, 10, 26), 100)]
)
def test_the_clock_axis_reads_the_wall_clock(day: tuple[int, int, int], slots: int) -> None:
    """Noon to noon on the wall, also on the days on which the clocks change."""
    horizon = Horizon.local_day(date(*day), "Europe/Amsterdam")
    axis, labels = clock_axis(horizon), slot_labels(horizon)
    assert len(labels) == len(set(labels)) == slots
    assert axis["ticktext"][0].startswith("12:00<br>")
    assert axis["ticktext"][-1] == "12:00"
    assert axis["range"] == [axis["tickvals"][0], axis["tickvals"][-1]] == [0.5, slots + 0.5]
    assert axis["categoryarray"][1:-1] == labels
    assert "12:00" in labels[0]
    assert "11:45" in labels[-1]
    midnight = axis["tickvals"][[t[:5] for t in axis["ticktext"]].index("00:00")]
    assert midnight == 48.5


def test_a_date_stands_only_where_it_has_room() -> None:
    """The last edge is at the margin: a date there would be cut off; the first always has one."""
    horizon = Horizon.local_day(date(2024, 6, 3), "Europe/Amsterdam", start=time(0))
    texts = clock_axis(horizon)["ticktext"]
    assert (texts[0], texts[-1]) == ("00:00<br>Mon 3 Jun", "00:00")


@pytest.mark.parametrize(("top", "decimals"), [(4431.2, 0), (63.5, 1), (7.0, 2), (0.0, 2)])
def test_small_powers_are_drawn_as_they_are(top: float, decimals: int) -> None:
    """A hub of 7 kW is not drawn in whole kilowatts."""
    drawn = line("Feeder head", [0.0, top, np.nan], "#000000", "kW")
    assert drawn["y"] == [0.0, round(top, decimals), None]


def test_voltages_that_are_near_each_other_are_told_apart(cases: Cases) -> None:
    """The ticks of a scale from 0.992 to 1.0 p.u. are not all 1.00."""
    shown = voltage_map(cases.scenario, cases.chosen(0.7), (0.992, 1.0))
    assert shown is not None
    assert shown["data"][0]["colorbar"]["tickformat"] == ".3f"


def test_tables_become_arrays() -> None:
    """Sums by slot and matrices hold every row where it belongs, and gaps are NaN."""
    table = pl.DataFrame({"bus": [7, 7, 2], "slot": [0, 2, 2], "kw": [1.0, None, 4.0]})
    keys, matrix = grid_of(table, "bus", "kw", 3)
    assert keys == [2, 7]
    np.testing.assert_array_equal(matrix, [[np.nan, np.nan, 4.0], [1.0, np.nan, np.nan]])
    np.testing.assert_array_equal(by_slot(table, "kw", 3)[:2], [1.0, 0.0])


@pytest.mark.parametrize(
    ("value", "decimals", "unit", "text"),
    [
        (1234567.8, 0, "", "1,234,568"),
        (-1234.5, 1, "kW", "\u22121,234.5\u00a0kW"),
        (-0.2, 0, "", "0"),
        (float("nan"), 0, "kW", "\u2013"),
        (float("inf"), 0, "", "\u2013"),
        (None, 2, "", "\u2013"),
        (True, 0, "", "\u2013"),
        ("12", 0, "", "\u2013"),
    ],
)
def test_numbers_are_written_for_people(value: Any, decimals: int, unit: str, text: str) -> None:
    """Thousands apart, a true minus, no minus zero, a dash for what is not a number."""
    assert glossary.number(value, decimals, unit) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.66, "\u221234\u202f%"), (1.2, "+20\u202f%"), (1.0, "0\u202f%"), (None, "\u2013")],
)
def test_changes_carry_their_sign(ratio: float | None, text: str) -> None:
    """A ratio to the yardstick is read as a fall or a rise."""
    assert glossary.change(ratio) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [(3666.4, "3,666\u00a0CNY"), (-42.126, "\u221242.13\u00a0CNY"), (None, "\u2013")],
)
def test_small_amounts_are_read_to_the_cent(amount: float | None, text: str) -> None:
    """Cents matter at a small site and not at a large one."""
    assert glossary.money(amount, "CNY") == text


def test_what_holds_for_a_slot_is_drawn_as_a_step(cases: Cases) -> None:
    """Powers, prices, voltages and loadings are steps; heat, energy and comparisons are lines."""
    figures = _figures(cases, cases.participations)
    at = figures["at"]["0.7"]
    for name in ("load", "prices", "voltage", "transformer", "fleet-after"):
        lines = [trace for trace in at[name]["data"] if trace["type"] == "scatter"]
        assert lines
        assert {trace["line"]["shape"] for trace in lines} == {"hvh"}
        categories = at[name]["layout"]["xaxis"]["categoryarray"]
        for trace in lines:
            # From the middle of a slot that is out of sight to the middle of another.
            assert (trace["x0"], len(trace["y"])) == (categories[0], len(categories))
            assert [trace["y"][0], trace["y"][-1]] == [trace["y"][1], trace["y"][-2]]
    drawn = [at["hot-spot"], *(at[name] for name in at if name.startswith("station-"))]
    for spec in [*drawn, *figures["all"].values()]:
        shapes = {trace["line"].get("shape") for trace in spec["data"] if "line" in trace}
        assert shapes <= {"linear", None}
