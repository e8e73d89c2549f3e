"""What chargers and feeder have to follow, counted again from the tables."""

from __future__ import annotations

import numpy as np

from hubwise.audit.evidence import Evidence
from hubwise.audit.stays import shares_there
from hubwise.domain.arrays import Array

OFF_KW = 1e-6
QUARTER_HOUR = 0.25


def following_figures(evidence: Evidence) -> dict[str, float]:
    """Slots in use, those below a charger's least power, starts; steps of head and hubs."""
    fleet, schedule = evidence.fleet, evidence.schedule
    who, there = np.flatnonzero(fleet.participating), shares_there(fleet, evidence.stay)
    found, starts = dict[str, float](), 0
    for name, power, least in (
        ("charging_slots", schedule.charge_kw, fleet.least_charge_kw),
        ("discharging_slots", schedule.discharge_kw, fleet.least_discharge_kw),
    ):
        flows = power[who] > OFF_KW
        weak = flows & (there[who] * least[who][:, None] - power[who] > OFF_KW)
        before = np.zeros_like(flows)
        before[:, 1:] = flows[:, :-1]
        starts += int((flows & ~before).sum())
        found |= {name: float(flows.sum()), f"{name}_below_least": float(weak.sum())}
    net = evidence.hubs["import_kw"] - evidence.hubs["export_kw"]
    return found | {
        "starts": float(starts),
        "head_ramp_kw": _steepest(evidence.feeder["head_kw"][None], evidence.hours),
        "hub_ramp_kw": _steepest(net, evidence.hours),
    }


def _steepest(rows: Array, hours: float) -> float:
    """The largest change between neighbouring slots, per quarter of an hour [kW]."""
    change = np.abs(rows[:, 1:] - rows[:, :-1])
    known = change[np.isfinite(change)]
    return float(known.max() * QUARTER_HOUR / hours) if known.size else np.nan
