"""What not knowing costs: days replayed under several policies, and held against foresight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from hubwise.dispatch import make_baseline, make_problem, undelegated, with_participants
from hubwise.domain import Scenario, StationSchedule, Strategy
from hubwise.domain.arrays import Array
from hubwise.drivers import uncoordinated
from hubwise.plan import Plan, make_plan
from hubwise.plan.as_done import plan_as_done
from hubwise.plan.decide import Leaving
from hubwise.plan.participation import willing
from hubwise.study.replay.day import Beliefs, ReplayedDay, as_it_turns_out, early_by_slot
from hubwise.study.replay.world import OnSlot, World

# What a kWh that is there when a driver leaves early counts, among equals, as a share of the mean
# purchase price.
WORTH_EARLY = 0.15


class Policy(StrEnum):
    """How a day is run.

    ``foresight``: prices and dispatch made in full knowledge of the day. ``rolling``: prices of
    another day's drivers, and a decision every slot. ``day-ahead``: the same prices, every driver's
    own device, stations as they were planned for the other day. ``uncoordinated``: no prices.
    """

    FORESIGHT = "foresight"
    ROLLING = "rolling"
    DAY_AHEAD = "day-ahead"
    UNCOORDINATED = "uncoordinated"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What a policy did with a day, whatever the day is one of.

    Parameters
    ----------
    policy
        How it was run.
    plan
        What was done, with all its figures.
    shortfall_kwh, short
        Energy that drivers who left early lack of what charging at once would have brought by then,
        and how many lack any [kWh].
    cpu_ms
        CPU time of every decision; empty where none was taken [ms].
    """

    policy: Policy
    plan: Plan
    shortfall_kwh: float
    short: int
    cpu_ms: Array


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed(Ran):
    """A day under one policy.

    Parameters
    ----------
    seed
        Which draw the day is.
    adjusted
        Profit with misses of the peak-valley promise, at what a kW of it is worth with foresight,
        and of the saving promise, one to one, put in or out [currency].
    loss, adjusted_loss
        Shares of foresight's profit, and of its adjusted one, that are lost; ``None`` where
        foresight earns nothing.
    """

    seed: int
    adjusted: float
    loss: float | None
    adjusted_loss: float | None

    @property
    def profit(self) -> float:
        """What the operator earned [currency]."""
        return self.plan.result.money.operator_profit


def plan_ahead(expected: Scenario) -> Plan:
    """Prices and stations for another draw of a scenario."""
    return make_plan(expected.without_family_bound())


def replay(
    scenario: Scenario,
    ahead: Plan,
    policies: Sequence[Policy],
    *,
    beliefs: Beliefs | None = None,
    seed: int = 0,
    on_slot: OnSlot | None = None,
) -> Iterator[Replayed]:
    """A day under several policies; foresight first, against which the others are held.

    Parameters
    ----------
    scenario
        The day as it was stated; one of the scenario's draws.
    ahead
        What was planned for another draw.
    policies
        How it is run.
    beliefs
        How what is believed differs from what comes.
    seed
        Of what is drawn beside the scenario's own.
    on_slot
        Called before each slot of the rolling policy.
    """
    beliefs = beliefs or Beliefs()
    stated, expected = scenario.without_family_bound(), ahead.scenario.situation.fleet
    day = as_it_turns_out(stated, [expected], ahead.tariff, beliefs, seed)
    foresight: Plan | None = None
    for policy in dict.fromkeys([Policy.FORESIGHT, *policies]):
        plan, spent = run_under(policy, day, ahead.stations, beliefs, on_slot)
        foresight = plan if foresight is None else foresight  # the first that is run
        lacks, adjusted = lacks_kwh(plan, day), _adjusted(plan, foresight)
        profits = (it.result.money.operator_profit for it in (plan, foresight))
        yield Replayed(
            seed=seed,
            policy=policy,
            plan=plan,
            adjusted=adjusted,
            loss=_loss(*profits),
            adjusted_loss=_loss(adjusted, _adjusted(foresight, foresight)),
            shortfall_kwh=float(lacks.sum()),
            short=int((lacks > 0.0).sum()),
            cpu_ms=1e3 * spent,
        )


