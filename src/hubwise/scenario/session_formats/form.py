"""What a reader of one format says: which columns tell that it is this one, and what they mean."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

Names = tuple[str, ...]

# What a column may mean; all but arrival and departure may be unknown.
MEANINGS = (
    "session",
    "driver",
    "vehicle",
    "hub",
    "station",
    "connector",
    "arrival",
    "departure",
    "stated_departure",
    "arrival_zone",
    "departure_zone",
    "place_zone",
    "duration",
    "stated_minutes",
    "energy_kwh",
    "delivered_kwh",
    "charge_kw",
    "claimed",
    "credit",
    "takes_back",
)


@dataclass(frozen=True, slots=True)
class SessionFormat:
    """A form in which charging sessions are downloaded.

    Parameters
    ----------
    name
        What people call it, for the notes.
    known_by
        Columns that tell it: one of each group has to be there. A column within an object of JSON
        is written with dots, ``userInputs.kWhRequested``.
    columns
        Names of the columns by what they mean, one of `MEANINGS`. In each row the first that is
        not empty counts. Names joined by ``+`` are read as one text, such as a date and a time.
    zone
        Zone of stamps that are written without one; the site's own where it is empty.
    home
        Zone of the country that it comes from, whose habit orders dates such as 5/6/2025 where
        nothing in the file does; the site's own where it is empty.
    """

    name: str
    known_by: tuple[Names, ...]
    columns: Mapping[str, Names]
    zone: str = ""
    home: str = ""

    def recognises(self, header: Collection[str]) -> bool:
        """Whether a table with these columns is of this format."""
        there = {plain(name) for name in header}
        return all(any(plain(name) in there for name in group) for group in self.known_by)


def plain(name: str) -> str:
    """A column's name without what exports of one system differ in: all but letters and figures."""
    return re.sub(r"[\W_]+", "", name).casefold()
