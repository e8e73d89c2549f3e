"""The most that a tariff of one family can bring: branch and bound over boxes of prices.

With the prices of the shared limits held, profit is what drivers pay, which the saving promise
bounds, less what their answers cost, a sum over drivers. In a box of prices each driver's answers
are confined (`answers`), and so is what they cost (`least`). Boxes are cut where the bound falls
most. Told from the price of one group, all other prices matter and the level does not: one
dimension fewer, and boxes that are twice as wide for the same answers.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from hubwise.dispatch import Dispatch, Problem
from hubwise.domain import Status
from hubwise.pricing.bound import bound_profit
from hubwise.pricing.family import Family
from hubwise.pricing.family_bound.box import SMALL, Box, Part, parts_of

# Boxes looked at for one bound.
BOXES = 500
# With more groups of prices than this, boxes are too many to cut anything off.
MOST_GROUPS = 8
# A bound this near to what is reached at a point is closed, as a share.
CLOSE = 2e-4


@dataclass(frozen=True, slots=True)
class FamilyBound:
    """A bound on the profit of every tariff of a family.

    Parameters
    ----------
    profit
        No tariff of the family brings more [currency].
    boxes
        Boxes of prices that were looked at, or nodes of the exact program's tree; 0 where the
        family has too many prices, or prices without bounds, or terms give drivers something
        beside, and ``profit`` is the bound for any tariff.
    status
        Whether more boxes would hardly lower it, or there are none to look at.
    """

    profit: float
    boxes: int
    status: Status


def bound_family(
    problem: Problem,
    family: Family,
    relaxed: Dispatch,
    planned: Dispatch | None = None,
    *,
    boxes: int = BOXES,
) -> FamilyBound:
    """No tariff of ``family`` brings a higher profit than this, if it keeps promises and limits.

    Parameters
    ----------
    problem
        What is dispatched; the feeder is linear in it.
    family
        Of the tariffs.
    relaxed
        A settled dispatch without a tariff, for the prices of the shared limits.
    planned
        A dispatch at a good tariff, not flattened: its prices of the shared limits bound tariffs
        like it best.
    boxes
        Most boxes to look at, for each set of hubs with prices of their own.
    """
    any_tariff = bound_profit(problem, relaxed).profit
    rows = np.unique(family.group, axis=0)
    many = any(len(np.unique(row)) > MOST_GROUPS for row in rows)
    endless = not (np.isfinite(family.low).all() and np.isfinite(family.high).all())
    if boxes <= 0 or many or endless or problem.terms.felt:
        return FamilyBound(any_tariff, 0, Status.NOT_BOUNDED)
    if not len(problem.fleet):
        return FamilyBound(any_tariff, 0, Status.CLOSED)
    at = [relaxed] if planned is None else [relaxed, planned]
    found = [_bounded(sides, boxes) for sides in _sides(problem, family, at)]
    profit, looked, closed = min(found)
    status = Status.CLOSED if closed and profit <= any_tariff else Status.BOXES_SPENT
    return FamilyBound(min(profit, any_tariff), looked, status)


@dataclass(frozen=True, slots=True)
class _Side:
    """A set of hubs with prices of their own, at several prices of the shared limits.

    Each of these gives a bound in every box, and the least holds: those of the relaxed problem are
    tight for most tariffs, a plan's own where prices are like its own. ``profits``: the bound for
    any tariff at each; ``parts``: what a box takes off it.
    """

    profits: tuple[float, ...]
    parts: tuple[Part, ...]

    @property
    def most(self) -> float:
        """The bound for any tariff [currency]."""
        return min(self.profits)

    def excess(self, box: Box) -> float:
        """What a box takes off the bound for any tariff [currency]."""
        pairs = zip(self.profits, self.parts, strict=True)
        return self.most - min(profit - part.excess(box) for profit, part in pairs)

    def whole(self) -> Box:
        """The box of all lawful prices."""
        return self.parts[0].whole()

    def trimmed(self, box: Box) -> Box | None:
        """The box without what no lawful tariff has."""
        return self.parts[0].trimmed(box)


def _sides(problem: Problem, family: Family, at: list[Dispatch]) -> list[list[_Side]]:
    """Sets of hubs to be bounded together: all prices of limits at once where there is one set.

    Hubs that post prices of their own have the shared limits in common, so that these must be
    priced alike for all: then each way of pricing them is a bound by itself.
    """
    bounds = [bound_profit(problem, prices) for prices in at]
    parts = [
        parts_of(problem, family, prices, bound.out)
        for prices, bound in zip(at, bounds, strict=True)
    ]
    profits = tuple(bound.profit for bound in bounds)
    if len(parts[0]) == 1:
        return [[_Side(profits, tuple(each[0] for each in parts))]]
    return [
        [_Side((profit,), (part,)) for part in each]
        for profit, each in zip(profits, parts, strict=True)
    ]


def _bounded(sides: list[_Side], boxes: int) -> tuple[float, int, bool]:
    """The bound for all sets of hubs together, boxes looked at, and whether all are closed."""
    found = [_closed_in(side, boxes, side.most) for side in sides]
    profit = sides[0].most - sum(excess for excess, _, _ in found)
    return profit, sum(looked for _, looked, _ in found), all(done for _, _, done in found)


def _closed_in(part: _Side, boxes: int, scale: float) -> tuple[float, int, bool]:
    """Least excess over all boxes, how many were looked at, and whether it is closed.

    The box of least excess is cut, along the price that raises the lesser half's excess most.
    """
    whole = part.trimmed(part.whole())
    if whole is None:
        return 0.0, 0, False
    looked = 1
    heap: list[tuple[float, int, Box]] = [(part.excess(whole), looked, whole)]
    reached = np.inf
    while looked < boxes:
        excess, _, box = heap[0]
        middle = _middle(box)
        reached, looked = min(reached, part.excess(middle)), looked + 1
        if reached - excess <= CLOSE * abs(scale):
            return excess, looked, True
        halves, cuts = _best_cut(part, box, excess)
        looked += cuts
        if not halves:
            break
        heapq.heappop(heap)
        for number, (least, half) in enumerate(halves):
            heapq.heappush(heap, (least, looked - number, half))
    return heap[0][0], looked, False


def _best_cut(part: _Side, box: Box, excess: float) -> tuple[list[tuple[float, Box]], int]:
    """Both halves of the best cut, with their excess; and how many boxes were looked at."""
    best: list[tuple[float, Box]] = []
    rank: list[float] = []
    looked = 0
    for k in np.flatnonzero(box.high - box.low > SMALL):
        lawful = [kept for half in _halves(box, int(k)) if (kept := part.trimmed(half)) is not None]
        halves = [(max(part.excess(kept), excess), kept) for kept in lawful]
        looked += len(halves)
        ranked = sorted([least for least, _ in halves] + [np.inf] * (2 - len(halves)))
        if halves and ranked > rank:
            best, rank = halves, ranked
    return best, looked


def _middle(box: Box) -> Box:
    point = 0.5 * (box.low + box.high)
    return Box(point, point, box.level)


def _halves(box: Box, k: int) -> tuple[Box, Box]:
    low, high = box.low.copy(), box.high.copy()
    low[k] = high[k] = 0.5 * (box.low[k] + box.high[k])
    return Box(box.low, high, box.level), Box(low, box.high, box.level)
