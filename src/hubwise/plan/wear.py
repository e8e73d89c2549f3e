"""Wear prices that agree with the nonlinear model, and fade limits that hold.

A schedule follows from what a kWh drawn is said to cost; what it really costs in battery life
follows from the schedule. Where the two agree, drivers answer to the truth. The way there is to
schedule, to look what the cell models make of it, to take that for the price, and to schedule
again. A driver's limit on fade is kept on the same way: whose battery fades more than was agreed
may draw less, until it holds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hubwise.battery import CRUMB_KWH, drawn_kwh, fleet_ageing
from hubwise.domain import Fleet, Schedule, Situation, Tariff, WearPricing
from hubwise.domain.arrays import Array, Flags
from hubwise.drivers import best_response
from hubwise.scenario import lawful

# A wear price that is right within this share is left as it is; all stand still when together they
# are off by less than that share of all wear.
RIGHT = 0.005
STILL = 0.01
ROUNDS = 5
# From this round on prices go half the way.
HALVED_FROM = 3
# No cell was tested with cycles shallower than this share of the capacity: that so little drawn
# should save battery life is not believed, and its price does not fall below zero.
SHALLOW = 0.02
# A limit on what may be drawn is set below what the fade limit seems to allow, by this share.
CAUTION = 0.05
# What a schedule that is put in another's place leaves of a fade limit, as a share.
SURE = 1e-6
DAYS_A_YEAR = 365.0


@dataclass(frozen=True, slots=True)
class Convergence:
    """How a plan's wear prices settled.

    Parameters
    ----------
    change
        Their last change, as a share of all wear; 0 where they are given.
    rounds
        How often the fleet was scheduled.
    """

    change: float = 0.0
    rounds: int = 1


def first_guess(situation: Situation) -> Situation:
    """The scenario with wear prices to begin with; as it is where they are given.

    The prices are those of the day on which everybody discharges as far as it pays at no wear at
    all, charging at the reference tariff and selling at the highest discharge price that is lawful.
    """
    if not wear_found(situation):
        return situation
    fleet, horizon = situation.fleet, situation.horizon
    free = replace(fleet, wear_cost=np.zeros(len(fleet)))
    shape = (len(situation.hubs), horizon.slots)
    charge = np.broadcast_to(situation.market.reference_price, shape).copy()
    discharge = np.broadcast_to(situation.rules.discharge_price_max, shape).copy()
    tariff = situation.with_accepted(lawful(Tariff(charge, discharge), free))
    schedule, _ = best_response(free, tariff, horizon)
    prices = fleet_ageing(fleet, schedule, horizon, situation.battery).wear_price(fleet.wear_cost)
    return replace(situation, fleet=replace(fleet, wear_cost=prices))


@dataclass(frozen=True, slots=True)
class WearState:
    """Where wear prices stand on their way to agree with the cell models.

    Parameters
    ----------
    situation
        At the wear prices and discharge limits to answer to next.
    drawn_kwh
        What was drawn from every battery at the last; shape (sessions,) [kWh]. None before.
    rounds
        How often the fleet was scheduled.
    change
        How far wear prices were off at the last, as a share of all wear.
    done
        Whether the last schedule stands.
    """

    situation: Situation
    drawn_kwh: Array | None = None
    rounds: int = 0
    change: float = 0.0
    done: bool = False

    @property
    def convergence(self) -> Convergence:
        """How it went."""
        return Convergence(self.change, self.rounds)


def learn_wear(state: WearState, situation: Situation, schedule: Schedule) -> WearState:
    """One step: what the models make of a schedule, and the wear prices to answer to next.

    Parameters
    ----------
    state
        Before.
    situation, schedule
        What was scheduled, and what every session does.
    """
    rounds = state.rounds + 1
    if not wear_due(situation):
        return WearState(situation, rounds=rounds, done=True)
    found = _wear(situation, schedule)
    change = _change(situation, found)
    limits = _fade_limits(situation.fleet, found, final=rounds >= ROUNDS - 1)
    held = np.array_equal(limits, situation.fleet.discharge_limit_kwh)
    still = held and (change < STILL or rounds == ROUNDS)
    if still or rounds > ROUNDS:
        return WearState(situation, found.drawn_kwh, rounds, change, done=True)
    fleet = replace(situation.fleet, discharge_limit_kwh=limits)
    if wear_found(situation):
        before = np.zeros(len(fleet)) if state.drawn_kwh is None else state.drawn_kwh
        fleet = _repriced(fleet, found, before, step=1.0 if rounds < HALVED_FROM else 0.5)
    return WearState(replace(situation, fleet=fleet), found.drawn_kwh, rounds, change)


def as_scheduled(situation: Situation, schedule: Schedule) -> Situation:
    """The situation at what a kWh drawn costs by the cell models in a schedule that stands.

    Only prices that the models found are taken; limits and those who draw nothing stay.
    """
    fleet, found = situation.fleet, _wear(situation, schedule)
    return replace(situation, fleet=replace(fleet, wear_cost=_due(fleet, found)))


def wear_change(situation: Situation, schedule: Schedule) -> float:
    """How far wear prices are off what the models make of a schedule, as a share of all wear."""
    return _wear(situation, schedule).change(situation.fleet.wear_cost)


def fades_too_fast(situation: Situation, schedule: Schedule) -> Flags:
    """Whose battery loses more capacity a year than its driver accepts; shape (sessions,)."""
    limit = situation.fleet.fade_limit_per_year
    if not np.isfinite(limit).any():
        return np.zeros(len(limit), np.bool_)
    over: Flags = _wear(situation, schedule).fade_per_year > (1.0 - SURE) * limit
    return over


def wear_found(situation: Situation) -> bool:
    """Whether wear prices are found, not given."""
    return situation.battery.wear == WearPricing.NONLINEAR


def wear_due(situation: Situation) -> bool:
    """Whether wear prices or discharge limits depend on what is done."""
    limited = np.isfinite(situation.fleet.fade_limit_per_year).any()
    return wear_found(situation) or bool(limited)


@dataclass(frozen=True, slots=True)
class _Wear:
    """What the model makes of a schedule; arrays of shape (sessions,), 0 where nothing is drawn.

    Parameters
    ----------
    drawn_kwh
        Energy drawn from the batteries [kWh].
    worth
        What that costs in battery life [currency].
    fade_per_year
        What it takes from the capacity in a year, as a share.
    """

    drawn_kwh: Array
    worth: Array
    fade_per_year: Array

    def change(self, prices: Array) -> float:
        """How much all wear at given prices is off the model's, as a share of it."""
        off, whole = np.abs(self.worth - prices * self.drawn_kwh).sum(), np.abs(self.worth).sum()
        return float(off / whole) if whole > 0.0 else 0.0


