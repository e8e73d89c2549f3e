"""OCPI tariffs: elements with price components, each with the hours and days that it holds in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hubwise.scenario.price_formats._clock import (
    by_clock,
    figure,
    minute_of_day,
    numbered,
    records,
)
from hubwise.scenario.price_formats._nouns import Asked, PriceFormat, Series, chosen
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document
from hubwise.scenario.stamps import stamp

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
    names = [str(one.get("id", k)) for k, one in enumerate(_tariffs(document), 1)]
    tariffs = numbered(names, _tariffs(document))
    name = chosen(list(tariffs), asked, "tariffs", document.file, reader)
    if name is None:
        return None
    tariff = tariffs[name]
    elements = [one for one in _elements(tariff) if _energy(one) is not None]
    if not _is_valid(tariff, asked, document.file, reader):
        return None
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
        str(part.get("type")).upper() for one in _elements(tariff)
        for part in records(one.get("price_components")) if figure(part.get("price"))
    }  # fmt: skip
    if others := sorted(kinds - {"ENERGY"}):
        notes.append(f"Not read are its prices of {', '.join(others)}.")
    return notes


def _energy(element: Json) -> float | None:
    parts = records(element.get("price_components"))
    energy = (part for part in parts if str(part.get("type")).upper() == "ENERGY")
    return next((figure(part.get("price")) for part in energy), None)


def _limits(element: Json) -> Json:
    limits = element.get("restrictions")
    return limits if isinstance(limits, dict) else {}


def _window(limits: Json) -> list[int]:
    """The minutes of the day between which an element holds, those that it has.

    An end such as 23:59 is meant to be the whole hour's.
    """
    found = []
    for key in _HOURS:
        if not (time := str(limits.get(key) or "")):
            continue
        hour, colon, minute = time.partition(":")
        if not colon or not (hour + minute[:2]).isdigit():
            raise ValueError(f"{time!r} is not a time of day")
        of_day = 60 * int(hour) + int(minute[:2])
        last = key == _HOURS[1] and of_day % 5 == 4
        found.append((of_day + last) % (24 * 60))
    return found


def _is_valid(tariff: Json, asked: Asked, file: str, reader: Reader) -> bool:
    """Whether a tariff that tells from when and until when it holds does so when asked for."""
    for key, late in (("start_date_time", True), ("end_date_time", False)):
        if not (text := str(tariff.get(key) or "")):
            continue
        try:
            moment = stamp(text)
        except ValueError:
            reader.wrong(file, "", key, f"{text!r} is not a date and time", "write it as OCPI does")
            return False
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        if moment > asked.begins if late else moment < asked.ends:
            wrong = f"the tariff holds {'from' if late else 'until'} {text}"
            right = f"give one for {asked.begins:%Y-%m-%dT%H:%MZ} to {asked.ends:%Y-%m-%dT%H:%MZ}"
            reader.wrong(file, "", key, wrong, right)
            return False
    return True


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
    named = {str(one).upper() for one in days} if isinstance(days, list) else set()
    if named and _DAYS[local.weekday()] not in named:
        return False
    first, last = limits.get("start_date") or day, limits.get("end_date") or "9999"
    return str(first) <= day < str(last)


FORMAT = PriceFormat("OCPI", _recognises, _read)
