"""The objective that is written down is the one that the kernel goes down."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import billed, small_situation
from hubwise.dispatch import (
    Dispatch,
    Limits,
    Problem,
    dispatch,
    kernel,
    undelegated,
    with_participants,
)
from hubwise.dispatch.board import KINK, make_board, with_levels
from hubwise.dispatch.objective import objective_of, objective_on, units_of
from hubwise.dispatch.units import concatenated, session_units, station_units
from hubwise.domain import Situation, Tariff, Term, Terms
from hubwise.ledger import Account, Bills, make_account, make_bills, sum_by_hub
from hubwise.scenario import load

HUBS, SLOTS, STEP_KW = 2, 12, 1e-4
seeds = st.integers(0, 2**32 - 1)


def drawn_situation(rng: np.random.Generator, *, solar: bool) -> Situation:
    """A small situation; terms for charging and discharging, cheap enough that no circle pays."""
    situation = small_situation(
        int(rng.integers(1000)), sessions=6, hubs=HUBS, slots=SLOTS, solar=solar
    )
    hubs, fleet = situation.hubs, situation.fleet
    term = Term.of(
        "a term",
        2,
        SLOTS,
        charge_to_operator=rng.uniform(0.0, 0.02, (2, SLOTS)),
        discharge_to_operator=rng.uniform(0.0, 0.05, (2, SLOTS)),
    )
    return replace(
        situation,
        hubs=replace(hubs, battery_end_value=0.1),
        fleet=replace(
            fleet,
            group=rng.integers(0, 2, len(fleet)),
            surplus_value=rng.uniform(0.0, 0.3, len(fleet)),
        ),
        terms=Terms((term,)),
    )


def drawn_problem(rng, make_problem_of, *, solar: bool) -> Problem:
    """Its dispatch problem, with four rows whose coefficients and limits are drawn."""
    problem = make_problem_of(drawn_situation(rng, solar=solar))
    size = (4, HUBS, SLOTS)
    limits = Limits(
        ("head", "valley", "a voltage", "a branch"),
        rng.uniform(-1.2, 1.2, size) * rng.choice([0.0, 1.0], size, p=[0.2, 0.8]),
        rng.uniform(-20.0, 20.0, (4, SLOTS)),
        np.where(rng.uniform(size=(4, SLOTS)) < 0.2, np.inf, rng.uniform(-20.0, 20.0, (4, SLOTS))),
    )
    return replace(problem, limits=limits)


def drawn_board(rng, make_problem_of, *, futures: int, solar: bool):
    """Problems, and a board on which every price and limit is drawn: pressed, slack, negative."""
    problems = [drawn_problem(rng, make_problem_of, solar=solar) for _ in range(futures)]
    problems = [replace(each, terms=problems[0].terms) for each in problems]
    fixed = [rng.normal(0.0, 15.0, (HUBS, SLOTS)) for _ in problems]
    share = rng.dirichlet(np.ones(futures))
    board = make_board(problems, share, fixed, [None] * futures, flat=True)
    for values, low, high in (
        (board.multiplier, 0.0, 0.3),
        (board.import_multiplier, 0.0, 0.3),
        (board.export_multiplier, 0.0, 0.3),
        (board.feed_in, -0.4, 0.6),
        (board.purchase, -0.2, 0.9),
        (board.import_level, -5.0, 20.0),
        (board.of_place[:, kernel.EXPORT_LEVEL], -5.0, 20.0),
        (board.of_place[:, kernel.HUB_MIDDLE], -10.0, 10.0),
        (board.of_future[:, kernel.KINK], 0.5, 10.0),
        (board.of_future[:, kernel.STIFFNESS], 0.002, 0.02),
        (board.of_future[:, kernel.HUB_STIFFNESS], 0.002, 0.02),
        (board.of_future[:, kernel.FLATNESS], 0.001, 0.01),
        (board.of_future[:, kernel.MIDDLE], -10.0, 10.0),
        (board.of_future[:, kernel.HUB_FLATNESS], 0.001, 0.01),
    ):
        values[:] = rng.uniform(low, high, values.shape)
    for multiplier in (board.multiplier, board.import_multiplier, board.export_multiplier):
        multiplier *= rng.choice([0.0, 1.0], multiplier.shape)
    # Energy is not sold dearer than it is bought: the objective is convex.
    board.purchase[:] = np.maximum(board.purchase, board.feed_in)
    used = rng.uniform(0.0, 1.0, board.solar.shape) * board.solar
    board.used[:] = np.where(rng.uniform(size=used.shape) < 0.5, board.solar, used)
    return problems, board


def copied(board: kernel.Board) -> kernel.Board:
    return kernel.Board(*(x.copy() if isinstance(x, np.ndarray) else x for x in board))


def moved(board, futures: list[int], h: int, begin: int, draw_kw: np.ndarray) -> kernel.Board:
    """The board with more drawn at a hub in futures, its solar power used there as is best."""
    there = copied(board)
    elsewhere = np.ones((len(board.of_future), HUBS, SLOTS), np.bool_)
    for f in futures:
        kernel.put(there, f, h, begin, draw_kw, 1.0)
        elsewhere[f, h, begin : begin + len(draw_kw)] = False
    there.solar.reshape(elsewhere.shape)[elsewhere] = 0.0
    kernel.curtail(there)
    return there


def all_units(problems):
    """Sessions of the first problem in every future, and the stations of each in its own."""
    horizon, futures = problems[0].situation.horizon, len(problems)
    units = session_units(problems[0].fleet, horizon, own=False)
    units = units._replace(last_future=units.first_future + futures)
    for f, problem in enumerate(problems):
        stations = station_units(problem.situation.hubs, horizon, problem.terms.rest)
        first = np.full(len(stations.hub), f)
        units = concatenated(units, stations._replace(first_future=first, last_future=first + 1))
    return units, np.zeros((len(units.hub), SLOTS))


@given(seeds, st.integers(1, 3), st.booleans())
@settings(max_examples=25)
def test_marginal_prices_are_its_derivative(make_problem_of, seed, futures, solar) -> None:
    """In the net draw of every hub, slot and future, the hub's solar power used as is best."""
    rng = np.random.default_rng(seed)
    problems, board = drawn_board(rng, make_problem_of, futures=futures, solar=solar)
    units, change = all_units(problems)
    price = kernel.marginal_prices(board).reshape(futures, HUBS, SLOTS)
    share = board.of_future[:, kernel.SHARE]
    for f, h, t in np.ndindex(price.shape):
        there, back = (
            objective_on(moved(board, [f], h, t, np.array([step])), units, change).total
            for step in (STEP_KW, -STEP_KW)
        )
        slope = (there - back) / (2.0 * STEP_KW * board.slot_hours * share[f])
        assert slope == pytest.approx(price[f, h, t], abs=2e-4 + 1e-9 / share[f])


