"""Time-of-use tariffs by seasons, as ACN-Sim writes them: times and prices for kinds of days."""

from __future__ import annotations

from datetime import date, datetime

from hubwise.scenario.price_formats._clock import by_clock, figure, minute_of_day, records
from hubwise.scenario.price_formats._nouns import Asked, PriceFormat, Series, local_days
from hubwise.scenario.price_formats.urdb import demand_note
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document

Season = dict[str, object]


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
    notes = [f"Prices are those of the tariff {name} on the site's clock; no holidays are known."]
    for day, there in on_days.items():
        if len(there) > 1:
            both = " and ".join(str(one.get("id")) for one in there)
            notes.append(f"On {day} {both} hold both; the first is taken.")
    charges = {figure(there[0].get("demand_charge")) for there in on_days.values() if there}
    notes += [demand_note(f"{charge:g} per kW") for charge in sorted(filter(None, charges))]
    found = by_clock(asked, minutes, price_at, document.file)
    notes += ["The tariff tells no currency; USD is assumed."] if asked.currency is None else []
    return Series(found, "kWh", asked.currency or "USD", notes=tuple(notes))


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
    """Whether a season holds on a day; one that ends before it begins goes on over the year."""
    first, last = (_month_day(str(season.get(f"effective_{end}", ""))) for end in ("start", "end"))
    today = (day.month, day.day)
    within = first <= today <= last if first <= last else today >= first or today <= last
    days = {"WEEKDAYS": range(5), "WEEKENDS": range(5, 7)}
    mask = str(season.get("dow_mask", "ALL")).upper()
    return within and day.weekday() in days.get(mask, range(7))


def _month_day(text: str) -> tuple[int, int]:
    month, dash, day = text.partition("-")
    if not dash:
        raise ValueError(f"{text!r} is not a month and a day")
    return int(month), int(day)


FORMAT = PriceFormat("seasons of a tariff", _recognises, _read)
