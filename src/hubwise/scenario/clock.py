"""The local clock: hours of the day laid over the slots of a horizon."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from hubwise.domain import Horizon
from hubwise.domain.arrays import Array, Flags
from hubwise.scenario.files import HorizonSection
from hubwise.scenario.reading import TOML, Reader


def read_horizon(
    section: HorizonSection, reader: Reader, *, file: str = TOML, days: int = 1
) -> Horizon | None:
    """The local days of ``[horizon]``, or nothing where the clock does not have them.

    At least ``days`` of them.
    """
    clock, days = section.start, max(section.days, days)
    if clock.second or clock.microsecond or clock.minute % section.slot_minutes:
        wrong = f"{clock} is not a whole slot of {section.slot_minutes} min"
        reader.wrong(file, "horizon", "start", wrong, "start on a whole slot of the hour")
        return None
    for day in (section.day + timedelta(days=k) for k in range(days + 1)):
        if not exists(datetime.combine(day, clock), section.zone):
            wrong = f"{clock} is not on the clock of {section.zone} on {day}, which leaps over it"
            reader.wrong(file, "horizon", "start", wrong, "start before or after the leap")
            return None
    horizon = Horizon.local_day(
        section.day,
        section.zone,
        start=clock,
        slot_minutes=section.slot_minutes,
        days=days,
    )
    end = section.day + timedelta(days=days)
    last = in_utc(datetime.combine(end, clock), section.zone)
    if horizon.end_utc != last:
        wrong = f"{section.slot_minutes} does not divide this day, on which the clocks change"
        reader.wrong(file, "horizon", "slot_minutes", wrong, "give shorter slots")
        return None
    return horizon


def in_windows(horizon: Horizon, windows: Iterable[str]) -> Flags:
    """Slots that start within any window such as ``23:00-07:00``; shape (slots,).

    A window that ends at or before its start goes on past midnight.
    """
    hours = horizon.local_hours()
    inside = np.zeros(horizon.slots, dtype=bool)
    for window in windows:
        start, end = (_hours(clock) for clock in window.split("-"))
        after, before = hours >= start, hours < end
        inside |= (after & before) if start < end else (after | before)
    return inside


def by_hour(horizon: Horizon, hours: Sequence[float], values: Sequence[float]) -> Array:
    """An hour-of-day table laid over the slots; shape (slots,).

    A row holds from its hour of the local clock until the next row's; the table starts at 0.
    """
    order = np.argsort(hours)
    row = np.searchsorted(np.asarray(hours)[order], horizon.local_hours(), side="right") - 1
    return np.asarray(values, dtype=float)[order][row]


def wall_hours(horizon: Horizon) -> Array:
    """The local clock at every slot's start and at the horizon's end; shape (slots + 1,) [h].

    Hours count from midnight of the first day and never fall: where the clocks go back they stand
    still until the clock has caught up.
    """
    zone = ZoneInfo(horizon.zone)
    moments = [*horizon.local_starts(), horizon.end_utc.astimezone(zone)]
    first = moments[0].date()
    hours = [24.0 * (m.date() - first).days + m.hour + m.minute / 60.0 for m in moments]
    return np.maximum.accumulate(np.array(hours))


def in_utc(moment: datetime, zone: str) -> datetime:
    """``moment`` in UTC; without an offset it is read on the clock of ``zone``."""
    local = moment if moment.tzinfo else moment.replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC)


def exists(moment: datetime, zone: str) -> bool:
    """Whether the clock of ``zone`` ever shows ``moment``; in spring it leaps over an hour."""
    if moment.tzinfo:
        return True
    there = in_utc(moment, zone).astimezone(ZoneInfo(zone))
    return there.replace(tzinfo=None) == moment


def after_leap(moment: datetime, zone: str) -> datetime:
    """``moment`` in UTC; a time that the clock of ``zone`` leaps over is the end of the leap."""
    found = in_utc(moment, zone)
    if exists(moment, zone):
        return found
    there, minute = ZoneInfo(zone), timedelta(minutes=1)
    offset = found.astimezone(there).utcoffset()
    while (found - minute).astimezone(there).utcoffset() == offset:
        found -= minute
    return found


def _hours(clock: str) -> float:
    hour, minute = clock.split(":")
    return int(hour) + int(minute) / 60.0
