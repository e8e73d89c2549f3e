"""What a plan promises, on the small packaged example."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from hubwise.domain import Promises, Strategy
from hubwise.ledger import hub_flows
from hubwise.plan import Plan, make_plan
from hubwise.record import make_tables
from hubwise.scenario import load

DESIGNED = [
    "strategy",
    "participation",
    "peak_kw",
    "valley_kw",
    "peak_valley_kw",
    "load_factor",
    "losses_kwh",
    "min_voltage_pu",
    "voltage_violations",
    "branch_violations",
    "transformer_peak_loading",
    "transformer_life_days",
    "fleet_cost",
    "participant_cost",
    "participant_reference_cost",
    "operator_profit",
    "operator_profit_without_incentive",
    "profit_bound",
    "gap",
    "family_bound",
    "family_gap",
    "max_regret",
    "shortfall_kwh",
    "prices",
    "wall_seconds",
    "evaluations",
    "margin_on_others",
    "reference_margin",
]


def small(**changes: object):
    """The example with a short search."""
    scenario = load("example")
    return scenario.having(search=replace(scenario.search, evaluations=24), **changes)


@pytest.fixture(scope="module", params=list(Strategy))
def day(request: pytest.FixtureRequest) -> Plan:
    return make_plan(small(), strategy=request.param, participation=0.75)


def test_result_holds_every_designed_figure(day: Plan) -> None:
    """Whoever reads summary.json finds every key that the contract names."""
    assert set(DESIGNED) <= set(day.result.to_json())


def test_money_balances(day: Plan) -> None:
    """What participants pay net is the operator's charging revenue less discharge payments."""
    participants = day.scenario.situation.fleet.participating
    net = (day.bills.paid - day.bills.earned)[participants].sum()
    assert net == pytest.approx(
        day.account.charging_revenue - day.account.discharge_payments, abs=1e-9
    )


def test_energy_balances_at_the_head(day: Plan) -> None:
    """Head power is base load plus the hubs' net draw plus losses, in every slot."""
    scenario = day.scenario
    flows = hub_flows(
        len(scenario.situation.hubs), scenario.situation.fleet, day.schedule, day.stations
    )
    drawn = (
        scenario.situation.feeder.base_kw.sum(axis=0)
        + flows.net_kw.sum(axis=0)
        + day.state.losses_kw
    )
    np.testing.assert_allclose(day.state.head_kw, drawn, atol=1e-6)


def test_nobody_is_worse_off(day: Plan) -> None:
    """No participating driver pays more than uncoordinated at the reference tariff."""
    saving = day.bills.saving[day.scenario.situation.fleet.participating]
    assert (saving >= -1e-9).all()


def test_nobody_leaves_with_less_than_uncoordinated(day: Plan) -> None:
    """No session is short of energy that charging at once would have had."""
    fleet = day.scenario.situation.fleet
    before = make_plan(small(), strategy="uncoordinated", participation=0.75)
    short = np.maximum(fleet.required_kwh - day.schedule.energy_kwh[:, -1], 0.0)
    short_before = np.maximum(fleet.required_kwh - before.schedule.energy_kwh[:, -1], 0.0)
    assert (short <= short_before + 1e-9).all()


def test_hubwise_has_no_regret_a_bound_and_three_values() -> None:
    """A hubwise plan leaves no driver regret, stays below its bound, and tells all three values."""
    result = make_plan(small()).result.to_json()
    assert result["max_regret"] <= 1e-6
    assert result["operator_profit"] <= result["profit_bound"] + 1e-9
    outcomes = result["outcomes"]
    assert set(outcomes) == {"dispatched", "undelegated", "pessimistic"}
    costs = [outcome["participant_cost"] for outcome in outcomes.values()]
    np.testing.assert_allclose(costs, costs[0], atol=1e-5)
    profits = {name: outcome["operator_profit"] for name, outcome in outcomes.items()}
    assert profits["pessimistic"] <= min(profits.values()) + 1e-6


def test_same_seed_same_plan_to_the_bit() -> None:
    """Planning twice gives the same tables, cell by cell."""
    first, second = make_tables(make_plan(small())), make_tables(make_plan(small()))
    for name, table in first.items():
        assert table.equals(second[name]), name


def test_a_promise_that_cannot_be_kept_is_told() -> None:
    """Where no tariff keeps the promises, the plan comes out and says which one it misses."""
    promises = Promises(saving=0.01, peak_valley=0.01)
    result = make_plan(small(promises=promises), participation=0.1).result.to_json()
    assert any("peak-valley promise" in line for line in result["advice"])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_nobody_and_everybody_may_take_part(share: float) -> None:
    """A plan for no participants, or for all, is a plan."""
    made = make_plan(small(), participation=share)
    assert made.scenario.situation.fleet.participating.sum() == round(
        share * len(made.scenario.situation.fleet)
    )
    assert np.isfinite(made.account.profit)


def test_tables_have_a_bill_for_every_session(day: Plan) -> None:
    """bills.parquet has one row a session, participating or not."""
    bills = make_tables(day)["bills"]
    assert isinstance(bills, pl.DataFrame)
    assert bills["session"].to_list() == day.scenario.situation.fleet.session.tolist()


def test_an_unknown_strategy_is_refused() -> None:
    """A strategy that does not exist is named, with those that do."""
    with pytest.raises(ValueError, match="hubwise"):
        make_plan(small(), strategy="magic")


def test_few_prices_have_a_tighter_bound() -> None:
    """With one price for the day the bound of such tariffs lies between profit and bound of any."""
    scenario = small()
    scenario = scenario.having(rules=replace(scenario.situation.rules, family="flat"))
    found = make_plan(scenario, participation=0.75).result.to_json()
    assert found["operator_profit"] <= found["family_bound"] + 1e-9
    assert found["family_bound"] < found["profit_bound"]
    assert found["family_gap"] < found["gap"]
    assert found["boxes"] > 0
    search = replace(scenario.search, boxes=0)
    without = make_plan(scenario.having(search=search), participation=0.75).result.to_json()
    assert without["family_bound"] is without["family_gap"] is None
    assert without["operator_profit"] == found["operator_profit"]
