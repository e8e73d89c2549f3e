"""What an import says of the rows that it was given: how many became what, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from difflib import SequenceMatcher

from hubwise.domain import Horizon
from hubwise.domain.errors import Issue, closest, listed
from hubwise.scenario.day_sessions import Picked, Tally
from hubwise.scenario.foreign_sessions import ForeignSessions, ForeignStay
from hubwise.scenario.options import ImportOptions

_SAME_KWH = 1e-9
# A hub is perhaps a slip of the pen where another has so many times its sessions, and their names
# are alike by this (the share of letters in the same order).
_MANY_MORE, _ALIKE = 5, 0.75
_UNREAL_KWH = 500.0  # beyond the battery of any car, and of most lorries


def counts(picked: Picked) -> list[str]:
    """How many rows are planned, of other days and skipped; together they are all rows."""
    tally = picked.tally
    skipped = [f"{count} skipped: {reason}." for reason, count in tally.skipped.items()]
    total = f"Of {_rows(tally.rows)} in the file {len(picked.stays)} are planned, "
    total += f"{tally.elsewhere} of other days and {tally.skipped.total()} skipped."
    wrong = tally.wrong_elsewhere
    told = (f"row {row.row} ({_problem(row)})" for row in wrong)
    unread = [f"{_rows(len(wrong))} outside the days planned cannot be read: {listed(told, 5)}."]
    return [total, *skipped, *(unread if wrong else [])]


def no_sessions(foreign: ForeignSessions, tally: Tally, day: date) -> Issue:
    """That a file has no session to plan, why, and when it has some."""
    skipped = [f"{count} skipped: {reason}" for reason, count in tally.skipped.items()]
    skipped += [f"{tally.elsewhere} of other days"] if tally.elsewhere else []
    skipped += [f"row {row.row}: {_problem(row)}" for row in tally.wrong_elsewhere[:3]]
    wrong = f"has no session to plan on {day}" + (f" ({'; '.join(skipped)})" if skipped else "")
    arrivals = [str(row.arrival) for row in foreign.stays if row.arrival]
    right = f"its arrivals are {min(arrivals)} to {max(arrivals)}" if arrivals else "give arrivals"
    return Issue(foreign.file, "", "arrival", wrong, right)


def what_was_done(picked: Picked, options: ImportOptions, horizon: Horizon) -> list[str]:
    """What was clipped and capped, and how far stated and actual stays differ."""
    stays, slot = picked.stays, timedelta(minutes=horizon.slot_minutes)
    short = 0
    capped = 0
    for stay in stays:
        asked = min(stay.energy_kwh, stay.equipment.most_kwh(options))
        capped += stay.energy_kwh > asked
        brought = stay.equipment.charge_kw * ((stay.departure - stay.arrival) / timedelta(hours=1))
        short += asked - stay.later_kwh > brought + _SAME_KWH
    noted = picked.tally.noted | {
        "asked for more than the assumed battery takes, "
        f"{_most(picked, options)}; capped there": capped,
        f"asked for more than {_UNREAL_KWH:g} kWh, where 5 to 100 kWh are usual, as if in Wh": sum(
            (row.energy_kwh or 0.0) > _UNREAL_KWH for row in picked.sources
        ),
        "asked for more than the stay brings at full power; the rest is a shortfall": short,
        "left more than a slot before the stated departure": sum(
            stay.stated_departure - stay.actual_departure > slot for stay in stays
        ),
        "stayed more than a slot after the stated departure": sum(
            stay.actual_departure - stay.stated_departure > slot for stay in stays
        ),
    }
    said = [f"{n} of {len(stays)} sessions {what}." for what, n in noted.items() if n]
    return said + hubs_alike(Counter(stay.hub for stay in stays))


def hubs_alike(sessions: Mapping[str, int]) -> list[str]:
    """Hubs that few sessions name and whose names are nearly another's; numbers tell hubs apart.

    Parameters
    ----------
    sessions
        How many each hub has, by its name.
    """
    notes = []
    for hub, count in sessions.items():
        most = [name for name, many in sessions.items() if many >= _MANY_MORE * count]
        other = closest(hub, (name for name in most if _digits(name) == _digits(hub)))
        if other is not None and SequenceMatcher(a=hub.lower(), b=other.lower()).ratio() > _ALIKE:
            notes.append(
                f"Hub {hub!r} has {count} of the sessions and {other!r} {sessions[other]}: if they "
                "are one, write its name alike."
            )
    return notes


def _digits(name: str) -> str:
    return "".join(character for character in name if character.isdigit())


def _most(picked: Picked, options: ImportOptions) -> str:
    """The least and the most that batteries take."""
    most = sorted({stay.equipment.most_kwh(options) for stay in picked.stays})
    return f"{most[0]:.4g} kWh" if len(most) == 1 else f"{most[0]:.4g} to {most[-1]:.4g} kWh"


def _problem(row: ForeignStay) -> str:
    column, wrong, _ = row.problems[0]
    return f"{column}: {wrong}" if column else wrong


def _rows(count: int) -> str:
    return f"{count} row{'s' if count != 1 else ''}"
