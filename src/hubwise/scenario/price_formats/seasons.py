"""Time-of-use tariffs by seasons, as ACN-Sim writes them: times and prices for kinds of days."""

from __future__ import annotations

from datetime import date, datetime

from hubwise.scenario.price_formats._clock import by_clock, figure, minute_of_day, records
from hubwise.scenario.price_formats._demand import MONTHS, demand_notes
from hubwise.scenario.price_formats._holidays import holiday_note, is_holiday
from hubwise.scenario.price_formats._nouns import Asked, PriceFormat, Series, local_days
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document

Season = dict[str, object]
_SUNDAY, _MIDDLE = 6, 15


def _seasons(document: Document) -> list[Season]:
    data = document.data
    found = records(data.get("schedule")) if isinstance(data, dict) else []
    return [one for one in found if "times" in one and "tariffs" in one]


def _recognises(document: Document) -> bool:
    return bool(_seasons(document))


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    seasons = _seasons(document)
    try:
        minutes = [minute for one in seasons for minute in _minutes(one)]
        on_days = {day: [one for one in seasons if _holds(one, day)] for day in local_days(asked)}
    except ValueError as error:
        reader.wrong(
            document.file, "schedule", "", str(error), "write dates as 05-01, times as 8.5"
        )
        return None

    def price_at(local: datetime) -> float | None:
        seasons = on_days[local.date()]
        return _price(seasons[0], minute_of_day(local)) if seasons else None

    name = document.data.get("name", "") if isinstance(document.data, dict) else ""
    notes = [f"Prices are those of the tariff {name} on the site's clock."]
    notes.append(holiday_note(local_days(asked)))
    for day, there in on_days.items():
        if len(there) > 1:
            both = " and ".join(str(one.get("id")) for one in there)
            notes.append(f"On {day} {both} hold both; the first is taken.")
    charges = tuple(_demand_charge(seasons, month) for month in range(1, MONTHS + 1))
    notes += demand_notes(charges, asked)
    found = by_clock(asked, minutes, price_at, document.file)
    notes += ["The tariff tells no currency; USD is assumed."] if asked.currency is None else []
    return Series(found, "kWh", asked.currency or "USD", notes=tuple(notes), demand_charges=charges)


def _minutes(season: Season) -> list[int]:
    """The minutes of the day at which a season's prices begin."""
    times = season["times"]
    hours = [figure(value) for value in times] if isinstance(times, list) else [None]
    if None in hours or any(not 0 <= hour < 24 for hour in hours if hour is not None):
        raise ValueError(f"{times!r} are not hours of a day")
    return [round(60 * hour) for hour in hours if hour is not None]


def _price(season: Season, minute: int) -> float | None:
    prices = season["tariffs"]
    begun = [k for k, begins in enumerate(_minutes(season)) if begins <= minute]
    if not begun or not isinstance(prices, list) or begun[-1] >= len(prices):
        return None
    return figure(prices[begun[-1]])


def _holds(season: Season, day: date) -> bool:
    """Whether a season holds on a day; holidays are days of the weekend."""
    days = {"WEEKDAYS": range(5), "WEEKENDS": range(5, 7)}
    mask = str(season.get("dow_mask", "ALL")).upper()
    weekday = _SUNDAY if is_holiday(day) else day.weekday()
    return _is_within(season, day.month, day.day) and weekday in days.get(mask, range(7))


def _is_within(season: Season, month: int, day: int) -> bool:
    """Whether a season holds then; one that ends before it begins goes on over the year."""
    first, last = (_month_day(str(season.get(f"effective_{end}", ""))) for end in ("start", "end"))
    today = (month, day)
    return first <= today <= last if first <= last else today >= first or today <= last


def _demand_charge(seasons: list[Season], month: int) -> float:
    """The charge for a month's highest power: the most of the seasons that hold in its middle."""
    there = [one for one in seasons if _is_within(one, month, _MIDDLE)]
    return max((figure(one.get("demand_charge")) or 0.0 for one in there), default=0.0)


def _month_day(text: str) -> tuple[int, int]:
    month, dash, day = text.partition("-")
    if not dash:
        raise ValueError(f"{text!r} is not a month and a day")
    return int(month), int(day)


FORMAT = PriceFormat("seasons of a tariff", _recognises, _read)
