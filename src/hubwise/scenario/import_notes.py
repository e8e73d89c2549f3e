"""What an import says of the rows that it was given: how many became what, and why."""

from __future__ import annotations

from datetime import date, timedelta

from hubwise.domain import Horizon
from hubwise.domain.errors import Issue, listed
from hubwise.scenario.day_sessions import Picked, Tally
from hubwise.scenario.foreign_sessions import ForeignSessions, ForeignStay
from hubwise.scenario.options import ImportOptions

_SAME_KWH = 1e-9
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
    return [f"{n} of {len(stays)} sessions {what}." for what, n in noted.items() if n]


def _most(picked: Picked, options: ImportOptions) -> str:
    """The least and the most that batteries take."""
    most = sorted({stay.equipment.most_kwh(options) for stay in picked.stays})
    return f"{most[0]:.4g} kWh" if len(most) == 1 else f"{most[0]:.4g} to {most[-1]:.4g} kWh"


def _problem(row: ForeignStay) -> str:
    column, wrong, _ = row.problems[0]
    return f"{column}: {wrong}" if column else wrong


def _rows(count: int) -> str:
    return f"{count} row{'s' if count != 1 else ''}"
