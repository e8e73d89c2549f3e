"""A station battery that is not there: it takes and gives what it is told, within what it can."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hubwise.domain.devices import BatteryState

# Full so far when it begins.
BEGINS = 0.5


@dataclass
class SimulatedBattery:
    """A station battery with losses both ways, and a dead man's switch.

    Parameters
    ----------
    now
        The time, in UTC.
    capacity_kwh, power_kw
        What it holds, and the most that it takes and gives [kWh, kW].
    efficiency
        Share that comes through, one way.
    """

    now: Callable[[], datetime]
    capacity_kwh: float
    power_kw: float
    efficiency: float
    energy_kwh: float = field(init=False)
    _told_kw: float = 0.0
    _until: datetime | None = None
    _at: datetime = field(init=False)

    def __post_init__(self) -> None:
        """Half full, at rest."""
        self.energy_kwh, self._at = BEGINS * self.capacity_kwh, self.now()

    async def state(self) -> BatteryState:
        """What it is."""
        power = self._go_on()
        return BatteryState(
            self._at, self.energy_kwh, self.capacity_kwh, self.power_kw, self.power_kw, power
        )

    async def follow(self, kw: float, seconds: int) -> float:
        """Take so much, below 0 give, and rest after so many seconds; what it does of it [kW]."""
        self._go_on()
        self._told_kw = min(max(kw, -self.power_kw), self.power_kw)
        self._until = self._at + timedelta(seconds=seconds)
        return self._told_kw

    def _go_on(self) -> float:
        """Let the time pass; what flows into it at its end [kW]."""
        began, self._at = self._at, self.now()
        until = min(self._until or began, self._at)
        hours = max((until - began) / timedelta(hours=1), 0.0)
        stored = self._told_kw * (self.efficiency if self._told_kw > 0 else 1 / self.efficiency)
        self.energy_kwh = min(max(self.energy_kwh + stored * hours, 0.0), self.capacity_kwh)
        full = self.energy_kwh >= self.capacity_kwh if stored > 0 else self.energy_kwh <= 0.0
        over = self._until is None or self._at >= self._until
        return 0.0 if full or over else self._told_kw
