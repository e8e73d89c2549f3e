"""What is replayed: a day as it turns out, and what was believed of it beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.random import PCG64, Generator

from hubwise.domain import Feeder, Fleet, Hindsight, Scenario, Tariff
from hubwise.domain.arrays import Array, Index
from hubwise.domain.fleets import joined

# How ACN drivers left before their stated departure: minutes, and the share that left earlier still
# (Lee et al. 2019; ../docs/rolling.md).
EARLY_MINUTES = (0.0, 15.0, 30.0, 60.0, 120.0, 240.0, 480.0)
EARLY_SHARE = (0.26, 0.218, 0.18, 0.137, 0.082, 0.029, 0.0)
# How much of a deviation of the base load is left a slot of 15 minutes later.
PERSISTENCE = 0.95


@dataclass(frozen=True, slots=True)
class Beliefs:
    """How what is believed differs from what comes.

    Parameters
    ----------
    cars
        Cars that are expected, as a share of those drawn.
    late_slots
        By how many slots they are expected earlier than they are drawn.
    base_error
        Standard deviation of what the base load is off by, as a share of it.
    leaving_early
        Whether drivers leave early as those of the ACN did.
    reprices
        Whether prices are searched for again for cars that come later.
    """

    cars: float = 1.0
    late_slots: int = 0
    base_error: float = 0.0
    leaving_early: bool = False
    reprices: bool = False


@dataclass(frozen=True, slots=True)
class ReplayedDay:
    """A day as it turns out, and what was believed of it.

    Parameters
    ----------
    scenario
        The day, who takes part marked in its fleet.
    leaves
        Slot before which each car is gone; shape (sessions,).
    expected
        Sessions that may come, each a possible future.
    posted
        The price list of every hub, posted the day before.
    base_share
        By which share the base load is off from what was believed; shape (slots,).
    """

    scenario: Scenario
    leaves: Index
    expected: tuple[Fleet, ...]
    posted: Tariff
    base_share: Array

    def believed(self, now: int) -> Feeder:
        """The feeder from ``now`` on: the load of now is known, and its deviation fades."""
        feeder, slots = self.scenario.situation.feeder, len(self.base_share)
        later = feeder.in_slots(np.arange(now, slots))
        if not self.base_share.any():
            return later
        minutes = self.scenario.situation.horizon.slot_minutes
        fades = PERSISTENCE ** (np.arange(slots - now) * minutes / 15.0)
        scale = (1.0 + self.base_share[now] * fades) / (1.0 + self.base_share[now:])
        return _scaled(later, scale)


def as_it_turns_out(
    scenario: Scenario, expected: Sequence[Fleet], posted: Tariff, beliefs: Beliefs, seed: int
) -> ReplayedDay:
    """The day, the base load and departures drawn where they differ from what was stated.

    Parameters
    ----------
    scenario
        The day with its fleet, its base load as it was believed to be.
    expected
        Sessions of other draws, or of other days.
    posted
        What was posted.
    beliefs
        How what is believed differs.
    seed
        Of what is drawn.
    """
    rng = Generator(PCG64(seed))
    fleet, horizon = scenario.situation.fleet, scenario.situation.horizon
    leaves = np.minimum(scenario.hindsight.departures(fleet), fleet.departure_slot)
    if beliefs.leaving_early:
        leaves = np.minimum(leaves, _early(fleet, horizon.slot_minutes, rng))
        scenario = replace(scenario, hindsight=Hindsight(fleet.session, leaves))
    share = _off_by(beliefs.base_error, horizon.slots, horizon.slot_minutes, rng)
    feeder = scenario.situation.feeder
    if share.any():
        scenario = scenario.having(feeder=_scaled(feeder, 1.0 + share))
    believed = tuple(_believed_fleet(each, beliefs, rng) for each in expected)
    return ReplayedDay(scenario, leaves, believed, posted, share)


def _early(fleet: Fleet, minutes: float, rng: Generator) -> Index:
    """Slots before which cars are gone that leave early as the ACN's did."""
    chance = rng.uniform(size=len(fleet))
    early = np.interp(-chance, -np.array(EARLY_SHARE), np.array(EARLY_MINUTES), left=0.0)
    slots = np.floor(early / minutes).astype(np.int64)
    gone: Index = np.maximum(fleet.departure_slot - slots, fleet.arrival_slot + 1)
    return gone


def early_by_slot(minutes: float, slots: int) -> Array:
    """Probability of leaving more than k slots early; shape (slots + 1,)."""
    early: Array = np.interp(np.arange(slots + 1) * minutes, EARLY_MINUTES, EARLY_SHARE)
    return early


def _off_by(error: float, slots: int, minutes: float, rng: Generator) -> Array:
    """A deviation that persists (an autoregressive process), of the given spread; (slots,)."""
    keeps = PERSISTENCE ** (minutes / 15.0)
    shocks = rng.normal(size=slots) * error * np.sqrt(1.0 - keeps**2)
    off = np.empty(slots)
    off[0] = rng.normal() * error
    for t in range(1, slots):
        off[t] = keeps * off[t - 1] + shocks[t]
    return np.clip(off, -0.5, 0.5)


def _scaled(feeder: Feeder, share: Array) -> Feeder:
    """The feeder with its load in every slot times a share."""
    squared_kw, squared_kvar = feeder.squared
    return replace(
        feeder,
        base_kw=feeder.base_kw * share,
        base_kvar=feeder.base_kvar * share,
        squared_kw=squared_kw * share,
        squared_kvar=squared_kvar * share,
    )


def _believed_fleet(expected: Fleet, beliefs: Beliefs, rng: Generator) -> Fleet:
    """The sessions of another draw, as many and as early as is believed."""
    count = round(beliefs.cars * len(expected))
    whole, rest = divmod(count, max(len(expected), 1))
    some = np.sort(rng.permutation(len(expected))[:rest])
    parts = [_named(expected, f"~{k}") for k in range(whole)]
    parts.append(_named(expected.select(some), f"~{whole}"))
    fleet = joined([part for part in parts if len(part)] or [expected.select(some)])
    if beliefs.late_slots:
        begins = np.maximum(fleet.begins - beliefs.late_slots, 0.0)
        fleet = fleet.staying(begins, np.maximum(fleet.ends - beliefs.late_slots, begins + 1.0))
    return fleet


def _named(fleet: Fleet, mark: str) -> Fleet:
    return replace(fleet, session=np.char.add(fleet.session, mark))
