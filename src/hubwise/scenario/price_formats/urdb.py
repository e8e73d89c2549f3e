"""Rates of the US Utility Rate Database (OpenEI): energy by month, hour and kind of day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from hubwise.scenario.price_formats._clock import by_clock, figure, numbered, records
from hubwise.scenario.price_formats._demand import (
    MONTHS,
    by_months,
    demand_notes,
    windows_note,
)
from hubwise.scenario.price_formats._holidays import holiday_note, is_holiday
from hubwise.scenario.price_formats._nouns import Asked, PriceFormat, Series, chosen, local_days
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document

_RATES, _WEEKDAY, _WEEKEND = (
    "energyratestructure", "energyweekdayschedule", "energyweekendschedule",
)  # fmt: skip

_DEMAND_WEEKDAY, _DEMAND_WEEKEND = "demandweekdayschedule", "demandweekendschedule"
_SATURDAY, _HOURS = 5, 24


def _tariffs(document: Document) -> list[dict[str, object]]:
    """The rates in a document, their keys in small letters."""
    data = document.data
    inner = data.get("items", data) if isinstance(data, dict) else data
    found = records(inner if isinstance(inner, list) else [inner])
    small = [{key.casefold(): value for key, value in one.items()} for one in found]
    return [one for one in small if _RATES in one]


def _recognises(document: Document) -> bool:
    return bool(_tariffs(document))


def _read(document: Document, asked: Asked, reader: Reader) -> Series | None:
    tariffs = numbered([_name(one, k) for k, one in enumerate(_tariffs(document), 1)],
                       _tariffs(document))  # fmt: skip
    name = chosen(list(tariffs), asked, "rates", document.file, reader)
    if name is None:
        return None
    tariff = tariffs[name]
    first = [records(period)[:1] for period in _list(tariff.get(_RATES))]
    prices = [_rate(tier[0]) if tier else None for tier in first]

    def price_at(local: datetime) -> float | None:
        free = local.weekday() >= _SATURDAY or is_holiday(local.date())
        period = _of_schedule(tariff.get(_WEEKEND if free else _WEEKDAY), local.month, local.hour)
        return prices[period] if period is not None and 0 <= period < len(prices) else None

    tariff = {_WEEKEND: tariff.get(_WEEKDAY), **tariff}
    notes = [f"Prices are those of the rate {name} on the site's clock."]
    notes += [holiday_note(local_days(asked)), *_tier_notes(_list(tariff.get(_RATES)), "energy")]
    found = by_clock(asked, [], price_at, document.file)
    charges, told = _demand(tariff)
    notes += [*demand_notes(charges, asked, "USD/kW"), *told]
    return Series(found, "kWh", "USD", notes=tuple(notes), demand_charges=charges)


def _tier_notes(structure: list[object], what: str) -> Iterator[str]:
    """What a period's further tiers cost, and from which use on; the first one's price is taken."""
    for k, period in enumerate(structure, 1):
        tiers = records(period)
        if len(tiers) < 2:
            continue
        most, unit = figure(tiers[0].get("max")), str(tiers[0].get("unit") or "")
        limit = "an unknown use" if most is None else f"{most:g} {unit}".rstrip()
        dearer = ", ".join(f"{rate:g}" for one in tiers[1:] if (rate := _rate(one)) is not None)
        yield (
            f"Period {k} of the rate's {what} has {len(tiers)} tiers by use: the first tier's "
            f"price is taken, up to {limit} a month; beyond it is {dearer} USD."
        )


def _name(tariff: dict[str, object], k: int) -> str:
    return str(tariff.get("name") or tariff.get("label") or f"rate {k}")


def _rate(tier: dict[str, object]) -> float | None:
    rate, more = figure(tier.get("rate")), figure(tier.get("adj")) or 0.0
    return None if rate is None else round(rate + more, 12)


def _of_schedule(schedule: object, month: int, hour: int) -> int | None:
    """The period that a schedule of 12 months by 24 hours names."""
    months = _list(schedule)
    hours = _list(months[month - 1]) if len(months) == MONTHS else []
    period = hours[hour] if len(hours) == _HOURS else None
    found = figure(period)
    return None if found is None or not found.is_integer() else int(found)


def _demand(tariff: dict[str, object]) -> tuple[tuple[float, ...], list[str]]:
    """The charge of each month for its highest power [USD/kW], and what is said of the others."""
    flat, months = _list(tariff.get("flatdemandstructure")), _list(tariff.get("flatdemandmonths"))
    timed, told = _list(tariff.get("demandratestructure")), list[str]()
    rows = [_list(tariff.get(key)) for key in (_DEMAND_WEEKDAY, _DEMAND_WEEKEND)]
    charges, windows = [0.0] * MONTHS, dict[float, None]()
    for m in range(MONTHS):
        own = months[m] if len(months) == MONTHS else None
        charges[m] = _charge(flat, own)
        of_hours = [hour for row in rows if len(row) == MONTHS for hour in _list(row[m])]
        if len({_charge(timed, hour) for hour in of_hours}) == 1:
            charges[m] += _charge(timed, of_hours[0])
        else:
            windows |= dict.fromkeys(filter(None, (_charge(timed, hour) for hour in of_hours)))
    if windows:
        told.append(windows_note(", ".join(f"{price:g} USD/kW" for price in windows)))
    told += [*_tier_notes(flat, "demand"), *_tier_notes(timed, "demand by time of use")]
    unit = str(tariff.get("flatdemandunit") or tariff.get("demandrateunit") or "kW")
    if unit.casefold() != "kw" and any(charges):
        price = by_months(charges, f"USD per {unit}")
        told.append(f"The rate has a demand charge per {unit} ({price}), which is not carried.")
        charges = [0.0] * MONTHS
    return tuple(charges), told


def _charge(structure: list[object], period: object) -> float:
    """The first tier's charge of a period of demand; nothing where there is none."""
    if not isinstance(period, int | float) or not 0 <= period < len(structure):
        return 0.0
    first = records(structure[int(period)])[:1]
    return (_rate(first[0]) or 0.0) if first else 0.0


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


FORMAT = PriceFormat("URDB", _recognises, _read)
