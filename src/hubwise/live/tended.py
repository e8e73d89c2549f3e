"""A station battery as it was seen and told last, and what its hub's chargers can count on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from hubwise.domain.devices import BatteryState


@dataclass
class Tended:
    """One hub's station battery.

    Parameters
    ----------
    last
        What it said of itself last; ``None`` before it ever did.
    told_kw, told_at
        What it is to take; below 0, to give [kW]; and when it was told so.
    answers
        Whether it said something when it was last asked.
    simulated
        Whether it is not there: real chargers must not count on it.
    """

    last: BatteryState | None = None
    told_kw: float = 0.0
    told_at: datetime | None = None
    answers: bool = False
    simulated: bool = False

    def saw(self, state: BatteryState) -> None:
        """What it says now."""
        self.last, self.answers = state, True

    def missed(self) -> None:
        """It said nothing."""
        self.answers = False

    def is_due(self, now: datetime, seconds: float) -> bool:
        """Whether it was told nothing for so long [s]."""
        return self.told_at is None or (now - self.told_at).total_seconds() >= seconds

    @property
    def power_kw(self) -> float:
        """What flows into it by its own word; below 0, out of it; 0 where it says nothing [kW]."""
        return self.last.power_kw if self.last is not None and self.answers else 0.0

    @property
    def draws_kw(self) -> float:
        """The most that it may be drawing: as told, or as seen while it comes down [kW]."""
        return max(self.told_kw, self.power_kw, 0.0)

    @property
    def gives_kw(self) -> float:
        """What chargers can count on: what it is to give and is seen to give [kW]."""
        if self.simulated or not self.answers:
            return 0.0
        return max(min(-self.told_kw, -self.power_kw), 0.0)
