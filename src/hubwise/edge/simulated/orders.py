"""Charging profiles as a station keeps them: levels, ends, and what falls away without a link."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from hubwise.edge.simulated.link import Json

VOLTS = 230.0


class Order(NamedTuple):
    """What holds now: the most, or with ``sets`` the very power [kW]; idle is neither."""

    kw: float
    sets: bool = False
    idle: bool = False


@dataclass(slots=True)
class Kept:
    """A profile: its level and purpose, when it began, and when it ends by itself."""

    number: int
    level: int
    for_session: bool
    dynamic: bool
    begins: datetime
    lasts: timedelta | None
    offline: timedelta | None
    periods: list[tuple[float, Order]]

    def holds(self, now: datetime, offline: timedelta) -> Order | None:
        """Its order now, if it holds."""
        passed = now - self.begins
        ended = self.lasts is not None and passed >= self.lasts
        if ended or (self.offline is not None and offline > self.offline):
            return None
        begun = [order for start, order in self.periods if start <= passed.total_seconds() + 1.0]
        return begun[-1] if begun else None


@dataclass(slots=True)
class Orders:
    """The profiles of one EVSE.

    Parameters
    ----------
    otherwise
        What holds without any.
    """

    otherwise: Order
    kept: dict[int, Kept] = field(default_factory=dict)

    def set(self, payload: Json, now: datetime) -> bool:
        """Take up SetChargingProfile of any version; false where it cannot be read."""
        said = payload.get("chargingProfile") or payload.get("csChargingProfiles")
        kept = _read(said, now) if isinstance(said, dict) else None
        if kept is None:
            return False
        same = [
            each.number
            for each in self.kept.values()
            if (each.level, each.for_session) == (kept.level, kept.for_session)
        ]
        for number in same:
            del self.kept[number]
        self.kept[kept.number] = kept
        return True

    def update(self, payload: Json, now: datetime) -> bool:
        """Take up UpdateDynamicSchedule; false where there is no such profile."""
        number, update = payload.get("chargingProfileId"), payload.get("scheduleUpdate")
        kept = self.kept.get(number) if isinstance(number, int) else None
        said = update.get("setpoint") if isinstance(update, dict) else None
        if kept is None or not kept.dynamic or not isinstance(said, int | float):
            return False
        kept.periods, kept.begins = [(0.0, Order(float(said) / 1_000, sets=True))], now
        return True

    def end_session(self) -> None:
        """What held for a session is over."""
        self.kept = {number: each for number, each in self.kept.items() if not each.for_session}

    def now(self, now: datetime, offline: timedelta) -> Order:
        """The order that holds: a session's before the default, the highest level first."""
        ranked = sorted(self.kept.values(), key=lambda each: (each.for_session, each.level))
        for kept in reversed(ranked):
            if (order := kept.holds(now, offline)) is not None:
                return order
        return self.otherwise


def _read(said: Json, now: datetime) -> Kept | None:
    schedule = said.get("chargingSchedule")
    schedule = schedule[0] if isinstance(schedule, list) and schedule else schedule
    number = said.get("id", said.get("chargingProfileId"))
    level = said.get("stackLevel")
    periods = schedule.get("chargingSchedulePeriod") if isinstance(schedule, dict) else None
    if not isinstance(schedule, dict) or not isinstance(periods, list):
        return None
    if not isinstance(number, int) or not isinstance(level, int):
        return None
    size = 0.001 if schedule.get("chargingRateUnit") == "W" else VOLTS / 1_000
    start = schedule.get("startSchedule")
    return Kept(
        number=number,
        level=level,
        for_session=said.get("chargingProfilePurpose") == "TxProfile",
        dynamic=said.get("chargingProfileKind") == "Dynamic",
        begins=datetime.fromisoformat(start) if isinstance(start, str) else now,
        lasts=_seconds(schedule.get("duration")),
        offline=_seconds(said.get("maxOfflineDuration")),
        periods=[(float(each["startPeriod"]), _order(each, size)) for each in periods],
    )


def _order(period: Json, size: float) -> Order:
    sets = "setpoint" in period
    value = period.get("setpoint", period.get("limit"))
    kw = float(value) * size if isinstance(value, int | float) else 0.0
    return Order(kw, sets, period.get("operationMode") == "Idle")


def _seconds(said: object) -> timedelta | None:
    return timedelta(seconds=said) if isinstance(said, int) else None
