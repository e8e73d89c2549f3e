"""What a station's screen shows a driver: the price now, and what a session comes to so far."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Cost:
    """A session's cost so far, and the prices of the slot [currency, currency/kWh].

    Parameters
    ----------
    net
        Charged less given back, rounded to the currency's smallest unit; it may fall.
    charge, discharge
        What a kWh costs and earns now.
    currency
        ISO 4217 code.
    """

    net: Decimal
    charge: Decimal
    discharge: Decimal
    currency: str

    @property
    def prices(self) -> str:
        """The prices, for people."""
        unit = f"{self.currency}/kWh"
        return f"{self.charge:f} {unit}; energy given back earns {self.discharge:f} {unit}"

    @property
    def text(self) -> str:
        """All of it, for people."""
        return f"{self.prices}; {self.net:f} {self.currency} so far"
