"""How a posted price list came about: made of the market's prices, or ordered by an operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Followed:
    """How a posted list was made of what was known of the market's prices.

    Parameters
    ----------
    begins
        The quarter of an hour from which on it holds for 24 hours.
    zone
        The clock that it follows.
    charge, discharge
        What was added to the price of each quarter [currency/kWh].
    """

    begins: datetime
    zone: str
    charge: Decimal
    discharge: Decimal


@dataclass(frozen=True, slots=True)
class Ordered:
    """That somebody posted a list over the site's own, and for when.

    Parameters
    ----------
    order
        Which; a later word on the same one holds, and one of an earlier end takes it back.
    begins_at, until
        From when, and up to when it is offered; until it is taken back where nothing is said.
    by
        Who said it.
    why
        In their words.
    """

    order: str
    begins_at: datetime
    until: datetime | None
    by: str
    why: str

    def holds(self, when: datetime) -> bool:
        """Whether it is offered at a time."""
        return self.begins_at <= when and (self.until is None or when < self.until)
