"""A table of sessions: checked against hubs and horizon, and made a fleet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from hubwise.domain import Fleet, Hindsight, Horizon
from hubwise.domain.arrays import Array, Index
from hubwise.scenario.chargers import check_steps
from hubwise.scenario.clock import exists, in_utc
from hubwise.scenario.drivers import check_drivers_known, read_drivers, with_wishes
from hubwise.scenario.reading import Reader
from hubwise.scenario.rows import SessionRow
from hubwise.scenario.sections import Sections
from hubwise.scenario.tables import Table, check_cells, check_known, check_unique, read_cells
from hubwise.scenario.taper import check_tapers

_CAR = ("driver", "capacity_kwh", "chemistry")
# Energies, and those that they may not be above.
_AT_MOST = {
    "max_kwh": ("capacity_kwh",),
    "arrival_kwh": ("capacity_kwh",),
    "required_kwh": ("capacity_kwh", "max_kwh"),
    "reserve_kwh": ("max_kwh",),
}


def read_sessions(sections: Sections, horizon: Horizon | None, reader: Reader) -> Table | None:
    """The table of sessions, drivers' wishes filled in, with what is wrong with it noted."""
    drivers = read_drivers(sections, reader)
    name = sections.said("sessions", "file", str)
    raw = None if name is None else read_cells(reader, name)
    if raw is not None and drivers is not None:
        raw = with_wishes(raw, drivers, horizon)
    table = None if raw is None else check_cells(reader, raw, SessionRow)
    if table is not None:
        check_sessions(table, sections.known_hubs(), horizon, reader)
        check_steps(table, "charge_kw_max", reader)
    tables = [each for each in (drivers, table) if each is not None]
    drawn = None if sections.fleet is None else sections.fleet.taper
    check_tapers(sections.raw, tables, drawn, reader)
    if table is not None and drivers is not None:
        check_drivers_known(table, drivers, reader)
    return table


def check_sessions(
    table: Table, hubs: Sequence[str], horizon: Horizon | None, reader: Reader
) -> None:
    """Sessions have ids of their own, known hubs, energies in order and stays on the horizon."""
    check_unique(table, "session", reader)
    if hubs:
        check_known(table, "hub", hubs, reader)
    for k in _suspects(table, horizon):
        _check_energies(table, k, reader)
        _check_stay(table, k, horizon, reader)
    _check_one_place(table, horizon.zone if horizon else "UTC", reader)


def build_hindsight(table: Table, fleet: Fleet, horizon: Horizon) -> Hindsight:
    """When the sessions of a checked table really ended.

    Of a slot in which somebody leaves early nothing counts; who stays to the stated end has it all.
    """
    actual = [a or d for a, d in zip(table["actual_departure"], table["departure"], strict=True)]
    ends = _positions(actual, horizon)
    slots = np.floor(ends).clip(fleet.arrival_slot, horizon.slots).astype(np.int64)
    stated = _positions(table["departure"], horizon)
    slots = np.where(ends >= stated, np.maximum(slots, fleet.departure_slot), slots)
    return Hindsight(fleet.session, slots)


def build_fleet(table: Table, hubs: Sequence[str], horizon: Horizon) -> Fleet:
    """The fleet of a checked table, to the minute."""

    def column(name: str) -> Array:
        return np.array(table[name], dtype=float)

    begins, ends = (_positions(table[end], horizon) for end in ("arrival", "departure"))
    never_discharge = np.array(table["never_discharge"], dtype=bool)
    return Fleet.of(
        session=np.array(table["session"]),
        driver=np.array(table["driver"]),
        hub=np.array([hubs.index(name) for name in table["hub"]], dtype=np.int64),
        arrival_slot=np.zeros(len(table), np.int64),
        departure_slot=np.zeros(len(table), np.int64),
        capacity_kwh=column("capacity_kwh"),
        arrival_kwh=column("arrival_kwh"),
        required_kwh=column("required_kwh"),
        reserve_kwh=column("reserve_kwh"),
        max_kwh=column("max_kwh"),
        charge_kw_max=column("charge_kw_max"),
        discharge_kw_max=np.where(never_discharge, 0.0, column("discharge_kw_max")),
        charge_efficiency=column("charge_efficiency"),
        discharge_efficiency=column("discharge_efficiency"),
        wear_cost=column("wear_cost"),
        discharge_limit_kwh=column("discharge_limit_kwh"),
        surplus_value=column("surplus_value"),
        chemistry=np.array(table["chemistry"]),
        temperature_c=column("temperature_c"),
        age_years=column("age_years"),
        throughput_kwh=column("throughput_kwh"),
        warranty_kwh=column("warranty_kwh"),
        driving_kwh_per_day=_driving(table),
        fade_limit_per_year=column("fade_limit_per_year"),
        minimum_saving=column("minimum_saving"),
        never_discharge=never_discharge,
        participating=np.zeros(len(table), dtype=bool),
        said_delegating=_said(table["delegating"]),
    ).staying(begins, ends)


def _said(told: Sequence[bool | None]) -> Index | None:
    """What sessions say of delegating: 1 for yes, 0 for no, -1 for nothing; None where all do."""
    if all(each is None for each in told):
        return None
    return np.array([-1 if each is None else int(each) for each in told], np.int64)


def _driving(table: Table) -> Array:
    """A day's driving; where it is not told, what the stay has to bring [kWh]."""
    names = ("driving_kwh_per_day", "required_kwh", "arrival_kwh")
    asked = zip(*(table[name] for name in names), strict=True)
    return np.array(
        [
            max(required - arrival, 0.0) if told is None else told
            for told, required, arrival in asked
        ]
    )


