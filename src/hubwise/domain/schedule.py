"""Schedules: what every session and every station battery does in every slot."""

from __future__ import annotations

from dataclasses import dataclass

from hubwise.domain.arrays import Array


@dataclass(frozen=True, slots=True)
class Schedule:
    """What vehicles do; every array has shape (sessions, slots), zero outside the stay.

    Parameters
    ----------
    charge_kw, discharge_kw
        Power at the charger (AC side) [kW]; never both positive in one slot.
    energy_kwh
        Energy in the battery at the end of the slot [kWh]; the arrival energy before the stay and
        the departure energy after it.
    """

    charge_kw: Array
    discharge_kw: Array
    energy_kwh: Array


@dataclass(frozen=True, slots=True)
class StationSchedule:
    """What station batteries and solar do; every array has shape (hubs, slots).

    Parameters
    ----------
    charge_kw, discharge_kw
        Power of the station battery at its AC side [kW]; never both positive in one slot.
    energy_kwh
        Energy in the station battery at the end of the slot [kWh].
    solar_kw
        Solar power used, after curtailment [kW].
    standby_kw
        What two-way chargers draw beside while they are awake; ``None`` for nothing [kW].
    """

    charge_kw: Array
    discharge_kw: Array
    energy_kwh: Array
    solar_kw: Array
    standby_kw: Array | None = None
