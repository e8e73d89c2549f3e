"""The horizon: which slots are planned, and what the clock on the wall says in each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from hubwise.domain.arrays import Array


@dataclass(frozen=True, slots=True)
class Horizon:
    """Consecutive slots of equal length, counted in UTC, read on a local clock.

    A local day has 92 or 100 quarter-hours when the clocks change; counting in UTC makes those
    days ordinary.

    Parameters
    ----------
    start_utc
        Start of slot 0, timezone-aware, UTC.
    slots
        Number of slots.
    slot_minutes
        Length of one slot [min]; divides an hour.
    zone
        IANA name of the site's time zone.
    """

    start_utc: datetime
    slots: int
    slot_minutes: int = 15
    zone: str = "UTC"

    def __post_init__(self) -> None:
        if self.start_utc.utcoffset() != timedelta(0):
            raise ValueError(f"start_utc must be in UTC, got {self.start_utc.isoformat()}")
        if self.slots < 1 or self.slot_minutes < 1 or 60 % self.slot_minutes:
            raise ValueError("a horizon needs at least one slot, and slots that divide an hour")

    @classmethod
    def local_day(
        cls, day: date, zone: str, *, start: time = time(12), slot_minutes: int = 15, days: int = 1
    ) -> Horizon:
        """The slots from ``start`` on ``day`` to the same wall-clock time ``days`` days later."""
        tz = ZoneInfo(zone)
        first = datetime.combine(day, start, tz).astimezone(UTC)
        last = datetime.combine(day + timedelta(days=days), start, tz).astimezone(UTC)
        return cls(first, (last - first) // timedelta(minutes=slot_minutes), slot_minutes, zone)

    @property
    def slot_hours(self) -> float:
        """Length of one slot [h]."""
        return self.slot_minutes / 60.0

    @property
    def end_utc(self) -> datetime:
        """End of the last slot."""
        return self.start_utc + timedelta(minutes=self.slot_minutes * self.slots)

    def day_edges(self) -> list[int]:
        """The slots at which its days begin, by the clock on the wall, and at last its end."""
        tz, step = ZoneInfo(self.zone), timedelta(minutes=self.slot_minutes)
        first = self.start_utc.astimezone(tz)
        clock, day, edges = first.time(), first.date(), [0]
        while edges[-1] < self.slots:
            day += timedelta(days=1)
            moment = datetime.combine(day, clock, tz).astimezone(UTC)
            edges.append(min((moment - self.start_utc) // step, self.slots))
        return edges

    def between(self, first: int, last: int) -> Horizon:
        """The slots from ``first`` to before ``last``."""
        start = self.start_utc + timedelta(minutes=self.slot_minutes * first)
        return replace(self, start_utc=start, slots=last - first)

    @property
    def local_start(self) -> datetime:
        """When it begins, on the site's clock."""
        return self.start_utc.astimezone(ZoneInfo(self.zone))

    def starts_utc(self) -> list[datetime]:
        """Start of every slot, in UTC; length ``slots``."""
        step = timedelta(minutes=self.slot_minutes)
        return [self.start_utc + step * k for k in range(self.slots)]

    def local_starts(self) -> list[datetime]:
        """Start of every slot on the site's clock; length ``slots``."""
        tz = ZoneInfo(self.zone)
        return [moment.astimezone(tz) for moment in self.starts_utc()]

    def slot_names(self) -> list[str]:
        """What the clock shows when each slot starts, such as ``18:00``; length ``slots``.

        With date and offset in all names where the clock shows a time twice.
        """
        starts = self.local_starts()
        names = [f"{moment:%H:%M}" for moment in starts]
        if len(set(names)) == len(names):
            return names
        return [moment.isoformat(timespec="minutes") for moment in starts]

    def moment(self, slot: float) -> datetime:
        """When ``slot`` begins, in UTC; a fraction is inside a slot. To the millisecond."""
        passed = timedelta(milliseconds=round(60_000 * self.slot_minutes * float(slot)))
        return self.start_utc + passed

    def clock(self, slot: float) -> str:
        """What the clock shows at the start of ``slot``; the number of slots is the end."""
        return f"{self.moment(slot).astimezone(ZoneInfo(self.zone)):%H:%M}"

    def local_hours(self) -> Array:
        """Wall-clock hour (0-24) at which each slot starts; shape (slots,) [h]."""
        return np.array([m.hour + m.minute / 60.0 for m in self.local_starts()])

    def slot_of(self, moment: datetime) -> float:
        """Position of a timezone-aware moment on the horizon, in slots; may be fractional."""
        return (moment - self.start_utc) / timedelta(minutes=self.slot_minutes)
