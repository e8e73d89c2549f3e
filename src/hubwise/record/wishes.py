"""What drivers wished for the stay, what a plan gives, and what they are told before it."""

from __future__ import annotations

from dataclasses import dataclass

from hubwise.domain.arrays import Array, Flags, Names


@dataclass(frozen=True, slots=True)
class Wishes:
    """One row for every wish of every session; arrays of shape (wishes,).

    Parameters
    ----------
    session, driver
        Identifiers.
    wish
        What is wished: the name of a column of sessions.parquet.
    asked
        The value there.
    given
        What the plan gives instead: the slot after the last in which anything flows; energy at
        departure, lowest energy, and energy drawn from the battery [kWh]; capacity that
        discharging costs [share a year]; energy discharged [kWh]; saving [currency].
    honoured
        Whether the wish is met.
    notice
        What the driver is told before the stay; empty where the wish is met and the driver need
        not know more.
    """

    session: Names
    driver: Names
    wish: Names
    asked: Array
    given: Array
    honoured: Flags
    notice: tuple[str, ...]
