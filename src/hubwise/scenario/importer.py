"""Import: charging sessions and a price series of others, made a scenario's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time, timedelta
from pathlib import Path

from hubwise.domain import Horizon, Scenario
from hubwise.domain.errors import ScenarioError, in_order
from hubwise.scenario.clock import read_horizon
from hubwise.scenario.day_sessions import Day, broken_rows, sessions_of_day
from hubwise.scenario.door import load
from hubwise.scenario.equipment import read_garage
from hubwise.scenario.files import HorizonSection
from hubwise.scenario.foreign_sessions import ForeignSessions, Told, read_foreign_sessions
from hubwise.scenario.import_notes import counts, no_sessions, what_was_done
from hubwise.scenario.imported import Offered, Site, family_notes, write_site
from hubwise.scenario.options import ImportOptions
from hubwise.scenario.price_files import asked_of, read_prices, read_series
from hubwise.scenario.price_units import KWH_IN, unit_and_currency
from hubwise.scenario.reading import Reader
from hubwise.scenario.writing import new_folder

_OPTIONS = "options"
_ALSO = {"plug": "station", "charger": "station"}  # other words for what a column means
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
    """Make a scenario of one or several days of charging sessions on as many days of prices.

    Parameters
    ----------
    sessions
        File of sessions as downloaded (CSV, workbook, Parquet or JSON, packed or not): ACN-Data,
        ElaadNL, ChargePoint, ChargePlace Scotland, OCPI, evcc, or a table with ``arrival``,
        ``departure``, ``energy_kwh`` and, where known, ``session``, ``driver``, ``hub``, ``plug``,
        ``stated_departure``, ``claimed``. Other columns are named by ``columns``.
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
    foreign = read_foreign_sessions(reader, str(sessions), _told(chosen))
    garage = None if chosen is None else read_garage(chosen, reader)
    if foreign is not None:
        _note_broken(foreign, day, price_day or day, chosen, horizon, reader)
    if reader.issues or chosen is None or horizon is None or offered is None:
        raise ScenarioError(in_order(reader.issues))
    if foreign is None or garage is None:
        raise ScenarioError(in_order(reader.issues))

    taken = Day(day, chosen.sessions_zone, horizon)
    picked = sessions_of_day(foreign.stays, taken, garage)
    if not picked.stays:
        raise ScenarioError([no_sessions(foreign, picked.tally, day)])
    name = chosen.name or f"{Path(sessions).name.split('.')[0]}-{horizon.local_start:%Y-%m-%d}"
    notes = [
        _source(len(picked.stays), Path(sessions).name, Path(prices).name, taken, chosen.days),
        *counts(picked),
        *foreign.notes,
        *_clock_notes(horizon, chosen.days),
        *offered.notes,
        *family_notes(offered),
        *what_was_done(picked, chosen, horizon),
        *garage.notes(picked.sources),
    ]
    site = Site(name, chosen, horizon, picked.stays, offered, tuple(notes))
    with new_folder(Path(folder)) as beside:
        write_site(site, beside)
        load(beside)
    return load(folder)


def _told(options: ImportOptions | None) -> Told:
    """What the options say about the file of sessions."""
    if options is None:
        return Told()
    columns = {
        _ALSO.get(meaning, meaning): [names] if isinstance(names, str) else names
        for meaning, names in options.columns.items()
    }
    return Told(columns, options.zone, options.sessions_zone or "", options.date_order or "")


def _horizon(options: ImportOptions, day: date, reader: Reader) -> Horizon | None:
    section = HorizonSection(
        day=day, start=options.start, zone=options.zone, slot_minutes=options.slot_minutes
    )
    return read_horizon(section, reader, file=_OPTIONS, days=options.days)


def _note_broken(
    foreign: ForeignSessions,
    day: date,
    price_day: date,
    options: ImportOptions | None,
    horizon: Horizon | None,
    reader: Reader,
) -> None:
    """Tell what cannot be read in rows of the day; what is wrong on other days is counted."""
    # Where the options are wrong, too, the day's rows are found as well as they can be.
    assumed = horizon or Horizon.local_day(price_day, "UTC", start=time(0))
    zone = options.sessions_zone if options else None
    for row in broken_rows(foreign.stays, Day(day, zone, assumed)):
        for column, wrong, right in row.problems:
            reader.wrong(foreign.file, f"row {row.row}", column, wrong, right)


def _source(count: int, sessions: str, prices: str, day: Day, days: int) -> str:
    """Where sessions and prices are from."""
    until = f" to {day.sessions_day + timedelta(days=days - 1)}" if days > 1 else ""
    from_there = f"{count} sessions of {day.sessions_day}{until} from {sessions}"
    if not day.is_another:
        return f"{from_there}, on the prices of the same time from {prices}."
    first = day.horizon.local_start.date()
    return f"{from_there}, at the same clock times on the prices of {first} on from {prices}."


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
    told = unit_and_currency(found, options.unit, options.currency, name, reader, (_OPTIONS, ""))
    if told is None:
        return None
    unit, currency = told
    purchase = found.by_slot / KWH_IN[unit]
    charges = found.demand_charges if options.days > 1 else ()
    return Offered(found.rows, unit, currency, purchase, found.minutes, found.notes, charges)


def _clock_notes(horizon: Horizon, days: int) -> list[str]:
    usual = days * 24 * 60 // horizon.slot_minutes
    if horizon.slots == usual:
        return []
    when = "on this day: it has" if days == 1 else "on these days: they have"
    return [
        f"The clocks change {when} {horizon.slots} slots, not {usual}. Sessions keep "
        "the times that the clock shows."
    ]
