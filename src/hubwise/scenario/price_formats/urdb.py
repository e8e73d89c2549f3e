"""Rates of the US Utility Rate Database (OpenEI): energy by month, hour and kind of day."""

from __future__ import annotations

from datetime import datetime

from hubwise.scenario.price_formats._clock import by_clock, figure, records
from hubwise.scenario.price_formats._nouns import Asked, PriceFormat, Series, chosen, local_days
from hubwise.scenario.reading import Reader
from hubwise.scenario.sniffing import Document

_RATES, _WEEKDAY, _WEEKEND = (
    "energyratestructure", "energyweekdayschedule", "energyweekendschedule",
)  # fmt: skip


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
    tariffs = {_name(one, k): one for k, one in enumerate(_tariffs(document), 1)}
    name = chosen(list(tariffs), asked, "rates", document.file, reader)
    if name is None:
        return None
    tariff = tariffs[name]
    first = [records(period)[:1] for period in _list(tariff.get(_RATES))]
    prices = [_rate(tier[0]) if tier else None for tier in first]

    def price_at(local: datetime) -> float | None:
        key = _WEEKEND if local.weekday() >= 5 else _WEEKDAY
        period = _of_schedule(tariff.get(key, tariff.get(_WEEKDAY)), local)
        return prices[period] if period is not None and period < len(prices) else None

    tiers = max((len(_list(period)) for period in _list(tariff.get(_RATES))), default=1)
    notes = [f"Prices are those of the rate {name} on the site's clock; no holidays are known."]
    if tiers > 1:
        notes.append(f"Its energy has {tiers} tiers by use; the first tier's price is taken.")
    found = by_clock(asked, [], price_at, document.file)
    notes += _demand(tariff, asked)
    return Series(found, "kWh", "USD", notes=tuple(notes))


def _name(tariff: dict[str, object], k: int) -> str:
    return str(tariff.get("name") or tariff.get("label") or f"rate {k}")


def _rate(tier: dict[str, object]) -> float | None:
    rate, more = figure(tier.get("rate")), figure(tier.get("adj")) or 0.0
    return None if rate is None else round(rate + more, 12)


def _of_schedule(schedule: object, local: datetime) -> int | None:
    """The period that a schedule of 12 months by 24 hours names."""
    months = _list(schedule)
    hours = _list(months[local.month - 1]) if len(months) == 12 else []
    period = hours[local.hour] if len(hours) == 24 else None
    return int(period) if isinstance(period, int | float) else None


def _demand(tariff: dict[str, object], asked: Asked) -> list[str]:
    """What is said of charges for the month's highest power, which a day does not carry."""
    month = local_days(asked)[0].month
    flat = _list(tariff.get("flatdemandmonths"))
    period = flat[month - 1] if len(flat) == 12 else None
    rates = _list(tariff.get("flatdemandstructure"))
    tier = records(rates[period])[:1] if isinstance(period, int) and period < len(rates) else []
    notes = []
    if tier and (rate := _rate(tier[0])):
        notes.append(demand_note(f"{rate:g} USD/kW"))
    if any(_rate(one) for period in _list(tariff.get("demandratestructure"))
           for one in records(period)):  # fmt: skip
        notes.append(demand_note("several prices by time of use"))
    return notes


def demand_note(price: str) -> str:
    """What is said of a month's demand charge."""
    return (
        f"The rate has a demand charge for the month's highest power ({price}); a plan of one day "
        "does not carry it, and demand_charge is left at 0."
    )


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


FORMAT = PriceFormat("URDB", _recognises, _read)
