"""Tariffs that may keep connections, circuits and phases where those that were found do not.

Where one slot is cheaper than all others by a hair, every driver's cheapest schedule is there, and
no dispatch may move it. At one price for a few slots the dispatch chooses among them. Own devices
know of no limit: at one price for all slots they charge as on the uncoordinated day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from hubwise.dispatch import Baseline, feeder_limits
from hubwise.domain import Promises, Situation, Tariff
from hubwise.domain.arrays import Array
from hubwise.plan.ac_dispatch import NOISE, missed_kw
from hubwise.plan.strategies import reference_tariff
from hubwise.plan.turn import Turn
from hubwise.pricing import Family, level_prices, participants_pay
from hubwise.pricing.value import cost_ceiling

# So many prices are lowered at most, one after another.
EASES = 6
# What is passed by less is kept [kW].
ROUNDING_KW = 1e-9


def over_connections(situation: Situation, hub_kw: Array, line_kw: Array | None = None) -> Array:
    """By how much hubs draw more than they may, below 0 where less; (hubs, slots) [kW].

    Through their connections, and through the worst of their circuits and phases.
    """
    hubs = situation.hubs
    over: Array = hub_kw - hubs.most_import_kw[:, None]
    if line_kw is not None and len(hubs.lines):
        np.maximum.at(over, hubs.lines.hub, line_kw - hubs.lines.limit_kw[:, None])
    return over


def passed_kw(turn: Turn, baseline: Baseline) -> tuple[float, float]:
    """By how much a turn passes limits at worst, and then the promise to the grid [kW].

    In steps of what two dispatches of the same may differ by; 0 where they are kept.
    """
    situation, dispatch = turn.situation, turn.dispatch
    limits = feeder_limits(situation.feeder, situation.hubs.bus, dispatch.hub_kw)
    missed = missed_kw(situation, limits, baseline.span_kw, dispatch.hub_kw, dispatch.line_kw)
    step = NOISE * turn.problem.spread_kw
    steps = np.ceil(np.maximum(missed - ROUNDING_KW, 0.0) / step)
    return step * float(steps[1:].max()), step * float(steps[0])


def promising_less(baseline: Baseline, promises: Promises) -> Baseline:
    """The same where the grid is promised no more than the uncoordinated day."""
    span_kw = baseline.span_kw / min(promises.peak_valley, 1.0)
    return replace(baseline, span_kw=span_kw)


def eased(family: Family, turn: Turn) -> Iterator[Tariff]:
    """Tariffs that may keep what the turn's pass.

    More and more prices made one beside the slot that draws most too much; prices above what a kWh
    left is worth to those who fill up there; and where drivers' own devices choose, who among alike
    prices all take the first, the reference tariff, and one price for all slots, as dear as is
    lawful and as cheap as is promised.
    """
    yield from _made_alike(family, turn)
    yield from _above_worth(family, turn)
    if not turn.situation.fleet.delegates.all():
        reference = family.project(family.posted(reference_tariff(turn.situation)))
        flat = np.stack([np.full(family.groups, family.high[0].min()), family.low[1]])
        for prices in (reference, flat):
            yield family.tariff(family.project(prices))
            yield family.tariff(level_prices(turn.problem, family, prices))


def _above_worth(family: Family, turn: Turn) -> Iterator[Tariff]:
    """Each raises prices at hubs that draw too much above one more worth of a kWh that is left.

    Who is offered less than that fills up in every slot of the stay, and no dispatch may stop him.
    Nothing that breaks what drivers are promised to save.
    """
    problem, dispatch = turn.problem, turn.dispatch
    over = over_connections(turn.situation, dispatch.hub_kw, dispatch.line_kw)
    full = over.max(axis=1) > 0.0
    fleet, prices = problem.fleet, family.posted(turn.tariff)
    worth = np.unique((fleet.surplus_value * fleet.charge_efficiency)[full[fleet.hub]])
    groups, tick = np.unique(family.group[full]), 10.0**-family.decimals
    for least in tick * (np.floor(worth[worth > 0.0][:EASES] / tick) + 1.0):
        dearer = prices.copy()
        dearer[0, groups] = np.maximum(dearer[0, groups], least)
        dearer = family.project(dearer)
        if participants_pay(problem, family, dearer) <= cost_ceiling(problem):
            yield family.tariff(dearer)


def _made_alike(family: Family, turn: Turn) -> Iterator[Tariff]:
    """Each lowers the price that is next above, of a group of slots with room left, to that of the
    fullest slot. Nothing where no hub draws more than it may.
    """
    dispatch = turn.dispatch
    over = over_connections(turn.situation, dispatch.hub_kw, dispatch.line_kw)
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
