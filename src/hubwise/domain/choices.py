"""What can be chosen by name, each spelt once."""

from __future__ import annotations

from enum import StrEnum
from typing import TypeVar

Choice = TypeVar("Choice", bound=StrEnum)


def chosen(kind: type[Choice], name: str, what: str) -> Choice:
    """The choice of a name, where ``what`` is what is chosen, in words.

    Raises
    ------
    ValueError
        If there is no such choice; it names those that there are.
    """
    if name not in list(kind):
        raise ValueError(f"unknown {what} {name!r}; known: {', '.join(kind)}")
    return kind(name)


class Strategy(StrEnum):
    """How the hubs are run."""

    UNCOORDINATED = "uncoordinated"
    STORAGE = "storage"
    PASSIVE = "passive"
    HUBWISE = "hubwise"


class TariffFamily(StrEnum):
    """Which slots share a price, coarse to fine."""

    FLAT = "flat"
    TIME_OF_USE = "time-of-use"
    HOURLY = "hourly"
    EVERY_SLOT = "every-slot"


class WearPricing(StrEnum):
    """How a kWh drawn is priced: as given for each session, or as the cell models find it."""

    LINEAR = "linear"
    NONLINEAR = "nonlinear"
