"""Plans for those who delegate and those whose own devices choose."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from hubwise.audit import Status, audit_record
from hubwise.dispatch import make_baseline
from hubwise.domain import Search
from hubwise.plan import make_plan
from hubwise.plan.evaluation import evaluate
from hubwise.plan.price_search import search_prices
from hubwise.pricing import search_method, value_of
from hubwise.pricing.search.steps import LONG_ROUNDS
from hubwise.record import seal_again, write
from hubwise.scenario import load, with_delegation


def example(share=1.0, ties="early", seed=None):
    """The packaged example with few evaluations."""
    scenario = load("example")
    scenario = replace(scenario, search=replace(scenario.search, evaluations=25, boxes=0))
    return with_delegation(scenario, share, ties, seed)


@pytest.fixture(scope="module")
def plans():
    """Plans of the example at some shares."""
    return {
        (share, ties): make_plan(example(share, ties))
        for share, ties in [(1.0, "early"), (0.5, "random"), (0.0, "early")]
    }


def test_all_delegating_is_the_plan_without_a_word_of_it(plans) -> None:
    """A share of 1 plans to the digit what a scenario without the key does."""
    scenario = load("example")
    scenario = replace(scenario, search=replace(scenario.search, evaluations=25, boxes=0))
    plain, said = make_plan(scenario), plans[1.0, "early"]
    assert np.array_equal(plain.tariff.charge_price, said.tariff.charge_price)
    assert np.array_equal(plain.schedule.charge_kw, said.schedule.charge_kw)
    assert plain.result.money == said.result.money
    assert said.result.to_json()["device_ties"] is None


def test_nobody_delegating_is_the_undelegated_outcome(plans) -> None:
    """At a share of 0 with early devices the plan is its own undelegated outcome."""
    outcomes = plans[0.0, "early"].result.outcomes
    assert outcomes.dispatched.peak_valley_kw == pytest.approx(outcomes.undelegated.peak_valley_kw)
    assert outcomes.dispatched.operator_profit == pytest.approx(
        outcomes.undelegated.operator_profit
    )


def test_devices_have_no_regret_and_pass_no_bound(plans) -> None:
    """Nobody loses by own device, and bounds that let the platform choose for all hold."""
    for plan in plans.values():
        assert plan.result.money.max_regret <= 1e-6
        bound = plan.result.bounds.profit_bound
        assert bound is None or plan.account.profit <= bound + 1e-6


@pytest.mark.parametrize("ties", ["early", "random"])
def test_given_prices_are_dispatched_around_devices(plans, ties) -> None:
    """The same prices with fewer who delegate: drivers pay the same."""
    before = plans[1.0, "early"]
    found = make_plan(example(0.4, ties), tariff=before.tariff, held=True)
    assert found.result.money.participant_cost == pytest.approx(
        before.result.money.participant_cost, abs=1e-5
    )
    fleet = found.scenario.situation.fleet
    alone = fleet.participating & ~fleet.delegates
    assert alone.sum() == round(0.6 * fleet.participating.sum())
    figures = evaluate(example(0.4, ties).situation, before.tariff).figures
    assert figures["participant_cost"] == pytest.approx(
        before.result.money.participant_cost, abs=1e-4
    )


@pytest.fixture(scope="module")
def folder(plans, tmp_path_factory):
    """A plan half of whose drivers have devices that begin at random."""
    return write(plans[0.5, "random"], tmp_path_factory.mktemp("half") / "plan")


def failing(report) -> set[str]:
    return {check.name for check in report.checks if check.status is Status.FAILS}


def test_the_audit_derives_devices(folder, plans, tmp_path) -> None:
    """Half with random devices, and none delegating: both are found to be so."""
    assert not failing(audit_record(folder))
    other = write(plans[0.0, "early"], tmp_path / "plan")
    assert not failing(audit_record(other))


def _lied(folder, place, change):
    shutil.copytree(folder, place)
    change(place)
    seal_again(place)
    return failing(audit_record(place))


def _says(key, value):
    def change(place):
        file = place / "summary.json"
        content = json.loads(file.read_text())
        content["results"][0][key] = value
        file.write_text(json.dumps(content))

    return change


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("delegating", 0.75),
        ("delegated", 7),
        ("device_ties", "early"),
        ("device_ties", None),
        ("device_seed", 12),
        ("device_seed", None),
    ],
)
def test_a_lie_about_who_delegates_is_found(folder, tmp_path, key, value) -> None:
    """Share, number, ties and seed, sealed again."""
    assert _lied(folder, tmp_path / "plan", _says(key, value))


def test_a_device_that_was_told_when_to_begin_is_found(plans, tmp_path) -> None:
    """A schedule as cheap as the device's own, and not the device's own, fails."""
    plan = plans[0.5, "random"]
    early = make_plan(example(0.5, "early"), tariff=plan.tariff, held=True)
    told = write(early, tmp_path / "early")
    for key, value in (("device_ties", "random"), ("device_seed", 1)):
        _says(key, value)(told)
    seal_again(told)
    assert "drivers: devices" in failing(audit_record(told))


def test_who_is_said_to_delegate_is_found(folder, tmp_path) -> None:
    """A driver who does not delegate, and is said to, is named."""

    def change(place):
        file = place / "sessions.parquet"
        table = pl.read_parquet(file)
        table.with_columns(delegating=pl.lit(value=True)).write_parquet(file)

    assert _lied(folder, tmp_path / "plan", change)


@pytest.mark.parametrize(("seed", "ties"), [(0, "early"), (1, "random"), (2, "early")])
def test_prices_found_for_devices_are_worth_no_less_than_those_for_all_delegating(
    small_scenario, seed, ties
) -> None:
    """The search values the prices that it would find if all delegated, and keeps the better."""
    scenario = small_scenario(seed, sessions=12, hubs=2)
    search = Search("evolution", 8, seed=seed)
    few = with_delegation(scenario, 0.25, ties).situation
    every = with_delegation(scenario, 1.0).situation
    baseline, method = make_baseline(few), search_method("evolution")[1]
    found = search_prices(few, baseline, search, method)
    plain = search_prices(every, baseline, search, method)
    assert found.problem.fleet.delegating is not None

    def merit(tariff):
        warm = found.relaxed.warm().near()
        return value_of(found.problem, tariff, rounds=LONG_ROUNDS, warm=warm).merit

    assert merit(found.tariff) >= merit(plain.tariff) - 1e-9
