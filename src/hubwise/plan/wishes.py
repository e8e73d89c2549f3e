"""What drivers wished for the stay, what the plan gives, and what they are told before it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from hubwise.domain import Schedule, Situation, Tariff
from hubwise.domain.arrays import Array, Flags, Names
from hubwise.drivers import bounds
from hubwise.ledger import Bills, in_cents
from hubwise.plan.participation import most_saving, savings

# What sums over a stay may be off by [kWh, currency].
ROUNDING = 1e-6
# The same of fade [share a year].
FADE_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Wishes:
    """One row for every wish of every session; arrays of shape (wishes,).

    Parameters
    ----------
    session, driver
        Identifiers.
    wish
        What is wished: the name of a column of sessions.parquet.
    asked
        The value there.
    given
        What the plan gives instead: the slot after the last in which anything flows; energy at
        departure, lowest energy, and energy drawn from the battery [kWh]; capacity that
        discharging costs [share a year]; energy discharged [kWh]; saving [currency].
    honoured
        Whether the wish is met.
    told
        What the driver is told before the stay; empty where the wish is met and the driver need
        not know more.
    """

    session: Names
    driver: Names
    wish: Names
    asked: Array
    given: Array
    honoured: Flags
    told: tuple[str, ...]


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
    given: Situation,
    ready: Situation,
    schedule: Schedule,
    bills: Bills,
    tariff: Tariff | None,
    fade_v2g: Array,
) -> Wishes:
    """Every wish, by session in the scenario's order.

    Parameters
    ----------
    given
        What is given, with those who are asked to take part: their wishes are kept, whatever
        planning made of wear prices and limits.
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
        *_energy_wishes(given, schedule),
        *_battery_wishes(given, schedule, bills, fade_v2g),
        _minimum_saving(given, ready, schedule, bills, tariff),
    ]
    kind, session = np.nonzero(np.array([wish.wished for wish in kinds]))
    order = np.lexsort((kind, session))
    rows = list(zip(kind[order].tolist(), session[order].tolist(), strict=True))
    fleet = given.fleet
    return Wishes(
        session=fleet.session[session[order]],
        driver=fleet.driver[session[order]],
        wish=np.array([kinds[k].name for k, _ in rows]),
        asked=np.array([kinds[k].asked[i] for k, i in rows]),
        given=np.array([kinds[k].given[i] for k, i in rows]),
        honoured=np.array([kinds[k].honoured[i] for k, i in rows], dtype=bool),
        told=tuple(kinds[k].words(i) if kinds[k].tell[i] else "" for k, i in rows),
    )


def _energy_wishes(situation: Situation, schedule: Schedule) -> Iterator[Wish]:
    """Departure, required energy and reserve."""
    fleet, horizon = situation.fleet, situation.horizon
    everybody = np.ones(len(fleet), dtype=bool)
    slot = np.arange(horizon.slots)
    flows = (schedule.charge_kw > 0.0) | (schedule.discharge_kw > 0.0)
    last = np.where(flows, slot + 1, fleet.arrival_slot[:, None]).max(axis=1).astype(float)
    stated = fleet.departure_slot.astype(float)
    yield _met("departure_slot", everybody, stated, last, last <= stated)

    stay = (slot >= fleet.arrival_slot[:, None]) & (slot < fleet.departure_slot[:, None])
    energy = schedule.energy_kwh
    lowest = np.minimum(np.where(stay, energy, np.inf).min(axis=1), fleet.arrival_kwh)
    leaves_with, reach = energy[:, -1], bounds(fleet, horizon.slot_hours).target
    enough = leaves_with >= fleet.required_kwh - ROUNDING

    def short(i: int) -> str:
        clock = horizon.clock(int(fleet.departure_slot[i]))
        return too_short(fleet.required_kwh[i], reach[i], clock)

    yield Wish("required_kwh", everybody, fleet.required_kwh, leaves_with, enough, ~enough, short)
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
    given: Situation, ready: Situation, schedule: Schedule, bills: Bills, tariff: Tariff | None
) -> Wish:
    """The saving without which a driver does not take part; who declines is told why."""
    fleet, minimum = ready.fleet, given.fleet.minimum_saving
    decides = fleet.participating & (tariff is not None)
    saved = felt_saving(ready, schedule, bills)
    declined = given.fleet.participating & ~fleet.participating & (tariff is not None)
    # Without a tariff nobody declines, and nothing below is said.
    could, most = np.zeros((2, len(fleet)))
    if tariff is not None and declined.any():
        could = savings(fleet, tariff, ready.market, ready.horizon)
        most = most_saving(given, fleet.wear_cost)

    def out(i: int) -> str:
        return declines(minimum[i], could[i], most[i], ready.market.currency)

    enough = ~decides | (saved >= minimum - ROUNDING)
    return Wish("minimum_saving", minimum > 0.0, minimum, saved, enough, declined, out)


