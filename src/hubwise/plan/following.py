"""How well chargers and feeder can follow a schedule."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hubwise.dispatch.packing.chargers import SAME_KW, off_least, off_steps
from hubwise.domain import Horizon, Schedule, Situation
from hubwise.domain.arrays import Array
from hubwise.drivers import batteries_of
from hubwise.grid import FeederState
from hubwise.record.following import Following

QUARTER_MINUTES = 15.0


def following_of(
    situation: Situation, schedule: Schedule, hub_kw: Array, state: FeederState
) -> Following:
    """What participants' chargers and the feeder have to follow on a day.

    Parameters
    ----------
    situation, schedule
        Every session, and what it does.
    hub_kw
        Net draw of every hub; shape (hubs, slots) [kW].
    state
        The feeder under AC power flow.
    """
    fleet, mine = situation.fleet, situation.fleet.participating
    who = fleet.select(mine)
    units, there = batteries_of(who, situation.horizon), who.presence(situation.horizon.slots)
    step = there * who.steps_kw[:, None]
    charge, discharge = (
        _use(power[mine], there * least[:, None], step, most, who.most_starts)
        for power, least, most in (
            (schedule.charge_kw, who.least_charge_kw, units.charge_kw),
            (schedule.discharge_kw, who.least_discharge_kw, units.discharge_kw),
        )
    )
    head = np.where(state.converged, state.head_kw, np.nan)
    return Following(
        charging_slots=charge.slots,
        charging_slots_below_least=charge.below,
        charging_slots_off_step=charge.off_step,
        discharging_slots=discharge.slots,
        discharging_slots_below_least=discharge.below,
        discharging_slots_off_step=discharge.off_step,
        starts=charge.starts + discharge.starts,
        starts_above_most=charge.above + discharge.above,
        head_ramp_kw=ramp_kw(head, situation.horizon),
        hub_ramp_kw=ramp_kw(hub_kw, situation.horizon),
    )


def ramp_kw(power: Array, horizon: Horizon) -> float:
    """The largest step of a power from one slot to the next [kW a quarter-hour].

    ``power``: shape (..., slots) [kW]; unknown slots are left out.
    """
    steps = np.abs(np.diff(power, axis=-1)) * QUARTER_MINUTES / horizon.slot_minutes
    return float(np.nanmax(steps)) if np.isfinite(steps).any() else np.nan


class _Use(NamedTuple):
    """One way: slots in use, those below the least power, those off step; starts, and too many."""

    slots: int
    below: int
    off_step: int
    starts: int
    above: int


def _use(power: Array, least: Array, step: Array, most: Array, most_starts: Array) -> _Use:
    """Powers (sessions, slots) beside what chargers can; ``most_starts`` (sessions,)."""
    on = power > SAME_KW
    below = off_least(power, least)
    off = off_steps(power, step, np.broadcast_to(most, power.shape))
    began = (on & ~np.pad(on, ((0, 0), (1, 0)))[:, :-1]).sum(axis=1)
    above = np.maximum(began - most_starts, 0.0)
    return _Use(*(int(part.sum()) for part in (on, below, off, began, above)))
