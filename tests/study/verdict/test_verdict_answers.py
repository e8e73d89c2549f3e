"""Answers rest on plans and bounds: a win is called one only where no better prices can turn it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwise.domain import Strategy
from hubwise.study.verdict.answers import (
    Worth,
    answer_alone,
    answer_battery,
    answer_two_way,
    gain,
)
from hubwise.study.verdict.cases import Case
from hubwise.study.verdict.costs import Costs
from hubwise.study.verdict.words import Words, alone_sentence, battery_sentence, two_way_sentence

COSTS = Costs(60.0, 300.0, "as given", "as given", chargers=4, years=1 / 365.25)
EURO = Words("EUR", 1)
MONEY = st.floats(-1e4, 1e4).map(lambda amount: round(amount, 2))
GAP = st.floats(0.0, 500.0).map(lambda amount: round(amount, 2))


def case(profit: float, bound: float | None = None, **other: object) -> Case:
    """A plan with posted prices, of which only some figures matter."""
    usual = {"two_way": True, "battery_kwh": 0.0, "fair_profit": None, "drivers_cost": 50.0}
    rest = {"strategy": Strategy.HUBWISE.value, "misses": (), "broken": 0}
    return Case(profit=profit, bound=bound, **{**usual, **rest, **other})  # type: ignore[arg-type]


@given(more=MONEY, less=MONEY, above=GAP, over=GAP, cost=st.floats(0.0, 5e3), at=st.floats(0, 1))
def test_worth_holds_for_all_prices_within_bounds(more, less, above, over, cost, at) -> None:
    """Whatever the best prices bring between plan and bound, a yes and a no stay true."""
    found = gain(case(more, more + above), case(less, less + over), 1.0, 1.0)
    assert found.least <= found.found + 1e-9 <= found.most + 2e-9
    worth = found.worth(cost)
    for a, b in ((at, 1 - at), (0, 1), (1, 0), (at, at)):
        best = more + a * above - (less + b * over)
        assert worth is not Worth.YES or best > cost
        assert worth is not Worth.NO or best < cost
    if abs(more - less - cost) < min(above, over):
        assert worth is Worth.OPEN


def test_unknown_bounds_and_costs_are_no_win() -> None:
    """Without a bound nothing is proven; without a cost the answer is a price."""
    assert gain(case(9.0), case(5.0), 1.0, 1.0).worth(0.1) is Worth.OPEN
    assert gain(case(9.0, 9.0), case(5.0, 5.0), 1.0, 1.0).worth(None) is Worth.PRICE
    assert gain(case(5.0, 5.0), case(5.0, 5.0), 1.0, 1.0).worth(None) is Worth.NO


def test_break_even_is_where_cost_eats_the_gain() -> None:
    """At the price that is told, chargers cost over the day just what they bring."""
    answer = answer_two_way(case(14.0, 14.1), case(10.0, 10.2), COSTS, made_up=False)
    assert answer.gain is not None
    price = answer.gain.a_year(answer.gain.found)
    assert price == pytest.approx(4.0 * 365.25 / 4)
    at_it = replace(COSTS, charger=price)
    assert at_it.of_chargers() == pytest.approx(4.0)
    assert answer.worth is Worth.YES
    assert f"{price:,.0f} EUR per two-way charger and year" in two_way_sentence(answer, COSTS, EURO)
    dear = replace(COSTS, charger=3 * price)
    assert answer_two_way(case(14, 14.1), case(10, 10.2), dear, made_up=False).worth is Worth.NO


def test_missed_promises_are_not_compared_in_money() -> None:
    """Where only one side keeps its promises, that is what is said."""
    missing = case(20.0, 20.0, misses=("the saving promise is missed",), drivers_cost=80.0)
    answer = answer_two_way(case(14.0, 14.1), missing, COSTS, made_up=False)
    assert answer.worth is Worth.BESIDE
    said = two_way_sentence(answer, COSTS, EURO)
    assert "is what keeps the promises here" in said
    assert "24.00 EUR a day" in said  # 14 - 20 for the operator, 80 - 50 for drivers
    both = answer_two_way(missing, missing, COSTS, made_up=False)
    assert "cannot be judged" in two_way_sentence(both, COSTS, EURO)


def test_the_best_battery_is_best_after_its_cost() -> None:
    """A larger battery that brings more and costs more than that is not the one."""
    none, costs = case(10.0, 10.1), replace(COSTS, battery=36.525)  # 0.1 a kWh and day
    tried = [
        case(12.0, 12.1, battery_kwh=10.0),
        case(15.0, 15.1, battery_kwh=20.0),
        case(16.0, 16.1, battery_kwh=40.0),
    ]
    answer = answer_battery(none, tried, costs)
    assert answer.best is not None
    assert answer.best.kwh == 20.0
    assert answer.best.net == pytest.approx(3.0)
    assert answer.worth is Worth.YES
    said = battery_sentence(answer, costs, EURO)
    assert "20 kWh" in said
    assert "at 37 EUR per kWh and year" in said
    assert "91 EUR per kWh and year" in said  # 5 for 20 kWh in a day
    assert "larger" not in said


def test_small_batteries_within_the_gap_cannot_be_told_apart() -> None:
    """A gain smaller than what bounds leave open is no win."""
    answer = answer_battery(case(10.0, 13.0), [case(12.0, 14.0, battery_kwh=1.0)], COSTS)
    assert answer.worth is Worth.OPEN
    assert "cannot be told apart from none" in battery_sentence(answer, COSTS, EURO)


@pytest.mark.parametrize(
    ("profit", "bound", "alone", "misses", "worth", "words"),
    [
        (10.0, 10.5, 6.0, (), Worth.YES, "1,461 EUR a year"),
        (10.0, 10.5, 12.0, (), Worth.NO, "no such prices bring more"),
        (10.0, 14.0, 12.0, (), Worth.OPEN, "not proven"),
        (10.0, None, 12.0, (), Worth.OPEN, "not proven"),
        (-3.0, -2.0, -1.0, (), Worth.NO, "Leave Hubwise alone"),
        (10.0, 14.0, 6.0, ("a promise is missed",), Worth.NO, "a promise is missed"),
    ],
)
def test_leave_it_alone(profit, bound, alone, misses, worth, words) -> None:
    """Prices are worth it where they bring more; where not, what brings more is named."""
    plain = case(alone, strategy=Strategy.UNCOORDINATED.value)
    posted = case(profit, bound, two_way=False, misses=misses)
    answer = answer_alone([posted, plain], COSTS, participants=3)
    assert answer.worth is worth
    assert words in alone_sentence(answer, EURO)


def test_alone_pays_for_equipment_too() -> None:
    """Storage alone pays for its battery, uncoordinated charging for nothing."""
    posted = case(10.0, 10.0, two_way=False, battery_kwh=1000.0)
    storage = case(50.0, strategy=Strategy.STORAGE.value, battery_kwh=1000.0)
    plain = case(3.0, strategy=Strategy.UNCOORDINATED.value, battery_kwh=1000.0)
    answer = answer_alone([posted, storage, plain], COSTS, participants=3)  # 164 a day
    assert answer.alone is plain
    assert answer.worth is Worth.NO


def test_who_breaks_promises_is_no_alternative() -> None:
    """What brings more and misses a promise is named, and not recommended."""
    plain = case(50.0, strategy=Strategy.UNCOORDINATED.value, misses=("saving is missed",))
    answer = answer_alone([case(10.0, 11.0), plain], COSTS, participants=3)
    assert answer.worth is Worth.YES
    said = alone_sentence(answer, EURO)
    assert "saving is missed" in said
    assert "only where you give these promises up" in said
    nobody = answer_alone([case(10.0, 11.0), plain], COSTS, participants=0)
    assert "nobody takes part" in alone_sentence(nobody, EURO)


def test_what_drivers_would_gain_is_said_where_the_operator_gains_nothing() -> None:
    """A tie is called one, and who would lose by leaving prices alone is told."""
    plain = case(3.0, strategy=Strategy.UNCOORDINATED.value, drivers_cost=54.4)
    answer = answer_alone([case(3.0, 3.2, two_way=False), plain], COSTS, participants=3)
    said = alone_sentence(answer, EURO)
    assert "brings the operator as much" in said
    assert "0.00" not in said
    assert "Drivers would pay 4.40 EUR a day less" in said
    dearer = replace(answer, alone=replace(plain, drivers_cost=50.0))
    assert "Drivers" not in alone_sentence(dearer, EURO)


@pytest.mark.parametrize("scale", [1.0, 1e6])
@pytest.mark.parametrize(
    ("bound", "worth"), [(None, Worth.OPEN), (1.1, Worth.OPEN), (1.0, Worth.NO)]
)
@pytest.mark.parametrize("found", [1.0, 1.0 + 1e-12, 0.9])
def test_the_card_and_its_sentence_say_the_same(scale, bound, worth, found) -> None:
    """Where the operator ties but for rounding, or prices that were found bring less."""
    most = None if bound is None else bound * scale
    plain = case(scale, strategy=Strategy.UNCOORDINATED.value)
    answer = answer_alone([case(found * scale, most, two_way=False), plain], COSTS, participants=3)
    assert answer.worth is worth
    said = alone_sentence(answer, EURO)
    assert said.startswith(
        {Worth.OPEN: "Posted prices cannot be told apart", Worth.NO: "Leave Hubwise alone"}[worth]
    )
    assert ("as much as" in said) == (found >= 1.0)
