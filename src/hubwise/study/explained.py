"""Why cars do what a plan folder has them do: from its tables alone, as far as they bear it out.

The sessions' problems are put together again from the tables. Not all of a problem stands there
(curves near full, an outage, a price list that was accepted before): a stay whose schedule is not
its cheapest by what does, or whose bill is not at the prices that do, is not explained.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import numpy as np
import polars as pl

from hubwise.domain import Fleet, Horizon, Schedule, Tariff
from hubwise.domain.arrays import Array, Flags
from hubwise.domain.why import Clock, Reason, Spoken
from hubwise.drivers import reasons_of, thresholds_of
from hubwise.record import PlanFolder, Statement
from hubwise.record.statement import StayStatement, clock_of

# Amounts of a bill that are further apart are at other prices [currency].
SAME = 1e-6
_COLUMNS = """
capacity_kwh arrival_kwh required_kwh reserve_kwh max_kwh charge_kw_max discharge_kw_max
charge_efficiency discharge_efficiency wear_cost discharge_limit_kwh surplus_value temperature_c
age_years throughput_kwh warranty_kwh driving_kwh_per_day fade_limit_per_year minimum_saving
never_discharge participating delegating chemistry arrival_slot departure_slot
"""


def with_reasons(folder: PlanFolder, made: Sequence[Statement]) -> list[Statement]:
    """Statements that say, too, why cars do what they do.

    Parameters
    ----------
    folder
        The plan folder.
    made
        Statements of it.
    """
    mine = {stay.session for one in made for stay in one.stays}
    found, clock = _reasons(folder, mine), clock_of(folder)

    def told(stay: StayStatement, currency: str) -> tuple[Spoken, ...]:
        if not stay.participating:
            return (_apart(stay, clock, currency),)
        spoken = [Spoken.of(each, clock, currency) for each in found.get(stay.session, ())]
        if spoken:
            spoken[0] = replace(spoken[0], begins=stay.arrival)
        return tuple(spoken)

    return [
        replace(one, stays=tuple(replace(stay, why=told(stay, one.currency)) for stay in one.stays))
        for one in made
    ]


def _apart(stay: StayStatement, clock: Clock, currency: str) -> Spoken:
    """What is told who does not take part."""
    spoken = Spoken.of(Reason(0, 0.0, "not_taking_part"), clock, currency)
    return replace(spoken, begins=stay.arrival, until=stay.departure)


def _reasons(folder: PlanFolder, sessions: set[str]) -> dict[str, tuple[Reason, ...]]:
    """Reasons of those of sessions that take part and whose stays the folder explains."""
    rows = folder.tables["sessions"].filter(
        pl.col("session").is_in(sorted(sessions)) & pl.col("participating")
    )
    if not rows.height:
        return {}
    horizon, tariff = _horizon(folder), _tariff(folder)
    fleet = _fleet(folder, rows, horizon)
    schedule = _schedule(folder, fleet, horizon.slots)
    found = thresholds_of(fleet, tariff, horizon, schedule)
    first = found.lowest[np.arange(len(fleet)), fleet.arrival_slot]
    keep = ~np.isnan(first) & _at_posted_prices(folder, fleet, tariff, schedule, horizon)
    kept = fleet.select(keep)
    made = reasons_of(kept, tariff, horizon, schedule.select(np.flatnonzero(keep)))
    return dict(zip(kept.session.tolist(), made, strict=True))


def _horizon(folder: PlanFolder) -> Horizon:
    starts = folder.tables["prices"]["start_utc"].unique().sort()
    step = (starts[1] - starts[0]) if len(starts) > 1 else timedelta(hours=1)
    return Horizon(starts[0], len(starts), round(step / timedelta(minutes=1)))


def _tariff(folder: PlanFolder) -> Tariff:
    slots = folder.tables["prices"]["slot"].n_unique()
    charge, discharge = (
        folder.tables["prices"][name].to_numpy().reshape(-1, slots)
        for name in ("charge_price", "discharge_price")
    )
    return Tariff(charge, discharge)


def _fleet(folder: PlanFolder, rows: pl.DataFrame, horizon: Horizon) -> Fleet:
    hubs = folder.tables["prices"]["hub"].unique(maintain_order=True).to_list()
    texts = {name: np.array(rows[name].to_list(), dtype=str) for name in ("session", "driver")}
    columns = {name: rows[name].to_numpy() for name in _COLUMNS.split() if name != "chemistry"}
    fleet = Fleet.of(
        hub=np.array([hubs.index(name) for name in rows["hub"]], np.int64),
        chemistry=np.array(rows["chemistry"].to_list(), dtype=str),
        **texts,
        **columns,
    )
    return fleet.staying(
        *(_slots(rows[name], horizon) for name in ("arrival_utc", "departure_utc"))
    )


def _slots(moments: pl.Series, horizon: Horizon) -> Array:
    """Moments counted in slots of the horizon, to the millionth of one."""
    begin, step = horizon.start_utc, timedelta(minutes=horizon.slot_minutes)
    return np.array([round((moment - begin) / step, 6) for moment in moments], dtype=float)


def _schedule(folder: PlanFolder, fleet: Fleet, slots: int) -> Schedule:
    names = pl.DataFrame({"session": fleet.session.tolist(), "row": np.arange(len(fleet))})
    rows = folder.tables["schedule"].join(names, on="session", maintain_order="left")
    made = np.zeros((3, len(fleet), slots))
    at = rows["row"].to_numpy(), rows["slot"].to_numpy()
    for part, name in zip(made, ("charge_kw", "discharge_kw", "energy_kwh"), strict=True):
        part[at] = rows[name].to_numpy()
    slot, last = np.arange(slots), fleet.departure_slot - 1
    before, after = slot < fleet.arrival_slot[:, None], slot > last[:, None]
    ends = made[2][np.arange(len(fleet)), last][:, None]
    made[2] = np.where(before, fleet.arrival_kwh[:, None], np.where(after, ends, made[2]))
    return Schedule(*made)


def _at_posted_prices(
    folder: PlanFolder, fleet: Fleet, tariff: Tariff, schedule: Schedule, horizon: Horizon
) -> Flags:
    """Whose bills are at the prices that the folder has; shape (sessions,)."""
    names = pl.DataFrame({"session": fleet.session.tolist()})
    bills = names.join(folder.tables["bills"], on="session", how="left", maintain_order="left")
    same = np.ones(len(fleet), np.bool_)
    for name, prices, kw in (
        ("paid", tariff.charge_price, schedule.charge_kw),
        ("earned", tariff.discharge_price, schedule.discharge_kw),
    ):
        amount = horizon.slot_hours * (prices[fleet.lists] * kw).sum(axis=1)
        same &= np.abs(amount - bills[name].to_numpy()) <= SAME
    return same
