"""A hub's decision in a process of its own: what each car and the battery do in the slots ahead.

Called in another process: a busy thread beside the sockets would make every answer wait. What it
needs is imported there alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hubwise.domain.why import Reason
from hubwise.live.outlook import EFFICIENCY, SLOT, SLOTS, Outlook, Stay, Storage

if TYPE_CHECKING:
    from hubwise.domain import Fleet, Situation, Tariff
    from hubwise.plan.decide import SetPoints, Warm
# Where less of the slot is left, the next one is decided about.
LATE = 0.9
# What was decided so many slots before tells nothing any more.
STILL_KNOWN = 8

Powers = dict[str, tuple[float, ...]]
"""By session: mean power while it is there, in each slot ahead; below 0, given back [kW]."""


# Behind a hub without a battery.
NO_BATTERY = Storage(0.0, 0.0, 0.0, 1.0, 0.0)


@dataclass(frozen=True, slots=True)
class Decided:
    """What is done in the slots ahead.

    Parameters
    ----------
    cars
        By session.
    battery
        Power into the station battery, by slot; below 0, out of it [kW].
    battery_kwh
        What is in it at the end of each slot [kWh].
    why
        By session: reasons for what it does, in a row.
    """

    cars: Powers
    battery: tuple[float, ...] = ()
    battery_kwh: tuple[float, ...] = ()
    why: Mapping[str, tuple[Reason, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Left:
    """What a decision about a hub leaves to the next.

    Parameters
    ----------
    starts_at
        When its first slot began.
    warm
        See there.
    rounds
        Of dispatch that it took.
    """

    starts_at: datetime
    warm: Warm
    rounds: int

    def at(self, starts_at: datetime) -> Warm | None:
        """The same on the slots from then on; none where little of it is left."""
        slots = round((starts_at - self.starts_at) / SLOT)
        return self.warm.roughly(slots, SLOTS) if 0 <= slots <= STILL_KNOWN else None


def decided(outlook: Outlook) -> Decided:
    """What every car that is here and the battery do, by `hubwise.plan.decide.decide`."""
    return decided_onward(outlook, None)[0]


def decided_onward(outlook: Outlook, left: Left | None) -> tuple[Decided, Left]:
    """The same from what the decision before left, and what this one leaves."""
    import numpy as np

    from hubwise.domain import Tariff
    from hubwise.plan.decide import decide
    from hubwise.plan.futures import Futures

    situation = situation_of(outlook)
    posted = Tariff(np.array(outlook.charge[:1]), np.array(outlook.discharge[:1]))
    here = np.array([each.session for each in outlook.here], dtype=str)
    warm = None if left is None else left.at(outlook.starts_at)
    found = decide(Futures((situation,), np.ones(1)), here, posted, warm)
    return _told(outlook, situation, posted, found), Left(
        outlook.starts_at, found.warm, found.rounds
    )


def _told(outlook: Outlook, situation: Situation, posted: Tariff, found: SetPoints) -> Decided:
    """Set-points by session and of the battery, for as long as each is there, and why."""
    import numpy as np

    from hubwise.drivers import reasons_of

    net = found.schedule.charge_kw - found.schedule.discharge_kw
    rows = np.flatnonzero(np.isin(situation.fleet.session, found.session))
    there = situation.fleet.presence(SLOTS)[rows]
    while_there = np.divide(net, there, np.zeros_like(net), where=there > 0.0)
    cars = dict(zip(found.session.tolist(), map(tuple, while_there.tolist()), strict=True))
    reasons = reasons_of(
        situation.fleet.select(rows), situation.with_accepted(posted), situation.horizon,
        found.schedule, limited=True,
    )  # fmt: skip
    why = dict(zip(found.session.tolist(), reasons, strict=True))
    if outlook.storage is None:
        return Decided(cars, why=why)
    into = found.stations.charge_kw[0] - found.stations.discharge_kw[0]
    return Decided(cars, tuple(into.tolist()), tuple(found.stations.energy_kwh[0].tolist()), why)


def situation_of(outlook: Outlook) -> Situation:
    """The outlook as a situation of one hub behind a wide wire, everybody taking part.

    What is left in the battery at the end counts what it would cost to put it in.
    """
    import numpy as np

    from hubwise.domain import (
        Horizon,
        Hubs,
        Market,
        PriceRules,
        Promises,
        Situation,
        SoFar,
        Tariff,
    )
    from hubwise.scenario.stiff import stiff_feeder

    minutes = round(SLOT.total_seconds() / 60)
    horizon = Horizon(outlook.starts_at.astimezone(UTC), SLOTS, minutes)
    nothing, free = np.zeros(1), np.full(SLOTS, np.inf)
    limit = np.array([outlook.connection_kw])
    purchase = np.array(outlook.purchase)
    feed_in = np.minimum(np.array(outlook.feed_in), purchase)
    kept = outlook.charge[1:], outlook.discharge[1:]
    storage = outlook.storage or NO_BATTERY
    return Situation(
        horizon=horizon,
        feeder=stiff_feeder(limit, horizon),
        hubs=Hubs(
            name=("hub",),
            bus=np.array([2]),
            import_limit_kw=limit,
            export_limit_kw=limit,
            battery_kw=np.array([storage.power_kw]),
            battery_kwh=np.array([storage.capacity_kwh]),
            battery_charge_efficiency=np.array([storage.efficiency]),
            battery_discharge_efficiency=np.array([storage.efficiency]),
            battery_initial_kwh=np.array([storage.energy_kwh]),
            battery_final_kwh=nothing,
            battery_end_value=np.array([purchase.min() / storage.efficiency]),
            battery_wear_cost=np.array([storage.wear]),
            lease_cost=nothing,
            running_cost=nothing,
            solar_kw=np.zeros((1, SLOTS)),
            allowed_kw=np.array([outlook.allowed_kw]) if outlook.allowed_kw else None,
        ),
        fleet=_fleet(outlook),
        market=Market(
            purchase,
            feed_in,
            np.array(outlook.charge[0]),
            demand_charge=outlook.demand_charge,
            later_periods=outlook.later_periods,
            currency=outlook.currency,
        ),
        rules=PriceRules(-free, free, -free, free, np.zeros(SLOTS, np.int64), ("all",)),
        promises=Promises(),
        so_far=SoFar(import_peak_kw=np.array([outlook.peak_kw])),
        accepted=Tariff(*(np.array(part) for part in kept)) if kept[0] else None,
    )


def _fleet(outlook: Outlook) -> Fleet:
    """Stays as sessions whose batteries are counted from the least that they may hold."""
    import numpy as np

    from hubwise.domain import Fleet

    stays, size = outlook.stays, len(outlook.stays)
    least = np.array([min(each.wanted.least_kwh, each.stored_kwh) for each in stays])
    most = np.array([max(each.wanted.most_kwh, each.stored_kwh) for each in stays])
    slots = [(each.wanted.departs_at - outlook.starts_at) / SLOT for each in stays]
    begins = np.array([_begins(outlook, each) for each in stays])
    flat, never = np.zeros(size), np.full(size, np.inf)
    fleet = Fleet.of(
        session=np.array([each.session for each in stays], dtype=str),
        driver=np.array([each.session for each in stays], dtype=str),
        hub=np.zeros(size, np.int64),
        arrival_slot=np.zeros(size, np.int64),
        departure_slot=np.ones(size, np.int64),
        capacity_kwh=np.maximum(most - least, 1e-3),
        arrival_kwh=np.array([each.stored_kwh for each in stays]) - least,
        required_kwh=np.array([each.wanted.required_kwh for each in stays]) - least,
        reserve_kwh=flat,
        max_kwh=np.maximum(most - least, 1e-3),
        charge_kw_max=np.array([each.charge_kw for each in stays]),
        discharge_kw_max=np.array([each.discharge_kw for each in stays]),
        charge_efficiency=np.full(size, EFFICIENCY),
        discharge_efficiency=np.full(size, EFFICIENCY),
        wear_cost=np.full(size, outlook.wear),
        discharge_limit_kwh=never,
        surplus_value=flat,
        temperature_c=np.full(size, 20.0),
        driving_kwh_per_day=flat,
        minimum_saving=flat,
        never_discharge=np.zeros(size, np.bool_),
        participating=np.ones(size, np.bool_),
        chemistry=np.full(size, "NMC"),
        age_years=flat,
        throughput_kwh=flat,
        warranty_kwh=never,
        fade_limit_per_year=never,
        price_list=np.array([each.prices for each in stays], np.int64),
    )
    return fleet.staying(begins, np.clip(slots, begins + 1e-3, float(SLOTS)))


def _begins(outlook: Outlook, stay: Stay) -> float:
    """When it can charge, in slots."""
    if stay.arrives_at is None:
        return outlook.elapsed
    return (stay.arrives_at - outlook.starts_at) / SLOT
