"""Wear prices that agree with the nonlinear model, and fade limits that hold.

A schedule follows from what a kWh drawn is said to cost; what it really costs in battery life
follows from the schedule. Where the two agree, drivers answer to the truth. The way there is to
schedule, to look what the cell models make of it, to take that for the price, and to schedule
again. A driver's limit on fade is kept on the same way: whose battery fades more than was agreed
may draw less, until it holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np

from hubwise.battery import CRUMB_KWH, drawn_kwh, fleet_ageing
from hubwise.domain import Fleet, Schedule, Situation, Tariff
from hubwise.domain.arrays import Array
from hubwise.drivers import best_response
from hubwise.scenario import lawful

# A wear price that is right within this share is left as it is; all stand still when together they
# are off by less than that share of all wear.
RIGHT = 0.005
STILL = 0.01
ROUNDS = 12
# From this round on prices go half the way.
HALVED_FROM = 3
# No cell was tested with cycles shallower than this share of the capacity: that so little drawn
# should save battery life is not believed, and its price does not fall below zero.
SHALLOW = 0.02
# A limit on what may be drawn is set below what the fade limit seems to allow, by this share.
CAUTION = 0.05
DAYS_A_YEAR = 365.0


class Scheduled(Protocol):
    """What a plan has decided: who takes part at which wear prices, and what everybody does."""

    @property
    def situation(self) -> Situation:
        """What is given, with the wear prices and limits that hold."""

    @property
    def schedule(self) -> Schedule:
        """Of every session."""


Plan = TypeVar("Plan", bound=Scheduled)


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
    if not _found_out(situation):
        return situation
    fleet, horizon = situation.fleet, situation.horizon
    free = replace(fleet, wear_cost=np.zeros(len(fleet)))
    shape = (len(situation.hubs), horizon.slots)
    charge = np.broadcast_to(situation.market.reference_price, shape).copy()
    discharge = np.broadcast_to(situation.rules.discharge_price_max, shape).copy()
    schedule, _ = best_response(free, lawful(Tariff(charge, discharge), free), horizon)
    prices = fleet_ageing(fleet, schedule, horizon, situation.battery).wear_price(fleet.wear_cost)
    return replace(situation, fleet=replace(fleet, wear_cost=prices))


def converge(
    situation: Situation, respond: Callable[[Situation, Plan | None], Plan]
) -> tuple[Plan, Convergence]:
    """Schedule until wear prices agree with the model and every fade limit holds.

    Parameters
    ----------
    scenario
        What is given, with wear prices to begin with.
    respond
        Plans a scenario at its wear prices and discharge limits, given the plan before.
    """
    plan = respond(situation, None)
    if not due(situation):
        return plan, Convergence()
    drawn = np.zeros(len(situation.fleet))
    for done in range(1, ROUNDS + 1):
        now, found = plan.situation, _wear(plan)
        change = _change(now, found)
        limits = _fade_limits(now.fleet, found, final=done >= ROUNDS - 1)
        held = np.array_equal(limits, now.fleet.discharge_limit_kwh)
        if held and (change < STILL or done == ROUNDS):
            return plan, Convergence(change, done)
        fleet = replace(now.fleet, discharge_limit_kwh=limits)
        if _found_out(now):
            fleet = _repriced(fleet, found, drawn, step=1.0 if done < HALVED_FROM else 0.5)
        drawn = found.drawn_kwh
        plan = respond(replace(now, fleet=fleet), plan)
    return plan, Convergence(_change(plan.situation, _wear(plan)), ROUNDS + 1)


def due(situation: Situation) -> bool:
    """Whether there is anything to settle."""
    limited = np.isfinite(situation.fleet.fade_limit_per_year).any()
    return _found_out(situation) or bool(limited)


def _found_out(situation: Situation) -> bool:
    """Whether wear prices are found, not given."""
    return situation.battery.wear == "nonlinear"


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
    return found.change(situation.fleet.wear_cost) if _found_out(situation) else 0.0


def _wear(plan: Scheduled) -> _Wear:
    """What the model makes of a plan; only who draws anything is looked at."""
    situation, schedule = plan.situation, plan.schedule
    fleet, horizon = situation.fleet, situation.horizon
    drawn = drawn_kwh(fleet, schedule, horizon)
    rows = np.flatnonzero(drawn > CRUMB_KWH)
    stays = Schedule(
        schedule.charge_kw[rows], schedule.discharge_kw[rows], schedule.energy_kwh[rows]
    )
    found = fleet_ageing(fleet.select(rows), stays, horizon, situation.battery)
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
    now, shallow = fleet.wear_cost, found.drawn_kwh < SHALLOW * fleet.capacity_kwh
    due = np.divide(found.worth, found.drawn_kwh, out=now.copy(), where=found.drawn_kwh > 0.0)
    due = np.where(shallow, np.maximum(due, 0.0), due)
    off = np.abs(due - now) > RIGHT * np.abs(now)
    torn = off & (due < now) & (found.drawn_kwh < before_kwh)
    price = np.where(off, now + np.where(torn, 1.0, step) * (due - now), now)
    drawn = np.minimum(found.drawn_kwh, fleet.discharge_limit_kwh)
    limits = np.where(torn, drawn, fleet.discharge_limit_kwh)
    return replace(fleet, wear_cost=price, discharge_limit_kwh=limits)


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
