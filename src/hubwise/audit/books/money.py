"""What a stay has to be billed, from its energies and the prices that it accepted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from hashlib import blake2b
from itertools import pairwise
from zoneinfo import ZoneInfo

from hubwise.audit.books.forms import Said

# ISO 4217: how many digits an amount has behind the point, where these are not two.
DIGITS = {
    **dict.fromkeys(
        [
            "BIF",
            "CLP",
            "DJF",
            "GNF",
            "ISK",
            "JPY",
            "KMF",
            "KRW",
            "PYG",
            "RWF",
            "UGX",
            "UYI",
            "VND",
            "VUV",
            "XAF",
            "XOF",
            "XPF",
        ],
        0,
    ),
    **dict.fromkeys(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"], 3),
    **dict.fromkeys(["CLF", "UYW"], 4),
}
REVENUE, PAYMENTS = "charging_revenue", "discharge_payments"


@dataclass(frozen=True, slots=True)
class Amounts:
    """What lines come to [currency]."""

    paid: Decimal
    earned: Decimal
    rounding: Decimal


def amounts(lines: Sequence[Said], currency: str) -> Amounts:
    """The lines' amounts, each side rounded once, half to even."""
    with localcontext() as exactly:
        exactly.prec = 60
        sides = [
            sum((line[f"{way}d_kwh"] * line[f"{way}_price"] for line in lines), Decimal())
            for way in ("charge", "discharge")
        ]
        unit = Decimal(1).scaleb(-DIGITS.get(currency, 2))
        paid, earned = (each.quantize(unit, ROUND_HALF_EVEN) for each in sides)
        return Amounts(paid, earned, paid - earned - sides[0] + sides[1])


def entries(driver: str, paid: Decimal, earned: Decimal) -> list[Said]:
    """Both sides of what moves; an amount below nothing goes the other way."""
    found = []
    for one, other, amount, why in (
        (driver, REVENUE, paid, "charged"),
        (PAYMENTS, driver, earned, "discharged"),
    ):
        if amount:
            debit, credit = (one, other) if amount > 0 else (other, one)
            found.append({"debit": debit, "credit": credit, "amount": abs(amount), "why": why})
    return found


def turned(stood: Sequence[Said]) -> list[Said]:
    """Entries taken back."""
    return [
        {
            **{"debit": each["credit"], "credit": each["debit"]},
            **{"amount": each["amount"], "why": f"{each['why']}, taken back"},
        }
        for each in stood
    ]


def price_faults(line: Said, prices: Said, zone: ZoneInfo) -> Iterator[str]:
    """Where a line's prices are not those of its slot in the accepted list."""
    wall = line["slot_start"].astimezone(zone)
    slot = (wall.hour * 60 + wall.minute) // prices["slot_minutes"]
    for way in ("charge", "discharge"):
        right = prices[way][slot]
        if line[f"{way}_price"] != right:
            yield f"{wall:%H:%M}: {way} price {line[f'{way}_price']}, accepted was {right}"


def list_faults(prices: Said) -> Iterator[str]:
    """What is wrong with a price list: its slots make a day, its name is its digest."""
    many = len(prices["charge"])
    if not many or many != len(prices["discharge"]) or many * prices["slot_minutes"] != 1_440:
        yield "its slots are no day"
    said = repr((tuple(prices["charge"]), tuple(prices["discharge"])))
    if blake2b(said.encode(), digest_size=16).hexdigest() != prices["list_id"]:
        yield "its prices are not those that its name was made of"


def accepted(posted: Sequence[Said], at: datetime) -> Said | None:
    """The list on offer at a time, as it was told up to now.

    That of an operator, of several the one that was told of last for the first time; else the
    site's own, the last one posted by then, or the first of all.
    """
    last_word = {said["ordered"]["order"]: said for said in posted if said["ordered"]}
    for said in [*last_word.values()][::-1]:
        begins_at, until = said["ordered"]["begins_at"], said["ordered"]["until"]
        if begins_at <= at and (until is None or at < until):
            return _prices(said)
    own = [said for said in posted if not said["ordered"]]
    by_then = [said for said in own if said["received_at"] <= at] or own[:1]
    return _prices(by_then[-1]) if by_then else None


def _prices(said: Said) -> Said:
    prices = said["prices"]
    assert isinstance(prices, dict)
    return prices


def order_words(said: Said, before: Said | None) -> Iterator[str]:
    """What is wrong with a list that an operator posted; ``before``: what was said of it last."""
    told, at = said["ordered"], said["received_at"]
    if before is None:
        if told["begins_at"] < at:
            yield "it begins before it was posted"
        return
    stood = before["ordered"]
    ended = stood["until"] is not None and stood["until"] <= at
    back = {"begins_at": min(stood["begins_at"], at), "until": at}
    kept = all(told[name] == moment for name, moment in back.items())
    if ended or not kept or said["prices"] != before["prices"]:
        yield "it was changed after it was posted; it can only be taken back"


def order_faults(lines: Sequence[Said]) -> Iterator[str]:
    """Lines that are not one for each slot in the order of time."""
    for one, next_one in pairwise(lines):
        if one["slot_start"] >= next_one["slot_start"]:
            yield f"slot {next_one['slot_start']:%d.%m. %H:%M} stands twice or out of order"
