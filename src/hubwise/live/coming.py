"""Cars to come, as far as the site's own past tells: those of the same day a week before.

Where there is none such, those of the day before. What came then and how much it charged stands
for what will come: one sample of the fleet, which the plan leaves room and energy for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from hubwise.live.clocks import DAY
from hubwise.live.fold import Books, Session
from hubwise.live.outlook import Stay, Wanted

BEFORE = (7 * DAY, DAY)
# A stay that charged less tells nothing [kWh].
LEAST_KWH = 0.1
Most = Callable[[str], float | None]
"""The most that a station draws [kW]; none where it is not of the hub."""


def coming(books: Books, now: datetime, most_kw: Most) -> tuple[Stay, ...]:
    """Stays that are expected at a hub within a day; they accept the list that is posted."""
    for before in BEFORE:
        found = tuple(_expected(books, now, before, most_kw))
        if found:
            return found
    return ()


def _expected(books: Books, now: datetime, before: timedelta, most_kw: Most) -> Iterator[Stay]:
    """Stays that began in the day that followed this moment so long ago, as much later."""
    for session in reversed(books.sessions.values()):
        if session.opened_at < now - before - DAY:
            return  # in the order in which the site heard of them: all others are older
        kw, ended = most_kw(session.station), session.ended
        kwh = _charged_kwh(session)
        began = session.started
        if kw is None or began is None or ended is None or kwh < LEAST_KWH:
            continue
        if now < began.at + before <= now + DAY and ended.at > began.at:
            wanted = Wanted(ended.at + before, kwh, kwh, 0.0)
            name = f"coming:{session.session}"
            yield Stay(name, wanted, 0.0, kw, 0.0, 0, arrives_at=began.at + before)


def _charged_kwh(session: Session) -> float:
    """What its bill says that it took in all, less what it gave."""
    bill = session.stands
    return 0.0 if bill is None else float(bill.charged_kwh - bill.discharged_kwh)
