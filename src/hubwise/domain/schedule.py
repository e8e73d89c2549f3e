"""Schedules: what every session and every station battery does in every slot."""

from __future__ import annotations

from dataclasses import dataclass

from hubwise.domain.arrays import Array, Flags, Index


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

    def select(self, keep: Flags | Index) -> Schedule:
        """The sessions that ``keep`` (a mask or indices) picks, in that order."""
        return Schedule(self.charge_kw[keep], self.discharge_kw[keep], self.energy_kwh[keep])

    def between(self, first: int, last: int) -> Schedule:
        """The slots from ``first`` to before ``last``."""
        slots = slice(first, last)
        return Schedule(
            self.charge_kw[:, slots], self.discharge_kw[:, slots], self.energy_kwh[:, slots]
        )


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

    def between(self, first: int, last: int) -> StationSchedule:
        """The slots from ``first`` to before ``last``."""
        slots = slice(first, last)
        return StationSchedule(
            self.charge_kw[:, slots],
            self.discharge_kw[:, slots],
            self.energy_kwh[:, slots],
            self.solar_kw[:, slots],
            None if self.standby_kw is None else self.standby_kw[:, slots],
        )
