"""Prices searched for again for cars that come later; who is here keeps the list that was accepted.

The day before, one list is found for a day that nobody knows. As it goes on, who came, what they
paid and how the head has been are known: the list for the rest of the day is searched for again,
with what is kept and what has happened in the promises.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hubwise.dispatch import make_baseline
from hubwise.domain import Horizon, PriceRules, Situation, Tariff
from hubwise.plan.relaxed import relaxed_problem
from hubwise.pricing import coarse_to_fine, search_method, value_of
from hubwise.pricing.search import search_in_steps
from hubwise.study.replay.day import ReplayedDay

# How often, and how many lists are tried each time.
EVERY_MINUTES = 60.0
TRIES = 60
# Rounds of dispatch in which the list that is found is held against the one that is posted.
ROUNDS = 15


def searched_anew(situation: Situation, posted: Tariff, seed: int = 0) -> Tariff:
    """The hubs' lists from now on: what is posted, or others that are worth more.

    Parameters
    ----------
    situation
        From now on: who is here with the lists that they accepted, who is expected, what has been
        so far.
    posted
        What hubs post now, on the same slots; of the hubs alone.
    seed
        Of the search.
    """
    situation = replace(situation, rules=_with_blocks_left(situation.rules))
    problem, relaxed = relaxed_problem(situation, make_baseline(situation))
    family, (_, method) = coarse_to_fine(situation)[-1], search_method("auto")
    found = search_in_steps(
        method, problem, [family], relaxed, evaluations=TRIES, seed=seed, begin=posted
    )[1]
    near, other = relaxed.warm().near(), family.tariff(found.prices)
    worth = [
        value_of(problem, each, rounds=ROUNDS, warm=near).merit
        for each in (situation.with_accepted(posted), other)
    ]
    hubs = len(situation.hubs)
    if worth[1] <= worth[0]:
        return posted
    return Tariff(other.charge_price[:hubs], other.discharge_price[:hubs])


def _with_blocks_left(rules: PriceRules) -> PriceRules:
    """The rules with the price blocks that still have slots."""
    left, block = np.unique(rules.block, return_inverse=True)
    names = tuple(rules.block_names[k] for k in left)
    return replace(
        rules, block=block.reshape(rules.block.shape).astype(np.int64), block_names=names
    )


def is_due(now: int, horizon: Horizon) -> bool:
    """Whether prices are searched for again at the begin of a slot."""
    every = max(round(EVERY_MINUTES / horizon.slot_minutes), 1)
    return now > 0 and now % every == 0


def reposted(day: ReplayedDay, before: Tariff, found: Tariff, now: int) -> ReplayedDay:
    """The day where hubs post other lists from a slot on.

    Parameters
    ----------
    day
        As it was.
    before
        What hubs posted until now, over the whole day.
    found
        What they post from ``now`` on, on the slots from then on.
    now
        The slot. Who came before it keeps the list that they have.
    """
    situation = day.scenario.situation
    fleet, accepted, hubs = situation.fleet, situation.accepted, len(situation.hubs)
    first = hubs + (0 if accepted is None else len(accepted.charge_price))
    keeps = (fleet.arrival_slot < now) & (fleet.lists < hubs)
    situation = replace(
        situation,
        fleet=fleet.offered(np.where(keeps, first + fleet.lists, fleet.lists)),
        accepted=_joined(accepted, before),
    )
    posted = Tariff(
        np.concatenate([before.charge_price[:, :now], found.charge_price], axis=1),
        np.concatenate([before.discharge_price[:, :now], found.discharge_price], axis=1),
    )
    return replace(day, scenario=replace(day.scenario, situation=situation), posted=posted)


def _joined(accepted: Tariff | None, posted: Tariff) -> Tariff:
    """Lists that are kept: those of before, and behind them those that were posted until now."""
    if accepted is None:
        return posted
    return Tariff(
        np.concatenate([accepted.charge_price, posted.charge_price]),
        np.concatenate([accepted.discharge_price, posted.discharge_price]),
    )
