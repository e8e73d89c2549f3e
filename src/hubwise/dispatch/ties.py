"""What else drivers might do at the same cost: ties broken without, or against, the operator."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hubwise.dispatch.problem import Problem
from hubwise.dispatch.units import TIE
from hubwise.domain import Fleet, Schedule, Tariff
from hubwise.domain.arrays import Array, Flags
from hubwise.drivers import best_response, felt_tariff

# Weight of what a device draws at random: so small that it moves nobody by a billionth.
LOT = 1e-11


# Prices that differ by less are one, where it is asked what time there is at one price.
DECIMALS = 9


@dataclass(frozen=True, slots=True)
class Held:
    """Participants whose schedules are not the platform's to choose.

    Parameters
    ----------
    rows
        Who; shape (participants,).
    schedule
        Of all participants; only those of ``rows`` are held to it.
    """

    rows: Flags
    schedule: Schedule

    def into(self, other: Schedule) -> Schedule:
        """The other schedule with the held ones in it."""
        if self.rows.all():
            return self.schedule
        mine = self.rows[:, None]
        return Schedule(
            np.where(mine, self.schedule.charge_kw, other.charge_kw),
            np.where(mine, self.schedule.discharge_kw, other.discharge_kw),
            np.where(mine, self.schedule.energy_kwh, other.energy_kwh),
        )

    def alone(self) -> Schedule:
        """What the held ones do; nothing flows for the others."""
        idle = np.zeros_like(self.schedule.charge_kw)
        return self.into(Schedule(idle, idle, self.schedule.energy_kwh))


def undelegated(problem: Problem, tariff: Tariff) -> Schedule:
    """Each participant's own device breaks ties as early as possible.

    Later slots seem dearer to charge in, and worse paid to discharge in, by a weight too small to
    buy regret.
    """
    return _early(problem.fleet, tariff, problem)


def _early(fleet: Fleet, tariff: Tariff, problem: Problem) -> Schedule:
    horizon = problem.situation.horizon
    late = TIE * np.arange(horizon.slots) / horizon.slots
    fleet, felt = felt_tariff(fleet, tariff, problem.terms)
    nudged = Tariff(felt.charge_price + late, felt.discharge_price - late)
    return best_response(fleet, nudged, horizon)[0]


def by_devices(problem: Problem, tariff: Tariff) -> Held | None:
    """What the devices of those do who do not delegate; None where all do.

    Each schedule is one of its driver's cheapest: as early as may be, or, where the fleet says when
    devices begin, from that moment on in the time at one price; what does not fit before its end
    comes at its beginning.
    """
    alone = ~problem.fleet.delegates
    if not alone.any():
        return None
    fleet, horizon = problem.fleet.select(alone), problem.situation.horizon
    if fleet.device_begins is None:
        mine = _early(fleet, tariff, problem)
    else:
        own, felt = felt_tariff(fleet, tariff, problem.terms)
        charge, discharge = felt.charge_price[own.lists], felt.discharge_price[own.lists]
        seems = Tariff(charge + TIE * _late(own, charge), discharge - TIE * _late(own, discharge))
        mine = best_response(own.offered(np.arange(len(own))), seems, horizon)[0]
    whole = Schedule(*np.zeros((3, len(alone), horizon.slots)))
    for all_of, part in zip(_columns(whole), _columns(mine), strict=True):
        all_of[alone] = part
    return Held(alone, whole)


def _columns(schedule: Schedule) -> tuple[Array, Array, Array]:
    return schedule.charge_kw, schedule.discharge_kw, schedule.energy_kwh


def _late(fleet: Fleet, price: Array) -> Array:
    """How late every slot is for a device that begins at its own moment; (sessions, slots).

    In time, but for the first slots at each price, which come after all others: as many of them as
    its share of the stay's slots at that price.
    """
    assert fleet.device_begins is not None
    slots = price.shape[1]
    slot = np.arange(slots)
    stay = (slot >= fleet.arrival_slot[:, None]) & (slot < fleet.departure_slot[:, None])
    level = np.where(stay, np.round(price, DECIMALS), np.inf)
    order = np.argsort(level, axis=1, kind="stable")
    ranked = np.take_along_axis(level, order, axis=1)
    new = np.ones(ranked.shape, np.bool_)
    new[:, 1:] = ranked[:, 1:] != ranked[:, :-1]
    first = np.maximum.accumulate(np.where(new, slot, 0), axis=1)
    ends = np.where(np.roll(new, -1, axis=1), slot, slots)
    ends[:, -1] = slots - 1
    last = np.minimum.accumulate(ends[:, ::-1], axis=1)[:, ::-1]
    skipped = slot - first < np.floor(fleet.device_begins[:, None] * (last - first + 1))
    wraps = np.empty_like(skipped)
    np.put_along_axis(wraps, order, skipped, axis=1)
    late: Array = (slot + slots * wraps) / slots
    return late


def at_random(problem: Problem, tariff: Tariff, seed: int) -> Schedule:
    """Each participant's own device breaks ties by lot: every slot of a tie is as likely.

    Slots are drawn for every session on its own, from one generator: the same seed gives the same
    schedule. The lot weighs so little that each schedule costs its driver what is least.
    """
    fleet, felt = felt_tariff(problem.fleet, tariff, problem.terms)
    horizon = problem.situation.horizon
    lot = LOT * np.random.default_rng(seed).random((len(fleet), horizon.slots))
    drawn = Tariff(felt.charge_price[fleet.lists] + lot, felt.discharge_price[fleet.lists] - lot)
    return best_response(fleet.offered(np.arange(len(fleet))), drawn, horizon)[0]


def pessimistic(problem: Problem, tariff: Tariff) -> Schedule:
    """Each participant breaks ties against the operator: buys what is dearest to supply.

    On a tie a driver's payments fall by what its wear rises and rise with the worth of surplus
    energy, so it also prefers more wear and less surplus. Exact for the operator's profit where
    feed-in and purchase price are equal; else the purchase price stands for both.
    """
    situation, terms = problem.situation, problem.terms
    purchase = situation.market.purchase_price
    # A list for every session, where groups differ: what is worst for the operator does, too.
    fleet, felt = felt_tariff(problem.fleet, tariff, terms)
    spiteful = replace(
        fleet,
        wear_cost=(1.0 - TIE) * fleet.wear_cost,
        surplus_value=(1.0 - TIE) * fleet.surplus_value,
    )
    if terms.rest == 1:
        charge, discharge = terms.charge[0], terms.discharge[0]
    else:
        spiteful = spiteful.offered(np.arange(len(fleet)))
        felt = Tariff(felt.charge_price[fleet.lists], felt.discharge_price[fleet.lists])
        charge, discharge = terms.charge[fleet.groups], terms.discharge[fleet.groups]
    nudged = Tariff(
        felt.charge_price - TIE * (purchase - charge),
        felt.discharge_price - TIE * (purchase + discharge),
    )
    return best_response(spiteful, nudged, situation.horizon)[0]
