"""Every wish of every session beside what the plan gives, and whoever must be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from hubwise.domain import Schedule, Situation, Tariff
from hubwise.domain.arrays import Array, Flags
from hubwise.drivers import least_at_departure, uncoordinated
from hubwise.ledger import Bills
from hubwise.plan.participation import most_saving, savings
from hubwise.record.notices import NOT_KEPT, arrives_low, declines, missing_energy
from hubwise.record.wishes import Wishes

# What sums over a stay may be off by [kWh, currency].
ROUNDING = 1e-6
# The same of fade [share a year].
FADE_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Wish:
    """One kind of wish, of all sessions; arrays of shape (sessions,); see `Wishes`.

    ``wished`` says who has this wish, ``tell`` who is told, and ``words`` what a session is told.
    """

    name: str
    wished: Flags
    asked: Array
    given: Array
    honoured: Flags
    tell: Flags
    words: Callable[[int], str]


def make_wishes(
    asked: Situation,
    ready: Situation,
    schedule: Schedule,
    bills: Bills,
    tariff: Tariff | None,
    fade_v2g: Array,
) -> Wishes:
    """Every wish, by session in the scenario's order.

    Parameters
    ----------
    asked
        With those who are asked to take part: their wishes are kept, whatever planning made of
        wear prices and limits.
    ready
        The same as it was planned, with those who take part.
    schedule, bills
        Of every session.
    tariff
        What is posted; without it nobody has to decide on taking part.
    fade_v2g
        Capacity that discharging costs, if all days were like this; shape (sessions,) [share a
        year].
    """
    kinds = [
        *_energy_wishes(asked, schedule),
        *_battery_wishes(asked, schedule, bills, fade_v2g),
        _minimum_saving(asked, ready, schedule, bills, tariff),
    ]
    kind, session = np.nonzero(np.array([wish.wished for wish in kinds]))
    order = np.lexsort((kind, session))
    rows = list(zip(kind[order].tolist(), session[order].tolist(), strict=True))
    fleet = asked.fleet
    return Wishes(
        session=fleet.session[session[order]],
        driver=fleet.driver_name[session[order]],
        wish=np.array([kinds[k].name for k, _ in rows]),
        asked=np.array([kinds[k].asked[i] for k, i in rows]),
        given=np.array([kinds[k].given[i] for k, i in rows]),
        honoured=np.array([kinds[k].honoured[i] for k, i in rows], dtype=bool),
        notice=tuple(kinds[k].words(i) if kinds[k].tell[i] else "" for k, i in rows),
    )


def _energy_wishes(situation: Situation, schedule: Schedule) -> Iterator[Wish]:
    """Departure, required energy and reserve."""
    fleet, horizon = situation.fleet, situation.horizon
    everybody = np.ones(len(fleet), dtype=bool)
    slot = np.arange(horizon.slots)
    flows = (schedule.charge_kw > 0.0) | (schedule.discharge_kw > 0.0)
    last = np.where(flows, slot + 1, fleet.begins[:, None]).max(axis=1).astype(float)
    stated = fleet.ends.astype(float)
    last = np.where(last == fleet.departure_slot, stated, last)
    yield _met("departure_slot", everybody, stated, last, last <= stated)

    stay = (slot >= fleet.arrival_slot[:, None]) & (slot < fleet.departure_slot[:, None])
    energy = schedule.energy_kwh
    lowest = np.minimum(np.where(stay, energy, np.inf).min(axis=1), fleet.arrival_kwh)
    leaves_with, reach = energy[:, -1], least_at_departure(fleet, horizon)
    asked, promised = fleet.wished_kwh, fleet.required_kwh
    enough, tapers = leaves_with >= asked - ROUNDING, fleet.tapers

    def short(i: int) -> str:
        clock = horizon.clock(fleet.ends[i])
        return missing_energy(asked[i], promised[i], reach[i], clock, tapers=bool(tapers[i]))

    yield Wish("required_kwh", everybody, asked, leaves_with, enough, ~enough, short)
    kept = lowest >= fleet.reserve_kwh - ROUNDING

    def low(i: int) -> str:
        return arrives_low(fleet.reserve_kwh[i], fleet.arrival_kwh[i])

    has_reserve = fleet.reserve_kwh > 0.0
    yield Wish("reserve_kwh", has_reserve, fleet.reserve_kwh, lowest, kept, ~kept, low)


def _battery_wishes(
    situation: Situation, schedule: Schedule, bills: Bills, fade_v2g: Array
) -> Iterator[Wish]:
    """Limits on what is drawn from the battery, and on what that does to it."""
    fleet, hours = situation.fleet, situation.horizon.slot_hours
    drawn = hours * schedule.discharge_kw.sum(axis=1) / fleet.discharge_efficiency
    most = fleet.discharge_limit_kwh
    yield _met("discharge_limit_kwh", np.isfinite(most), most, drawn, drawn <= most + ROUNDING)
    most = fleet.fade_limit_per_year
    kept = fade_v2g <= most + FADE_ROUNDING
    yield _met("fade_limit_per_year", np.isfinite(most), most, fade_v2g, kept)
    given = bills.discharged_kwh
    never = fleet.never_discharge
    yield _met("never_discharge", never, never.astype(float), given, given <= ROUNDING)


def _minimum_saving(
    asked: Situation, ready: Situation, schedule: Schedule, bills: Bills, tariff: Tariff | None
) -> Wish:
    """The saving without which a driver does not take part; who declines is told why."""
    fleet, minimum = ready.fleet, asked.fleet.minimum_saving
    decides = fleet.participating & (tariff is not None)
    saved = felt_saving(ready, schedule, bills)
    declined = asked.fleet.participating & ~fleet.participating & (tariff is not None)
    # Without a tariff nobody declines, and nothing below is said.
    could, most = np.zeros((2, len(fleet)))
    if tariff is not None and declined.any():
        could = savings(fleet, tariff, ready.market, ready.horizon, ready.terms)
        most = most_saving(asked, fleet.wear_cost)

    def out(i: int) -> str:
        return declines(minimum[i], could[i], most[i], ready.market.currency)

    enough = ~decides | (saved >= minimum - ROUNDING)
    return Wish("minimum_saving", minimum > 0.0, minimum, saved, enough, declined, out)


def felt_saving(situation: Situation, schedule: Schedule, bills: Bills) -> Array:
    """Savings as drivers feel them; shape (sessions,) [currency].

    Both the plan and charging at once are counted with what energy above the required is worth.
    """
    fleet = situation.fleet
    at_once = uncoordinated(fleet, situation.horizon)
    more_kwh = schedule.energy_kwh[:, -1] - at_once.energy_kwh[:, -1]
    felt: Array = bills.saving + fleet.surplus_value * more_kwh
    return felt


def _met(name: str, wished: Flags, asked: Array, given: Array, honoured: Flags) -> Wish:
    """A wish that dispatch and prices keep; a plan that does not is told so."""

    return Wish(name, wished, asked, given, honoured, ~honoured, lambda _: NOT_KEPT)
