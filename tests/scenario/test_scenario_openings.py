"""What no file says and a program may: everything wrong with it is told, with its place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import scenario_of, small_situation
from hubwise.domain import Situation, SlotBounds, SoFar, Strategy, Tariff, Term, Terms
from hubwise.plan import make_plan
from hubwise.scenario import ScenarioError, check_openings, check_tariff

SLOTS, HUBS, SIZE = 24, 2, 8


def situation() -> Situation:
    return small_situation(3)


def bounded(**changes: np.ndarray) -> Situation:
    free = np.full((SIZE, SLOTS), np.inf)
    bounds = SlotBounds(free, free, -free, free)
    made = situation()
    return replace(made, fleet=replace(made.fleet, bounds=replace(bounds, **changes)))


def kept(charge: np.ndarray, discharge: np.ndarray, row: int = HUBS) -> Situation:
    made = situation()
    fleet = replace(made.fleet.offered(np.full(SIZE, row)), discharge_kw_max=np.full(SIZE, 7.0))
    return replace(made, fleet=fleet, accepted=Tariff(charge, discharge))


def with_terms(*groups: int, row: int = 0, **worth: float) -> Situation:
    made = situation()
    parts = tuple(Term.of(f"source {g}", g, SLOTS, **worth) for g in groups)
    fleet = replace(made.fleet, group=np.full(SIZE, row))
    return replace(made, fleet=fleet, terms=Terms(parts))


def past(**changes: object) -> Situation:
    return replace(situation(), so_far=SoFar(**changes))


def later(*periods: tuple[int, float]) -> Situation:
    made = situation()
    return replace(made, market=replace(made.market, later_periods=periods))


def stations(**changes: np.ndarray) -> Situation:
    made = situation()
    return replace(made, hubs=replace(made.hubs, **changes))


EVERY = np.ones((1, SLOTS))
HOLED = np.where(np.arange(SIZE * SLOTS).reshape(SIZE, SLOTS) == 30, np.nan, np.inf)

WRONG = {
    "bounds of another horizon": (
        lambda: bounded(charge_kw=np.zeros((SIZE, 5))),
        "charge_kw: has shape",
    ),
    "a power that is none": (
        lambda: bounded(discharge_kw=HOLED),
        "session s1, slot 6, discharge_kw: is nan",
    ),
    "a power below nothing": (lambda: bounded(charge_kw=-HOLED), "charge_kw: is -inf"),
    "an energy that is none": (lambda: bounded(most_kwh=HOLED), "most_kwh: is nan"),
    "a list that is not there": (
        lambda: kept(0.3 * EVERY, 0.1 * EVERY, row=9),
        "price_list: is 9; known are 0 to 2",
    ),
    "a list of other slots": (
        lambda: kept(np.ones((1, 5)), 0.1 * EVERY),
        "charge_price: has shape",
    ),
    "a price that is none": (lambda: kept(np.nan * EVERY, 0.1 * EVERY), "charge_price: holds nan"),
    "a list that tempts": (
        lambda: kept(0.1 * EVERY, 0.9 * EVERY),
        "a kWh by buying and selling",
    ),
    "a group that is not there": (lambda: with_terms(2, row=2), "group: is 2; known are 0 to 1"),
    "sources of other groups": (
        lambda: with_terms(1, 2),
        "'source 2', charge_to_driver: has shape",
    ),
    "a worth that is none": (
        lambda: with_terms(1, lump_to_driver=np.inf),
        "'source 1', lump_to_driver: holds inf",
    ),
    "money that is none": (lambda: past(paid=np.nan), "so_far, paid: is nan"),
    "a peak below its valley": (
        lambda: past(head_peak_kw=1.0, head_valley_kw=5.0),
        "head_peak_kw: is 1 with a valley of 5",
    ),
    "a peak without a valley": (lambda: past(baseline_peak_kw=1.0), "baseline_peak_kw: is 1"),
    "imports of other hubs": (
        lambda: past(import_peak_kw=np.zeros(5)),
        "import_peak_kw: has shape (5,)",
    ),
    "periods out of order": (
        lambda: later((5, 1.0), (3, 1.0)),
        "later_periods, 1, first slot: is 3; give a slot from 6 to",
    ),
    "a period that begins with the horizon": (
        lambda: later((0, 1.0)),
        "later_periods, 0, first slot: is 0; give a slot from 1 to",
    ),
    "a charge that is none": (
        lambda: later((5, np.nan)),
        "later_periods, 0, charge: is nan",
    ),
    "an end that is none": (
        lambda: stations(battery_final_kwh=np.array([np.nan, 1.0])),
        "hub h0, battery_final_kwh: is nan",
    ),
    "an end above the battery": (
        lambda: stations(battery_final_kwh=np.array([4.0, 21.0])),
        "hub h1, battery_final_kwh: is 21; give 0 to battery_kwh, 20",
    ),
    "an end out of reach": (
        lambda: stations(battery_final_kwh=np.array([20.0, 20.0]), battery_kw=np.full(2, 0.1)),
        "hub h0, battery_final_kwh: 20 is out of reach",
    ),
    "a worth of the rest that is none": (
        lambda: stations(battery_end_value=np.array([0.0, np.nan])),
        "hub h1, battery_end_value: is nan",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_told_with_its_place(case: str) -> None:
    """A plan is refused before anything is computed, in words, whatever the strategy."""
    make, words = WRONG[case]
    scenario = scenario_of(make())
    for strategy in Strategy:
        with pytest.raises(ScenarioError) as told:
            make_plan(scenario, strategy=strategy)
        assert words in str(told.value)


def test_all_that_is_wrong_is_told_at_once() -> None:
    """One mistake hides no other."""
    made = past(paid=np.nan, import_peak_kw=np.zeros(5))
    wrong = replace(made, hubs=stations(battery_end_value=np.full(2, np.nan)).hubs)
    assert len(check_openings(wrong)) == 3


def test_what_is_right_is_not_refused() -> None:
    """An ordinary situation, and one with everything filled in."""
    assert check_openings(situation()) == ()
    for made in (
        bounded(),
        kept(0.5 * EVERY, 0.2 * EVERY),
        with_terms(2, 2, row=1, charge_to_driver=0.01),
        past(paid=3.0, reference_cost=4.0, import_peak_kw=np.ones(2)),
        stations(battery_final_kwh=np.array([0.0, 20.0]), battery_end_value=0.3),
    ):
        assert check_openings(made) == ()


def test_a_kept_list_that_tempts_has_a_name() -> None:
    """The guard against arbitrage knows lists that are no hub's."""
    made = kept(0.1 * EVERY, 0.9 * EVERY)
    own = np.tile(0.5 * EVERY, (HUBS, 1))
    tariff = made.with_accepted(Tariff(own, 0.0 * own))
    issues = check_tariff(tariff, made.fleet, made.hubs, made.horizon)
    assert "accepted list 2" in str(issues[0])
