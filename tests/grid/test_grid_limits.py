"""Limits: every kind is found where it is broken, said in words, and counted."""

from dataclasses import replace

import numpy as np
import pytest

from hubwise.domain import Hubs
from hubwise.grid import FeederState, Kind, count, power_flow, violations
from hubwise.grid.state import feeder_state


@pytest.fixture
def hubs() -> Hubs:
    one = np.ones(1)
    return Hubs(
        name=("north",),
        bus=np.array([18]),
        import_limit_kw=900.0 * one,
        export_limit_kw=300.0 * one,
        battery_kw=0.0 * one,
        battery_kwh=0.0 * one,
        battery_charge_efficiency=one,
        battery_discharge_efficiency=one,
        battery_initial_kwh=0.0 * one,
        battery_wear_cost=0.0 * one,
        lease_cost=0.0 * one,
        running_cost=0.0 * one,
        solar_kw=np.zeros((1, 2)),
    )


@pytest.fixture
def calm(ieee33) -> FeederState:
    """Two slots in which every limit holds with room to spare."""
    return feeder_state(
        ieee33,
        head_kw=np.full(2, 1000.0),
        head_kvar=np.zeros(2),
        voltage_pu=np.full((33, 2), 1.0),
        losses_kw=np.zeros(2),
        from_a=np.full((32, 2), 50.0),
        to_a=np.full((32, 2), 50.0),
        converged=np.ones(2, dtype=np.bool_),
    )


QUIET = np.zeros((1, 2))
NOBODY = np.array([], dtype=np.int64)


def changed(values: np.ndarray, where: tuple[int, ...], value: float) -> np.ndarray:
    copy = values.copy()
    copy[where] = value
    return copy


def test_nothing_is_broken_when_all_limits_hold(ieee33, hubs, calm) -> None:
    """A calm feeder has no violations, and every kind counts zero."""
    assert violations(ieee33, hubs, calm, QUIET) == ()
    assert count(()) == dict.fromkeys(Kind, 0)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (0.8954, "bus 18, slot 1: 0.8954 p.u., below 0.9000 p.u."),
        (1.12, "bus 18, slot 1: 1.1200 p.u., above 1.1000 p.u."),
    ],
)
def test_voltages_outside_the_band(ieee33, hubs, calm, value, words) -> None:
    """Both ends of the band are kept, and the line says which bus, when, and what is due."""
    state = replace(calm, voltage_pu=changed(calm.voltage_pu, (17, 1), value))
    (broken,) = violations(ieee33, hubs, state, QUIET)
    assert broken.kind is Kind.VOLTAGE
    assert (broken.slot, broken.value) == (1, value)
    assert str(broken) == words


def test_branches_above_their_ampacity(ieee33, hubs, calm) -> None:
    """A branch is named by its ends; its loading is a share of its ampacity."""
    state = replace(calm, branch_loading=changed(calm.branch_loading, (2, 0), 1.234))
    (broken,) = violations(ieee33, hubs, state, QUIET)
    assert broken.kind is Kind.BRANCH
    assert str(broken) == "branch 3-4, slot 0: 123.4% of its ampacity, above 100.0% of its ampacity"


def test_transformer_above_its_limit(ieee33, hubs, calm) -> None:
    """The transformer's limit is the scenario's share of its rating, not the rating."""
    limit = ieee33.transformer_limit
    state = replace(calm, head_loading=np.array([[limit + 0.01, limit]]))
    (broken,) = violations(ieee33, hubs, state, QUIET)
    assert (broken.kind, broken.slot, broken.limit) == (Kind.TRANSFORMER, 0, limit)


def test_connections_in_both_directions(ieee33, hubs, calm) -> None:
    """Import and export have limits of their own, and the line says which."""
    broken = violations(ieee33, hubs, calm, np.array([[950.0, -350.0]]))
    assert [violation.kind for violation in broken] == [Kind.CONNECTION, Kind.CONNECTION]
    assert [str(violation) for violation in broken] == [
        "hub north, import, slot 0: 950.0 kW, above 900.0 kW",
        "hub north, export, slot 1: 350.0 kW, above 300.0 kW",
    ]


