"""What a bill rests on beside meter values and prices, noted in the log before the bill."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from hubwise.domain.events import StationNoted, TagNoted, TermsNoted
from hubwise.live.fold import Books, key_of
from hubwise.live.ports import Known
from hubwise.live.settle import Terms

Note = TermsNoted | StationNoted | TagNoted


def missing_notes(books: Books, known: Known, terms: Terms, tag: TagNoted) -> Iterator[Note]:
    """What is not in the log as it is now.

    Parameters
    ----------
    books
        What was noted.
    known, terms
        The station and the terms that a session was settled by.
    tag
        Whose tag its driver's is; with an empty tag, nobody's.
    """
    now = tag.received_at
    yield from _new(books, TermsNoted("", "", now, terms.currency, terms.zone.key))
    yield from _new(
        books, StationNoted("", known.station, now, known.hub, Decimal(str(terms.most_kw)))
    )
    if tag.id_token:
        yield from _new(books, tag)


def tag_noted(id_token: str, account: str, now: datetime) -> TagNoted:
    """A tag as a fact, from the account that is billed."""
    kind, _, name = account.partition(":")
    return TagNoted("", "", now, id_token, name if kind == "driver" else "")


def _new(books: Books, note: Note) -> Iterator[Note]:
    name = "|".join(("note", *key_of(note), note.received_at.isoformat()))
    found = books.noted.get(key_of(note))
    if found is None or replace(found, id="", received_at=note.received_at) != note:
        yield replace(note, id=name)
