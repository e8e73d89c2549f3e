"""What is set from now on: the decision that a running hub takes every slot, and on events.

Pure: no clock, no input or output. What has happened is part of the situation (energies as metered,
lists as accepted, peaks so far); what may come are its futures; what a decision leaves to the next
is its warm start. Prices were posted before and stay: a list is kept to the end of a stay, so that
what is decided is the dispatch, and every car's is one of its cheapest schedules from here on. As a
cheapest schedule goes on cheapest, so does the whole of a stay: nobody pays for a change of mind.

Safety limits come before energy: schedules hold what a stay allows, limits are pressed for by
prices that rise until they hold, and the slot that is executed is checked under AC. Where the lists
posted make everybody want the same slot, no choice among cheapest schedules holds a connection: all
who charge at it are then held back alike, which costs them something, and is told as regret.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from hubwise.dispatch import Dispatch, Problem, WarmStart, feeder_limits, make_problem
from hubwise.dispatch.baseline import promised_span_kw
from hubwise.dispatch.linearised import Linearised, linearised
from hubwise.dispatch.settling import Pace, dispatch_soon
from hubwise.domain import Schedule, Situation, StationSchedule, Tariff, TermSums
from hubwise.domain.arrays import Array, Names, among
from hubwise.drivers import uncoordinated
from hubwise.grid import power_flow, violations
from hubwise.ledger import hub_flows
from hubwise.plan.ac_dispatch import missed_kw
from hubwise.plan.futures import Futures

# The peak-valley promise is a share of an uncoordinated day that is not over: so much is aimed for
# inside of it, as a share, as others may come than were expected.
MARGIN = 0.005
# Aim inside what was missed under AC by so much more, and decide again at most so often.
BEYOND, TURNS = 1.2, 3
# A limit passed by less holds [kW].
HOLDS_KW = 1e-3
# Where a spread is promised, the linear head of the first slot may be off by so much of it.
HEAD_OFF = 3e-4


@dataclass(frozen=True, slots=True)
class Leaving:
    """How drivers leave before their stated departure, and what energy that they then have counts.

    Parameters
    ----------
    early
        Probability of leaving more than k slots early, k = 0, 1, ...; never rising; shape (any,).
    worth
        What a kWh that is there when a driver leaves early counts among schedules that cost the
        driver the same [currency/kWh].
    """

    early: Array
    worth: float

    def by_slot(self, slots: int) -> Array:
        """What a kWh charged counts for a stay that is to end at slot d; shape (slots + 1, slots).

        It counts where the driver leaves after the slot and before d.
        """
        within = self.early[0] - np.append(self.early, np.zeros(slots + 1))[: slots + 1]
        within[len(self.early) :] = self.early[0]
        left = np.arange(slots + 1)[:, None] - np.arange(slots)[None, :] - 1
        return np.where(left > 0, self.worth * within[np.clip(left, 0, slots)], 0.0)


@dataclass(frozen=True, slots=True)
class Warm:
    """What a decision leaves to the next.

    Parameters
    ----------
    starts
        Where the dispatch of each future begins.
    near
        The feeder, linear near where hubs are, in each future; none where it may be another.
    usual
        The same near the uncoordinated day, in the first.
    """

    starts: tuple[WarmStart, ...]
    near: tuple[Linearised, ...] = ()
    usual: Linearised | None = None

    def shifted(self, slots: int) -> Warm:
        """The same, so many slots later."""
        return Warm(
            tuple(start.shifted(slots) for start in self.starts),
            tuple(near.later(slots) for near in self.near),
            None if self.usual is None else self.usual.later(slots),
        )

    def roughly(self, slots: int, horizon: int) -> Warm:
        """Some slots later on a horizon of its own, where cars did not do quite what was set.

        Schedules would no longer be among the cheapest and the feeder may be another: prices of
        limits are known, and where hubs were.
        """
        return Warm(tuple(start.near().shifted(slots, horizon) for start in self.starts))


@dataclass(frozen=True, slots=True)
class SetPoints:
    """What is set from now on.

    Parameters
    ----------
    session
        Who is here and takes part; shape (present,).
    schedule
        What they do, now and, if nothing new is decided, later; (present, slots).
    stations
        What station batteries and solar do, in the first future.
    hub_kw
        Net draw of the hubs, now; shape (hubs,) [kW].
    missed_kw
        By how much shared limits, connections and lines are passed now, under AC, at worst; 0 where
        all hold [kW].
    rounds
        Rounds of dispatch that it took.
    warm
        Where the next decision begins, on the same slots (see `Warm.shifted`).
    """

    session: Names
    schedule: Schedule
    stations: StationSchedule
    hub_kw: Array
    missed_kw: float
    rounds: int
    warm: Warm


def decide(
    futures: Futures,
    present: Names,
    posted: Tariff,
    warm: Warm | None = None,
    *,
    leaving: Leaving | None = None,
    pace: Pace | None = None,
) -> SetPoints:
    """Decide what cars that are here and station batteries do now.

    Parameters
    ----------
    futures
        From now on: who is here (arrived, with the energy that is metered, ``price_list`` as
        accepted) and who may come; all with the same past.
    present
        Sessions that are here, in every future; shape (present,).
    posted
        What hubs post; accepted lists are the situations' own.
    warm
        What the decision before left, moved on to now.
    leaving
        How drivers leave early, where that is known.
    pace
        How long it is worked on.

    Raises
    ------
    ValueError
        Where futures are not of one place and past, or a present session is missing in one.
    """
    situations = futures.situations
    tariff = situations[0].with_accepted(posted)
    usual = [uncoordinated(each.fleet, each.horizon) for each in situations]
    rest_kw = [draw_at_rest(*each) for each in zip(situations, usual, strict=True)]
    near_usual = _linearised(situations[0], rest_kw[0], None if warm is None else warm.usual)
    spans = [
        promised_span_kw(_inside(each), near_usual.limits.head(kw))
        for each, kw in zip(situations, rest_kw, strict=True)
    ]
    near = _near(situations, near_usual, warm)
    inside, turn = 0.0, 0
    starts: Sequence[WarmStart] | None = None if warm is None else warm.starts
    while True:
        problems = [
            _with_leaving(_problem(*each, inside), leaving)
            for each in zip(situations, usual, near, spans, strict=True)
        ]
        here = present[among(present, problems[0].fleet.session)]
        found = dispatch_soon(
            problems, list(futures.shares), tariff, present=here, warm=starts, pace=pace
        )
        missed, off = _missed_now(problems[0], found[0])
        turn += 1
        if (missed <= HOLDS_KW and off <= HEAD_OFF) or turn >= TURNS:
            break
        inside += BEYOND * missed
        near = tuple(
            _linearised(each, dispatched.hub_kw)
            for each, dispatched in zip(situations, found, strict=True)
        )
        starts = [dispatched.warm() for dispatched in found]
    if missed > HOLDS_KW:
        found = (_held_back(problems[0], found[0], here), *found[1:])
        missed, _ = _missed_now(problems[0], found[0])
    left = Warm(tuple(each.warm() for each in found), near, near_usual)
    return _set_points(problems[0], found[0], here, missed, left)


def _inside(situation: Situation) -> Situation:
    """The situation that promises a little less spread."""
    promises = situation.promises
    tighter = replace(promises, peak_valley=(1.0 - MARGIN) * promises.peak_valley)
    return replace(situation, promises=tighter)


def _linearised(situation: Situation, hub_kw: Array, known: Linearised | None = None) -> Linearised:
    return linearised(situation.feeder, situation.hubs.bus, hub_kw, known)


def _near(
    situations: Sequence[Situation], near_usual: Linearised, warm: Warm | None
) -> tuple[Linearised, ...]:
    """The feeder near where hubs are in each future, as known where they still are."""
    if warm is None:
        return (near_usual,) * len(situations)
    known = warm.near or (None,) * len(situations)
    return tuple(
        _linearised(each, start.hub_kw, near)
        for each, start, near in zip(situations, warm.starts, known, strict=True)
    )


def _problem(
    situation: Situation, usual: Schedule, near: Linearised, span_kw: float, inside_kw: float
) -> Problem:
    """The dispatch problem, aiming inside the shared limits by so much."""
    return make_problem(
        situation,
        replace(near.limits, upper=near.limits.upper - inside_kw),
        everybody=usual,
        span_kw=span_kw,
        connection_caution_kw=inside_kw,
        line_caution_kw=inside_kw,
    )


def _with_leaving(problem: Problem, leaving: Leaving | None) -> Problem:
    """The problem where energy early counts, among what costs drivers the same.

    Groups of terms are told apart by when stays are to end; drivers feel nothing of it.
    """
    if leaving is None or not len(problem.fleet):
        return problem
    fleet, slots = problem.fleet, problem.situation.horizon.slots
    pairs, row = np.unique(
        np.stack([fleet.groups, fleet.departure_slot]), axis=1, return_inverse=True
    )
    worth, terms = leaving.by_slot(slots)[pairs[1]], problem.terms

    def of(values: Array, more: Array | float) -> Array:
        return np.concatenate([values[pairs[0]] + more, values[-1:]])

    counted = TermSums(
        charge=of(terms.charge, worth),
        discharge=of(terms.discharge, -worth),
        charge_to_driver=of(terms.charge_to_driver, 0.0),
        discharge_to_driver=of(terms.discharge_to_driver, 0.0),
    )
    return replace(problem, fleet=replace(fleet, group=row.ravel().astype(np.int64)), terms=counted)


def _missed_now(problem: Problem, found: Dispatch) -> tuple[float, float]:
    """By how much limits are passed in the first slot, under AC; promises aside [kW].

    And by how much the linear head is off there, as a share of the promised spread.
    """
    situation, now = problem.situation, found.hub_kw[:, :1]
    feeder, hubs, line_kw = situation.feeder.in_slots(np.arange(1)), situation.hubs, found.line_kw
    state = power_flow(feeder, hubs.bus, now)
    head = problem.limits.between(0, 1).head(now)
    off = float(np.nan_to_num(np.abs(head - state.head_kw)[0])) / max(problem.span_kw, 1.0)
    over = max(float((now[:, 0] - hubs.most_import_at(0)).max()), 0.0)
    if not violations(feeder, hubs, state, now, line_kw[:, :1]):
        return over, off
    limits = feeder_limits(feeder, hubs.bus, now)
    return max(float(missed_kw(situation, limits, np.inf, now, line_kw[:, :1]).max()), over), off


def _held_back(problem: Problem, found: Dispatch, here: Names) -> Dispatch:
    """The dispatch whose first slot holds every connection: who charges at one is cut alike.

    Stations first, as they have time; cars that are here, not those that nobody decides about.
    """
    situation, fleet = problem.situation, problem.fleet
    over = found.hub_kw[:, 0] - situation.hubs.most_import_at(0)
    if (over <= HOLDS_KW).all():
        return found
    hours, stations, schedule = situation.horizon.slot_hours, found.stations, found.schedule
    into = stations.charge_kw.copy()
    less = np.clip(over, 0.0, into[:, 0])
    into[:, 0] -= less
    gained = situation.hubs.battery_charge_efficiency * less * hours
    stored = stations.energy_kwh - gained[:, None]
    charge, energy = schedule.charge_kw.copy(), schedule.energy_kwh.copy()
    mine = among(fleet.session, here)
    drawn = np.bincount(fleet.hub[mine], charge[mine, 0], len(situation.hubs))
    share = np.clip(np.maximum(over - less, 0.0) / np.maximum(drawn, 1e-9), 0.0, 1.0)
    cut = np.where(mine, share[fleet.hub] * charge[:, 0], 0.0)
    charge[:, 0] -= cut
    energy -= (fleet.charge_efficiency * cut * hours)[:, None]
    hub_kw = found.hub_kw.copy()
    hub_kw[:, 0] -= less + np.bincount(fleet.hub, cut, len(situation.hubs))
    return replace(
        found,
        stations=replace(stations, charge_kw=into, energy_kwh=stored),
        schedule=replace(schedule, charge_kw=charge, energy_kwh=energy),
        hub_kw=hub_kw,
    )


def draw_at_rest(situation: Situation, everybody: Schedule) -> Array:
    """Hubs' net draw with station batteries at rest, all solar used; (hubs, slots) [kW]."""
    hubs = situation.hubs
    idle = np.zeros_like(hubs.solar_kw)
    stations = StationSchedule(idle, idle, idle, hubs.solar_kw)
    return hub_flows(len(hubs), situation.fleet, everybody, stations).net_kw


def _set_points(
    problem: Problem, found: Dispatch, here: Names, missed: float, warm: Warm
) -> SetPoints:
    rows = np.flatnonzero(among(problem.fleet.session, here))
    return SetPoints(
        session=problem.fleet.session[rows],
        schedule=found.schedule.select(rows),
        stations=found.stations,
        hub_kw=found.hub_kw[:, 0],
        missed_kw=missed,
        rounds=found.rounds,
        warm=warm,
    )
