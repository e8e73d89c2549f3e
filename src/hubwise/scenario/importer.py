"""Import: charging sessions and a price series of others, made a scenario's folder."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from hubwise.domain import Horizon, Scenario
from hubwise.scenario.clock import check_zone, in_utc, read_horizon
from hubwise.scenario.day_sessions import (
    Day,
    ImportedSession,
    Tally,
    each_car_once,
    sessions_of_day,
    whole_slots,
)
from hubwise.scenario.door import load
from hubwise.scenario.errors import ScenarioError, in_order, listed
from hubwise.scenario.files import HorizonSection
from hubwise.scenario.foreign import read_foreign_prices, read_foreign_sessions
from hubwise.scenario.imported import Offered, Site, write_site
from hubwise.scenario.market import KWH_IN
from hubwise.scenario.options import ImportOptions
from hubwise.scenario.reading import Reader
from hubwise.scenario.series import read_series, rows_within
from hubwise.scenario.tables import Table
from hubwise.scenario.writing import new_folder

_OPTIONS = "options"


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
        Table of prices: ``start_utc`` and a column whose name begins with ``price``.
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
    if chosen is not None and chosen.sessions_zone is not None:
        check_zone(chosen.sessions_zone, reader, file=_OPTIONS, where="", field="sessions_zone")
    offered = _read_prices(str(prices), chosen, horizon, reader)
    table, unused = read_foreign_sessions(reader, str(sessions))
    if reader.issues or chosen is None or horizon is None or offered is None or table is None:
        raise ScenarioError(in_order(reader.issues))

    stays, tally = sessions_of_day(table, Day(day, chosen.sessions_zone, horizon, chosen.charge_kw))
    stays, twice = each_car_once(stays)
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
        *_column_notes(unused),
        *_stay_notes(stays, tally, chosen, horizon),
        *_car_notes(twice),
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
    name: str, options: ImportOptions | None, horizon: Horizon | None, reader: Reader
) -> Offered | None:
    """The prices of the horizon's day, with the unit and currency of the options or the header."""
    table, unit, currency = read_foreign_prices(reader, name)
    if table is None or options is None:
        return None
    unit, currency = options.unit or unit, options.currency or currency
    for field, told, right in (
        ("unit", unit, "give kWh or MWh"),
        ("currency", currency, "give three capitals such as EUR"),
    ):
        if told is None:
            wrong = f"is neither given nor told by a header such as price_eur_per_mwh in {name}"
            reader.wrong(_OPTIONS, "", field, wrong, right)
    purchase = None if horizon is None else read_series(table, horizon, reader)
    if horizon is None or purchase is None or unit is None or currency is None:
        return None
    rows = [
        (in_utc(table["start_utc"][k], "UTC"), table["price"][k])
        for k in rows_within(table, horizon)
    ]
    return Offered(tuple(rows), unit, currency, purchase / KWH_IN[unit])


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


def _car_notes(twice: int) -> list[str]:
    if not twice:
        return []
    words = "began while another stay of the same driver lasted: taken as that of another car"
    return [f"{twice} {words}, whose driver has a number behind the name."]


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
