"""Stays that are billed, as others are told of them."""

from __future__ import annotations

from collections.abc import Iterator

from hubwise.books import Billed
from hubwise.domain.events import StationNoted
from hubwise.live.fold import Books, Session


def billed_of(books: Books, session: Session) -> Billed | None:
    """A stay as it was billed; none where it is not."""
    began, ended, bill = session.started, session.ended, session.billed
    if bill is None or began is None or ended is None:
        return None
    noted = books.noted.get(("StationNoted", session.station))
    return Billed(
        started_at=began.at,
        ended_at=ended.at,
        evse=session.evse,
        connector=began.connector,
        id_token=session.id_token,
        hub=noted.hub if isinstance(noted, StationNoted) else "",
        bill=bill,
        corrections=tuple(session.corrections),
    )


def all_billed(books: Books) -> Iterator[Billed]:
    """Every stay that is billed, in the order in which they were first heard of."""
    for session in [*books.sessions.values()]:
        if (found := billed_of(books, session)) is not None:
            yield found
