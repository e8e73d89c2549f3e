"""OCPI tariffs: elements with price components, each with the hours and days that it holds in."""

from __future__ import annotations

from datetime import datetime, timedelta

from hubwise.scenario.price_formats._clock import by_clock, figure, minute_of_day, records
from hubwise.scenario.price_formats._nouns import Asked, PriceFormat, Series, chosen
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document

Json = dict[str, object]
_DAYS = ("MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY")
_HOURS = ("start_time", "end_time")
_NOT_BY_CLOCK = ("min_kwh", "min_current", "min_power", "min_duration", "reservation")
_USE = (*_NOT_BY_CLOCK, "max_kwh", "max_current", "max_power", "max_duration")


def _tariffs(document: Document) -> list[Json]:
    data = document.data
    inner = data.get("data", data) if isinstance(data, dict) else data
    found = records(inner if isinstance(inner, list) else [inner])
    return [one for one in found if any("price_components" in e for e in _elements(one))]


def _elements(tariff: Json) -> list[Json]:
    return records(tariff.get("elements"))


def _recognises(document: Document) -> bool:
    return bool(_tariffs(document))


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    tariffs = {str(one.get("id", k)): one for k, one in enumerate(_tariffs(document), 1)}
    name = chosen(list(tariffs), asked, "tariffs", document.file, reader)
    if name is None:
        return None
    tariff = tariffs[name]
    elements = [one for one in _elements(tariff) if _energy(one) is not None]
    try:
        boundaries = [minute for one in elements for minute in _window(_limits(one))]
    except ValueError as error:
        reader.wrong(document.file, "restrictions", "", str(error), "write times as 13:30")
        return None
    plain = [one for one in elements if not any(_limits(one).get(key) for key in _NOT_BY_CLOCK)]

    def price_at(local: datetime) -> float | None:
        held = (one for one in plain if _holds(_limits(one), local))
        return next((_energy(one) for one in held), None)

    found = by_clock(asked, boundaries, price_at, document.file)
    currency = str(tariff.get("currency", "")) or None
    return Series(found, "kWh", currency, notes=tuple(_notes(tariff, name, elements)))


def _notes(tariff: Json, name: str, elements: list[Json]) -> list[str]:
    notes = [f"Prices are the energy prices of tariff {name}, without VAT, on the site's clock."]
    if any(_limits(one).get(key) for one in elements for key in _USE):
        notes.append("What depends on a session's energy, power or length is read as at its start.")
    kinds = {
        str(part.get("type")) for one in _elements(tariff)
        for part in records(one.get("price_components")) if figure(part.get("price"))
    }  # fmt: skip
    if others := sorted(kinds - {"ENERGY"}):
        notes.append(f"Not read are its prices of {', '.join(others)}.")
    return notes


def _energy(element: Json) -> float | None:
    parts = records(element.get("price_components"))
    return next((figure(part.get("price")) for part in parts if part.get("type") == "ENERGY"), None)


def _limits(element: Json) -> Json:
    limits = element.get("restrictions")
    return limits if isinstance(limits, dict) else {}


def _window(limits: Json) -> list[int]:
    """The minutes of the day between which an element holds, those that it has."""
    times = [str(limits[key]) for key in _HOURS if limits.get(key)]
    found = []
    for time in times:
        hour, colon, minute = time.partition(":")
        if not colon or not (hour + minute[:2]).isdigit():
            raise ValueError(f"{time!r} is not a time of day")
        found.append(60 * int(hour) + int(minute[:2]))
    return found


def _holds(limits: Json, local: datetime) -> bool:
    """Whether an element holds at a local moment; its hours may go on past midnight."""
    start, end = (_window({key: limits.get(key)}) for key in _HOURS)
    minute, first, last = minute_of_day(local), (start or [0])[0], (end or [0])[0] or 24 * 60
    if first < last:
        return first <= minute < last and _on(limits, local)
    return (minute >= first and _on(limits, local)) or (
        minute < last and _on(limits, local - timedelta(days=1))
    )


def _on(limits: Json, local: datetime) -> bool:
    """Whether an element holds on a local day."""
    days, day = limits.get("day_of_week"), f"{local:%Y-%m-%d}"
    if isinstance(days, list) and days and _DAYS[local.weekday()] not in days:
        return False
    first, last = limits.get("start_date") or day, limits.get("end_date") or "9999"
    return str(first) <= day < str(last)


FORMAT = PriceFormat("OCPI", _recognises, _read)