def felt_saving(situation: Situation, schedule: Schedule, bills: Bills) -> Array:
    """Savings as drivers feel them; shape (sessions,) [currency].

    Both the plan and charging at once are counted with what energy above the required is worth.
    """
    fleet = situation.fleet
    reached = np.maximum(bounds(fleet, situation.horizon.slot_hours).target, fleet.arrival_kwh)
    more_kwh = schedule.energy_kwh[:, -1] - reached
    felt: Array = bills.saving + fleet.surplus_value * more_kwh
    return felt


def _met(name: str, wished: Flags, asked: Array, given: Array, honoured: Flags) -> Wish:
    """A wish that dispatch and prices keep; a plan that does not is told so."""

    return Wish(name, wished, asked, given, honoured, ~honoured, lambda _: NOT_KEPT)


NOT_KEPT = "This plan does not keep to your wish."


def too_short(required_kwh: float, reach_kwh: float, clock: str) -> str:
    """What a driver is told whose stay, until ``clock``, cannot bring what is required."""
    return (
        f"By {clock} your stay can bring {reach_kwh:.1f} kWh at full power, not the "
        f"{required_kwh:.1f} kWh that you require: {required_kwh - reach_kwh:.1f} kWh will be "
        "missing. Stay longer, or take a stronger charger."
    )


def arrives_low(reserve_kwh: float, arrival_kwh: float) -> str:
    """What a driver is told who arrives below the own reserve."""
    return (
        f"You arrive with {arrival_kwh:.1f} kWh, below your reserve of {reserve_kwh:.1f} kWh: you "
        "are charged to it first, at full power, and nothing is drawn before."
    )


def declines(minimum: float, could: float, most: float, currency: str) -> str:
    """What a driver is told who could save less than the minimum at the posted prices.

    ``most`` is what no lawful tariff passes; it is said where that, too, is less.
    """
    would, wants, can = in_cents((could, minimum, most), currency)
    said = (
        f"At the posted prices you would save {would} {currency}, less than the {wants} {currency} "
        "that you ask for: you do not take part, charge at once and pay the reference tariff."
    )
    no_way = f" No lawful tariff could save you more than {can} {currency}."
    return said + (no_way if most < minimum else "")


def told_in_short(
    session: Iterable[str], wish: Iterable[str], told: Iterable[str], most: int = 5
) -> list[str]:
    """What drivers have to be told, in a sentence a kind of wish; columns as in `Wishes`."""
    rows = [(name, kind) for name, kind, text in zip(session, wish, told, strict=True) if text]
    said = []
    for kind, words in _TOLD.items():
        names = [str(name) for name, of in rows if of == kind]
        more = f" and {len(names) - most} more" if len(names) > most else ""
        if names:
            count = f"{len(names)} session{'s' if len(names) > 1 else ''}"
            said.append(f"{words}: {count} ({', '.join(names[:most])}{more})")
    return said


_TOLD = {
    "departure_slot": "not ready at departure",
    "required_kwh": "leaving with less energy than required",
    "reserve_kwh": "arriving below the reserve, and charged to it first",
    "discharge_limit_kwh": "drawn from more than allowed",
    "fade_limit_per_year": "losing more capacity than accepted",
    "never_discharge": "discharged against the driver's wish",
    "minimum_saving": "not taking part, as it would save less than asked for",
}
