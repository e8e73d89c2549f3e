"""The report's section on batteries, on a real plan of a small scenario."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from hubwise.domain import BatteryFacts, Promises
from hubwise.plan import make_plan
from hubwise.record import write
from hubwise.study.report.batteries import (
    batteries,
    batteries_section,
    fade_by_temperature,
    wear_prices,
)
from hubwise.study.report.cases import read_plan


@pytest.fixture(scope="module")
def discharging(small_scenario, tmp_path_factory):
    """A plan whose drivers discharge, read back; and the plan."""
    scenario = small_scenario(3, sessions=10, slots=48)
    facts = BatteryFacts("nonlinear", pack_price=(("LFP", 80.0),))
    search = replace(scenario.search, evaluations=12)
    scenario = scenario.having(battery=facts, search=search, promises=Promises())
    made = make_plan(scenario)
    folder = write(made, tmp_path_factory.mktemp("batteries") / "plan")
    return read_plan(scenario, folder), made


def test_the_table_sums_what_is_discharged(discharging):
    """Sessions, kWh and both kinds of wear are those of ageing.parquet."""
    cases, made = discharging
    text = batteries_section(cases, cases.participations[0])
    cells = re.findall(r"<td>(.*?)</td>", text)
    used = made.ageing.drawn_kwh > 1e-6
    assert cells[0] == str(used.sum())
    drawn, model = made.ageing.drawn_kwh[used].sum(), made.ageing.wear_nonlinear[used].sum()
    assert cells[3] == f"{model / drawn:.3f}".replace("-", "\N{MINUS SIGN}")
    assert "Drivers answer to the wear that the model finds" in text
    assert "LFP-250Ah" in text
    assert "NMC" not in text


def test_what_leaves_the_tested_range_is_on_the_page(discharging):
    """Every warning of the result is there."""
    cases, made = discharging
    text = batteries_section(cases, cases.participations[0])
    assert made.result.warnings
    assert all(warning.split(";")[0] in text for warning in made.result.warnings)


def test_bars_are_the_fade_at_each_temperature(discharging):
    """At the fleet's own temperature the bar is the plan's mean fade; heat fades more at rest."""
    cases, made = discharging
    spec = fade_by_temperature(cases, cases.chosen(cases.participations[0]))
    driving = dict(zip(spec["data"][0]["x"][1], spec["data"][0]["y"], strict=True))
    assert driving["5"] < driving["25"] < driving["35"]
    read_back = batteries(cases.scenario, cases.chosen(cases.participations[0]))
    np.testing.assert_allclose(
        read_back.schedule.energy_kwh, made.schedule.energy_kwh[made.ageing.drawn_kwh > 1e-6]
    )


def test_all_kwh_are_in_the_histogram(discharging):
    """As many kWh are drawn at the prices given as at those of the model: all that are drawn."""
    cases, made = discharging
    spec = wear_prices(cases, cases.chosen(cases.participations[0]))
    for trace in spec["data"]:
        assert sum(trace["y"]) == pytest.approx(made.ageing.drawn_kwh.sum(), rel=1e-2)


def test_where_nobody_discharges_the_page_says_so(small_scenario, tmp_path):
    """A plan without discharging has a sentence and no figure."""
    scenario = small_scenario(3, sessions=4)
    folder = write(make_plan(scenario, strategy="uncoordinated"), tmp_path / "plan")
    cases = read_plan(scenario, folder)
    share = cases.participations[0]
    assert "Nobody discharges" in batteries_section(cases, share)
    assert fade_by_temperature(cases, cases.chosen(share)) is None
    assert wear_prices(cases, cases.chosen(share)) is None
