"""Thresholds of stored energy's worth against HiGHS, and against every cheapest schedule."""

from __future__ import annotations

from typing import Any

import highspy
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from builders import inside_slots
from drawn_drivers import make, random_tariff
from hubwise.audit.program import Stay, linear_program, make_solver, stays
from hubwise.domain import Fleet, Horizon, Schedule, Tariff
from hubwise.drivers import best_response, contradicted, thresholds_of
from tapers import horizon_of, random_stays

SEEDS = st.integers(0, 2**32 - 1)
# Duals of HiGHS that are not nothing; energies that are the same [kWh]; a step of energy [kWh].
PRICED, NOTHING, STEP = 1e-9, 1e-6, 1e-4


def drawn(seed: int, kind: str, slots: int, levels: int) -> tuple[Fleet, Tariff, Horizon]:
    """Sessions of a kind: as they come, with changing bounds, inside slots, or tapering."""
    fleet, tariff, horizon = make(seed, 4, slots, levels, changing=kind == "bounds")
    rng = np.random.default_rng(seed)
    if kind == "inside":
        fleet = inside_slots(fleet, rng)
    if kind == "taper":
        slots = max(slots, 6)
        horizon, tariff = horizon_of(slots), random_tariff(rng, slots, levels)
        fleet = random_stays(rng, 4, slots, concave=True, two_way=True)
        fleet = fleet.offered(rng.integers(0, 2, 4))
    return fleet, tariff, horizon


KINDS = st.sampled_from(["plain", "bounds", "inside", "taper"])


def in_stay(fleet: Fleet, slots: int) -> np.ndarray:
    """Slots of stays; shape (sessions, slots)."""
    slot = np.arange(slots)
    return (slot >= fleet.arrival_slot[:, None]) & (slot < fleet.departure_slot[:, None])


class Cheapest:
    """All cheapest schedules of one stay: what HiGHS's own duals price is fixed where it is."""

    def __init__(self, stay: Stay) -> None:
        self.n, self.stay, self.solver = len(stay.charge_cost), stay, make_solver()
        self.program = linear_program(stay)
        self.least = self.solved()
        found = self.solver.getSolution()
        for k in np.flatnonzero(np.abs(found.col_dual) > PRICED).tolist():
            self.solver.changeColBounds(k, found.col_value[k], found.col_value[k])
        if abs(found.row_dual[self.n]) > PRICED:
            self.solver.changeRowBounds(self.n, found.row_value[self.n], found.row_value[self.n])

    def solved(self) -> float:
        self.solver.passModel(self.program)
        self.solver.run()
        assert self.solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return float(self.solver.getObjectiveValue())

    def furthest(self, weight: np.ndarray) -> np.ndarray:
        """The cheapest schedule, (3, slots), that has the least of a weight on columns."""
        for k, each in enumerate(weight):
            self.solver.changeColCost(k, float(each))
        self.solver.run()
        assert self.solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return np.array(self.solver.getSolution().col_value).reshape(3, self.n)

    def net(self, t: int, sign: float) -> float:
        """The most (sign -1) or least (1) energy put in, in a slot [kWh]."""
        weight = np.zeros(3 * self.n)
        weight[t] = sign * self.stay.charge_gain
        weight[self.n + t] = -sign * self.stay.discharge_loss
        return float(sign * (weight @ self.furthest(weight).ravel()))

    def worth(self, t: int, more: float) -> float:
        """What energy put into the battery for nothing at a slot's end saves a kWh."""
        program = linear_program(self.stay)
        lower, upper = np.array(program.row_lower_), np.array(program.row_upper_)
        lower[t] += more
        upper[t] += more
        program.row_lower_, program.row_upper_ = lower, upper
        solver = make_solver()
        solver.passModel(program)
        solver.run()
        if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            return -np.inf if more > 0 else np.inf
        return (self.least - float(solver.getObjectiveValue())) / more


