"""The exact method: it is right where everything can be tried, and it bounds what cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from builders import with_periods, with_slot_bounds
from hubwise.dispatch import dispatch
from hubwise.domain import SlotBounds, SoFar, Status, Tariff, Term, Terms
from hubwise.drivers import best_response, felt_response, schedule_cost
from hubwise.pricing import (
    METHODS,
    Setting,
    UnsolvedError,
    account_of,
    cost_ceiling,
    first_prices,
    make_family,
    merged,
    most_felt,
    profit_bound,
    run_search,
    solve_exact,
    value_of,
)
from hubwise.scenario import ScenarioError

seeds = st.integers(0, 2**32 - 1)
promises = st.sampled_from([{}, {"saving": 0.8}, {"saving": 0.7, "peak_valley": 0.9}])


def tiny(small_situation, seed: int, *, sessions: int = 3, family: str = "time-of-use", **keys):
    """A day of ten half-hours at one hub, two levels of the purchase price."""
    situation = small_situation(seed, sessions=sessions, hubs=1, slots=10, levels=2, **keys)
    return replace(situation, rules=replace(situation.rules, family=family))


def charged(situation, seed: int):
    """The same with none, one or more billing periods that are charged for, and a past."""
    rng = np.random.default_rng(seed)
    market = replace(situation.market, demand_charge=float(rng.choice([0.0, 0.1, 0.8])))
    return replace(
        situation,
        market=with_periods(market, situation.horizon.slots, rng),
        so_far=SoFar(import_peak_kw=rng.uniform(0.0, 15.0, len(situation.hubs))),
    )


def solved(problem, family):
    """The exact answer, where any tariff keeps the promises."""
    try:
        return solve_exact(problem, family, seconds=20.0)
    except UnsolvedError as none:
        if "no tariff of this family keeps" not in str(none):
            raise
        assume(False)


def bounded(situation, seed: int):
    """The same with bounds that change over the stays, no highest energy among them."""
    slots = situation.horizon.slots
    fleet = with_slot_bounds(situation.fleet, slots, np.random.default_rng(seed))
    bounds = replace(fleet.bounds, most_kwh=np.full((len(fleet), slots), np.inf))
    return replace(situation, fleet=replace(fleet, bounds=bounds))


@given(seeds, st.booleans())
@settings(max_examples=5)
def test_it_finds_what_trying_all_prices_finds(
    small_situation, make_problem_of, seed, by_slot
) -> None:
    """One price of each kind in whole cents: the best of all pairs, to what a dispatch leaves.

    Bounds may change over the stay.
    """
    situation = tiny(small_situation, seed, sessions=2, family="flat", station=False)
    situation = charged(bounded(situation, seed) if by_slot else situation, seed)
    rules = situation.rules
    situation = replace(
        situation,
        rules=replace(
            rules,
            charge_price_min=0.0 * rules.charge_price_min + 0.1,
            charge_price_max=0.0 * rules.charge_price_max + 0.2,
            discharge_price_max=0.0 * rules.discharge_price_max + 0.3,
            decimals=2,
        ),
    )
    problem = make_problem_of(situation)
    family = make_family(situation)
    ticks = [np.arange(round(family.low[k, 0], 2), family.high[k, 0] + 0.005, 0.01) for k in (0, 1)]
    asked = [np.array([[c], [r]]).round(2) for c in ticks[0] for r in ticks[1]]
    lawful = [prices for prices in asked if np.array_equal(family.project(prices), prices)]
    profits = [value_of(problem, family.tariff(p), rounds=12).account.profit for p in lawful]
    best = solve_exact(problem, family, posted=True)
    scale = 1.0 + abs(best.profit)
    assert best.status is Status.OPTIMAL
    assert max(profits) == pytest.approx(best.profit, abs=2e-3 * scale)
    assert max(profits) <= best.bound + 1e-6 * scale
    assert (
        solve_exact(problem, family).bound >= best.profit - 1e-6 * scale
    )  # freer prices bring no less


@given(seeds, promises, st.sampled_from(["flat", "time-of-use", "hourly"]))
@settings(max_examples=12)
def test_drivers_confirm_its_answer(small_situation, make_problem_of, seed, kept, name) -> None:
    """The kernel finds nobody a cheaper schedule, promises are kept, and the ledger agrees.

    Whatever billing periods there are, and whatever their peaks so far.
    """
    situation = charged(tiny(small_situation, seed, family=name), seed)
    problem = make_problem_of(situation, **kept)
    best = solved(problem, make_family(situation))
    cost = schedule_cost(problem.fleet, best.tariff, best.schedule, situation.horizon)
    least = best_response(problem.fleet, best.tariff, situation.horizon)[1]
    assert np.abs(cost - least).max() <= 1e-6 * (1.0 + np.abs(cost).max())
    assert best.regret <= 1e-6 * (1.0 + np.abs(cost).max())
    account, paid = account_of(problem, best.tariff, best.schedule, best.stations)
    assert account.profit == pytest.approx(best.profit)
    assert paid <= cost_ceiling(problem) + 1e-6 * (1.0 + abs(paid))


@given(seeds, st.floats(0.0, 1.0), st.booleans())
@settings(max_examples=15)
def test_each_saves_what_it_asks_for(small_situation, make_problem_of, seed, asks, surplus) -> None:
    """Whoever would decline a lawful tariff finds its answer worth taking part; no random tariff
    that leaves each as much brings more than the bound; and what is asked for costs something.
    """
    situation = tiny(small_situation, seed, family="hourly")
    fleet = replace(situation.fleet, surplus_value=np.full(3, 0.1 * surplus))
    free = make_problem_of(replace(situation, fleet=fleet))
    asked = asks * np.maximum(most_felt(free)[0], 0.0)
    problem = make_problem_of(replace(situation, fleet=replace(fleet, minimum_saving=asked)))
    family, horizon = make_family(problem.situation), situation.horizon
    best, most = solved(problem, family), most_felt(problem)[0]

    def felt(tariff):
        return felt_response(problem.fleet, tariff, horizon, problem.terms)[1]

    scale = 1.0 + abs(best.profit)
    assert (felt(best.tariff) <= most + 1e-6 * scale).all()
    rng = np.random.default_rng(seed)
    for _ in range(40):
        tariff = family.tariff(family.project(rng.uniform(family.low, family.high)))
        if (felt(tariff) <= most).all():
            value = value_of(problem, tariff, rounds=1)
            assert value.broken_kw > 0.0 or value.merit <= best.bound + 1e-6 * scale
    assert solved(free, make_family(free.situation)).bound >= best.profit - 1e-6 * scale


@given(seeds, promises)
@settings(max_examples=40)
def test_no_tariff_passes_the_bound(small_situation, make_problem_of, seed, kept) -> None:
    """The bound for any tariff is never below the exact optimum, however little it has settled."""
    situation = charged(tiny(small_situation, seed, family="hourly"), seed)
    problem = make_problem_of(situation, **kept)
    best = solved(problem, make_family(problem.situation))
    for rounds in (1, 8, 40):
        bound = profit_bound(problem, dispatch(problem, None, rounds=rounds, flat=False))
        assert bound >= best.profit - 1e-6 * (1.0 + abs(best.profit))


def test_more_is_promised_than_any_tariff_keeps(small_situation, make_problem_of) -> None:
    """The refusal says so, and what would help."""
    problem = make_problem_of(tiny(small_situation, 1), saving=-5.0)
    with pytest.raises(UnsolvedError, match="promise less, or allow wider price bounds"):
        solve_exact(problem, make_family(problem.situation))


def test_prices_without_bounds_are_refused(small_situation, make_problem_of) -> None:
    """Without bounds of the prices there are no bounds of the duals."""
    problem = make_problem_of(tiny(small_situation, 1))
    family = make_family(problem.situation)
    with pytest.raises(ValueError, match="needs lower and upper bounds of all prices"):
        solve_exact(problem, replace(family, high=np.full_like(family.high, np.inf)))


@given(seeds, st.integers(2, 4))
@settings(max_examples=5)
def test_merging_identical_drivers_changes_nothing(
    small_situation, make_problem_of, seed, copies
) -> None:
    """Classes of identical drivers and the drivers themselves have the same optimum."""
    situation = tiny(small_situation, seed, sessions=2)
    many = np.repeat(np.arange(2), copies)
    situation = replace(
        situation,
        fleet=situation.fleet.select(many),
        terms=Terms(),
    )
    family = make_family(situation)
    apart = solve_exact(make_problem_of(situation), family, seconds=30.0, gap=1e-6)
    together = solve_exact(make_problem_of(merged(situation)), family, gap=1e-6)
    assert len(merged(situation).fleet) == 2
    assert apart.profit == pytest.approx(together.profit, rel=1e-4, abs=1e-4)


@given(seeds, promises)
@settings(max_examples=5)
def test_behind_the_loop_it_is_one_method_of_many(
    small_situation, make_problem_of, seed, kept
) -> None:
    """Its prices as posted are lawful, worth at least the first, and no more than its bound."""
    problem = make_problem_of(tiny(small_situation, seed), **kept)
    family = make_family(problem.situation)
    best = solved(problem, family)
    relaxed = dispatch(problem, None, rounds=20)
    first = first_prices(problem, family, relaxed)
    setting = Setting(family, first, 30, 1)
    found = run_search(METHODS["exact"], problem, setting, relaxed.warm().near())
    assert np.array_equal(family.project(found.prices), found.prices)
    assert found.history[-1] == found.value.merit >= found.history[0]
    assert found.evaluations <= 30
    settled = value_of(problem, family.tariff(found.prices), rounds=200)
    # The merit is that of a Lagrangian: a little above what keeps every limit.
    assert settled.merit <= best.bound + 5e-3 * (1.0 + abs(best.bound))


def test_too_many_drivers_are_refused(small_situation, make_problem_of) -> None:
    """The refusal names the limit, and the method that has none."""
    problem = make_problem_of(small_situation(1, sessions=60))
    family = make_family(problem.situation)
    first = family.project(np.full((2, family.groups), 0.3))
    start = dispatch(problem, None, rounds=1).warm().near()
    with pytest.raises(ScenarioError, match="at most 40 classes of identical drivers") as refused:
        run_search(METHODS["exact"], problem, Setting(family, first, 30, 1), start)
    assert "60 that take part are of 60" in str(refused.value)
    assert 'method "auto" takes any number' in str(refused.value)


def unsuitable(situation, what: str):
    """The situation with something that the program does not know."""
    size, slots, hubs = len(situation.fleet), situation.horizon.slots, len(situation.hubs)
    if what == "lists":
        kept = Tariff(np.full((1, slots), 0.3), np.zeros((1, slots)))
        fleet = situation.fleet.offered(np.full(size, hubs))
        return replace(situation, fleet=fleet, accepted=kept)
    if what == "terms":
        club = Term.of("club", 1, slots, charge_to_driver=0.01)
        return replace(situation, terms=Terms((club,)))
    endless = np.full((size, slots), np.inf)
    most = endless.copy()
    most[:, -1] = situation.fleet.arrival_kwh
    fleet = replace(
        situation.fleet,
        departure_slot=np.full(size, slots),
        bounds=SlotBounds(endless, endless, -endless, most),
    )
    return replace(situation, fleet=fleet)


@pytest.mark.parametrize("what", ["lists", "terms", "falls"])
def test_what_the_program_does_not_know_is_refused(small_situation, make_problem_of, what) -> None:
    """The search's refusal says where, what, and which method takes it; never a bare error."""
    problem = make_problem_of(unsuitable(tiny(small_situation, 3), what))
    family = make_family(problem.situation)
    first = family.project(np.full((2, family.groups), 0.3))
    start = dispatch(problem, None, rounds=1).warm().near()
    with pytest.raises(ScenarioError, match=what[:4]) as refused:
        run_search(METHODS["exact"], problem, Setting(family, first, 30, 1), start)
    (issue,) = refused.value.issues
    assert (issue.file, issue.where, issue.field) == ("scenario.toml", "search", "method")
    assert 'method "auto" takes them' in issue.right
