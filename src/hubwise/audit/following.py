"""What chargers and feeder have to follow, counted again from the tables."""

from __future__ import annotations

import numpy as np

from hubwise.audit.evidence import Evidence
from hubwise.audit.stays import limits_of, shares_there
from hubwise.domain.arrays import Array, Flags

OFF_KW = 1e-6
QUARTER_HOUR = 0.25


def following_figures(evidence: Evidence) -> dict[str, float]:
    """Slots in use, those that chargers cannot hold, starts; ramps of head and hubs."""
    fleet, schedule = evidence.fleet, evidence.schedule
    who, there = np.flatnonzero(fleet.participating), shares_there(fleet, evidence.stay)
    limits = limits_of(fleet, evidence.scenario.situation.horizon)
    step = there[who] * fleet.steps_kw[who][:, None]
    found, starts, above = dict[str, float](), 0, 0.0
    for name, power, least, most in (
        ("charging_slots", schedule.charge_kw, fleet.least_charge_kw, limits.charge_kw),
        ("discharging_slots", schedule.discharge_kw, fleet.least_discharge_kw, limits.discharge_kw),
    ):
        flows = power[who] > OFF_KW
        weak = flows & (there[who] * least[who][:, None] - power[who] > OFF_KW)
        before = np.zeros_like(flows)
        before[:, 1:] = flows[:, :-1]
        begun = (flows & ~before).sum(axis=1)
        starts += int(begun.sum())
        above += float((begun - fleet.most_starts[who]).clip(0.0).sum())
        below_full = flows & (most[who] - power[who] > OFF_KW)
        found |= {
            name: float(flows.sum()),
            f"{name}_below_least": float(weak.sum()),
            f"{name}_off_step": float((below_full & _between(power[who], step)).sum()),
        }
    net = evidence.hubs["import_kw"] - evidence.hubs["export_kw"]
    return found | {
        "starts": float(starts),
        "starts_above_most": above,
        "head_ramp_kw": _steepest(evidence.feeder["head_kw"][None], evidence.hours),
        "hub_ramp_kw": _steepest(net, evidence.hours),
    }


def _between(power: Array, step: Array) -> Flags:
    """Which powers lie between two whole numbers of steps; none where there is no step."""
    past = np.fmod(power, np.where(step > 0.0, step, np.inf))
    found: Flags = (step > 0.0) & (np.minimum(past, step - past) > OFF_KW)
    return found


def _steepest(rows: Array, hours: float) -> float:
    """The largest change between neighbouring slots, per quarter of an hour [kW]."""
    change = np.abs(rows[:, 1:] - rows[:, :-1])
    known = change[np.isfinite(change)]
    return float(known.max() * QUARTER_HOUR / hours) if known.size else np.nan
