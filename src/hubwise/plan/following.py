"""How well chargers and feeder can follow a schedule."""

from __future__ import annotations

import numpy as np

from hubwise.domain import Horizon, Schedule, Situation
from hubwise.domain.arrays import Array
from hubwise.grid import FeederState
from hubwise.record.following import Following

# Powers that differ by less are the same [kW].
SAME_KW = 1e-6
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
    there = fleet.select(mine).presence(situation.horizon.slots)
    charging, below_charging, starts = _use(
        schedule.charge_kw[mine], there * fleet.least_charge_kw[mine][:, None]
    )
    discharging, below_discharging, more = _use(
        schedule.discharge_kw[mine], there * fleet.least_discharge_kw[mine][:, None]
    )
    head = np.where(state.converged, state.head_kw, np.nan)
    return Following(
        charging, below_charging, discharging, below_discharging, starts + more,
        ramp_kw(head, situation.horizon), ramp_kw(hub_kw, situation.horizon),
    )  # fmt: skip


def ramp_kw(power: Array, horizon: Horizon) -> float:
    """The largest step of a power from one slot to the next [kW a quarter-hour].

    ``power``: shape (..., slots) [kW]; unknown slots are left out.
    """
    steps = np.abs(np.diff(power, axis=-1)) * QUARTER_MINUTES / horizon.slot_minutes
    return float(np.nanmax(steps)) if np.isfinite(steps).any() else np.nan


def _use(power: Array, least: Array) -> tuple[int, int, int]:
    """Slots in use, those below the least power, and starts."""
    on = power > SAME_KW
    below = on & (power < least - SAME_KW)
    began = on & ~np.pad(on, ((0, 0), (1, 0)))[:, :-1]
    return int(on.sum()), int(below.sum()), int(began.sum())