def run_under(
    policy: Policy,
    day: ReplayedDay,
    stations: StationSchedule | None,
    beliefs: Beliefs,
    on_slot: OnSlot | None,
) -> tuple[Plan, Array]:
    """The day under a policy, and the CPU time of its decisions [s].

    ``stations`` is what they do by ``day-ahead``: as planned the day before.
    """
    nothing = np.zeros(0)
    match policy:
        case Policy.FORESIGHT:
            return make_plan(day.scenario), nothing
        case Policy.UNCOORDINATED:
            return make_plan(day.scenario, strategy=Strategy.UNCOORDINATED), nothing
        case Policy.DAY_AHEAD:
            assert stations is not None
            return _day_ahead(_ready(day), stations), nothing
        case Policy.ROLLING:
            return _rolling(_ready(day), beliefs, on_slot)


def _ready(day: ReplayedDay) -> ReplayedDay:
    """The day with those who take part at the prices posted."""
    situation = day.scenario.situation
    ready = willing(situation, day.posted, situation.fleet.participating)
    return replace(day, scenario=replace(day.scenario, situation=ready))


def _rolling(day: ReplayedDay, beliefs: Beliefs, on_slot: OnSlot | None) -> tuple[Plan, Array]:
    horizon = day.scenario.situation.horizon
    leaving = None
    if beliefs.leaving_early:
        price = float(np.abs(day.scenario.situation.market.purchase_price).mean())
        early = early_by_slot(horizon.slot_minutes, horizon.slots)
        leaving = Leaving(early, WORTH_EARLY * price)
    world = World(day, leaving, beliefs.reprices)
    done, turned = world.run(on_slot), world.day  # whose lists may be others by now
    posted = turned.scenario.situation.with_accepted(turned.posted)
    plan = plan_as_done(turned.scenario, posted, done.schedule, done.stations)
    return plan, done.cpu_seconds


def _day_ahead(day: ReplayedDay, stations: StationSchedule) -> Plan:
    """Own devices at the prices posted, gone when their drivers are; stations as planned."""
    situation = day.scenario.situation
    baseline = make_baseline(situation)
    problem = make_problem(situation, baseline.limits, everybody=baseline.schedule)
    schedule = with_participants(problem, undelegated(problem, day.posted))
    there = np.arange(situation.horizon.slots) < day.leaves[:, None]
    last = np.maximum(day.leaves - 1, 0)[:, None]
    left = np.take_along_axis(schedule.energy_kwh, last, axis=1)
    schedule = replace(
        schedule,
        charge_kw=schedule.charge_kw * there,
        discharge_kw=schedule.discharge_kw * there,
        energy_kwh=np.where(there, schedule.energy_kwh, left),
    )
    return plan_as_done(day.scenario, day.posted, schedule, stations)


def _loss(found: float, best: float) -> float | None:
    return (best - found) / best if best > 0.0 else None


def _adjusted(plan: Plan, foresight: Plan) -> float:
    """Profit, with what promises are missed by, or kept by more than promised, put in or out."""
    situation, memory = plan.scenario.situation, foresight.memory
    money, promises = plan.result.money, situation.promises
    found = money.operator_profit
    if plan.memory is None or memory is None:
        return found
    span, price = memory.baseline.span_kw, memory.final.span_price
    if np.isfinite(span):
        found += price * (span - plan.result.feeder.peak_valley_kw)
    if np.isfinite(promises.saving):
        ceiling = promises.saving * money.participant_reference_cost
        found += ceiling - money.participant_cost
    return float(found)


def lacks_kwh(plan: Plan, day: ReplayedDay) -> Array:
    """What those who left early lack of what charging at once had brought; (sessions,) [kWh]."""
    situation = plan.scenario.situation
    fleet = situation.fleet
    usual = uncoordinated(fleet, situation.horizon)
    rows, last = np.arange(len(fleet)), np.maximum(day.leaves - 1, 0)
    lacks = usual.energy_kwh[rows, last] - plan.schedule.energy_kwh[rows, last]
    left_early = (day.leaves < fleet.departure_slot) & fleet.participating
    return np.where(left_early & (lacks > 1e-6), lacks, 0.0)
