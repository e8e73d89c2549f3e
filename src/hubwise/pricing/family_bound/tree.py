"""Branch and bound over boxes of prices, at ever more prices of the shared limits.

Whatever prices the shared limits have, they bound the profit in every box; those of a dispatch at a
tariff of the box do it best. So where a box's bound is high although it is hardly wider than a
point, it is dispatched in its middle, and what its limits cost there bounds every box from then on.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import numpy as np

from hubwise.dispatch import Dispatch
from hubwise.domain.arrays import Array
from hubwise.pricing.family_bound.box import SMALL, Box, Part

# A bound this near to what is reached at a point is closed, as a share.
CLOSE = 2e-4
# The lesser fall of two halves counts as this share of the gap at least, so that a cut that does
# nothing for one of them still has a rank.
LEAST_FALL = 0.05
# A box is dispatched where its middle's bound is above so much of its own; dispatches that lowered
# the middle's by less than this share of the gap are left out, and so many of them end it.
NARROW, HELPS, TRIES = 0.5, 0.05, 4
# Where one did not help, none is tried in the boxes of so many cuts from there.
RESTS = 4
# A gap of this share of what is reached at a point is worth all boxes, a smaller one fewer.
WIDE = 0.01


@dataclass(frozen=True, slots=True)
class Told:
    """Prices of the shared limits: the dispatch that they are of, the bound for any tariff at them
    [currency], and what a box takes off it."""

    dispatch: Dispatch
    profit: float
    part: Part

    def most(self, box: Box) -> float:
        """No tariff of the box brings more [currency]."""
        return self.profit - self.part.excess(box)


Tell = Callable[[Array, Dispatch], Told | None]
"""A dispatch at prices (2, groups), begun at another, and the bounds that it gives, if any."""


@dataclass
class _Node:
    """A box, the least bound of it so far, and which prices of limits gave it.

    ``tried``: which have been tried; ``rests``: how many cuts deeper it may be dispatched again.
    """

    box: Box
    most: float
    best: int = 0
    tried: set[int] = field(default_factory=set)
    rests: int = 0


@dataclass
class Tree:
    """Boxes that hold every lawful tariff, the one that could bring most first.

    Parameters
    ----------
    told
        Prices of the shared limits; each bounds every box.
    tell
        How to get more of them; ``None`` where there are to be no more.
    posted
        A point that is known to be good, if any.
    project
        The lawful prices nearest to some; shape (2, groups).
    """

    told: list[Told]
    tell: Tell | None
    posted: Box | None
    project: Callable[[Array], Array]
    looked: int = 0
    fails: int = 0
    number: int = 0
    floor: float = -np.inf
    heap: list[tuple[float, int, _Node]] = field(default_factory=list)

    @property
    def most(self) -> float:
        """The bound for any tariff [currency]."""
        return min(each.profit for each in self.told)

    def closed_in(self, boxes: int) -> tuple[float, int, bool]:
        """The least bound with so many boxes, how many were looked at, and whether it is closed."""
        whole = self.told[0].part.trimmed(self.told[0].part.whole())
        if whole is None:
            return self.most, 0, False
        self._push(_Node(whole, self.most))
        self._stand()
        while True:
            node = self._top()
            if node.most - self.floor <= self._close:
                return node.most, self.looked, True
            if self.looked >= boxes * self._worth(node):
                return node.most, self.looked, False
            middle = self._least(_Node(_middle(node.box), node.most), self._all).most
            if self.posted is None:
                self.floor = max(self.floor, middle)
            if self._tells_anew(node, middle):
                continue
            if node.most - middle <= self._close:
                return node.most, self.looked, True
            if not self._cut(node):
                return node.most, self.looked, False

    @property
    def _close(self) -> float:
        return CLOSE * abs(self.most)

    def _worth(self, node: _Node) -> float:
        """Which share of the boxes the gap is worth."""
        return min((node.most - self.floor) / (WIDE * abs(self.most) + 1e-12), 1.0)

    def _push(self, node: _Node) -> None:
        self.number += 1
        heapq.heappush(self.heap, (-node.most, self.number, node))

    def _top(self) -> _Node:
        """The box that could bring most, told at all prices of limits."""
        while True:
            node = self.heap[0][2]
            if len(node.tried) == len(self.told):
                return node
            heapq.heappop(self.heap)
            self._push(self._least(node, self._all))

    @property
    def _all(self) -> range:
        return range(len(self.told))

    def _least(self, node: _Node, among: Iterable[int]) -> _Node:
        """The node with its bound lowered, at such of these prices as have not been tried."""
        self.looked += 1
        for k in [each for each in among if each not in node.tried]:
            most = self.told[k].most(node.box)
            if most < node.most:
                node.most, node.best = most, k
        node.tried.update(among)
        return node

    def _stand(self) -> None:
        """What the point that is known to be good brings at most."""
        if self.posted is not None:
            self.floor = min(each.most(self.posted) for each in self.told)

    def _tells_anew(self, node: _Node, middle: float) -> bool:
        """Dispatch in the middle of a box that is narrow, or that cuts do not help."""
        narrow = middle - self.floor > NARROW * (node.most - self.floor)
        if self.tell is None or not narrow or self.fails >= TRIES or node.rests:
            return False
        prices = self.project(self.told[0].part.prices(node.box))
        told = self.tell(prices, self.told[node.best].dispatch)
        gap = middle - self.floor
        if told is None or told.most(_middle(node.box)) > middle - HELPS * gap:
            self.fails += 1
            node.rests = RESTS
            return False
        self.told.append(told)
        self._stand()
        return True

    def _cut(self, node: _Node) -> bool:
        """Cut the first box along the price by which both halves' bounds fall most."""
        part, best, rank = self.told[0].part, list[_Node](), (0.0, 0.0)
        gap = max(node.most - self.floor, self._close)
        for k in np.flatnonzero(node.box.high - node.box.low > SMALL):
            lawful = [kept for half in _halves(node.box, int(k)) if (kept := part.trimmed(half))]
            rests = max(node.rests - 1, 0)
            halves = [
                self._least(_Node(kept, node.most, node.best, rests=rests), (node.best,))
                for kept in lawful
            ]
            falls = [min(node.most - half.most, gap) for half in halves]
            falls += [gap] * (2 - len(halves))
            worth = float(np.prod(np.maximum(falls, LEAST_FALL * gap))), sum(falls)
            if halves and worth > rank:
                best, rank = halves, worth
        if not best:
            return False
        heapq.heappop(self.heap)
        for half in best:
            self._push(half)
        return True


def _middle(box: Box) -> Box:
    point = 0.5 * (box.low + box.high)
    return Box(point, point, box.level)


def _halves(box: Box, k: int) -> tuple[Box, Box]:
    low, high = box.low.copy(), box.high.copy()
    low[k] = high[k] = 0.5 * (box.low[k] + box.high[k])
    return Box(box.low, high, box.level), Box(low, box.high, box.level)