@given(seeds)
@settings(max_examples=25)
def test_curtailing_lowers_it(make_problem_of, seed) -> None:
    """Solar power is used as far as it pays, and no change of a hub's share in a slot pays more."""
    rng = np.random.default_rng(seed)
    problems, board = drawn_board(rng, make_problem_of, futures=1, solar=True)
    units, change = all_units(problems)
    before = objective_on(board, units, change).total
    kernel.curtail(board)
    after = objective_on(board, units, change).total
    assert after <= before + 1e-9
    assert board.used.min() >= -1e-9
    assert (board.used <= board.solar + 1e-9).all()
    h, t = HUBS - 1, int(rng.choice(np.flatnonzero(board.solar[-1] > 1.0)))
    for step in (-0.5, 0.5):
        other = copied(board)
        draw = other.used[h, t] - np.clip(other.used[h, t] + step, 0.0, other.solar[h, t])
        kernel.put(other, 0, h, t, np.array([draw]), 1.0)
        assert objective_on(other, units, change).total >= after - 1e-9


class _Line:
    """The objective from a unit's schedule to another: draws and own terms go in proportion."""

    def __init__(self, board, units, u: int, change: np.ndarray, answer: np.ndarray) -> None:
        self.board, self.units, self.u, self.change = copied(board), units, u, change.copy()
        before, after = (draws_kw(units, u, each, board.slot_hours) for each in (change, answer))
        self.draw = after - before
        ends = [objective_on(board, units, each).total for each in (answer, change)]
        self.own = ends[0] - ends[1]

    def slope(self, share: float, step: float = 1e-6) -> float:
        """Its derivative on ``share`` of the way, by central differences [currency]."""
        there, back = (self._shared(share + x) for x in (step, -step))
        return (there - back) / (2.0 * step) + self.own

    def _shared(self, share: float) -> float:
        u, units = self.u, self.units
        inside = list(range(units.first_future[u], units.last_future[u]))
        there = moved(self.board, inside, units.hub[u], units.arrival[u], share * self.draw)
        return objective_on(there, units, self.change).total