def _suspects(table: Table, horizon: Horizon | None) -> list[int]:
    """Rows of which something may be wrong; the others need no closer look."""
    if horizon is None:
        return list(range(len(table)))
    wrong = np.zeros(len(table), bool)
    for field, limits in _AT_MOST.items():
        kwh = np.array(table[field], float)  # what is missing is above nothing
        for limit in limits:
            wrong |= kwh > np.array(table[limit], float) + 1e-9
    names = ("arrival", "departure", "actual_departure")
    arrival, departure, actual = (_positions(table[name], horizon) for name in names)
    wrong |= ~(arrival >= 0.0) | ~(departure <= horizon.slots) | (actual <= arrival)
    wrong |= ~(departure > arrival)
    wrong |= np.array([moment is not None for moment in table[names[2]]]) & np.isnan(actual)
    return [int(k) for k in np.flatnonzero(wrong)]


def _positions(moments: Sequence[datetime | None], horizon: Horizon) -> Array:
    """Positions on the horizon; nan where there is none, or the clock leaps over it."""
    known: dict[datetime | None, float] = {None: np.nan}
    for moment in set(moments) - {None}:
        assert moment is not None
        told = exists(moment, horizon.zone)
        known[moment] = horizon.slot_of(in_utc(moment, horizon.zone)) if told else np.nan
    return np.array([known[moment] for moment in moments])


def _check_energies(table: Table, k: int, reader: Reader) -> None:
    for field, limits in _AT_MOST.items():
        kwh = table[field][k]
        for limit in limits:
            most = table[limit][k]
            if kwh is not None and most is not None and kwh > most + 1e-9:
                right = f"give at most {limit} {most:g}"
                reader.wrong(
                    table.file, table.where(k, field), field, f"{kwh:g} is above {limit}", right
                )
                break


def _check_stay(table: Table, k: int, horizon: Horizon | None, reader: Reader) -> None:
    arrival, departure = table["arrival"][k], table["departure"][k]
    zone = horizon.zone if horizon else "UTC"
    for field in ("arrival", "departure", "actual_departure"):
        moment = table[field][k]
        if moment is not None and not exists(moment, zone):
            wrong = f"{moment} is not on the clock of {zone}, which leaps over it"
            where, right = table.where(k, field), "give it with its UTC offset"
            reader.wrong(table.file, where, field, wrong, right)
    if arrival is None or departure is None:
        return
    late = [f for f in ("departure", "actual_departure") if _before(table[f][k], arrival, zone)]
    for field in late:
        wrong = f"{table[field][k]} is not after arrival {arrival}"
        where, right = table.where(k, field), "a session departs after it arrives"
        reader.wrong(table.file, where, field, wrong, right)
    if horizon is not None and "departure" not in late:
        _check_on_horizon(table, k, horizon, reader)


def _check_on_horizon(table: Table, k: int, horizon: Horizon, reader: Reader) -> None:
    arrival, departure = _slots([table["arrival"][k], table["departure"][k]], horizon)
    zone = ZoneInfo(horizon.zone)
    first, last = horizon.start_utc.astimezone(zone), horizon.end_utc.astimezone(zone)
    outside = {"arrival": arrival < 0, "departure": departure > horizon.slots}
    for field in [field for field, out in outside.items() if out]:
        wrong = f"{table[field][k]} is outside the horizon"
        right = f"the horizon is {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}, {horizon.zone}"
        if arrival >= 0:
            right += f"; days = {_days_to(departure, horizon)} in [horizon] takes it in"
        reader.wrong(table.file, table.where(k, field), field, wrong, right)


def _check_one_place(table: Table, zone: str, reader: Reader) -> None:
    """No car is at two places at once; cars are told apart by driver, capacity and chemistry."""
    cars: dict[tuple[object, ...], list[int]] = {}
    for k, car in enumerate(zip(*(table[key] for key in _CAR), strict=True)):
        cars.setdefault(car, []).append(k)
    for car, rows in cars.items():
        if len(rows) > 1 and None not in car:
            _check_car(table, rows, zone, reader)


def _check_car(table: Table, rows: Sequence[int], zone: str, reader: Reader) -> None:
    stays = [(table["arrival"][k], table["departure"][k], k) for k in rows]
    known = sorted(
        (in_utc(arrival, zone), in_utc(departure, zone), k)
        for arrival, departure, k in stays
        if arrival is not None and departure is not None
    )
    last: tuple[datetime, int] | None = None
    for arrival, departure, k in known:
        if last is not None and arrival < last[0]:
            one, other = sorted((last[1], k))
            wrong = (
                f"the car of {table['driver'][k]!r} is at {table['hub'][one]!r} in "
                f"{table.where(one)} at the same time"
            )
            right = (
                "a car is at one place at a time: correct the times, or name another driver; "
                "two cars of one driver differ in capacity_kwh or chemistry"
            )
            reader.wrong(table.file, table.where(other), "driver", wrong, right)
        if departure > arrival and (last is None or departure > last[0]):
            last = departure, k


def _days_to(departure: float, horizon: Horizon) -> int:
    """How many days from the horizon's beginning hold a departure, given in slots."""
    leaves = horizon.start_utc + timedelta(minutes=departure * horizon.slot_minutes)
    zone = ZoneInfo(horizon.zone)
    begins, ends = horizon.start_utc.astimezone(zone), leaves.astimezone(zone)
    return (ends.date() - begins.date()).days + (ends.time() > begins.time())


def _before(moment: datetime | None, arrival: datetime, zone: str) -> bool:
    return moment is not None and in_utc(moment, zone) <= in_utc(arrival, zone)


def _slots(moments: Sequence[datetime], horizon: Horizon) -> Array:
    """Positions on the horizon; a moment without an offset is on the local clock."""
    return np.array([horizon.slot_of(in_utc(moment, horizon.zone)) for moment in moments])