def test_a_slot_without_solution_is_one_violation(ieee33, hubs) -> None:
    """A slot that does not converge is named, once, and says nothing about voltages."""
    hub_kw = np.zeros((1, ieee33.base_kw.shape[1]))
    hub_kw[0, 7] = 1e6
    unlimited = replace(hubs, import_limit_kw=np.array([np.inf]))
    state = power_flow(ieee33, hubs.bus, hub_kw)
    broken = violations(ieee33, unlimited, state, hub_kw)
    assert [(violation.kind, violation.slot) for violation in broken] == [(Kind.CONVERGENCE, 7)]
    assert str(broken[0]) == "feeder, slot 7: the power flow finds no solution"


def test_rounding_is_no_violation(ieee33, hubs, calm) -> None:
    """A value may pass its limit by rounding, and by nothing that a meter would show."""
    for excess, broken in ((1e-12, 0), (1e-6, 1)):
        state = replace(calm, head_loading=ieee33.transformer_limit * np.array([[1 + excess, 0]]))
        assert (
            len(violations(ieee33, hubs, state, 900.0 * np.array([[0.0, 1.0 + 1e-12]]))) == broken
        )


def test_violations_are_counted_by_kind(ieee33, hubs, calm) -> None:
    """Each slot of each element counts once."""
    state = replace(calm, voltage_pu=np.full((33, 2), 0.8), head_loading=np.array([[0.9, 0.5]]))
    found = count(violations(ieee33, hubs, state, QUIET))
    assert found[Kind.VOLTAGE] == 66
    assert found[Kind.TRANSFORMER] == 1
    assert found[Kind.BRANCH] == found[Kind.CONNECTION] == found[Kind.CONVERGENCE] == 0


def test_branches_may_have_a_limit_of_their_own(ieee33, hubs, calm) -> None:
    """A branch that may carry half its ampacity is broken above that half, and named as given."""
    limit = np.ones(32)
    limit[2] = 0.5
    names = tuple(f"line {k}" for k in range(32))
    feeder = replace(ieee33, branch_limit=limit, branch_name=names)
    state = replace(calm, branch_loading=changed(calm.branch_loading, (2, 0), 0.6))
    (broken,) = violations(feeder, hubs, state, QUIET)
    assert str(broken) == "line 2, slot 0: 60.0% of its ampacity, above 50.0% of its ampacity"


def test_hub_transformers_both_ways(ieee33, hubs, calm) -> None:
    """A hub's own transformer carries net power in either direction, up to its share."""
    own = replace(hubs, transformer_kva=np.array([250.0]), transformer_limit=np.array([0.8]))
    broken = violations(ieee33, own, calm, np.array([[201.0, -230.0]]))
    assert [violation.kind for violation in broken] == [Kind.HUB_TRANSFORMER] * 2
    assert str(broken[0]) == (
        "hub north, transformer, slot 0: 80.4% of its rating, above 80.0% of its rating"
    )
    assert violations(ieee33, own, calm, np.array([[200.0, -200.0]])) == ()
    np.testing.assert_array_equal(own.most_import_kw, [200.0])
    np.testing.assert_array_equal(own.most_export_kw, [200.0])
    np.testing.assert_array_equal(hubs.most_import_kw, hubs.import_limit_kw)


def test_the_busier_end_counts(ieee33_peak) -> None:
    """A branch is loaded by the end whose current is more of what that end may carry."""
    state = power_flow(ieee33_peak, NOBODY, np.zeros((0, 1)))
    tight = replace(ieee33_peak, from_ampacity_a=0.5 * ieee33_peak.ampacity_a)
    half = power_flow(tight, NOBODY, np.zeros((0, 1)))
    np.testing.assert_allclose(half.branch_loading, 2.0 * state.branch_loading, rtol=1e-9)


def test_rounding_is_no_export(ieee33, hubs, calm) -> None:
    """A hub that may feed nothing back passes nothing by the last digit of a sum."""
    none = replace(hubs, export_limit_kw=np.zeros(1))
    assert not violations(ieee33, none, calm, np.array([[-1.8e-15, -9e-10]]))
    (broken,) = violations(ieee33, none, calm, np.array([[0.0, -1e-6]]))
    assert broken.element == "hub north, export"