def draws_kw(units, u: int, change: np.ndarray, hours: float) -> np.ndarray:
    """What a unit draws at the charger, over its stay."""
    gained = change[u, units.arrival[u] : units.departure[u]]
    charged = np.maximum(gained, 0.0) / units.charge_eff[u]
    return (charged - np.maximum(-gained, 0.0) * units.discharge_eff[u]) / hours


@given(seeds, st.integers(1, 2), st.booleans())
@settings(max_examples=25)
def test_a_visit_goes_down_it_as_far_as_it_falls(make_problem_of, seed, futures, solar) -> None:
    """The gap is its slope where the visit begins, and the visit ends where it is least."""
    rng = np.random.default_rng(seed)
    problems, board = drawn_board(rng, make_problem_of, futures=futures, solar=solar)
    units, change = all_units(problems)
    placed = np.zeros(len(units.hub), np.bool_)
    prices = np.zeros((HUBS, SLOTS))
    order = rng.permutation(len(units.hub))
    kernel.go_round(units, board, change, placed, prices, prices, order)
    for u in order[:6]:
        one, answer = np.array([u]), change.copy()
        # Who has no schedule yet goes all the way.
        kernel.go_round(units, copied(board), answer, np.zeros_like(placed), prices, prices, one)
        line, before = _Line(board, units, u, change, answer), change[u].copy()
        gap = kernel.go_round(units, board, change, placed, prices, prices, one)
        inside = slice(units.first_future[u], units.last_future[u])
        weight = board.of_future[inside, kernel.SHARE].sum()
        rough = weight * (1e-6 + 1e-4 * np.abs(line.draw).sum())
        went, way = change[u] - before, answer[u] - before
        share = float(went @ way / (way @ way)) if way.any() else 1.0
        np.testing.assert_allclose(went, share * way, atol=1e-9)
        assert gap == pytest.approx(max(-line.slope(0.0), 0.0), abs=rough)
        if share == 0.0:
            continue
        assert line.slope(share) <= rough + 1e-5 * gap
        assert share > 1.0 - 1e-9 or line.slope(share) >= -rough - 1e-5 * gap


def example(make_problem_of, promise: float = np.inf, **hubs: float) -> tuple[Problem, Tariff]:
    """The example scenario's problem, and a tariff at which drivers have ties."""
    situation = load("example").situation
    situation = replace(situation, hubs=replace(situation.hubs, **hubs))
    price = np.tile(np.round(situation.market.purchase_price, 2), (len(situation.hubs), 1))
    return make_problem_of(situation, promise), Tariff(price + 0.1, 0.8 * price)


@pytest.mark.parametrize("posted", [True, False])
def test_no_visit_raises_it(make_problem_of, posted) -> None:
    """At fixed levels and multipliers, whoever is visited on the example scenario.

    Nothing there pays for going in a circle; where something does, a schedule's slot that turns
    from charging to discharging nets what the line search counted as both.
    """
    problem, tariff = example(make_problem_of, promise=0.7)
    horizon, hubs = problem.situation.horizon, problem.situation.hubs
    fixed = problem.others_kw - hubs.solar_kw
    board = make_board([problem], np.ones(1), [fixed], [None], flat=True)
    units = concatenated(
        session_units(problem.fleet, horizon, own=posted),
        station_units(hubs, horizon, problem.terms.rest),
    )
    change = np.zeros((len(units.hub), horizon.slots))
    placed = np.zeros(len(units.hub), np.bool_)
    prices = tariff.charge_price, tariff.discharge_price
    order = np.random.default_rng(0).permutation(len(units.hub))
    kernel.go_round(units, board, change, placed, *prices, order)
    lowered = 0
    for kink in (0.3, 0.03, KINK, KINK):
        board = with_levels(board, [problem], kink, learn=True)
        before = objective_on(board, units, change).total
        for u in order:
            kernel.go_round(units, board, change, placed, *prices, np.array([u]))
            after = objective_on(board, units, change).total
            assert after <= before + 1e-9
            lowered += after < before - 1e-6
            before = after
    assert lowered > 10


