"""Moments as other programs write them, and the instants that a clock on the wall means by them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from hubwise.scenario.clock import exists, in_utc

# Offsets from UTC [h] by the letters that stand behind a stamp.
_LETTERS = {
    "UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "BST": 1, "CET": 1, "CEST": 2, "MEZ": 1,
    "MESZ": 2, "EET": 2, "EEST": 3, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7,
    "MDT": -6, "PST": -8, "PDT": -7,
    "AKST": -9, "AKDT": -8, "HST": -10, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "JST": 9,
}  # fmt: skip
# The zones whose clocks a header names by both of their letters.
_CLOCKS = {
    "utc": "UTC", "gmt": "UTC", "cet/cest": "Europe/Brussels", "cet": "Europe/Brussels",
    "cest": "Europe/Brussels", "mez/mesz": "Europe/Berlin", "eet/eest": "Europe/Helsinki",
    "wet/west": "Europe/Lisbon", "gmt/bst": "Europe/London", "et": "America/New_York",
    "ept": "America/New_York", "ct": "America/Chicago", "cpt": "America/Chicago",
    "pt": "America/Los_Angeles", "ppt": "America/Los_Angeles",
}  # fmt: skip
_MONTHS = {
    name: k
    for k, names in enumerate(
        (
            "jan january januar", "feb february februar", "mar march maerz märz mär", "apr april",
            "may mai mei", "jun june juni", "jul july juli", "aug august", "sep sept september",
            "oct okt october oktober", "nov november", "dec dez december dezember",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_STAMP = re.compile(
    r"(?P<a>\d{1,4})[-./](?P<b>\d{1,2})[-./](?P<c>\d{1,4})"
    r"(?:[T ,]+(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?(?::(?P<second>\d{2})(?:[.,]\d+)?)?)?"
    r"\s*(?P<half>[ap]\.?m\.?)?\s*\(?(?P<zone>z|[a-z]{2,4}|[+-]\d{2}:?\d{2})?\)?",
    re.IGNORECASE,
)
_YEARS = (1901, 2200)
_EPOCHS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (1e8, 1.0))  # ns, µs, ms and s since 1970


def date_order(cells: Sequence[str], zone: str) -> str:
    """Which of ``ymd``, ``dmy`` and ``mdy`` a column's dates are written in.

    By what all of them allow; where both do, by the order that keeps them nearest together, and
    at last by the habit of the site's zone.
    """
    numbers = [found.group("a", "b") for cell in cells if (found := _STAMP.match(_named(cell)))]
    if any(len(first) == 4 for first, _ in numbers):
        return "ymd"
    if any("." in cell for cell in cells[:1]) or any(int(first) > 12 for first, _ in numbers):
        return "dmy"
    if any(int(second) > 12 for _, second in numbers):
        return "mdy"
    days, months = len({first for first, _ in numbers}), len({second for _, second in numbers})
    if days != months:
        return "dmy" if days > months else "mdy"
    return "mdy" if zone.startswith(("America/", "US/")) else "dmy"


def stamp(cell: str, order: str = "ymd") -> datetime:
    """The moment in a cell, with its offset where the cell tells one.

    Parameters
    ----------
    cell
        ISO 8601, a date with day or month first, an English or German month's name, hours with am
        and pm, ``24:00``, or seconds, milli-, micro- or nanoseconds since 1970.
    order
        Of the date's figures, as `date_order` finds it.

    Raises
    ------
    ValueError
        Where the cell holds no moment.
    """
    found = _read(cell, order)
    if not _YEARS[0] <= found.year <= _YEARS[1]:
        raise ValueError(f"{cell!r} is of no year that prices are of")
    return found


def _read(cell: str, order: str) -> datetime:
    if re.fullmatch(r"\d{9,19}(?:\.0*)?", cell):
        since = float(cell)
        unit = next((unit for least, unit in _EPOCHS if since >= least), 1.0)
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=since / unit)
    found = _STAMP.fullmatch(_named(cell))
    if found is None:
        return datetime.fromisoformat(cell)
    year, month, day = _date(found, order)
    hours, minutes, seconds = (int(found[key] or 0) for key in ("hour", "minute", "second"))
    if found["half"]:
        hours = hours % 12 + (12 if found["half"][0] in "pP" else 0)
    if hours > 24 or (hours == 24 and (minutes or seconds)):
        raise ValueError(f"{cell!r} is not a time of day")
    wall = datetime(year, month, day) + timedelta(days=hours == 24)
    wall = wall.replace(hour=hours % 24, minute=minutes, second=seconds)
    return wall.replace(tzinfo=_offset(found["zone"])) if found["zone"] else wall


def clock_told(header: str) -> str | None:
    """The zone that a column's name tells, as in ``MTU (CET/CEST)``, ``start_utc``, ``HourUTC``."""
    letters = re.search(r"[(\[]\s*([A-Za-z]{2,4}(?:\s*/\s*[A-Za-z]{2,4})?)\s*[)\]]", header)
    told = _CLOCKS.get(re.sub(r"\s", "", letters[1].casefold())) if letters else None
    if told is None and re.search(r"(?:(?<![A-Za-z])(?:utc|gmt)|UTC|GMT)(?![A-Za-z])", header):
        return "UTC"
    return told


