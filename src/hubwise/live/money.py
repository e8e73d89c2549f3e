"""A month's money of a site: what was billed and corrected, by hub, and what is not billed yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from hubwise.books.documents import Kind, documents_of
from hubwise.domain.events import BillPosted
from hubwise.live.billed import all_billed
from hubwise.live.fold import Session, SessionStatus
from hubwise.live.site import Account, Site


@dataclass(slots=True)
class Sums:
    """How many, and what they come to: energies [kWh], amounts [currency]."""

    count: int = 0
    charged_kwh: Decimal = Decimal()
    discharged_kwh: Decimal = Decimal()
    paid: Decimal = Decimal()
    earned: Decimal = Decimal()

    def add(self, bill: BillPosted, sign: int = 1, count: int = 1) -> None:
        """One more; of what is taken back, with the other sign."""
        self.count += count
        self.charged_kwh += sign * bill.charged_kwh
        self.discharged_kwh += sign * bill.discharged_kwh
        self.paid += sign * bill.paid
        self.earned += sign * bill.earned

    @property
    def net(self) -> Decimal:
        """What drivers owe [currency]."""
        return self.paid - self.earned


@dataclass(frozen=True, slots=True)
class Month:
    """What was posted in a month of the site's clock, in its currency.

    Parameters
    ----------
    month
        Such as ``2026-03``.
    bills, corrections
        Final bills as posted first, and what corrections changed: bills taken back and anew.
    hubs
        Both together by hub, as registered when the stay was billed; counted are bills.
    unbilled
        Stays without a final bill by how far they are, as they would be billed now: in the month
        in which their end was heard, those under way in the one that is now.
    elsewhere
        How many documents are in another currency, and so in no sum.
    """

    month: str
    bills: Sums = field(default_factory=Sums)
    corrections: Sums = field(default_factory=Sums)
    hubs: dict[str, Sums] = field(default_factory=dict)
    unbilled: dict[SessionStatus, Sums] = field(default_factory=dict)
    elsewhere: list[str] = field(default_factory=list)

    @property
    def posted(self) -> Sums:
        """Bills and corrections together: what the ledger holds."""
        found = Sums(self.bills.count)
        for each in (self.bills, self.corrections):
            found.charged_kwh += each.charged_kwh
            found.discharged_kwh += each.discharged_kwh
            found.paid += each.paid
            found.earned += each.earned
        return found


async def months_of(site: Site) -> tuple[Month, Month]:
    """This month and the last; what can be billed is billed first."""
    now = site.now()
    this = now.astimezone(site.settings.zone).date().replace(day=1)
    names = (f"{this:%Y-%m}", f"{_before(this):%Y-%m}")
    months = {name: Month(name) for name in names}
    sessions = [it for it in [*site.books.sessions.values()] if it.billed is None]
    wanted = [it for it in sessions if _name(site, _heard(it, now)) in months]
    accounts = [await site.account(it) for it in wanted]
    _take_billed(site, months)
    _take_unbilled(site, months, accounts, now)
    return months[names[0]], months[names[1]]


def _before(first: date) -> date:
    return (first - timedelta(days=1)).replace(day=1)


def _name(site: Site, at: datetime) -> str:
    return f"{at.astimezone(site.settings.zone):%Y-%m}"


def _heard(session: Session, now: datetime) -> datetime:
    return session.ended.received_at if session.ended else now


def _take_billed(site: Site, months: Mapping[str, Month]) -> None:
    for billed in all_billed(site.books):
        for made in documents_of(billed):
            month = months.get(_name(site, made.posted_at))
            if month is None:
                continue
            if made.bill.currency != site.settings.currency:
                month.elsewhere.append(made.number)
                continue
            first = made.kind is Kind.BILL
            # A correction is two documents: it is counted by what stands anew.
            count = int(made.kind is Kind.CORRECTED)
            sums, many = (month.bills, 1) if first else (month.corrections, count)
            sums.add(made.bill, made.sign, many)
            month.hubs.setdefault(billed.hub, Sums()).add(made.bill, made.sign, int(first))


def _take_unbilled(
    site: Site, months: Mapping[str, Month], accounts: Iterable[Account], now: datetime
) -> None:
    for each in accounts:
        if each.session.billed is None:
            month = months[_name(site, _heard(each.session, now))]
            month.unbilled.setdefault(each.session.status, Sums()).add(each.bill)