def booked(problem: Problem, answer: Dispatch) -> tuple[Account, Bills]:
    """Account and bills of an answer, at prices that move no money between driver and operator."""
    situation = problem.situation
    schedule = with_participants(problem, answer.schedule)
    bills = make_bills(
        situation.fleet,
        Tariff(*np.zeros((2, len(situation.hubs), situation.horizon.slots))),
        situation.market,
        situation.horizon,
        schedule=schedule,
        uncoordinated=problem.uncoordinated,
        best_response_cost=np.zeros(len(situation.fleet)),
    )
    return make_account(situation, schedule, answer.stations, bills), bills


def test_without_limits_it_is_what_the_ledger_counts(make_problem_of) -> None:
    """With no kink, no pull and no limit in the way: the ledger's purchases, wear, and the rest."""
    problem, _ = example(make_problem_of, battery_end_value=0.3)
    situation, horizon = problem.situation, problem.situation.horizon
    incentive = np.linspace(0.0, 0.2, horizon.slots)
    market = replace(situation.market, demand_charge=0.4, later_periods=((9, 0.2), (20, 0.6)))
    paid = replace(situation, market=market, terms=Terms.on_discharge("incentives", incentive))
    some = np.arange(len(paid.fleet)) % 3 > 0
    paid = replace(paid, fleet=paid.fleet.with_participating(some))
    problem = make_problem_of(paid)
    answer = dispatch(problem, None, rounds=12, flat=False)
    board = make_board([problem], np.ones(1), [answer.hub_kw], [None], flat=False)
    board.of_future[:, kernel.KINK] = 0.0
    for slots, _, _ in billed(paid):
        board.import_level[:, slots] = answer.hub_kw[:, slots].max(axis=1)[:, None]
    units, change = units_of(problem, answer)
    value = objective_on(board, units, change, periods=paid.periods)
    account, bills = booked(problem, answer)
    alone = problem.others_kw.sum(axis=0) @ market.purchase_price * horizon.slot_hours
    assert account.incentives > 0.0
    assert account.feed_in > 0.0
    assert account.station_stock > 0.0
    assert value.purchases == pytest.approx(account.purchases + alone - account.feed_in)
    assert value.demand_charges == pytest.approx(account.demand_charges)
    participants = paid.fleet.participating
    assert value.wear == pytest.approx(bills.wear[participants].sum() + account.station_wear)
    assert value.terms == pytest.approx(account.incentives)
    assert value.surplus == pytest.approx(account.station_stock)
    assert (value.limits, value.flatness) == (0.0, 0.0)


def test_of_a_dispatch_it_is_its_cost_and_what_chooses_among_equals(make_problem_of) -> None:
    """The kink adds less than a quarter of its width; kept limits add next to nothing."""
    problem, tariff = example(make_problem_of, promise=0.9)
    answer = dispatch(problem, tariff, rounds=40)
    value, (account, bills) = objective_of(problem, answer), booked(problem, answer)
    cost = account.purchases - account.feed_in + bills.wear.sum() + account.station_wear
    market, hours = problem.situation.market, problem.situation.horizon.slot_hours
    band = KINK * problem.spread_kw / 4.0
    kink = hours * band * (market.purchase_price - market.feed_in_price).sum() * len(answer.hub_kw)
    extra = value.total - value.limits - value.flatness - cost
    assert -1e-9 <= extra <= kink
    assert abs(value.limits) < 1e-3 * cost
    assert 0.0 < value.flatness < 0.1 * cost


def test_what_is_dispatched_is_lower_than_what_devices_do(make_problem_of) -> None:
    """Drivers' own devices choose among the same schedules, and not for operator and feeder."""
    problem, tariff = example(make_problem_of, promise=0.7)
    answer = dispatch(problem, tariff, rounds=40)
    alone = undelegated(problem, tariff)
    moved_kw = sum_by_hub(
        len(problem.situation.hubs),
        problem.fleet.hub,
        alone.charge_kw - alone.discharge_kw - answer.schedule.charge_kw
        + answer.schedule.discharge_kw,
    )  # fmt: skip
    other = replace(answer, schedule=alone, hub_kw=answer.hub_kw + moved_kw)
    assert objective_of(problem, answer).total < objective_of(problem, other).total
