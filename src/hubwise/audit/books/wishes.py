"""Wishes of drivers, and whether they were kept as far as the stay allowed it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction

from hubwise.audit.books.acts import OPERATOR, Acts
from hubwise.audit.books.bills import Examiner, Noted
from hubwise.audit.books.faults import Faults
from hubwise.audit.books.forms import Said
from hubwise.audit.books.stays import Stay

# What a meter's own rounding may make of it [kWh].
NEAR = Fraction(5, 100)


@dataclass(slots=True)
class Wishes:
    """The last wish of every stay."""

    noted: Noted
    acts: Acts
    faults: Faults
    _last: dict[str, Said] = field(default_factory=dict)

    def take(self, said: Said, stay: Stay | None, place: str) -> None:
        """A wish; it has to be of a stay under way, and by whoever may say it."""
        if stay is None or stay.all.first("ended") is not None:
            self.faults.add("wishes: whose", place, "of no stay under way")
            return
        by, tag = said["by"], stay.all.id_token
        acted = by.startswith(OPERATOR) and self.acts.wished(by, stay.name)
        driver = self.noted.driver.get(tag, "")
        if not acted and by != (f"driver:{driver}" if driver else f"token:{tag}"):
            self.faults.add("wishes: whose", place, f"said by {by}")
        self._last[stay.name] = said

    def kept(self, stay: Stay, examiner: Examiner) -> None:
        """Whether a stay that is over kept its driver's wish."""
        wish, heard = self._last.get(stay.name), stay.all
        began, ended = heard.first("started"), heard.first("ended")
        if wish is None or began is None or ended is None:
            return
        curves, doubts = examiner.metered(heard, stay.station)
        if doubts or not curves[0]:
            return
        levels = _levels(wish, curves)
        last = max(end for curve in curves for end, _ in curve[-1:])
        until = min(wish["departure_at"] or last, last)
        hours = Fraction((until - began["at"]) // timedelta(seconds=1), 3_600)
        room = self.noted.most_kw.get(stay.station, Fraction()) * max(hours, Fraction())
        required, reserve = Fraction(wish["required_kwh"]), Fraction(wish["reserve_kwh"])
        if levels[-1] < required - NEAR and Fraction(wish["energy_kwh"]) + room >= required:
            said = f"left with {float(levels[-1]):.2f} kWh of {float(required):.2f}"
            self.faults.add("promises: required energy", stay.name, said)
        reached = next((at for at, level in enumerate(levels) if level >= reserve), len(levels))
        low = min(levels[reached:], default=reserve)
        if low < reserve - NEAR:
            said = f"fell to {float(low):.2f} kWh, reserve {float(reserve):.2f}"
            self.faults.add("promises: reserve", stay.name, said)


def _levels(wish: Said, curves: list[list[tuple[datetime, Fraction]]]) -> list[Fraction]:
    """What the car held whenever a register was read, losses aside [kWh]."""
    moments = sorted({at for curve in curves for at, _ in curve})
    begun = Fraction(wish["energy_kwh"])
    return [begun + _flown(curves[0], at) - _flown(curves[1], at) for at in moments]


def _flown(curve: list[tuple[datetime, Fraction]], at: datetime) -> Fraction:
    """What a register counted by a time since its first reading; evenly between readings."""
    before = [(when, kwh) for when, kwh in curve if when <= at]
    if not before:
        return Fraction()
    since, low = before[-1]
    after = next(((when, kwh) for when, kwh in curve if when > at), None)
    if after is None:
        return low - curve[0][1]
    share = Fraction((at - since) // timedelta(seconds=1), max((after[0] - since).seconds, 1))
    return low + share * (after[1] - low) - curve[0][1]