def _change(situation: Situation, found: _Wear) -> float:
    """How far the prices that hold are off what the model finds; 0 where they are given."""
    return found.change(situation.fleet.wear_cost) if wear_found(situation) else 0.0


def _wear(situation: Situation, schedule: Schedule) -> _Wear:
    """What the model makes of a schedule; only who draws anything is looked at."""
    fleet, horizon = situation.fleet, situation.horizon
    drawn = drawn_kwh(fleet, schedule, horizon)
    rows = np.flatnonzero(drawn > CRUMB_KWH)
    found = fleet_ageing(fleet.select(rows), schedule.select(rows), horizon, situation.battery)
    days = horizon.slots * horizon.slot_hours / 24.0
    worth, fade = np.zeros((2, len(fleet)))
    worth[rows] = found.wear_nonlinear
    fade[rows] = found.fade_v2g * DAYS_A_YEAR / days
    return _Wear(np.where(drawn > CRUMB_KWH, drawn, 0.0), worth, fade)


def _repriced(fleet: Fleet, found: _Wear, before_kwh: Array, step: float) -> Fleet:
    """The fleet at the prices that the model found; those that are nearly right stand still.

    ``step`` says how far prices go: which of equally cheap schedules a driver gets differs from
    dispatch to dispatch, and its wear a little; half a step goes to the middle of that.

    Where wear a kWh rises with use there may be no price that holds: at a low one a driver draws
    much, which wears more; at a high one little, which wears less. Who has drawn less than before,
    at a price that now comes out too high, is given the lower price, for as much as was drawn at
    the higher: price and amount then agree.
    """
    now, due = fleet.wear_cost, _due(fleet, found)
    off = np.abs(due - now) > RIGHT * np.abs(now)
    torn = off & (due < now) & (found.drawn_kwh < before_kwh)
    price = np.where(off, now + np.where(torn, 1.0, step) * (due - now), now)
    drawn = np.minimum(found.drawn_kwh, fleet.discharge_limit_kwh)
    limits = np.where(torn, drawn, fleet.discharge_limit_kwh)
    return replace(fleet, wear_cost=price, discharge_limit_kwh=limits)


def _due(fleet: Fleet, found: _Wear) -> Array:
    """What a kWh drawn costs by the models; as it was where nothing is drawn; (sessions,)."""
    drawn = found.drawn_kwh
    due = np.divide(found.worth, drawn, out=fleet.wear_cost.copy(), where=drawn > 0.0)
    return np.where(drawn < SHALLOW * fleet.capacity_kwh, np.maximum(due, 0.0), due)


def _fade_limits(fleet: Fleet, found: _Wear, *, final: bool) -> Array:
    """Discharge limits that are tighter where a battery fades by more than its driver allows.

    Fade goes about with what is drawn. In the end (``final``) whoever has a limit draws nothing
    unless all limits hold.
    """
    extra, limits = found.fade_per_year, fleet.discharge_limit_kwh
    over = extra > fleet.fade_limit_per_year
    if final and over.any():
        return np.where(np.isfinite(fleet.fade_limit_per_year), 0.0, limits)
    allowed = np.divide(fleet.fade_limit_per_year, extra, out=np.ones_like(extra), where=over)
    tighter = found.drawn_kwh * np.maximum((1.0 - CAUTION) * allowed, 0.0)
    return np.where(over, np.minimum(tighter, limits), limits)
