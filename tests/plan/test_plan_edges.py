"""Days at the edge: nothing there, too much of it, limits that nobody can keep."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, time

import numpy as np
import pytest

from hubwise.domain import Horizon, Promises, Strategy, Terms
from hubwise.plan import make_plan
from hubwise.record import make_tables, write
from hubwise.scenario import load


def feeder_with(scenario, **changes):
    """The scenario on another feeder."""
    return scenario.having(feeder=replace(scenario.situation.feeder, **changes))


def overloaded(scenario, slots):
    """The scenario with a base load in some slots that no power flow can carry."""
    load_kw = scenario.situation.feeder.base_kw.copy()
    load_kw[:, slots] += 1e6
    return feeder_with(scenario, base_kw=load_kw)


def unloaded(scenario):
    """The scenario without any base load."""
    nothing = np.zeros_like(scenario.situation.feeder.base_kw)
    return feeder_with(scenario, base_kw=nothing, base_kvar=nothing)


def without_sessions(scenario):
    """The scenario without any session."""
    nobody = scenario.situation.fleet.select(np.zeros(0, np.int64))
    return scenario.having(fleet=nobody, participation_order=())


def strict_summary(made, folder) -> dict:
    """The plan's result as it stands on disk, which must be JSON without NaN or infinities."""

    def refuse(word: str) -> None:
        raise AssertionError(f"{word} in summary.json")

    text = (write(made, folder / "plan") / "summary.json").read_text()
    result: dict = json.loads(text, parse_constant=refuse)["results"][0]
    return result


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("promised", [np.inf, 0.8])
def test_slots_without_a_power_flow(small_scenario, tmp_path, strategy, promised) -> None:
    """They are counted, named and left out of the figures; the rest of the plan stands."""
    usual = small_scenario(1).having(promises=Promises(peak_valley=promised))
    made = make_plan(overloaded(usual, slice(6, 9)), strategy=strategy)
    assert made.result.feeder.convergence_violations == 3
    assert any("3 convergence limits" in line for line in made.result.advice)
    assert np.flatnonzero(~made.state.converged).tolist() == [6, 7, 8]
    found = strict_summary(made, tmp_path)
    for key in ("peak_kw", "valley_kw", "losses_kwh", "min_voltage_pu", "operator_profit"):
        assert np.isfinite(found[key])
    assert found["peak_kw"] < 1e6
    assert found["transformer_life_days"] is None  # a day with gaps has no ageing
    feeder = make_tables(made)["feeder"]
    assert feeder.filter(feeder["head_kw"].is_null())["slot"].to_list() == [6, 7, 8]


@pytest.mark.parametrize("strategy", list(Strategy))
def test_no_power_flow_at_all(small_scenario, tmp_path, strategy) -> None:
    """Where nothing is known of the feeder, money and schedules are, and the rest is null."""
    usual = small_scenario(1).having(promises=Promises(0.9, 0.9))
    made = make_plan(overloaded(usual, slice(None)), strategy=strategy)
    found = strict_summary(made, tmp_path)
    assert found["convergence_violations"] == 24
    for key in ("peak_kw", "peak_valley_kw", "min_voltage_pu", "transformer_peak_loading"):
        assert found[key] is None
    assert found["peak_valley_ratio"] is None
    assert np.isfinite(found["operator_profit"])
    assert made.schedule.energy_kwh[:, -1].sum() > made.scenario.situation.fleet.arrival_kwh.sum()


@pytest.mark.parametrize("strategy", list(Strategy))
def test_base_load_alone_breaks_the_voltage_band(small_scenario, tmp_path, strategy) -> None:
    """The plan comes out and says so, with what it was before; the bound is not passed off."""
    scenario = feeder_with(small_scenario(3), voltage_min_pu=0.99999)
    made = make_plan(scenario, strategy=strategy)
    found = strict_summary(made, tmp_path)
    broken = found["voltage_violations"]
    assert broken > 0
    assert any(f"{broken} voltage limits are broken" in line for line in found["advice"])
    assert found["profit_bound"] is None or found["profit_bound"] >= found["operator_profit"]
    assert found["max_regret"] <= 1e-6 or strategy in ("uncoordinated", "storage")


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("empty", [False, True])
def test_no_sessions(small_scenario, tmp_path, strategy, empty) -> None:
    """A day without vehicles, even without load, is a plan of stations alone."""
    scenario = without_sessions(small_scenario(4))
    made = make_plan(unloaded(scenario) if empty else scenario, strategy=strategy)
    found = strict_summary(made, tmp_path)
    assert found["fleet_cost"] == found["participant_cost"] == found["shortfall_kwh"] == 0.0
    assert found["participant_cost_ratio"] is None
    assert found["profit_ratio"] is None
    assert made.account.charging_revenue == 0.0
    if strategy in ("storage", "hubwise"):
        assert made.account.profit > -4.0 - 1e-9  # stations earn, or cost lease and running only


def test_zero_load_is_all_zero(small_scenario) -> None:
    """No vehicles, no stations, no load: no power, no losses, nominal voltage, no money."""
    scenario = unloaded(without_sessions(small_scenario(4, station=False)))
    made = make_plan(scenario, strategy="uncoordinated")
    assert not made.state.head_kw.any()
    assert made.result.feeder.losses_kwh == 0.0
    assert made.result.feeder.min_voltage_pu == 1.0
    assert made.account.profit == 0.0
    assert not made.result.advice


