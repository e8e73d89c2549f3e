"""Zones and durations in the words of other programs."""

from __future__ import annotations

import re
from datetime import timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from hubwise.scenario.stamps import stamp

_CLOCK = re.compile(r"(?:(\d+)\s*(?:d|days?),?\s*)?(\d+):(\d{2})(?::(\d{2})(?:\.\d+)?)?")
_UNITS = re.compile(r"(?:(\d+)d)?\s*(?:(\d+)h)?\s*(?:(\d+)m(?:in)?)?\s*(?:(\d+)(?:\.\d+)?s)?")


@lru_cache(maxsize=1024)
def zone_of(name: str) -> tzinfo | None:
    """The zone of an offset, an abbreviation or an IANA name; nothing where it is unknown."""
    offset = re.sub(r"^(?:UTC|GMT)(?=[+-])", "", name, flags=re.IGNORECASE)
    try:
        return stamp(f"2000-01-01 00:00 {offset}").tzinfo
    except ValueError:
        pass
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, not a name, a folder of zones
        return None


def duration(cell: str) -> timedelta | None:
    """A duration such as ``4:38:00``, ``5h21m5s`` or ``1 day, 2:03``; nothing where it is none."""
    match = _CLOCK.fullmatch(cell.strip()) or _UNITS.fullmatch(cell.strip())
    if match is None or not match[0]:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
