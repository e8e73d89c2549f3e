"""A bill from meter values: energy by slot at the prices accepted at plug-in, rounded once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from zoneinfo import ZoneInfo

from hubwise.domain.events import (
    BillCorrected,
    BillLine,
    BillPosted,
    Entry,
    Figures,
    PriceList,
    TransactionSaid,
)
from hubwise.ledger.books import minor_unit
from hubwise.live.registers import EXPORT, IMPORT, Reading, readings, steps, unbounded

TINY = Decimal("0.000000001")


@dataclass(frozen=True, slots=True)
class Terms:
    """What a session is settled by.

    Parameters
    ----------
    currency
        ISO 4217 code.
    zone
        The clock that prices follow.
    prices
        The list accepted at plug-in.
    most_kw
        The station's rated power [kW].
    """

    currency: str
    zone: ZoneInfo
    prices: PriceList
    most_kw: float


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a session's meter values come to.

    Parameters
    ----------
    found
        Every energy sample, accepted or with its reason.
    doubts
        Why energy at its beginning or end is not known: such a session gets no final bill.
    lines
        By slot in which energy flowed.
    """

    found: tuple[Reading, ...]
    doubts: tuple[str, ...]
    lines: tuple[BillLine, ...]

    @property
    def charged_kwh(self) -> Decimal:
        """Of all lines [kWh]."""
        return sum((line.charged_kwh for line in self.lines), Decimal())

    @property
    def discharged_kwh(self) -> Decimal:
        """Of all lines [kWh]."""
        return sum((line.discharged_kwh for line in self.lines), Decimal())


def settle(messages: Sequence[TransactionSaid], terms: Terms) -> Settlement:
    """Settle one session; the order of its messages does not matter."""
    found = readings(messages, Decimal(str(terms.most_kw)))
    return Settlement(tuple(found), tuple(unbounded(found)), _lines(found, terms))


def by_figures(settled: Settlement, said: Figures, terms: Terms) -> Settlement:
    """The settlement of what an operator says; the meter's values stay as they are."""
    ends = [
        _reading(at, measurand, kwh)
        for measurand, whole in ((IMPORT, said.charged_kwh), (EXPORT, said.discharged_kwh))
        for at, kwh in ((said.began_at, Decimal()), (said.ended_at, whole))
    ]
    return Settlement(settled.found, (), _lines(ends, terms))


def _reading(at: datetime, measurand: str, kwh: Decimal) -> Reading:
    return Reading((0, 0, at), None, at, measurand, kwh, "", bounds=True)


def _lines(found: Sequence[Reading], terms: Terms) -> tuple[BillLine, ...]:
    charged = by_slot(found, IMPORT, terms)
    discharged = by_slot(found, EXPORT, terms)
    return tuple(
        line(start, charged.get(start, Decimal()), discharged.get(start, Decimal()), terms)
        for start in sorted({*charged, *discharged})
    )


def amounts(settled: Settlement, currency: str) -> tuple[Decimal, Decimal, Decimal]:
    """Paid and earned, each rounded once, and what that added to the net [currency]."""
    unit = minor_unit(currency)
    paid = sum((line.paid for line in settled.lines), Decimal())
    earned = sum((line.earned for line in settled.lines), Decimal())
    posted = [each.quantize(unit, ROUND_HALF_EVEN) + 0 for each in (paid, earned)]
    return posted[0], posted[1], (posted[0] - posted[1]) - (paid - earned)


def make_bill(
    settled: Settlement, terms: Terms, session: tuple[str, str, str], driver: str, now: datetime
) -> BillPosted:
    """The final bill of a session, and its entries.

    Parameters
    ----------
    settled, terms
        What it comes to, and by what.
    session
        Its identifier, station and transaction.
    driver
        The driver's account.
    now
        When it is posted.
    """
    name, station, transaction = session
    paid, earned, rounding = amounts(settled, terms.currency)
    return BillPosted(
        id=f"bill|{name}",
        station=station,
        received_at=now,
        session=name,
        transaction=transaction,
        driver=driver,
        currency=terms.currency,
        price_list=terms.prices.list_id,
        charged_kwh=settled.charged_kwh,
        discharged_kwh=settled.discharged_kwh,
        paid=paid,
        earned=earned,
        rounding=rounding,
        lines=settled.lines,
        entries=tuple(_entries(driver, paid, earned)),
    )


def correct(stood: BillPosted, bill: BillPosted, number: int, because: str) -> BillCorrected:
    """A bill in place of the one that stood: its entries turned round, and the new ones."""
    return BillCorrected(
        id=f"correction|{bill.session}|{number}",
        station=bill.station,
        received_at=bill.received_at,
        session=bill.session,
        transaction=bill.transaction,
        number=number,
        because=because,
        credit=tuple(
            Entry(each.credit, each.debit, each.amount, f"{each.why}, taken back")
            for each in stood.entries
        ),
        bill=replace(bill, id=f"{bill.id}|{number}"),
    )


def _entries(driver: str, paid: Decimal, earned: Decimal) -> Iterator[Entry]:
    """Each amount from one account to another; negative prices turn them round."""
    for debit, credit, amount, why in (
        (driver, "charging_revenue", paid, "charged"),
        ("discharge_payments", driver, earned, "discharged"),
    ):
        if amount > 0:
            yield Entry(debit, credit, amount, why)
        elif amount < 0:
            yield Entry(credit, debit, -amount, why)


def line(start: datetime, charged: Decimal, discharged: Decimal, terms: Terms) -> BillLine:
    """Energies [kWh] of a slot at its prices."""
    local = start.astimezone(terms.zone)
    slot = (local.hour * 60 + local.minute) // terms.prices.slot_minutes
    prices = terms.prices
    return BillLine(start, charged, prices.charge[slot], discharged, prices.discharge[slot])


def by_slot(found: Sequence[Reading], measurand: str, terms: Terms) -> dict[datetime, Decimal]:
    """Energy by slot [kWh]; between two readings it flowed evenly. The parts make the whole."""
    energy: dict[datetime, Decimal] = {}
    for before, after in steps(found, measurand):
        assert before.kwh is not None
        assert after.kwh is not None
        whole, at, given = after.kwh - before.kwh, before.at, Decimal()
        while whole:
            start, end = _slot(at, terms)
            so_far = (
                whole if end >= after.at else _share(whole, end - before.at, after.at - before.at)
            )
            energy[start] = energy.get(start, Decimal()) + so_far - given
            if end >= after.at:
                break
            at, given = end, so_far
    return {start: kwh for start, kwh in energy.items() if kwh}


def _share(whole: Decimal, part: timedelta, of: timedelta) -> Decimal:
    ratio = Decimal(part // timedelta(microseconds=1)) / Decimal(of // timedelta(microseconds=1))
    return (whole * ratio).quantize(TINY)


def _slot(at: datetime, terms: Terms) -> tuple[datetime, datetime]:
    """The slot of the site's day that holds a time: beginning and end, in UTC."""
    local = at.astimezone(terms.zone)
    minutes = local.hour * 60 + local.minute
    into = timedelta(
        minutes=minutes % terms.prices.slot_minutes,
        seconds=local.second,
        microseconds=local.microsecond,
    )
    start = at.astimezone(UTC) - into
    return start, start + timedelta(minutes=terms.prices.slot_minutes)
