"""The highest quarters of an hour that hubs drew, as they were noted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from hubwise.audit.books.forms import Said

QUARTER_SECONDS = 900
A_DAY = timedelta(days=1)


class Peaks:
    """What was noted so far, by hub and period."""

    def __init__(self) -> None:
        """Nothing yet."""
        self._latest: dict[str, Said] = {}

    def faults(self, said: Said) -> Iterator[str]:
        """What is wrong with a peak that is noted."""
        begins, before = said["begins"], self._latest.get(said["hub"])
        if begins.timestamp() % QUARTER_SECONDS:
            yield "it begins within a quarter of an hour"
        if begins + timedelta(seconds=QUARTER_SECONDS) > said["received_at"]:
            yield "it was not over when it was noted"
        # Wherever the site is, its clock shows the day of the quarter in UTC or one beside it.
        days = {f"{begins + k * A_DAY:%Y-%m-%d}" for k in (-1, 0, 1)}
        if said["period"] not in days | {day[:7] for day in days}:
            yield f"it is of no quarter of {said['period']}"
        if said["kw"] <= 0:
            yield "nothing was drawn"
        if before is not None and before["period"] > said["period"]:
            yield "its period was over before the last one that was noted"
        if before is not None and before["period"] == said["period"] and said["kw"] <= before["kw"]:
            yield "it is none above the one before"
        self._latest[said["hub"]] = said
