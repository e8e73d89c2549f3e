"""What a hub's connection leaves to its chargers, by the meter at it.

The meter sees chargers and all else together. What chargers may draw is known, and what they do
not draw others do not either: the others draw at least what the meter says beyond it. The highest
of that within a quarter of an hour is kept free for them; so a car that draws less than it may
gives nothing away that it could take back. A station battery says itself what flows: chargers count
on what it is seen to give, and never on what it is only told to.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hubwise.domain.devices import MeterReading
from hubwise.live.peaks import Drawn
from hubwise.live.tended import Tended

WINDOW = timedelta(minutes=15)
# A set-point is followed within so long: before, what chargers draw is not what they may.
FOLLOWED = timedelta(seconds=20)
# A meter that has said nothing for so long is lost.
LOST = timedelta(seconds=30)


@dataclass
class Connection:
    """One hub's connection.

    Parameters
    ----------
    carries_kw
        What it carries [kW].
    metered
        Whether there is a meter at it; without one all of it is the chargers'.
    battery
        The station battery behind it, where there is one.
    asked_kw
        What chargers would draw together if the battery took nothing [kW].
    wanted_kw
        The same if the grid limited nothing [kW].
    limit_kw
        What it may draw just now, where the grid lets it draw less than it carries [kW].
    feeder_kw
        The part of that which the feeder says; nobody knows when it ends [kW].
    drawn
        What it drew, by quarter of an hour.
    """

    carries_kw: float
    metered: bool = False
    battery: Tended | None = None
    asked_kw: float = 0.0
    wanted_kw: float = 0.0
    limit_kw: float = math.inf
    feeder_kw: float = math.inf
    drawn: Drawn = field(default_factory=Drawn)
    last: MeterReading | None = None
    _given: deque[tuple[datetime, float]] = field(default_factory=deque)
    _others: deque[tuple[datetime, float]] = field(default_factory=deque)

    def gave(self, at: datetime, kw: float) -> None:
        """Chargers may draw so much together from now on [kW]."""
        if not self._given or self._given[-1][1] != kw:
            self._given.append((at, kw))
        while len(self._given) > 1 and self._given[1][0] <= at - FOLLOWED:
            self._given.popleft()

    def saw(self, reading: MeterReading) -> None:
        """What the meter says now."""
        self.last = reading
        self.drawn.saw(reading)
        may = max((kw for _, kw in self._given), default=0.0)
        battery_kw = 0.0 if self.battery is None else self.battery.power_kw
        self._others.append((reading.at, max(reading.power_kw - battery_kw - may, 0.0)))
        while self._others[0][0] < reading.at - WINDOW:
            self._others.popleft()

    def is_lost(self, now: datetime) -> bool:
        """Whether there is a meter that says nothing."""
        return self.metered and (self.last is None or now - self.last.at > LOST)

    @property
    def most_kw(self) -> float:
        """What may flow through it now [kW]."""
        return min(self.carries_kw, self.limit_kw)

    @property
    def unlimited_kw(self) -> float:
        """What would flow through it now if the grid limited nothing [kW]."""
        battery_kw = 0.0 if self.battery is None else self.battery.power_kw
        return self.wanted_kw + self.others_kw + battery_kw

    @property
    def others_kw(self) -> float:
        """What others draw, as far as the meter has told [kW]."""
        return max((kw for _, kw in self._others), default=0.0)

    @property
    def left_kw(self) -> float:
        """What others leave to chargers and battery together [kW].

        Where a meter has never said anything, half of the connection; one that was lost leaves what
        others drew at most before.
        """
        return self.left_of(self.limit_kw)

    def left_of(self, limit_kw: float) -> float:
        """The same where the grid limits it so [kW]."""
        most_kw = min(self.carries_kw, limit_kw)
        if self.metered and self.last is None:
            return 0.5 * most_kw
        return max(most_kw - self.others_kw, 0.0)

    @property
    def room_kw(self) -> float:
        """What chargers may draw together now, whatever the battery does [kW]."""
        if self.battery is None:
            return self.left_kw
        return max(self.left_kw - self.battery.draws_kw + self.battery.gives_kw, 0.0)

    @property
    def battery_room_kw(self) -> float:
        """What the battery may draw: what chargers do not ask for [kW]."""
        return max(self.left_kw - self.asked_kw, 0.0)
