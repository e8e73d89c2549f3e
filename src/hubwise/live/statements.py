"""A driver's stays by month, with the amounts of their bills: pages and the API read this."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from itertools import groupby

from hubwise.live.fold import Session, SessionStatus
from hubwise.live.site import Account, Site


@dataclass(frozen=True, slots=True)
class Stated:
    """A stay with what its bill comes to, each amount in whole cents [currency].

    Parameters
    ----------
    session, station
        Which, and where.
    began_at, ended_at
        Plug-in, and end if it was heard.
    status
        How far its books are.
    currency, charged_kwh, discharged_kwh, paid, earned
        Of the bill that stands, or of what it would be now.
    """

    session: str
    station: str
    began_at: datetime
    ended_at: datetime | None
    status: SessionStatus
    currency: str
    charged_kwh: Decimal
    discharged_kwh: Decimal
    paid: Decimal
    earned: Decimal

    @property
    def net(self) -> Decimal:
        """What the driver pays in the end."""
        return self.paid - self.earned


@dataclass(frozen=True, slots=True)
class Statement:
    """The stays that began in a month, in their order, and the sums of what stands on them.

    Parameters
    ----------
    month
        As ``2026-11``, on the site's clock.
    currency
        Of all amounts; another one has a statement of its own.
    stays
        At least one.
    """

    month: str
    currency: str
    stays: tuple[Stated, ...]

    @property
    def charged_kwh(self) -> Decimal:
        """At the meter [kWh]."""
        return sum((each.charged_kwh for each in self.stays), Decimal())

    @property
    def discharged_kwh(self) -> Decimal:
        """At the meter [kWh]."""
        return sum((each.discharged_kwh for each in self.stays), Decimal())

    @property
    def paid(self) -> Decimal:
        """For what was charged [currency]."""
        return sum((each.paid for each in self.stays), Decimal())

    @property
    def earned(self) -> Decimal:
        """For what was given back [currency]."""
        return sum((each.earned for each in self.stays), Decimal())

    @property
    def net(self) -> Decimal:
        """What the driver pays in the end [currency]."""
        return self.paid - self.earned

    @property
    def is_final(self) -> bool:
        """Whether no figure of it is still to come."""
        return all(each.status is SessionStatus.FINAL for each in self.stays)


async def statements_of(site: Site, sessions: Iterable[Session]) -> list[Statement]:
    """Sessions by the month in which they began, the latest month first."""

    def key(stay: Stated) -> tuple[str, str]:
        return f"{stay.began_at.astimezone(site.settings.zone):%Y-%m}", stay.currency

    stays = [_stated(await site.account(each)) for each in sessions]
    stays.sort(key=lambda it: (key(it), it.began_at))
    made = [Statement(*which, tuple(found)) for which, found in groupby(stays, key)]
    return made[::-1]


def _stated(account: Account) -> Stated:
    session, bill = account.session, account.bill
    return Stated(
        session=session.session,
        station=session.station,
        began_at=session.plugged_in,
        ended_at=session.ended.at if session.ended else None,
        status=account.status,
        currency=bill.currency,
        charged_kwh=bill.charged_kwh,
        discharged_kwh=bill.discharged_kwh,
        paid=bill.paid,
        earned=bill.earned,
    )
