"""Plans of chargers with steps and starts: read, kept, counted, credited, and audited."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from hubwise.audit import Status, audit_record
from hubwise.drivers import best_response, schedule_cost
from hubwise.plan import make_plan
from hubwise.record import seal_again, write
from hubwise.scenario import load
from hubwise.scenario.writing import new


def site(folder, chargers):
    """The example as a folder of its own, with some keys of ``[chargers]``."""
    found = new(folder)
    toml = found / "scenario.toml"
    toml.write_text(toml.read_text("utf-8") + f"\n[chargers]\n{chargers}\n", "utf-8")
    return found


def planned(scenario, tariff=None):
    """A plan by a short search."""
    search = replace(scenario.search, evaluations=5, boxes=0, seed=1)
    return make_plan(replace(scenario, search=search), tariff=tariff)


@pytest.fixture(scope="module")
def plans(tmp_path_factory):
    """The example's chargers with any power, in steps with one start, and rounded to that."""
    free = planned(load("example"))
    keys = "step_a = 1\nstarts_max = 1\n"
    asked = [
        load(site(tmp_path_factory.mktemp("site") / name, keys + more))
        for name, more in (("kept", ""), ("rounded", "round = true"))
    ]
    return free, *(planned(scenario, free.tariff) for scenario in asked)


def off_step(plan, step):
    """Participants' slots that are neither a whole number of steps nor at the highest power."""
    situation = plan.scenario.situation
    fleet, found = situation.fleet, 0
    there = fleet.presence(situation.horizon.slots)
    for power, most in (
        (plan.schedule.charge_kw, fleet.charge_kw_max),
        (plan.schedule.discharge_kw, fleet.discharge_kw_max),
    ):
        for i, t in np.argwhere(power > 1e-6):
            kw, unit = power[i, t], step * there[i, t]
            below = fleet.participating[i] and kw < most[i] * there[i, t] - 1e-6
            found += below and abs(kw - unit * round(kw / unit)) > 1e-6
    return found


def test_steps_and_starts_are_kept_or_counted(plans) -> None:
    """Fewer slots are off step than of any power, regret stays zero, and profit as it was."""
    free, kept, _ = (plan.result for plan in plans)
    step = 3.0 * 0.23
    assert kept.following.charging_slots_off_step + kept.following.discharging_slots_off_step == (
        off_step(plans[1], step)
    )
    assert off_step(plans[1], step) < off_step(plans[0], step)
    assert kept.following.starts_above_most < kept.following.starts
    assert free.following.charging_slots_off_step == free.following.starts_above_most == 0
    assert kept.money.max_regret < 1e-9
    assert kept.money.credited_regret == 0.0
    assert kept.money.operator_profit >= 0.998 * free.money.operator_profit


def test_rounding_leaves_no_slot_off_step_and_credits_it(plans) -> None:
    """Where it is asked for nothing is left, drivers are credited, and energy is brought."""
    _, kept, rounded = (plan.result for plan in plans)
    follows = rounded.following
    assert follows.charging_slots_off_step == follows.discharging_slots_off_step == 0
    assert follows.starts_above_most == 0
    assert off_step(plans[2], 0.69) == 0
    assert rounded.money.credited_regret > 0.0
    assert rounded.money.max_regret < 1e-7
    assert rounded.departures.shortfall_kwh <= kept.departures.shortfall_kwh + 1e-6
    situation = plans[2].scenario.situation
    _, least = best_response(situation.fleet, plans[2].tariff, situation.horizon)
    cost = schedule_cost(situation.fleet, plans[2].tariff, plans[2].schedule, situation.horizon)
    above = (cost - least)[situation.fleet.participating].sum()
    assert rounded.money.credited_regret == pytest.approx(above, abs=1e-4)


def test_the_audit_counts_for_itself(plans, tmp_path) -> None:
    """A plan in steps passes, and one that tells of fewer slots off step does not."""
    folder = tmp_path / "plan"
    write(plans[1], folder)
    checks = audit_record(folder, plans[1].asked).checks
    assert not [c for c in checks if c.status is Status.FAILS]
    for key in ("charging_slots_off_step", "starts_above_most"):
        path = folder / "summary.json"
        whole = path.read_text("utf-8")
        said = json.loads(whole)
        said["results"][0][key] += 1
        path.write_text(json.dumps(said), "utf-8")
        seal_again(folder)
        checks = audit_record(folder, plans[1].asked).checks
        assert "summary: following" in {c.name for c in checks if c.status is Status.FAILS}
        path.write_text(whole, "utf-8")
