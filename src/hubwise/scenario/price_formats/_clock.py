"""Tariffs by the clock: prices of hours and days of the week, laid over the time asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from math import gcd, isfinite, nan
from zoneinfo import ZoneInfo

from hubwise.scenario.price_formats._nouns import Asked, Fault, Piece


def by_clock(
    asked: Asked, boundaries: list[int], price_at: Callable[[datetime], float | None], file: str
) -> list[Piece]:
    """A piece for each step of the local clock within the time asked for.

    Parameters
    ----------
    asked
        With the zone whose clock is meant, and the time.
    boundaries
        Minutes of the day at which prices may change; a step divides them all, and the hour.
    price_at
        The price at a local moment; nothing where the tariff has none then.
    file
        Name of the file, for the fault of a moment without a price.
    """
    minutes = gcd(60, *boundaries)
    zone, step = ZoneInfo(asked.zone), timedelta(minutes=minutes)
    local = asked.begins.astimezone(zone)
    moment = asked.begins - timedelta(minutes=local.minute % minutes)
    found = []
    while moment < asked.ends:
        local = moment.astimezone(zone)
        price = price_at(local)
        none = Fault("", f"has no price of energy for {local:%A %Y-%m-%d %H:%M}", f"mend {file}")
        fault = none if price is None else None
        found.append(Piece("", moment, moment + step, price, fault))
        moment += step
    return found


def minute_of_day(local: datetime) -> int:
    """Minutes since midnight on the clock."""
    return 60 * local.hour + local.minute


def figure(value: object) -> float | None:
    """A JSON value as a number; nothing where it is none, or not a finite one."""
    try:
        found = float(value) if isinstance(value, int | float | str) else nan
    except (ValueError, OverflowError):
        return None
    return found if isfinite(found) else None


def records(value: object) -> list[dict[str, object]]:
    """The records in a JSON list; none where it is not one."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def numbered(names: list[str], tariffs: list[dict[str, object]]) -> dict[str, dict[str, object]]:
    """Tariffs by their names; of those with one name in common by ``name (2)`` and so on."""
    found = dict[str, dict[str, object]]()
    for name, tariff in zip(names, tariffs, strict=True):
        again = sum(other == name or other.startswith(f"{name} (") for other in found)
        found[f"{name} ({again + 1})" if again else name] = tariff
    return found
