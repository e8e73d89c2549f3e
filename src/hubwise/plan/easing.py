"""Prices that send too many into one slot, made alike beside it until connections hold.

Where one slot is cheaper than all others by a hair, every driver's cheapest schedule is there, and
no dispatch may move it. At one price for a few slots the dispatch chooses among them.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hubwise.domain import Situation, Tariff
from hubwise.domain.arrays import Array
from hubwise.plan.strategies import reference_tariff
from hubwise.plan.turn import Turn
from hubwise.pricing import Family

# So many prices are lowered at most, one after another.
EASES = 6


def over_connections(situation: Situation, hub_kw: Array) -> Array:
    """By how much hubs draw more than their connections carry; (hubs, slots) [kW]."""
    return hub_kw - situation.hubs.most_import_kw[:, None]


def eased(family: Family, turn: Turn) -> Iterator[Tariff]:
    """Tariffs that may keep what the turn's pass.

    More and more prices made one beside the slot that draws most too much; and where drivers' own
    devices choose, who among alike prices all take the first, the reference tariff.
    """
    yield from _made_alike(family, turn)
    if not turn.situation.fleet.delegates.all():
        reference = reference_tariff(turn.situation)
        yield family.tariff(family.project(family.posted(reference)))


def _made_alike(family: Family, turn: Turn) -> Iterator[Tariff]:
    """Each lowers the price that is next above, of a group of slots with room left, to that of the
    fullest slot. Nothing where no connection is passed.
    """
    over = over_connections(turn.situation, turn.dispatch.hub_kw)
    hub, slot = np.unravel_index(int(np.argmax(over)), over.shape)
    if over[hub, slot] <= 0.0:
        return
    prices = family.posted(turn.tariff)
    mine, full = family.group[hub], int(family.group[hub, slot])
    room = np.bincount(mine, -np.minimum(over[hub], 0.0), minlength=prices.shape[1])
    for _ in range(EASES):
        above = np.where((prices[0] > prices[0, full]) & (room > 0.0), prices[0], np.inf)
        near = int(np.argmin(above))
        if not np.isfinite(above[near]):
            return
        prices = prices.copy()
        prices[0, near] = prices[0, full]
        yield family.tariff(family.project(prices))
