"""Which stays belong to a month, and what they come to."""

from __future__ import annotations

import asyncio
from datetime import datetime
from decimal import Decimal
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from hubwise.live.fold import Session
from hubwise.live.statements import statements_of

# A stay by its beginning (UTC), currency, paid and earned.
STAYS = [
    ("2026-10-31T22:59:59+00:00", "EUR", "1.11", "0.10"),
    ("2026-10-31T23:00:00+00:00", "EUR", "2.22", "0.05"),
    ("2026-11-30T22:59:00+00:00", "EUR", "0.01", "3.00"),
    ("2026-11-30T23:00:00+00:00", "EUR", "4.00", "0.00"),
    ("2026-11-05T12:00:00+00:00", "USD", "5.00", "0.00"),
]


class Site:
    """Says what sessions come to, on a clock of Amsterdam."""

    settings = SimpleNamespace(zone=ZoneInfo("Europe/Amsterdam"))

    async def account(self, session: Session) -> SimpleNamespace:
        _, currency, paid, earned = STAYS[int(session.session)]
        bill = SimpleNamespace(
            currency=currency,
            charged_kwh=Decimal(3),
            discharged_kwh=Decimal(1),
            paid=Decimal(paid),
            earned=Decimal(earned),
        )
        return SimpleNamespace(session=session, bill=bill, status=session.status)


def test_a_stay_belongs_to_the_month_in_which_it_began() -> None:
    """On the site's clock, not in UTC; sums of cents, and of one currency each."""
    sessions = [
        Session(f"{k}", "CP", "T", datetime.fromisoformat(stay[0])) for k, stay in enumerate(STAYS)
    ]
    made = asyncio.run(statements_of(Site(), sessions[::-1]))
    said = [
        (each.month, each.currency, "".join(stay.session for stay in each.stays), str(each.net))
        for each in made
    ]
    assert said == [
        ("2026-12", "EUR", "3", "4.00"),
        ("2026-11", "USD", "4", "5.00"),
        ("2026-11", "EUR", "12", "-0.82"),
        ("2026-10", "EUR", "0", "1.01"),
    ]
    assert not made[0].is_final
