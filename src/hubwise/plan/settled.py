"""A schedule that stands, its wear priced by what it is: drivers' last word on the cell models.

Which of equally cheap schedules a driver gets differs from dispatch to dispatch, and its wear with
it, so that turning the loop brings wear prices no nearer than that. Here nothing is dispatched any
more: wear is priced as scheduled, prices are levelled to it, and the schedule stands if it is still
everybody's best response.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.dispatch import Problem, by_devices, with_situation
from hubwise.domain import Situation, Tariff
from hubwise.domain.arrays import Array, Flags
from hubwise.drivers import best_response, felt_tariff, schedule_cost
from hubwise.plan.participation import family_of_all, willing
from hubwise.plan.turn import Turn
from hubwise.plan.wear import Convergence, as_scheduled, wear_change, wear_found
from hubwise.pricing import cost_ceiling, level_prices, participants_pay

# A driver who could gain less than this has a best response [currency].
REGRET = 1e-7
# Participants may pay this much more than was promised, as a share: rounding.
ROUNDING = 1e-9
# A device does the same where powers differ by no more [kW].
SAME_KW = 1e-6


def settle(turn: Turn, wear: Convergence, asked: Flags) -> tuple[Turn, Convergence]:
    """The turn with its wear priced as scheduled, where that makes wear prices truer.

    Who would now draw more is held to what it draws; whose schedule is no best response even then
    keeps the price that it had.
    """
    if not wear_found(turn.situation):
        return turn, wear
    priced = _priced(turn)
    levelled = _levelled(turn, priced, asked)
    for tariff in (levelled, turn.tariff):
        situation = _held(turn, priced, tariff)
        settled = _at(turn, situation, tariff)
        change = wear_change(situation, turn.schedule)
        if change < wear.change and _stands(turn, settled, asked, tariff):
            return settled, replace(wear, change=change)
    return turn, wear


def _priced(turn: Turn) -> Situation:
    """Wear as scheduled of who delegates: what devices do is no choice, and follows its prices."""
    situation = as_scheduled(turn.situation, turn.schedule)
    fleet, before = situation.fleet, turn.situation.fleet.wear_cost
    return replace(
        situation,
        fleet=replace(fleet, wear_cost=np.where(fleet.delegates, fleet.wear_cost, before)),
    )


def _levelled(turn: Turn, situation: Situation, asked: Flags) -> Tariff:
    """The turn's tariff, lawful at the new wear and levelled as promised."""
    family = family_of_all(situation, asked)
    problem = _at(turn, situation, turn.tariff).problem
    return family.tariff(level_prices(problem, family, family.posted(turn.tariff)))


def _at(turn: Turn, situation: Situation, tariff: Tariff) -> Turn:
    """The same schedule in another situation, at another tariff."""
    problem = with_situation(turn.problem, situation)
    return replace(turn, situation=situation, tariff=tariff, problem=problem)


def _held(turn: Turn, priced: Situation, tariff: Tariff) -> Situation:
    """The situation in which the schedule is as good as can be for each, at that tariff."""
    mine = np.flatnonzero(priced.fleet.participating)
    drawn = turn.dispatch.schedule.discharge_kw.sum(axis=1) * priced.horizon.slot_hours
    drawn /= priced.fleet.discharge_efficiency[mine]
    limits, wear = priced.fleet.discharge_limit_kwh.copy(), priced.fleet.wear_cost.copy()
    regret, wanted = _regret(_at(turn, priced, tariff).problem, turn, tariff)
    greedy = (regret > REGRET) & (wanted > drawn)
    limits[mine[greedy]] = np.minimum(limits[mine[greedy]], drawn[greedy])
    held = replace(priced, fleet=replace(priced.fleet, discharge_limit_kwh=limits))
    regret, _ = _regret(_at(turn, held, tariff).problem, turn, tariff)
    back = mine[regret > REGRET]
    wear[back] = turn.situation.fleet.wear_cost[back]
    limits[back] = turn.situation.fleet.discharge_limit_kwh[back]
    return replace(priced, fleet=replace(held.fleet, wear_cost=wear, discharge_limit_kwh=limits))


def _regret(problem: Problem, turn: Turn, tariff: Tariff) -> tuple[Array, Array]:
    """What each participant could gain [currency], and what it would draw then [kWh]."""
    horizon, felt = problem.situation.horizon, felt_tariff(problem.fleet, tariff, problem.terms)
    schedule, least = best_response(*felt, horizon)
    gain = schedule_cost(*felt, turn.dispatch.schedule, horizon) - least
    drawn = horizon.slot_hours * schedule.discharge_kw.sum(axis=1)
    return gain, drawn / problem.fleet.discharge_efficiency


def _stands(turn: Turn, settled: Turn, asked: Flags, tariff: Tariff) -> bool:
    """Whether the schedule is everybody's best response, with the same drivers and promises.

    And what devices do by themselves.
    """
    regret, _ = _regret(settled.problem, turn, tariff)
    ready = willing(settled.situation, tariff, asked).fleet.participating
    family = family_of_all(settled.situation, asked)
    pay = participants_pay(settled.problem, family, family.posted(tariff))
    ceiling = cost_ceiling(settled.problem)
    same = np.array_equal(ready, turn.situation.fleet.participating)
    same = same and _devices_stand(settled, tariff)
    return same and regret.max(initial=0.0) <= REGRET and pay <= ceiling + ROUNDING * abs(ceiling)


def _devices_stand(settled: Turn, tariff: Tariff) -> bool:
    """Whether who does not delegate is scheduled as its own device would have it."""
    held = by_devices(settled.problem, tariff)
    if held is None:
        return True
    done, own = settled.dispatch.schedule, held.schedule
    pairs = (done.charge_kw, own.charge_kw), (done.discharge_kw, own.discharge_kw)
    return all(np.abs(a - b)[held.rows].max() <= SAME_KW for a, b in pairs)
