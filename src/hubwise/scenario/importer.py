"""Import: charging sessions and a price series of others, made a scenario's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

from hubwise.domain import Horizon, Scenario
from hubwise.scenario.clock import read_horizon
from hubwise.scenario.day_sessions import Day, ImportedSession, Tally, sessions_of_day, whole_slots
from hubwise.scenario.door import load
from hubwise.scenario.errors import ScenarioError, in_order, listed
from hubwise.scenario.files import HorizonSection
from hubwise.scenario.foreign import read_foreign_sessions
from hubwise.scenario.imported import Offered, Site, family_notes, write_site
from hubwise.scenario.market import KWH_IN, check_told
from hubwise.scenario.options import ImportOptions
from hubwise.scenario.price_files import asked_of, read_prices, read_series
from hubwise.scenario.reading import Reader
from hubwise.scenario.tables import Table
from hubwise.scenario.writing import new_folder

_OPTIONS = "options"
_WHERE = ("prices_of", "prices_zone")


def import_sessions(
    sessions: str | Path,
    prices: str | Path,
    folder: str | Path,
    *,
    day: date,
    price_day: date | None = None,
    **options: object,
) -> Scenario:
    """Make a scenario of one day of charging sessions on one day of prices.

    Parameters
    ----------
    sessions
        Table of sessions, CSV (or ``.csv.gz``) or Parquet: ACN-Data's columns, or ``arrival``,
        ``departure``, ``energy_kwh`` and, where known, ``session``, ``driver``, ``hub``,
        ``stated_departure``, ``claimed``.
    prices
        Prices as they are downloaded: `hubwise.scenario.price_formats` has the formats.
    folder
        Where the scenario is written; it must not be there yet, or be empty.
    day
        The day whose sessions are taken.
    price_day
        The day whose prices are taken, and which is planned; ``day`` if not given.
    **options
        As in `ImportOptions`; ``zone`` has to be given.

    Returns
    -------
    Scenario
        As `load` reads it from ``folder``; its notes tell what was skipped, clipped and capped.

    Raises
    ------
    ScenarioError
        With every problem of options, sessions and prices; nothing is written then.
    """
    reader = Reader(Path())
    chosen = reader.section("", ImportOptions, options, file=_OPTIONS)
    horizon = None if chosen is None else _horizon(chosen, price_day or day, reader)
    where = {key: str(options[key]) for key in _WHERE if key in options}
    offered = _read_prices(str(prices), where, chosen, horizon, reader)
    table, unused = read_foreign_sessions(reader, str(sessions))
    if reader.issues or chosen is None or horizon is None or offered is None or table is None:
        raise ScenarioError(in_order(reader.issues))

    stays, tally = sessions_of_day(table, Day(day, chosen.sessions_zone, horizon, chosen.charge_kw))
    if not stays:
        _note_no_sessions(table, day, tally, reader)
        raise ScenarioError(reader.issues)
    name = (
        chosen.name or f"{Path(sessions).name.split('.')[0]}-{horizon.local_starts()[0]:%Y-%m-%d}"
    )
    source = (
        f"{len(stays)} sessions of {day} from {Path(sessions).name}, at the same clock times "
        f"on the prices of {price_day or day} from {Path(prices).name}."
    )
    notes = [
        *_clock_notes(horizon),
        *offered.notes,
        *family_notes(offered),
        *_column_notes(unused),
        *_stay_notes(stays, tally, chosen, horizon),
    ]
    site = Site(name, chosen, horizon, tuple(stays), offered, (source, *notes))
    with new_folder(Path(folder)) as beside:
        write_site(site, beside)
        load(beside)
    return load(folder)


def _horizon(options: ImportOptions, day: date, reader: Reader) -> Horizon | None:
    section = HorizonSection(
        day=day, start=options.start, zone=options.zone, slot_minutes=options.slot_minutes
    )
    return read_horizon(section, reader, file=_OPTIONS)


def _read_prices(
    name: str,
    where: Mapping[str, str],
    options: ImportOptions | None,
    horizon: Horizon | None,
    reader: Reader,
) -> Offered | None:
    """The prices of the horizon's day, with the unit and currency of the options or the file.

    ``where`` tells where a file's prices are, which may be right where other options are not.
    """
    asked = replace(
        asked_of(horizon),
        stamps_zone=where.get("prices_zone"),
        prices_of=where.get("prices_of"),
        currency=None if options is None else options.currency,
        hold=options is not None and options.curve == "hold",
    )
    if options is None or horizon is None:
        read_series(reader, name, asked)
        return None
    found = read_prices(reader, name, asked, horizon)
    if found is None:
        return None
    unit, currency = options.unit or found.unit, options.currency or found.currency
    both = {"unit": (options.unit, found.unit), "currency": (options.currency, found.currency)}
    check_told(_OPTIONS, "", both, name, reader)
    for field, told, right in (
        ("unit", unit, "give kWh or MWh"),
        ("currency", currency, "give three capitals such as EUR"),
    ):
        if told is None:
            wrong = f"is neither given nor told by a header such as price_eur_per_mwh in {name}"
            reader.wrong(_OPTIONS, "", field, wrong, right)
    if unit is None or currency is None:
        return None
    purchase = found.by_slot / KWH_IN[unit]
    return Offered(found.rows, unit, currency, purchase, found.minutes, found.notes)


def _note_no_sessions(table: Table, day: date, tally: Tally, reader: Reader) -> None:
    skipped = "; ".join(f"{count} skipped: {reason}" for reason, count in tally.skipped.items())
    wrong = f"has no session to plan on {day}" + (f" ({skipped})" if skipped else "")
    first, last = min(map(str, table["arrival"])), max(map(str, table["arrival"]))
    right = f"its arrivals are {first} to {last}"
    reader.wrong(table.file, "", "arrival", wrong, right)


def _clock_notes(horizon: Horizon) -> list[str]:
    usual = 24 * 60 // horizon.slot_minutes
    if horizon.slots == usual:
        return []
    return [
        f"The clocks change on this day: it has {horizon.slots} slots, not {usual}. Sessions keep "
        "the times that the clock shows."
    ]


def _column_notes(unused: list[str]) -> list[str]:
    return [f"Columns passed over: {listed(unused)}."] if unused else []


def _stay_notes(
    stays: list[ImportedSession], tally: Tally, options: ImportOptions, horizon: Horizon
) -> list[str]:
    """What was skipped, clipped and capped, and how far stated and actual stays differ."""
    most, slot = options.most_kwh, timedelta(minutes=horizon.slot_minutes)
    per_slot = options.charge_kw * horizon.slot_hours
    counts = tally.noted | {
        f"asked for more than the assumed battery takes, {most:.4g} kWh; capped there": sum(
            stay.energy_kwh > most for stay in stays
        ),
        "asked for more than the stay brings at full power; the rest is a shortfall": sum(
            min(stay.energy_kwh, most) > per_slot * whole_slots(stay, horizon) for stay in stays
        ),
        "left more than a slot before the stated departure": sum(
            stay.departure - stay.actual_departure > slot for stay in stays
        ),
        "stayed more than a slot after the stated departure": sum(
            stay.actual_departure - stay.departure > slot for stay in stays
        ),
    }
    skipped = [f"{count} skipped: {reason}." for reason, count in tally.skipped.items()]
    return skipped + [f"{n} of {len(stays)} sessions {what}." for what, n in counts.items() if n]
