"""Federal holidays of the United States (5 U.S.C. 6103), on which tariffs have weekend prices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from hubwise.domain.errors import listed

_DAY = timedelta(days=1)
_MONDAY, _THURSDAY, _SATURDAY, _SUNDAY = 0, 3, 5, 6
# Since when some of them are.
_KING, _JUNETEENTH = 1986, 2021


def is_holiday(day: date) -> bool:
    """Whether a day is a federal holiday, or the day on which one is observed.

    One on a Saturday is observed on the Friday before, one on a Sunday on the Monday after.
    """
    return any(day in _observed(year) for year in (day.year, day.year + 1))


def holiday_note(days: Sequence[date]) -> str:
    """What is said of the holidays among some days."""
    found = [f"{day}" for day in days if is_holiday(day) and day.weekday() < _SATURDAY]
    which = f"here {listed(found, most=12)}" if found else "none of them here"
    return f"US federal holidays, where observed, have the weekend's prices ({which})."


def _observed(year: int) -> set[date]:
    return {seen for day in _holidays(year) for seen in (day, _moved(day))}


def _moved(day: date) -> date:
    """The working day on which a holiday is observed; the day itself where it is one."""
    return {_SATURDAY: day - _DAY, _SUNDAY: day + _DAY}.get(day.weekday(), day)


def _holidays(year: int) -> Iterator[date]:
    yield date(year, 1, 1)
    if year >= _KING:
        yield _nth(year, 1, _MONDAY, 3)
    yield _nth(year, 2, _MONDAY, 3)
    yield _nth(year, 6, _MONDAY, 1) - 7 * _DAY  # the last Monday of May
    if year >= _JUNETEENTH:
        yield date(year, 6, 19)
    yield date(year, 7, 4)
    yield _nth(year, 9, _MONDAY, 1)
    yield _nth(year, 10, _MONDAY, 2)
    yield date(year, 11, 11)
    yield _nth(year, 11, _THURSDAY, 4)
    yield date(year, 12, 25)


def _nth(year: int, month: int, weekday: int, count: int) -> date:
    """The so-manyth of a day of the week in a month."""
    first = date(year, month, 1)
    return first + (7 * (count - 1) + (weekday - first.weekday()) % 7) * _DAY
