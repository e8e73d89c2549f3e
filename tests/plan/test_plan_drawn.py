"""Whole plans of drawn situations in which everything that may be open is: each audited."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from builders import fleet_of, scenario_of, small_situation, with_periods, with_slot_bounds
from hubwise.audit import audit_record
from hubwise.domain import (
    Hubs,
    Promises,
    Scenario,
    Search,
    Situation,
    SoFar,
    Strategy,
    Tariff,
    TariffFamily,
    Term,
    Terms,
    WearPricing,
)
from hubwise.plan import Plan, make_plan
from hubwise.record import write
from hubwise.scenario.taper import tapered
from tapers import random_curve, tapers_of

DRAWS = 40


def drawn_terms(rng: np.random.Generator, groups: int, slots: int) -> Terms:
    """Up to three sources, each giving and taking in about half of all groups and slots."""

    def worth(most: float, *shape: int) -> np.ndarray:
        return rng.uniform(-most, most, shape) * (rng.random(shape) < 0.5)

    return Terms(
        tuple(
            Term(
                f"source {k}",
                charge_to_driver=worth(0.1, groups, slots),
                discharge_to_driver=worth(0.05, groups, slots),
                charge_to_operator=worth(0.1, groups, slots),
                discharge_to_operator=worth(0.1, groups, slots),
                lump_to_driver=worth(1.0, groups),
                lump_to_operator=worth(1.0, groups),
            )
            for k in range(rng.integers(0, 4))
        )
    )


def drawn_past(rng: np.random.Generator, hubs: int) -> SoFar:
    """A morning; its peaks, its money, or nothing of it."""
    peaks = {
        "head_peak_kw": float(rng.uniform(20.0, 90.0)),
        "head_valley_kw": float(rng.uniform(-10.0, 20.0)),
        "baseline_peak_kw": float(rng.uniform(20.0, 120.0)),
        "baseline_valley_kw": float(rng.uniform(-10.0, 20.0)),
    }
    money = {"paid": float(rng.uniform(-20.0, 60.0)), "reference_cost": float(rng.uniform(0, 60))}
    imports = {"import_peak_kw": rng.uniform(0.0, 40.0, hubs)}
    parts = [part for part in (peaks, money, imports) if rng.random() < 0.5]
    return SoFar(**{name: value for part in parts for name, value in part.items()})


def drawn_stations(rng: np.random.Generator, hubs: Hubs, hours: float) -> Hubs:
    """Other energies at start and end, as far as they can be reached, and a worth of the rest."""
    size = len(hubs)
    first = rng.uniform(0.0, 1.0, size) * hubs.battery_kwh
    reached = first + hours * 0.95 * hubs.battery_kw
    return replace(
        hubs,
        battery_initial_kwh=first,
        battery_final_kwh=np.minimum(rng.uniform(0.0, 1.0, size) * hubs.battery_kwh, reached),
        battery_end_value=rng.choice([0.0, 0.2, 1.0], size),
    )


def drawn_base(rng: np.random.Generator, seed: int) -> Situation:
    """One slot or a day, no session or ten, hubs with stations and without."""
    slots, hubs, sessions = (int(rng.choice(n)) for n in ([1, 2, 6, 24], [1, 3], [0, 1, 2, 10]))
    made = small_situation(
        seed,
        sessions=0 if slots < 4 else sessions,
        hubs=hubs,
        slots=slots,
        station=bool(rng.random() < 0.6),
        solar=bool(rng.random() < 0.5),
    )
    if slots >= 4:
        return made
    hub, wear = rng.integers(0, hubs, sessions), rng.choice([0.0, 0.05], sessions)
    return replace(made, fleet=fleet_of(sessions, slots, hub=hub, wear_cost=wear))


def drawn(seed: int) -> Scenario:
    """A scenario with all openings at once, each of them left out now and then."""
    rng = np.random.default_rng(seed)
    situation = drawn_base(rng, seed)
    fleet, hubs, slots = situation.fleet, len(situation.hubs), situation.horizon.slots
    size = len(fleet)
    if rng.random() < 0.7:
        fleet = with_slot_bounds(fleet, slots, rng)
    if rng.random() < 0.3:
        fleet = replace(fleet, surplus_value=rng.choice([0.0, 0.1, 0.5], size))
    if rng.random() < 0.2:
        fleet = replace(fleet, minimum_saving=rng.choice([0.0, 0.5, 2.0], size))
    terms = drawn_terms(rng, int(rng.integers(1, 4)), slots)
    fleet = replace(fleet, group=rng.integers(0, terms.groups, size))
    accepted = None
    if rng.random() < 0.7:
        kept = rng.uniform(0.3, 0.8, (2, slots))
        accepted = Tariff(kept, 0.5 * kept)
        lists = np.where(rng.random(size) < 0.5, rng.integers(hubs, hubs + 2, size), fleet.hub)
        fleet = fleet.offered(lists)
    share = rng.choice([0.0, 0.5, 1.0], p=[0.1, 0.2, 0.7])
    fleet = fleet.with_participating(rng.random(size) < share)
    rules = replace(
        situation.rules,
        per_hub=bool(rng.random() < 0.4),
        family=list(TariffFamily)[rng.integers(len(TariffFamily))],
    )
    wear = WearPricing.NONLINEAR if rng.random() < 0.25 else WearPricing.LINEAR
    hours, charge = slots * situation.horizon.slot_hours, float(rng.choice([0.0, 0.5, 3.0]))
    saving, span = (float(rng.choice(share)) for share in ([0.55, 0.9, np.inf], [0.8, np.inf]))
    return scenario_of(
        replace(
            situation,
            fleet=fleet,
            terms=terms,
            accepted=accepted,
            so_far=drawn_past(rng, hubs),
            rules=rules,
            hubs=drawn_stations(rng, situation.hubs, hours),
            market=with_periods(replace(situation.market, demand_charge=charge), slots, rng),
            promises=Promises(saving, span),
            battery=replace(situation.battery, wear=wear, pack_price=(("LFP", 100.0),)),
        ),
        seed=seed,
        participation=float(fleet.participating.mean()) if size else 1.0,
        search=Search(evaluations=8, seed=seed, boxes=int(rng.choice([0, 20]))),
    )


def assert_holds(plan: Plan, folder) -> None:
    """The audit finds no fault, nobody regrets, and no profit passes its bound."""
    report = audit_record(write(plan, folder), plan.asked)
    assert [str(check) for check in report.checks if check.status.value == "fails"] == []
    money, bounds = plan.result.money, plan.result.bounds
    for most in (bounds.profit_bound, bounds.family_bound):
        assert most is None or money.operator_profit <= most + 1e-6 * max(1.0, abs(most))


@pytest.mark.parametrize("seed", range(DRAWS))
def test_a_drawn_plan_passes_every_check(seed: int, tmp_path) -> None:
    """Whatever is open: no regret, bounds hold, and the audit derives all of it again."""
    plan = make_plan(drawn(seed))
    assert plan.result.money.max_regret <= 1e-6
    assert_holds(plan, tmp_path / "plan")


@pytest.mark.parametrize("rounds", [False, True])
@pytest.mark.parametrize("seed", range(200, 210))
def test_a_drawn_plan_in_steps_passes_every_check(seed: int, rounds: bool, tmp_path) -> None:
    """The same of chargers with steps and few starts; rounding alone credits anybody anything."""
    rng, scenario = np.random.default_rng([seed, 1]), drawn(seed)
    fleet = scenario.situation.fleet
    stepped = replace(
        fleet,
        step_kw=rng.choice([0.0, 0.1, 0.23, 1.0], len(fleet)),
        starts_max=rng.choice([1.0, 2.0, np.inf], len(fleet)),
    )
    search = replace(scenario.search, rounds_schedules=rounds)
    plan = make_plan(replace(scenario.having(fleet=stepped), search=search))
    assert plan.result.money.max_regret <= 1e-6
    assert rounds or plan.result.money.credited_sessions == 0
    report = audit_record(write(plan, tmp_path / "plan"), plan.asked)
    assert [str(check) for check in report.checks if check.status.value == "fails"] == []


@pytest.mark.parametrize("strategy", list(Strategy))
@pytest.mark.parametrize("seed", [300, 302, 304, 305])
def test_a_drawn_plan_of_tapers_passes_every_check(seed: int, strategy: Strategy, tmp_path) -> None:
    """The same of cars most of which take less near full, on curves of any kind."""
    rng, scenario = np.random.default_rng([seed, 2]), drawn(seed)
    fleet = scenario.situation.fleet
    curves = [
        random_curve(rng, concave=False) if k == 0 or rng.random() < 0.7 else None
        for k in range(len(fleet))
    ]
    slower = tapers_of(replace(fleet, bounds=None), curves)
    plan = make_plan(
        scenario.having(fleet=tapered(slower, scenario.situation.horizon)), strategy=strategy
    )
    report = audit_record(write(plan, tmp_path / "plan"), plan.asked)
    assert [str(check) for check in report.checks if check.status.value == "fails"] == []
    assert "drivers: taper" in {check.name for check in report.checks}


@pytest.mark.parametrize("strategy", [s for s in Strategy if s is not Strategy.HUBWISE])
@pytest.mark.parametrize("seed", range(100, 106))
def test_other_strategies_pass_every_check(seed: int, strategy: Strategy, tmp_path) -> None:
    """The same of what the operator's plan is compared with."""
    assert_holds(make_plan(drawn(seed), strategy=strategy), tmp_path / "plan")