def instants(
    walls: Sequence[datetime | None], zone: str, later: Sequence[bool | None]
) -> tuple[list[datetime | None], list[datetime]]:
    """The instants that stamps mean, in UTC, and the repeated clock times told apart by order.

    Parameters
    ----------
    walls
        Moments in the order of the file; without an offset they are on the clock of ``zone``.
        ``None`` where there is none.
    zone
        IANA name.
    later
        Which of a clock time that comes twice is meant, where the file tells; its second is later.

    Returns
    -------
    list of datetime or None, list of datetime
        ``None`` also for what the clock leaps over. A clock time that comes twice, and that
        nothing tells apart, is told by its place in the file: the first is the earlier one, or
        the later where the file runs backwards. These times are the second list, each once.
    """
    place = ZoneInfo(zone)
    groups: dict[datetime, list[int]] = defaultdict(list)
    for k, wall in enumerate(walls):
        if wall is not None and wall.tzinfo is None and later[k] is None and _twice(wall, place):
            groups[wall].append(k)
    backwards = _runs_backwards(walls)
    folds = [bool(told) for told in later]
    for rows in groups.values():
        for nth, k in enumerate(reversed(rows) if backwards else rows):
            folds[k] = nth > 0
    found = [
        None
        if wall is None or not exists(wall, zone)
        else in_utc(wall.replace(fold=int(fold)) if wall.tzinfo is None else wall, zone)
        for wall, fold in zip(walls, folds, strict=True)
    ]
    return found, sorted(groups)


def ends_after(start: datetime, wall: datetime, wall_end: datetime, zone: str) -> datetime:
    """The instant at which an interval ends that begins at ``start``, both as a clock shows them.

    Where the clock changes within it the shortest reading is meant: 02:00 - 03:00 is an hour even
    where 02:00 comes twice, and so is 01:00 - 03:00 where 02:00 is leapt over.
    """
    readings = [in_utc(wall_end.replace(fold=fold), zone) for fold in (0, 1)]
    if wall.tzinfo is None and wall_end.tzinfo is None:
        readings.append(start + (wall_end - wall))
    return min((reading for reading in readings if reading > start), default=start)


def _named(cell: str) -> str:
    """A cell with its month's name, if it has one, written as a number, year first."""

    def numbered(found: re.Match[str], day: str) -> str:
        month = _MONTHS.get(found["month"].casefold().rstrip("."))
        return found[0] if month is None else f"{found['year']}-{month}-{day}"

    cell = re.sub(
        r"(?P<month>[A-Za-zäÄ]{3,9}\.?)\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})",
        lambda found: numbered(found, found["day"]),
        cell,
    )
    return re.sub(
        r"(?P<day>\d{1,2})\.?[-\s](?P<month>[A-Za-zäÄ]{3,9}\.?)[-\s](?P<year>\d{4})",
        lambda found: numbered(found, found["day"]),
        cell,
    )


def _date(found: re.Match[str], order: str) -> tuple[int, int, int]:
    figures = [int(found[key]) for key in "abc"]
    if len(found["a"]) == 4:
        order = "ymd"
    by = dict(zip(order if order != "ymd" or len(found["a"]) == 4 else "dmy", figures, strict=True))
    short = all(len(found[key]) <= 2 for key in "abc")
    year = by["y"] + (2000 if short else 0)
    return year, by["m"], by["d"]


def _offset(text: str) -> timezone:
    if text[0] in "+-":
        digits = text[1:].replace(":", "")
        away = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        return timezone(-away if text[0] == "-" else away)
    if text.upper() not in _LETTERS:
        raise ValueError(f"{text!r} is not a known clock")
    return timezone(timedelta(hours=_LETTERS[text.upper()]))


def _twice(wall: datetime, place: ZoneInfo) -> bool:
    """Whether a clock shows a time twice."""
    first = wall.replace(tzinfo=place, fold=0).utcoffset() or timedelta()
    second = wall.replace(tzinfo=place, fold=1).utcoffset() or timedelta()
    return first > second


def _runs_backwards(walls: Sequence[datetime | None]) -> bool:
    plain = [wall.replace(tzinfo=None) for wall in walls if wall is not None]
    return bool(plain) and plain[-1] < plain[0]
