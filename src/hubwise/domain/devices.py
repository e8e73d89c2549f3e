"""What a site's own devices say: its batteries and the meter at its connection."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class BatteryState:
    """A station battery, as it says it is.

    Parameters
    ----------
    at
        When it was asked, in UTC.
    energy_kwh, capacity_kwh
        What is in it, and what there can be [kWh].
    charge_kw_max, discharge_kw_max
        The most that it takes and gives [kW].
    power_kw
        What flows into it; below zero, out of it [kW].
    """

    at: datetime
    energy_kwh: float
    capacity_kwh: float
    charge_kw_max: float
    discharge_kw_max: float
    power_kw: float


@dataclass(frozen=True, slots=True)
class MeterReading:
    """The registers of a meter.

    Parameters
    ----------
    at
        When it was asked, in UTC.
    imported_kwh, exported_kwh
        What came from the grid and went to it, ever; ``None`` where it does not count [kWh].
    power_kw
        What comes from the grid now; below zero, what goes to it [kW].
    """

    at: datetime
    imported_kwh: float | None
    exported_kwh: float | None
    power_kw: float