@given(SEEDS, KINDS, st.integers(1, 96), st.integers(1, 8))
@settings(max_examples=80)
def test_best_responses_do_as_thresholds_say(seed: int, kind: str, slots: int, levels: int) -> None:
    """Every session has thresholds in every slot of its stay, and what it does agrees with them."""
    fleet, tariff, horizon = drawn(seed, kind, slots, levels)
    schedule, _ = best_response(fleet, tariff, horizon)
    found = thresholds_of(fleet, tariff, horizon)
    assert (np.isfinite(found.spared)).all()
    np.testing.assert_array_equal(np.isnan(found.lowest), ~in_stay(fleet, horizon.slots))
    assert not contradicted(fleet, tariff, horizon, found, schedule).any()


@given(SEEDS, KINDS, st.integers(1, 20), st.integers(1, 5))
@settings(max_examples=40)
def test_thresholds_explain_every_cheapest_schedule(
    seed: int, kind: str, slots: int, levels: int
) -> None:
    """Cheapest schedules with ties broken at random by HiGHS: no slot contradicts, same bounds."""
    fleet, tariff, horizon = drawn(seed, kind, slots, levels)
    found, rng = thresholds_of(fleet, tariff, horizon), np.random.default_rng(seed)
    issues = [Cheapest(stay) for stay in stays(fleet, tariff, horizon)]
    for _ in range(3):
        other = retied(fleet, issues, horizon.slots, rng)
        assert not contradicted(fleet, tariff, horizon, found, other).any()
        again = thresholds_of(fleet, tariff, horizon, other)
        np.testing.assert_allclose(again.charge_below, found.charge_below, atol=1e-7)
        np.testing.assert_allclose(again.give_back_above, found.give_back_above, atol=1e-7)


def retied(fleet: Fleet, issues: list[Cheapest], slots: int, rng: Any) -> Schedule:
    """Cheapest schedules of sessions, whichever a random weight finds."""
    made = np.zeros((3, len(fleet), slots))
    for i, issue in enumerate(issues):
        a, n = int(fleet.arrival_slot[i]), issue.n
        weight = rng.uniform(0.1, 1.0, 3 * n) * rng.choice([-1.0, 1.0], 3 * n)
        # Charging and drawing at once, which may be as cheap, is no schedule of a car.
        weight[: 2 * n] = np.abs(weight[: 2 * n])
        found = issue.furthest(weight)
        made[:, i, a : a + n] = found
        made[2, i, :a], made[2, i, a + n :] = fleet.arrival_kwh[i], found[2, -1]
    return Schedule(*made)


@given(SEEDS, KINDS, st.integers(1, 14), st.integers(1, 4))
@settings(max_examples=25)
def test_a_turn_is_a_turn(seed: int, kind: str, slots: int, levels: int) -> None:
    """Told to be free is what can be otherwise at the same cost; all of it, without a limit."""
    fleet, tariff, horizon = drawn(seed, kind, slots, levels)
    found = thresholds_of(fleet, tariff, horizon)
    free = found.may_charge | found.may_give_back
    for i, stay in enumerate(stays(fleet, tariff, horizon)):
        issue, a = Cheapest(stay), int(fleet.arrival_slot[i])
        for t in range(issue.n):
            width = issue.net(t, -1.0) - issue.net(t, 1.0)
            if free[i, a + t]:
                assert width > NOTHING
            elif found.spared[i] <= 1e-9:
                assert width < 2.0 * NOTHING


@given(SEEDS, KINDS, st.integers(1, 14), st.integers(1, 4))
@example(seed=578148493, kind="bounds", slots=1, levels=1)  # arrives above its bound
@settings(max_examples=25)
def test_worth_is_what_energy_for_nothing_saves(
    seed: int, kind: str, slots: int, levels: int
) -> None:
    """The bounds of the worth are the cost's two slopes in energy given or taken at that time."""
    fleet, tariff, horizon = drawn(seed, kind, slots, levels)
    found = thresholds_of(fleet, tariff, horizon)
    for i, stay in enumerate(stays(fleet, tariff, horizon)):
        issue, a = Cheapest(stay), int(fleet.arrival_slot[i])
        for t in range(issue.n):
            least, most = issue.worth(t, STEP), issue.worth(t, -STEP)
            low, high = found.lowest[i, a + t], found.highest[i, a + t]
            assert least - 1e-4 <= low <= high <= most + 1e-4
            if np.isinf(fleet.discharge_limit_kwh[i]):
                assert low == pytest.approx(least, abs=1e-4)
                assert high == pytest.approx(most, abs=1e-4)
