"""Charging power that tapers near full: a curve by state of charge for every session."""

from __future__ import annotations

from dataclasses import dataclass, fields

from hubwise.domain.arrays import Array, Flags, Index, Names


@dataclass(frozen=True, slots=True)
class Taper:
    """Curves of sessions: the most power that a car takes, by its state of charge.

    Linear between points, level before the first and after the last. Which bounds a schedule has
    from it: `hubwise.scenario.taper`.

    Parameters
    ----------
    name
        What the curve is called; empty for a session that has none; shape (sessions,).
    soc
        States of charge of the points, as shares of the capacity, rising; shape (sessions, points).
    share
        Most power there, as a share of ``kw``, never rising; shape (sessions, points).
    kw
        The car's full power, at the charger's AC side, below the first point; a charger may bring
        less; shape (sessions,) [kW].
    """

    name: Names
    soc: Array
    share: Array
    kw: Array

    def select(self, keep: Flags | Index) -> Taper:
        """The sessions that ``keep`` (a mask or indices) picks, in that order."""
        return Taper(**{f.name: getattr(self, f.name)[keep] for f in fields(self)})
