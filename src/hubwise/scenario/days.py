"""A site of many days, day by day: what is to be planned on one of them, given what was before.

A day's plan looks on to the end of the last stay that has begun by the day's end, so that no stay
is cut at midnight; what is done of it is its first day. A billing month is a month of the calendar
on the site's clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from itertools import groupby, pairwise
from typing import TypeVar
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from hubwise.domain import (
    Carried,
    Drivers,
    Fleet,
    Hindsight,
    Horizon,
    Hubs,
    PriceRules,
    Scenario,
    Situation,
    SoFar,
    Tariff,
)
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.domain.between import market_between, rules_between, terms_between
from hubwise.scenario.fuses import behind_fuses
from hubwise.scenario.standby import with_standby
from hubwise.scenario.taper import tapered

Value = TypeVar("Value", bound=np.generic)

# A stay that takes part goes on taking part; sums of money are so exact [currency].
ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Day:
    """One day of a site's horizon.

    Parameters
    ----------
    number
        Counted from 0.
    date
        Of its beginning, on the site's clock.
    first, last
        Its slots on the site's horizon: ``first <= t < last``.
    """

    number: int
    date: date
    first: int
    last: int

    @property
    def slots(self) -> int:
        """How many slots it has."""
        return self.last - self.first


@dataclass(frozen=True, slots=True)
class Part:
    """Slots of a day within one billing month, counted from the day's beginning.

    A day that begins at midnight has one part.
    """

    month: str
    first: int
    last: int


def days_of(horizon: Horizon) -> list[Day]:
    """The days of a horizon."""
    edges = horizon.day_edges()
    start = horizon.start_utc.astimezone(ZoneInfo(horizon.zone)).date()
    return [
        Day(k, start + timedelta(days=k), first, last)
        for k, (first, last) in enumerate(pairwise(edges))
    ]


def parts_of(horizon: Horizon, day: Day) -> list[Part]:
    """The billing months of a day, in order."""
    months = months_of(horizon.between(day.first, day.last))
    found = []
    for month, run in groupby(range(day.slots), key=months.__getitem__):
        slots = list(run)
        found.append(Part(month, slots[0], slots[-1] + 1))
    return found


def demand_charge_of(site: Scenario, month: str) -> float:
    """What a month's highest import costs [currency/kW].

    The month's charge; of a month that the horizon holds in part, its share of the month's time.
    """
    horizon = site.situation.horizon
    zone, (year, number) = ZoneInfo(horizon.zone), map(int, month.split("-"))
    begins = datetime(year, number, 1, tzinfo=zone)
    ends = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
    held = min(horizon.end_utc, ends) - max(horizon.start_utc, begins)
    whole = ends.timestamp() - begins.timestamp()
    market = site.situation.market
    by_month = market.demand_charge_by_month
    charge = by_month[number - 1] if by_month else market.demand_charge
    return charge * held.total_seconds() / whole


def demand_charges_of_day(site: Scenario, day: Day, last: int) -> tuple[tuple[int, float], ...]:
    """What a day plans with for a kW above the peak so far of each month until slot ``last``.

    First slot of the month, from the day's own on, and its charge [currency/kW], shared among this
    day and those that follow and hold some of the month: a peak once paid is free for all of them,
    so that it is worth its price where each gains its share of it.
    """
    horizon = site.situation.horizon
    left = [each for each in days_of(horizon) if each.first >= day.first]
    held = Counter(month for each in left for month in _months_at_ends(horizon, each))
    return tuple(
        (first, demand_charge_of(site, month) / held[month])
        for month, first in months_from(horizon.between(day.first, last))
    )


def _months_at_ends(horizon: Horizon, day: Day) -> set[str]:
    """The billing months that a day holds some of, by its first slot and its last."""
    zone = ZoneInfo(horizon.zone)
    return {f"{horizon.moment(k).astimezone(zone):%Y-%m}" for k in (day.first, day.last - 1)}


def scenario_of_day(site: Scenario, day: Day, carried: Carried) -> Scenario:
    """What is to be planned on one day of a site.

    Parameters
    ----------
    site
        A scenario of many days.
    day
        One of `days_of` its horizon.
    carried
        What the day before has left.

    Raises
    ------
    ValueError
        If the stays carried are not those that have begun before and go on.
    """
    whole, first = site.situation.fleet, day.first
    rows = rows_of(whole, day)
    goes_on = whole.session[rows[whole.arrival_slot[rows] < first]]
    if goes_on.tolist() != carried.session.tolist():
        raise ValueError(f"what is carried into {day.date} are not the stays that go on")
    last = max(day.last, int(whole.departure_slot[rows].max(initial=0)))
    place = np.empty(len(whole), np.int64)
    place[np.array(site.participation_order, np.int64)] = np.arange(len(place))
    fleet = _fleet(whole, rows, carried, first, len(site.situation.hubs))
    situation, said = _situation(site, fleet, carried, day, last)
    known = site.hindsight.departures(whole)[rows]
    actual = np.clip(known - first, fleet.arrival_slot, last - first)
    return replace(
        site,
        name=f"{site.name}, {day.date}",
        situation=situation,
        notes=(*site.notes, *said),
        participation_order=tuple(np.argsort(place[rows]).tolist()),
        hindsight=Hindsight(fleet.session, actual),
    )


def rows_of(fleet: Fleet, day: Day) -> Index:
    """The stays of a day, in the site's order: those that go on and those that begin."""
    begun = (fleet.arrival_slot < day.last) & (fleet.departure_slot > day.first)
    return np.flatnonzero(begun)


