"""Moments as other programs write them, and the instants that a clock on the wall means by them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from hubwise.scenario.clock import exists, in_utc
from hubwise.scenario.files import is_zone

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
# Months as English, German, Dutch, French, Spanish, Italian, Portuguese, the Scandinavian languages
# and Polish write them, whole or by their first letters.
_MONTHS = {
    name: k
    for k, names in enumerate(
        (
            "jan january januar januari janvier janv ene enero gennaio gen janeiro stycznia",
            "feb february februar februari février fév févr fevr febrero febbraio fevereiro fev "
            "lutego",
            "mar march maerz märz mär mrt maart mars marzo março marca mrz",
            "apr april avril avr abril abr aprile kwietnia",
            "may mai mei maj mayo maggio mag maio maja",
            "jun june juni juin junio giugno giu junho czerwca",
            "jul july juli juil juillet julio luglio lug julho lipca",
            "aug august augustus août aout agosto ago augusti sierpnia",
            "sep sept september septembre septiembre settembre set setembro września",
            "oct okt october oktober octobre octubre ottobre ott outubro out października",
            "nov november novembre noviembre novembro listopada",
            "dec dez dic des december dezember desember décembre déc diciembre dicembre dezembro "
            "grudnia",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip
_DATE, _CLOCK_TIME = (
    r"(?P<a>\d{1,4})(?P<mark>[-./])(?P<b>\d{1,2})[-./](?P<c>\d{1,4})",
    r"(?P<hour>\d{1,2})(?:[:.h](?P<minute>\d{2}))?(?::(?P<second>\d{2})(?:[.,]\d+)?)?",
)
_OFFSET = r"(?:utc|gmt)?[+-]\d{1,2}(?::?\d{2})?"
_STAMP = re.compile(
    rf"{_DATE}(?:[T ,]+{_CLOCK_TIME}(?:\s*uhr|h)?)?\s*(?P<half>[ap]\.?\s?m\.?)?"
    rf"\s*\(?(?P<zone>{_OFFSET}|z|[a-z]{{2,4}}|[a-z]+(?:/[a-z_]+)+)?\)?"
    r"(?:\s*\[[\w/+-]+\]|(?<=\d)\s+\([^()]+\))?",  # a zone's name behind its offset
    re.IGNORECASE,
)
_COMPACT = re.compile(
    r"((?:19|20)\d{2})(0[1-9]|1[0-2])([0-2]\d|3[01])([01]\d|2[0-4])([0-5]\d)?([0-5]\d)?"
)
_WORD = r"[^\W\d_]{3,12}\.?"
_DAY_0 = datetime(1899, 12, 30)
_YEARS = (1901, 2200)
_EPOCHS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (1e8, 1.0))  # ns, µs, ms and s since 1970


def date_order(cells: Sequence[str], zone: str) -> str:
    """Which of ``ymd``, ``dmy`` and ``mdy`` a column's dates are written in.

    By what all of them allow; where both do, by the order that keeps them nearest together, and
    at last by the habit of the site's zone.
    """
    dates = [found for cell in cells if (found := _STAMP.match(_named(cell)))]
    numbers = [found.group("a", "b") for found in dates]
    if any(len(first) == 4 for first, _ in numbers):
        return "ymd"
    if any(found["mark"] == "." for found in dates[:1]) or any(int(a) > 12 for a, _ in numbers):
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
        ISO 8601, a date with day or month first or with a month's name, years of two figures,
        hours with am and pm, ``24:00``, ``202505140815``, a spreadsheet's
        days since 1900, or seconds, milli-, micro- or
        nanoseconds since 1970; behind it an offset, letters such as CEST, or a zone's name.
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
    if compact := _COMPACT.fullmatch(cell):
        cell = "{}-{}-{} {}:{}:{}".format(*(part or "00" for part in compact.groups()))
    if re.fullmatch(r"[2-7]\d{4}(?:\.\d+)?", cell):  # days, as spreadsheets count them
        return _DAY_0 + timedelta(seconds=round(86400 * float(cell)))
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
    if hours := re.search(r"[(\[]\s*(?:UTC|GMT)\s*([+-])(\d{1,2})(?::?00)?\s*[)\]]", header):
        return (
            f"Etc/GMT{'-' if hours[1] == '+' else '+'}{int(hours[2])}" if int(hours[2]) else "UTC"
        )
    named = re.search(r"[(\[]\s*([A-Za-z]+(?:/[A-Za-z_]+)+)\s*[)\]]", header)
    if named and is_zone(named[1]):
        return named[1]
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
        if wall is not None and later[k] is None and _on_a_wall(wall) and _twice(wall, place):
            groups[wall.replace(tzinfo=None)].append(k)
    backwards = _runs_backwards(walls)
    folds = [bool(told) for told in later]
    for rows in groups.values():
        for nth, k in enumerate(reversed(rows) if backwards else rows):
            folds[k] = nth > 0
    found = [
        None
        if wall is None or not exists(wall, zone)
        else in_utc(wall.replace(fold=int(fold)) if _on_a_wall(wall) else wall, zone)
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
    """A cell with its month's name, if it has one, written as a number, year first.

    A weekday before it is left out. ``May 14 08:15:00 2025`` has its year last.
    """
    if re.search(r"[^\W\d_]{3}", cell) is None:
        return cell

    def numbered(found: re.Match[str]) -> str:
        month = _MONTHS.get(found["month"].casefold().rstrip("."))
        year = found["year"] if len(found["year"]) == 4 else f"20{found['year']}"
        rest = found.groupdict().get("clock") or ""
        return found[0] if month is None else f"{year}-{month}-{found['day']}{rest}"

    weekday = re.match(rf"({_WORD}),?\s+(?=\d|[^\W\d])", cell)
    if weekday and weekday[1].casefold().rstrip(".") not in _MONTHS:
        cell = cell[weekday.end() :]
    month, day = rf"(?P<month>{_WORD})", r"(?P<day>\d{1,2})"
    year, clock = r"(?P<year>\d{4}|\d{2}(?=[\sT,]|$))", r"(?P<clock>\s\d{1,2}:[\d:]+)"
    for pattern in (
        rf"{month}\s+{day}{clock}\s(?P<year>\d{{4}})",
        rf"{month}[\s-]+{day},?[\s-]+(?P<year>\d{{4}})",
        rf"{day}\.?(?:[-/\s]|\sde\s){month}(?:[-/,\s]|\sde\s)\s?{year}",
    ):
        cell = re.sub(pattern, numbered, cell, count=1)
    return cell


def _date(found: re.Match[str], order: str) -> tuple[int, int, int]:
    figures = [int(found[key]) for key in "abc"]
    if len(found["a"]) == 4:
        order = "ymd"
    by = dict(zip(order if order != "ymd" or len(found["a"]) == 4 else "dmy", figures, strict=True))
    short = all(len(found[key]) <= 2 for key in "abc")
    year = by["y"] + (2000 if short else 0)
    return year, by["m"], by["d"]


def _offset(text: str) -> tzinfo:
    text = re.sub(r"^(?:utc|gmt)(?=[+-])", "", text, flags=re.IGNORECASE)
    if text[0] in "+-":
        digits = text[1:].replace(":", "")
        hours, minutes = (digits, "0") if len(digits) < 3 else (digits[:-2], digits[-2:])
        away = timedelta(hours=int(hours), minutes=int(minutes))
        return timezone(-away if text[0] == "-" else away)
    if "/" in text and is_zone(text):
        return ZoneInfo(text)
    if text.upper() not in _LETTERS:
        raise ValueError(f"{text!r} is not a known clock")
    return timezone(timedelta(hours=_LETTERS[text.upper()]))


def _on_a_wall(wall: datetime) -> bool:
    """Whether a stamp is a clock's, of the place or of a zone by name, and not an instant."""
    return wall.tzinfo is None or isinstance(wall.tzinfo, ZoneInfo)


def _twice(wall: datetime, place: tzinfo) -> bool:
    """Whether a clock shows a time twice."""
    place = wall.tzinfo or place
    first = wall.replace(tzinfo=place, fold=0).utcoffset() or timedelta()
    second = wall.replace(tzinfo=place, fold=1).utcoffset() or timedelta()
    return first > second


def _runs_backwards(walls: Sequence[datetime | None]) -> bool:
    plain = [wall.replace(tzinfo=None) for wall in walls if wall is not None]
    return bool(plain) and plain[-1] < plain[0]
