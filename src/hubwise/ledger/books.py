"""The books: bills posted in whole cents, and what rounding did to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from hubwise.domain.arrays import Array, Flags
from hubwise.ledger.bills import Bills

_MINOR_DIGITS = {  # ISO 4217: currencies whose minor unit is not a hundredth
    **dict.fromkeys(("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"), 0),
    **dict.fromkeys(("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}


@dataclass(frozen=True, slots=True)
class Books:
    """Every bill in the currency's smallest unit, and the operator's side of the same entries.

    Parameters
    ----------
    currency
        ISO 4217 code.
    session
        Identifiers, in the order of the bills.
    participating
        Which of them take part; shape (sessions,).
    paid, earned
        What each session pays and is paid, rounded half-even [currency].
    charging_revenue, discharge_payments
        What the operator receives from, and pays to, participating drivers [currency].
    others_revenue
        What the operator receives from the drivers who do not take part [currency].
    credits
        What the operator credits drivers, each credit rounded half-even [currency].
    rounding
        What the operator receives, net, beyond the unrounded bills [currency].
    """

    currency: str
    session: tuple[str, ...]
    participating: tuple[bool, ...]
    paid: tuple[Decimal, ...]
    earned: tuple[Decimal, ...]
    charging_revenue: Decimal
    discharge_payments: Decimal
    others_revenue: Decimal
    credits: Decimal
    rounding: Decimal

    def totals(self) -> dict[str, Decimal]:
        """The operator's side, by name [currency]."""
        return {
            "charging_revenue": self.charging_revenue,
            "discharge_payments": self.discharge_payments,
            "others_revenue": self.others_revenue,
            "credits": self.credits,
            "rounding": self.rounding,
        }


def minor_unit(currency: str) -> Decimal:
    """The currency's smallest unit, for example ``Decimal('0.01')``; a hundredth if unknown."""
    return Decimal(1).scaleb(-_MINOR_DIGITS.get(currency.upper(), 2))


def in_cents(amounts: Iterable[float], currency: str) -> tuple[Decimal, ...]:
    """Amounts of money, each rounded half-even to the currency's smallest unit; no minus zero."""
    exact = (Decimal(repr(float(amount))) for amount in amounts)
    return tuple(amount + 0 for amount in _rounded(exact, minor_unit(currency)))


def post(bills: Bills, participating: Flags, currency: str) -> Books:
    """Post every bill, rounded half-even to the currency's smallest unit.

    The operator's receivables are sums of posted bills, never a rounded sum: so both sides of
    every entry agree to the cent, and what rounding moved is a line of its own.

    Parameters
    ----------
    bills
        Unrounded bills; shape (sessions,).
    participating
        Whose payments are the operator's charging revenue; shape (sessions,).
    currency
        ISO 4217 code.
    """
    unit = minor_unit(currency)
    exact = [_exact(amounts) for amounts in (bills.paid, bills.earned, bills.credited)]
    posted_paid, posted_earned, credited = (_rounded(amounts, unit) for amounts in exact)
    participants = [bool(j) for j in participating]
    sums = [sum(amounts, Decimal()) for amounts in (*exact, posted_paid, posted_earned, credited)]
    net, net_posted = (paid - earned - back for paid, earned, back in (sums[:3], sums[3:]))
    return Books(
        currency=currency,
        session=tuple(str(s) for s in bills.session),
        participating=tuple(participants),
        paid=posted_paid,
        earned=posted_earned,
        charging_revenue=_sum_where(posted_paid, participants, unit),
        discharge_payments=_sum_where(posted_earned, participants, unit),
        others_revenue=_sum_where(posted_paid, [not j for j in participants], unit),
        credits=sum(credited, 0 * unit),
        rounding=net_posted - net,
    )


def _exact(amounts: Array) -> tuple[Decimal, ...]:
    """The decimals that the floats print as."""
    return tuple(Decimal(repr(float(a))) for a in amounts)


def _rounded(amounts: Iterable[Decimal], unit: Decimal) -> tuple[Decimal, ...]:
    return tuple(a.quantize(unit, ROUND_HALF_EVEN) for a in amounts)


def _sum_where(amounts: tuple[Decimal, ...], keep: list[bool], unit: Decimal) -> Decimal:
    """The kept amounts together, in whole units also where there is none: ``0.00``."""
    return sum((a for a, k in zip(amounts, keep, strict=True) if k), 0 * unit)
