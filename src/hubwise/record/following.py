"""What chargers and feeder have to follow: least powers, starts, and steps from slot to slot."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Following:
    """What chargers and feeder have to follow.

    Parameters
    ----------
    charging_slots, discharging_slots
        Slots x participants in which something flows.
    charging_slots_below_least, discharging_slots_below_least
        Those in which it is less than the least power that the charger can hold.
    charging_slots_off_step, discharging_slots_off_step
        Those in which it is neither a whole number of the charger's steps nor its highest power.
    starts
        How often participants' chargers begin to charge or to discharge.
    starts_above_most
        How many of them are above what was asked of a stay.
    head_ramp_kw, hub_ramp_kw
        The most by which the power at the feeder head, and a hub's net draw, changes from one slot
        to the next [kW a quarter-hour]; NaN without a power flow.
    """

    charging_slots: int
    charging_slots_below_least: int
    charging_slots_off_step: int
    discharging_slots: int
    discharging_slots_below_least: int
    discharging_slots_off_step: int
    starts: int
    starts_above_most: int
    head_ramp_kw: float
    hub_ramp_kw: float
