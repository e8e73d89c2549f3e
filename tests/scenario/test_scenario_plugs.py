"""Plugs: one car a plug, first come first served, and nobody is left out without a word."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwise.audit import audit_record
from hubwise.plan import make_plan
from hubwise.record import write
from hubwise.scenario import check, load, new
from hubwise.scenario.plugs import Plugs, plugged

seeds = st.integers(0, 2**32 - 1)


def some_plugs(count, *, hub=0, kw=11.0, least=1.4, two_way=False, waits=True):
    """As many plugs of one kind at one hub."""
    ones = np.ones(count)
    return Plugs(
        name=np.array([f"p{k}" for k in range(count)]),
        hub=np.full(count, hub),
        kw=kw * ones,
        least_kw=least * ones,
        two_way=np.full(count, two_way),
        standby_kw=np.full(count, np.nan),
        step_kw=np.full(count, np.nan),
        starts_max=np.full(count, np.nan),
        waits=waits,
        circuit=(None,) * count,
        phases=np.full(count, np.nan),
        phase=np.zeros(count, np.int64),
    )


@given(seeds, st.integers(1, 6), st.booleans())
def test_a_plug_is_one_cars_at_a_time(small_situation, seed, count, waits) -> None:
    """No plug holds two cars, nobody begins early, and who is missing was told by name."""
    situation = small_situation(seed, sessions=10, hubs=1)
    asked, horizon = situation.fleet, situation.horizon
    fleet, said = plugged(asked, some_plugs(count, waits=waits), [None] * 10, horizon)
    slot = np.arange(horizon.slots)
    there = (slot >= fleet.arrival_slot[:, None]) & (slot < fleet.departure_slot[:, None])
    assert (there.sum(axis=0) <= count).all()
    for plug in np.unique(fleet.plug):
        assert (there[fleet.plug == plug].sum(axis=0) <= 1).all()
    stated = dict(zip(asked.session.tolist(), asked.arrival_slot.tolist(), strict=True))
    late = [
        name
        for name, begins in zip(fleet.session.tolist(), fleet.arrival_slot, strict=True)
        if begins != stated[name]
    ]
    assert all(
        begins >= stated[name]
        for name, begins in zip(fleet.session, fleet.arrival_slot, strict=True)
    )
    assert waits or not late
    missing = set(asked.session.tolist()) - set(fleet.session.tolist())
    for name in (*late, *missing):
        assert any(name in sentence for sentence in said)
    # Who is turned away, or waits, found every plug taken when it came.
    for name in missing:
        came = stated[name]
        assert there[:, came].sum() == count


def test_a_car_does_what_car_and_plug_can(small_situation) -> None:
    """Powers are the lower of both, two-way only where both are; the least is the plug's."""
    situation = small_situation(2, sessions=6, hubs=1)
    fleet = replace(
        situation.fleet, charge_kw_max=np.full(6, 22.0), discharge_kw_max=np.full(6, 22.0)
    )
    plugs = some_plugs(6, kw=11.0, least=4.1)
    plugs = replace(plugs, two_way=np.array([True, False] * 3))
    found, _ = plugged(fleet, plugs, [None] * 6, situation.horizon)
    assert found.charge_kw_max == pytest.approx(11.0)
    assert found.charge_kw_min == pytest.approx(4.1)
    both = dict(zip(plugs.name.tolist(), plugs.two_way.tolist(), strict=True))
    for plug, back in zip(found.plug.tolist(), found.discharge_kw_max, strict=True):
        assert back == (11.0 if both[plug] else 0.0)


def test_a_site_with_plugs_is_planned_and_audited(tmp_path: Path) -> None:
    """From files: fewer plugs than cars, who waits stands in the notes, and the audit holds."""
    site = tmp_path / "site"
    new(site)
    toml = (site / "scenario.toml").read_text("utf-8")
    hubs = load(site).situation.hubs.name
    (site / "scenario.toml").write_text(toml + '\n[plugs]\nfile = "plugs.csv"\n', "utf-8")
    rows = "".join(f"{hub}-{k},{hub},11,true\n" for hub in hubs for k in range(3))
    (site / "plugs.csv").write_text("plug,hub,kw,two_way\n" + rows, "utf-8")
    scenario = load(site)
    assert len(scenario.situation.fleet) < 12 or any("wait" in note for note in scenario.notes)
    plan = make_plan(scenario)
    write(plan, tmp_path / "plan")
    report = audit_record(tmp_path / "plan", scenario)
    assert not [check for check in report.checks if check.status.value == "fails"]


def test_a_plug_at_no_hub_is_a_mistake(tmp_path: Path) -> None:
    """Unknown hubs, names given twice and powers of nothing are told, all at once."""
    site = tmp_path / "site"
    new(site)
    toml = (site / "scenario.toml").read_text("utf-8")
    (site / "scenario.toml").write_text(toml + '\n[plugs]\nfile = "plugs.csv"\n', "utf-8")
    (site / "plugs.csv").write_text("plug,hub,kw\na,nowhere,11\na,nowhere,0\n", "utf-8")
    wrong = [(issue.where, issue.field) for issue in check(site)]
    assert len(wrong) >= 2
    assert all(issue.file == "plugs.csv" for issue in check(site))


def test_two_stays_share_a_slot_at_one_plug(small_situation) -> None:
    """Back to back inside one slot nobody waits; who comes three minutes early waits three."""
    situation = small_situation(2, sessions=3, hubs=1)
    asked = situation.fleet.staying(np.array([2.0, 4.4, 6.0]), np.array([4.4, 6.2, 9.5]))
    fleet, said = plugged(asked, some_plugs(1), [None] * 3, situation.horizon)
    assert fleet.begins == pytest.approx([2.0, 4.4, 6.2])
    assert fleet.ends == pytest.approx([4.4, 6.2, 9.5])
    clock = situation.horizon.clock
    (sentence,) = said
    assert f"{asked.session[2]} from {clock(6.0)} to {clock(6.2)}" in sentence
    assert asked.session[1] not in sentence
    away, told = plugged(asked, some_plugs(1, waits=False), [None] * 3, situation.horizon)
    assert len(away) == 2
    assert "turned away" in told[0]