@pytest.mark.parametrize("strategy", list(Strategy))
def test_one_session(small_scenario, strategy) -> None:
    """A fleet of one is planned, and gets its energy."""
    made = make_plan(small_scenario(5, sessions=1), strategy=strategy)
    at_once = make_plan(small_scenario(5, sessions=1), strategy="uncoordinated")
    assert made.result.departures.shortfall_kwh == pytest.approx(
        at_once.result.departures.shortfall_kwh
    )


@pytest.mark.parametrize("family", ["flat", "time-of-use", "hourly", "every-slot"])
@pytest.mark.parametrize(
    "kind", [pytest.param({"station": False}, marks=pytest.mark.nightly), {"solar": True}]
)
def test_every_family_on_every_kind_of_hub(small_scenario, family, kind) -> None:
    """Each participant better off or alike, no regret, profit within its bound."""
    scenario = small_scenario(6, **kind)
    rules = replace(scenario.situation.rules, family=family)
    scenario = scenario.having(rules=rules, promises=Promises(0.8, 0.9))
    made = make_plan(scenario, participation=0.75)
    participants = made.scenario.situation.fleet.participating
    assert made.bills.saving[participants].min() >= -1e-9
    assert made.result.money.max_regret <= 1e-6
    bound = made.result.bounds.profit_bound
    assert bound is None or made.account.profit <= bound + 1e-6
    assert made.result.ratios.participant_cost_ratio <= 0.8 + 1e-9
    assert len(made.result.prices["h0"]) == len(set(made_groups(scenario)))


def made_groups(scenario) -> list[int]:
    """Group of every slot of a family, from its meaning."""
    return {
        "flat": [0] * 24,
        "time-of-use": scenario.situation.rules.block.tolist(),
        "hourly": [t // 2 for t in range(24)],
        "every-slot": list(range(24)),
    }[scenario.situation.rules.family]


@pytest.mark.parametrize(
    ("promises", "words"),
    [
        (Promises(saving=1e-3), "the saving promise is missed"),
        (Promises(peak_valley=1e-3), "the peak-valley promise is missed"),
    ],
)
def test_promises_out_of_reach_are_told(small_scenario, promises, words) -> None:
    """The advice names the promise, what was reached, and what would help."""
    one_way = replace(small_scenario(8).situation.fleet, discharge_kw_max=np.zeros(8))
    made = make_plan(small_scenario(8).having(fleet=one_way, promises=promises))
    (line,) = made.result.advice
    assert line.startswith(words)
    assert "against 0.001; promise less" in line


def test_promises_within_reach_are_kept(small_scenario) -> None:
    """Both promises hold under AC, and then there is no advice."""
    made = make_plan(small_scenario(10, sessions=16).having(promises=Promises(0.8, 0.85)))
    assert made.result.ratios.peak_valley_ratio <= 0.85 + 1e-9
    assert made.result.ratios.participant_cost_ratio <= 0.8 + 1e-9
    assert not made.result.advice
    assert made.result.bounds.gap >= 0.0


def test_the_hour_that_the_clock_shows_twice_has_two_prices() -> None:
    """On the day that clocks go back all 25 hours are in the prices in short."""
    day = Horizon.local_day(date(2024, 10, 26), "Europe/Amsterdam", start=time(12))
    scenario = load("example")

    def longer(values):
        return np.concatenate([values, values[..., -4:]], axis=-1)

    market, rules = scenario.situation.market, scenario.situation.rules
    bounds = ("charge_price_min", "charge_price_max", "discharge_price_min", "discharge_price_max")
    prices = ("purchase_price", "feed_in_price", "reference_price")
    scenario = feeder_with(
        scenario,
        base_kw=longer(scenario.situation.feeder.base_kw),
        base_kvar=longer(scenario.situation.feeder.base_kvar),
    ).having(
        horizon=day,
        hubs=replace(scenario.situation.hubs, solar_kw=longer(scenario.situation.hubs.solar_kw)),
        market=replace(market, **{key: longer(getattr(market, key)) for key in prices}),
        rules=replace(
            rules,
            block=longer(rules.block),
            **{key: longer(getattr(rules, key)) for key in bounds},
        ),
        terms=Terms(),
    )
    made = make_plan(scenario, strategy="uncoordinated")
    names = list(made.result.prices["north"])
    assert len(names) == 25
    assert "2024-10-27T02:00+02:00" in names
    assert "2024-10-27T02:00+01:00" in names


@pytest.mark.parametrize("family", ["flat", "hourly"])
def test_rules_without_a_lawful_tariff(small_scenario, family) -> None:
    """The bilevel plan refuses with hour and prices; other strategies need no tariff and go on."""
    scenario = small_scenario(12)
    dear = replace(scenario.situation.rules, charge_price_min=np.full(24, 4.0), family=family)
    scenario = scenario.having(rules=dear)
    with pytest.raises(ValueError, match="no lawful tariff: from 00:00 on a charge price"):
        make_plan(scenario)
    for strategy in ("uncoordinated", "storage", "passive"):
        assert make_plan(scenario, strategy=strategy).result.strategy == strategy
