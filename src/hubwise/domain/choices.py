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
    PASSIVE_RANDOM = "passive-random"
    PASSIVE_SPREAD = "passive-spread"
    HUBWISE = "hubwise"

    @property
    def ties(self) -> Ties | None:
        """How ties are broken where devices choose alone; None where they do not choose."""
        return next((ties for ties, passive in _PASSIVE.items() if passive is self), None)

    def with_ties(self, ties: Ties) -> Strategy:
        """The passive strategy that breaks ties so.

        Raises
        ------
        ValueError
            If nobody's device chooses alone under this strategy.
        """
        if self.ties is None:
            raise ValueError(f"{self.value} leaves no ties to drivers' own devices")
        return _PASSIVE[ties]


class Ties(StrEnum):
    """How ties are broken among schedules that cost their driver the same, with no prices posted.

    As early as possible, at random, or spread for the grid.
    """

    EARLY = "early"
    RANDOM = "random"
    SPREAD = "spread"


class DeviceTies(StrEnum):
    """How a driver's own device breaks ties at posted prices: as early as it may, or from a random
    moment on in the time at one price.
    """

    EARLY = "early"
    RANDOM = "random"


_PASSIVE = {
    Ties.EARLY: Strategy.PASSIVE,
    Ties.RANDOM: Strategy.PASSIVE_RANDOM,
    Ties.SPREAD: Strategy.PASSIVE_SPREAD,
}


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
