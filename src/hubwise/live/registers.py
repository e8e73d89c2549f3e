"""Meter values of a session: which are registers that can be billed, and why the others are not."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from hubwise.domain.events import Phase, Sample, TransactionSaid
from hubwise.live.clocks import why_not_set

# What a register may run ahead of rated power: its own rounding, and the clock's.
ABOVE_RATED = Decimal("1.1")
CLOCK_SECONDS = Decimal(10)
ROUNDING_KWH = Decimal("0.02")
MOST_KWH = Decimal(10) ** 9
# Powers of ten beyond these are no register's; below, a register shows nothing.
MOST_DIGITS = 100
ZERO = Decimal()
KWH = {"Wh": Decimal("0.001"), "kWh": Decimal(1), "MWh": Decimal(1_000)}
IMPORT = "Energy.Active.Import.Register"
EXPORT = "Energy.Active.Export.Register"
_ORDER = {Phase.STARTED: 0, Phase.UPDATED: 1, Phase.ENDED: 2}
MOST_CHAINS = 16
# No stay is longer; clocks that begin years ago, and are set under way, look like it.
LONGEST = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Reading:
    """An energy sample of a session.

    Parameters
    ----------
    place
        Where its message stands in the session: phase, number, time.
    seq_no
        The message's number; none in 1.6.
    at
        The station's time.
    measurand
        What was measured.
    kwh
        Its value, if it is one [kWh].
    reason
        Why it is not accepted; empty if it is.
    bounds
        Whether it was meant as the register that is billed.
    """

    place: tuple[int, int, datetime]
    seq_no: int | None
    at: datetime
    measurand: str
    kwh: Decimal | None
    reason: str
    bounds: bool

    @property
    def accepted(self) -> bool:
        """Whether it can be billed from."""
        return not self.reason


def readings(messages: Sequence[TransactionSaid], most_kw: Decimal) -> list[Reading]:
    """Every energy sample of a session in the order of time, each accepted or with its reason.

    Which are accepted depends on what was said, not on when or how often it arrived.

    Parameters
    ----------
    messages
        Those of one session, in any order.
    most_kw
        The station's rated power [kW].
    """
    found = [reading for said in messages for reading in _of_message(said)]
    found = sorted(
        set(found), key=lambda each: (each.at, each.place, each.measurand, each.kwh or 0)
    )
    checked: list[Reading] = []
    for measurand in sorted({each.measurand for each in found}):
        checked += _checked([each for each in found if each.measurand == measurand], most_kw)
    return sorted(checked, key=lambda each: (each.at, each.place, each.measurand, each.kwh or 0))


def unbounded(found: Sequence[Reading]) -> list[str]:
    """Why energy at the beginning or end of a session is not known; empty if it is."""
    reasons = []
    for measurand in (IMPORT, EXPORT):
        meant = [each for each in found if each.measurand == measurand and each.bounds]
        moments = sorted({(each.place, each.at) for each in meant})
        for moment in {*moments[:1], *moments[-1:]}:
            there = [each for each in meant if (each.place, each.at) == moment]
            if not any(each.accepted for each in there):
                reasons.append(there[0].reason)
    return reasons


def _of_message(said: TransactionSaid) -> Iterator[Reading]:
    number = -1 if said.seq_no is None else said.seq_no
    place = (_ORDER[said.phase], number, said.at)
    for sample in said.samples:
        if not sample.measurand.startswith("Energy."):
            continue
        kwh, reason = _value(sample)
        register = sample.measurand in (IMPORT, EXPORT) and sample.location == "Outlet"
        reason = reason or _not_meant(sample) or why_not_set(sample.at, said.received_at)
        yield Reading(place, said.seq_no, sample.at, sample.measurand, kwh, reason, register)


def _not_meant(sample: Sample) -> str:
    if sample.measurand not in (IMPORT, EXPORT):
        return "no register of active energy"
    if sample.location != "Outlet":
        return f"measured at {sample.location}, not at the outlet"
    return f"{sample.phase} alone is not the total" if sample.phase else ""


def _value(sample: Sample) -> tuple[Decimal | None, str]:
    if sample.signed and not sample.value:
        return None, "a signed value is kept, not read"
    factor = KWH.get(sample.unit)
    if factor is None:
        return None, f"{sample.unit!r} is no unit of energy"
    try:
        value = Decimal(sample.value)
    except (InvalidOperation, ValueError):
        return None, f"{sample.value[:40]!r} is no number"
    # What a sum of decimals cannot hold is looked at before it is made.
    size = value.adjusted() + sample.multiplier if value.is_finite() and value else 0
    if not value.is_finite() or value < 0 or size > MOST_DIGITS:
        return None, f"{sample.value[:40]!r} is no register"
    kwh = (value * factor).scaleb(sample.multiplier) if value and size >= -MOST_DIGITS else ZERO
    if kwh > MOST_KWH:
        return None, f"{sample.value[:40]!r} is no register"
    return kwh.normalize(), ""


def _checked(found: list[Reading], most_kw: Decimal) -> Iterator[Reading]:
    """Of those that are registers, the longest run that a meter can have shown is accepted."""
    usable = [each for each in found if each.accepted]
    kept, doubtful = _longest(usable, most_kw)
    names = {id(each) for each in kept}
    times = [each.at for each in kept]
    for each in found:
        if not each.accepted or id(each) in names:
            yield each
            continue
        at = bisect_right(times, each.at)
        beside = kept[max(at - 1, 0) : at], kept[at : at + 1]
        yield replace(each, reason=doubtful or _why(each, *beside, most_kw))


def _longest(usable: list[Reading], most_kw: Decimal) -> tuple[list[Reading], str]:
    chains: list[list[Reading]] = []
    for each in usable:
        fitting = [chain for chain in chains if not between(chain[-1], each, most_kw)]
        if fitting:
            max(fitting, key=len).append(each)
        else:
            chains.append([each])
            chains.sort(key=len, reverse=True)
            del chains[MOST_CHAINS:]
    chains.sort(key=len, reverse=True)
    if len(chains) > 1 and len(chains[0]) == len(chains[1]):
        return [], "two registers contradict each other, and neither can be told to be right"
    return (chains[0] if chains else []), ""


def between(before: Reading, after: Reading, most_kw: Decimal) -> str:
    """Why a register cannot have gone from one reading to the other; empty if it can."""
    assert before.kwh is not None
    assert after.kwh is not None
    step = after.kwh - before.kwh
    if step < 0:
        return f"the register goes back by {-step:f} kWh"
    if after.at - before.at > LONGEST:
        return f"{(after.at - before.at).days} days between two readings: a clock was not set"
    seconds = Decimal(str((after.at - before.at).total_seconds()))
    most = ABOVE_RATED * most_kw * (seconds + CLOCK_SECONDS) / 3_600 + ROUNDING_KWH
    if step > most:
        return f"{step:f} kWh in {seconds:f} s is more than {most_kw:f} kW bring"
    return ""


def _why(each: Reading, before: list[Reading], behind: list[Reading], most_kw: Decimal) -> str:
    """Against the accepted reading before it, or behind it."""
    pairs = [*((other, each) for other in before), *((each, other) for other in behind)]
    reasons = [between(one, other, most_kw) for one, other in pairs]
    return next((reason for reason in reasons if reason), "does not fit the others")


def steps(found: Sequence[Reading], measurand: str) -> Iterator[tuple[Reading, Reading]]:
    """Accepted readings of a register, pair by pair in the order of time."""
    return pairwise([each for each in found if each.measurand == measurand and each.accepted])