def _fleet(fleet: Fleet, rows: Index, carried: Carried, first: int, hubs: int) -> Fleet:
    """The stays of a day on its own slots, those that go on as they have been left."""
    own = fleet.select(rows)
    goes_on = own.arrival_slot < first
    drivers, driver = np.unique(own.driver, return_inverse=True)
    saved = carried.reference_cost - carried.net_cost

    limit = np.maximum(own.discharge_limit_kwh[goes_on] - carried.drawn_kwh, 0.0)
    minimum = own.minimum_saving[goes_on] - saved - ROUNDING
    lists = np.where(carried.kept < 0, own.hub[goes_on], hubs + carried.kept)
    at_once = _left(own.arrival_kwh, goes_on, carried.at_once_kwh)
    return replace(
        own,
        driver=driver.astype(np.int64),
        drivers=Drivers(
            **{field.name: getattr(fleet.drivers, field.name)[drivers] for field in fields(Drivers)}
        ),
        arrival_kwh=_left(own.arrival_kwh, goes_on, carried.energy_kwh),
        at_once_kwh=at_once if goes_on.any() else None,
        discharge_limit_kwh=_left(own.discharge_limit_kwh, goes_on, limit),
        minimum_saving=_left(own.minimum_saving, goes_on, minimum),
        participating=_left(own.participating, goes_on, carried.participating),
        price_list=_left(own.hub, goes_on, lists) if goes_on.any() else None,
    ).staying(np.maximum(own.begins - first, 0), own.ends - first)


def _left(values: NDArray[Value], goes_on: Flags, those: NDArray[Value]) -> NDArray[Value]:
    """The values, with ``those`` where stays go on."""
    found = values.copy()
    found[goes_on] = those
    return found


def _situation(
    site: Scenario, fleet: Fleet, carried: Carried, day: Day, last: int
) -> tuple[Situation, tuple[str, ...]]:
    """The day's situation, and what is said of its connections."""
    whole, first = site.situation, day.first
    horizon = whole.horizon.between(first, last)
    hubs = _hubs(whole.hubs, carried, horizon, first)
    fleet, said = behind_fuses(tapered(fleet, horizon), hubs, horizon)
    market = market_between(whole.market, first, last)
    charges = demand_charges_of_day(site, day, last)
    found = replace(
        whole,
        horizon=horizon,
        feeder=whole.feeder.in_slots(np.arange(first, last)),
        hubs=hubs,
        fleet=fleet,
        market=replace(market, demand_charge=charges[0][1], later_periods=charges[1:]),
        rules=rules_between(whole.rules, first, last),
        terms=terms_between(whole.terms, first, last),
        so_far=_so_far(carried),
        accepted=_accepted(carried, market.reference_price),
    )
    return with_standby(found), said


def _hubs(hubs: Hubs, carried: Carried, horizon: Horizon, first: int) -> Hubs:
    """Station batteries begin where they were left and end where the site's begin.

    As far as power leads there.
    """
    hours = horizon.slots * horizon.slot_hours
    reached = carried.battery_kwh + hours * hubs.battery_charge_efficiency * hubs.battery_kw
    return replace(
        hubs,
        battery_initial_kwh=carried.battery_kwh,
        battery_final_kwh=np.minimum(hubs.battery_initial_kwh, reached),
        solar_kw=hubs.solar_kw[:, first : first + horizon.slots],
    )


def _so_far(carried: Carried) -> SoFar:
    """What stays that go on have cost, and the month's peak."""
    takes_part = carried.participating
    return SoFar(
        paid=float(carried.net_cost[takes_part].sum()),
        reference_cost=float(carried.reference_cost[takes_part].sum()),
        import_peak_kw=carried.import_peak_kw,
    )


def _accepted(carried: Carried, reference: Array) -> Tariff | None:
    """The lists kept, on the day's slots; where nobody is left on one, the reference tariff."""
    lists = carried.lists
    if not len(lists.charge_price):
        return None
    shape = (len(lists.charge_price), len(reference))
    charge, discharge = np.broadcast_to(reference, shape).copy(), np.zeros(shape)
    known = min(lists.charge_price.shape[1], len(reference))
    charge[:, :known] = lists.charge_price[:, :known]
    discharge[:, :known] = lists.discharge_price[:, :known]
    return Tariff(charge, discharge)


def months_of(horizon: Horizon) -> list[str]:
    """The billing month of every slot, such as ``2024-05``; length ``slots``."""
    return [f"{moment:%Y-%m}" for moment in horizon.local_starts()]


def months_from(horizon: Horizon) -> list[tuple[str, int]]:
    """The billing months of a horizon, in order, and the first slot of each."""
    months = months_of(horizon)
    return [(month, months.index(month)) for month in dict.fromkeys(months)]


def windows(
    horizon: Horizon, fleet: Fleet, rules: PriceRules
) -> Iterator[tuple[Day, Horizon, Fleet, PriceRules]]:
    """The days of a horizon one after the other, with the stays that touch each, clipped."""
    for day in days_of(horizon):
        here = (fleet.arrival_slot < day.last) & (fleet.departure_slot > day.first)
        own = fleet.select(here)
        begins, ends = own.begins - day.first, own.ends - day.first
        clipped = own.staying(np.maximum(begins, 0), np.minimum(ends, day.slots))
        rest = horizon.between(day.first, day.last)
        yield day, rest, clipped, rules_between(rules, day.first, day.last)
