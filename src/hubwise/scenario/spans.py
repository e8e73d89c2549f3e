"""Zones and durations in the words of other programs."""

from __future__ import annotations

import re
from datetime import timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from hubwise.scenario.stamps import stamp

_CLOCK = re.compile(r"(?:(\d+)\s*(?:d|days?),?\s*)?(\d+):(\d{2})(?::(\d{2})(?:\.\d+)?)?")
_PART = re.compile(r"(\d+(?:[.,]\d+)?)\s*([^\W\d_]+)\.?\s*(?:,|and|und|et|en)?\s*")
_ISO = re.compile(r"P(?:\d+D)?(?:T(?:[\d.]+[HMS])*)?")
# Seconds in each unit, by the words for it in the languages that tables are in.
_SECONDS = {
    word: seconds
    for seconds, words in (
        (86400.0, "d day days tag tage dag dagen jour jours dagar día días"),
        (3600.0, "h hr hrs hour hours std stunde stunden uur uren heure heures timer hora horas"),
        (60.0, "m min mins minute minutes minuten minuut minuter minutter minutos mn"),
        (1.0, "s sec secs second seconds sek sekunde sekunden seconde secondes secondo segundos"),
        (1e-3, "ms"),
    )
    for word in words.split()
}  # fmt: skip


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
    """A duration such as ``4:38:00``, ``5h21m5s``, ``8,5 h`` or ``PT4H``; nothing where it is none.

    Raises
    ------
    OverflowError
        Where it is longer than a calendar.
    """
    cell = cell.strip()
    if match := _CLOCK.fullmatch(cell):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    cell = re.sub("[PT]", "", cell) if _ISO.fullmatch(cell) else cell
    parts = _PART.findall(cell)
    units = [_SECONDS.get(unit.casefold()) for _, unit in parts]
    if not parts or None in units or _PART.sub("", cell):
        return None
    figures = [float(figure.replace(",", ".")) for figure, _ in parts]
    return timedelta(seconds=sum(a * (b or 0.0) for a, b in zip(figures, units, strict=True)))


def unit_of_time(header: str) -> timedelta:
    """The unit that a column's name tells, as in ``Duration (min)``; hours where it tells none."""
    words = re.split(r"[^\w]+|_", header.casefold())
    known = [_SECONDS[word] for word in words[1:] if word in _SECONDS]
    return timedelta(seconds=known[-1] if known else 3600.0)
