"""A car at an EVSE, as it is steered: what it asked for, what it was told, what was shown."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from hubwise.edge.ocpp.abilities import is_both_ways
from hubwise.edge.ocpp.frames import Json
from hubwise.edge.ocpp.profiles import LASTS_SECONDS, SLOT_SECONDS, Mode, Profile, Step
from hubwise.edge.ocpp.signs import Signs


@dataclass(slots=True)
class Stay:
    """One car at an EVSE.

    Parameters
    ----------
    evse, transaction
        Where, and in which transaction; empty before there is one.
    transfer, could
        The energy transfer that the car asked for last, and those that it has (2.x).
    picks
        Whether the car picks from schedules by itself and follows no single set-points.
    invited
        Whether the station was told that energy may go both ways.
    pushes
        Whether the station takes single set-points; false once it refused one.
    doubted
        Whether its meter did not show what was asked: it gives nothing back any more.
    told, told_at
        The profile that it follows, and when that was last said.
    signs, turn
        What its meter says, and who talks to it now.
    """

    evse: int
    transaction: str = ""
    transfer: str = ""
    could: frozenset[str] = frozenset()
    picks: bool = False
    invited: bool = False
    pushes: bool = True
    doubted: bool = False
    told: Profile | None = None
    told_at: datetime | None = None
    signs: Signs = field(default_factory=Signs)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def need(self, needs: Json) -> None:
        """Take up NotifyEVChargingNeeds' chargingNeeds."""
        self.transfer = str(needs.get("requestedEnergyTransfer", ""))
        others = needs.get("availableEnergyTransfer")
        found = [str(each) for each in others] if isinstance(others, list) else []
        self.could = frozenset([self.transfer, *found])
        self.picks = needs.get("controlMode") == "ScheduledControl"

    @property
    def gives_back(self) -> bool:
        """Whether the car itself is set to give energy back, and its meter is not in doubt."""
        return is_both_ways(self.transfer) and not self.doubted

    def tell(self, profile: Profile, now: datetime) -> None:
        """The station has taken a profile."""
        self.told, self.told_at = profile, now

    def is_due(self, now: datetime) -> bool:
        """Whether what was told has to be said again, a slot later."""
        return bool(self.transaction) and self._age(now) >= timedelta(seconds=SLOT_SECONDS)

    def takes_updates(self, now: datetime) -> bool:
        """Whether a dynamic profile lives at the station."""
        lives = self._age(now) < timedelta(seconds=LASTS_SECONDS)
        return self.told is not None and self.told.dynamic and lives

    def goes_on(self, now: datetime) -> Profile | None:
        """What was told, from now on."""
        if self.told is None or self.told.mode is Mode.IDLE:
            return self.told and replace(self.told, at=now)
        passed = int((now - self.told.at).total_seconds())
        left = [Step(max(0, each.seconds - passed), each.kw) for each in self.told.steps]
        begun = [at for at, each in enumerate(left) if each.seconds == 0]
        return replace(self.told, steps=tuple(left[max(begun, default=0) :]), at=now)

    def _age(self, now: datetime) -> timedelta:
        return timedelta() if self.told_at is None else now - self.told_at
