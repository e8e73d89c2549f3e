"""A poor plan says that it is poor, first and plainly, with what would be better."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hubwise.audit import audit_record
from hubwise.domain import Promises, Scenario, Strategy
from hubwise.plan import make_plan
from hubwise.plan.better import better
from hubwise.record import Bounds, Money, WithoutPrices, write
from hubwise.scenario import load


def money(profit: float) -> Money:
    return Money(10.0, 10.0, 12.0, profit, profit, 0.0, 0.0)


def dear_stations(cost: float = 500.0) -> Scenario:
    """The example, no promises, with stations that cost far more to run than anything brings."""
    example = load("example")
    hubs = example.situation.hubs
    running = np.full(len(hubs), cost)
    few = replace(example.search, evaluations=30, boxes=0)
    return example.having(search=few, hubs=replace(hubs, running_cost=running), promises=Promises())


def test_better_left_alone() -> None:
    """Where uncoordinated charging earns more with all promises kept, that is said first."""
    made = make_plan(dear_stations())
    alone = make_plan(dear_stations(), strategy=Strategy.UNCOORDINATED)
    without = made.result.shortcomings.without_prices
    assert without is not None
    assert without.strategy == Strategy.UNCOORDINATED
    assert without.operator_profit == pytest.approx(alone.account.profit)
    assert made.result.better_alone
    first, second = made.result.shortcomings.better[:2]
    assert f"{alone.account.profit:,.2f}" in first
    assert "--strategy uncoordinated" in first
    assert f"loses {-made.account.profit:,.2f}" in second


def test_the_figures_are_written_and_audited(tmp_path) -> None:
    """``better`` and ``without_prices`` stand in the folder, and no check fails for them."""
    made = make_plan(dear_stations())
    folder = write(made, tmp_path / "plan")
    assert audit_record(folder, made.asked).failures == ()


def test_who_does_not_keep_promises_is_no_alternative() -> None:
    """A day that misses the saving that is promised is not held up as better."""
    scenario = dear_stations()
    promised = scenario.having(promises=Promises(saving=0.9))
    made = make_plan(promised)
    assert made.result.shortcomings.without_prices is None
    assert not made.result.better_alone


@pytest.mark.parametrize(
    ("profit", "margin", "bound", "without", "words"),
    [
        (5.0, 4.0, 5.1, None, []),
        (5.0, 4.0, 5.1, 4.9, []),
        (5.0, 4.0, 5.1, 6.0, ["better left without"]),
        (-1.0, 4.0, None, None, ["loses 1.00"]),
        (3.0, 4.0, 3.1, None, ["below what participants bring"]),
        (5.0, 4.0, 6.25, None, ["more than 6.25"]),
        (-1.0, 4.0, None, 6.0, ["better left without", "loses 1.00"]),
        (-9.27, -20.0, -9.25, None, ["loses 9.27"]),
        (-9.27, -20.0, 0.01, None, ["loses 9.27", "more than 0.01"]),
    ],
)
def test_each_kind_of_poor(profit, margin, bound, without, words) -> None:
    """Each thing that is poor has one sentence, in this order; what is good has none."""
    alone = None if without is None else WithoutPrices(Strategy.STORAGE, without)
    said = better(money(profit), margin, Bounds(profit_bound=bound), alone, "EUR")
    assert len(said) == len(words)
    assert all(word in sentence for word, sentence in zip(words, said, strict=True))


@pytest.mark.parametrize(
    ("profit", "bare", "said"),
    [(18.55, -1.88, True), (18.55, 1.0, False), (-3.0, -3.0, False), (-3.0, -9.0, True)],
)
def test_an_incentive_that_pays_for_pumping_is_told(profit: float, bare: float, said: bool) -> None:
    """Where nothing would be left without it, the incentive is what the plan lives on."""
    figures = replace(money(profit), operator_profit_without_incentive=bare)
    found = better(figures, 0.0, Bounds(profit_bound=profit), None, "EUR")
    assert any(f"loses {-bare:.2f}; ask whoever pays" in one for one in found) is said
