"""Whether a station's clock can be believed, and quarters of an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EARLIEST = datetime(2020, 1, 1, tzinfo=UTC)
AHEAD = timedelta(minutes=5)
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)


def quarter_of(moment: datetime) -> datetime:
    """When the quarter of an hour began."""
    return moment - timedelta(seconds=moment.timestamp() % QUARTER.total_seconds())


def is_set(at: datetime, received_at: datetime) -> bool:
    """Whether a time was neither said before clocks were set nor lies in the future.

    A time long past is believed: stations send what they kept while they were offline.
    """
    return EARLIEST <= at <= received_at + AHEAD


def why_not_set(at: datetime, received_at: datetime) -> str:
    """What is wrong with a time; nothing if it can be believed."""
    if at < EARLIEST:
        return "the station's clock was not set"
    return "" if is_set(at, received_at) else "the station's clock is ahead"
