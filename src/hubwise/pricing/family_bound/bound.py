"""The most that a tariff of one family can bring: branch and bound over boxes of prices.

With the prices of the shared limits held, profit is what drivers pay, which the saving promise
bounds, less what their answers cost, a sum over drivers. In a box of prices each driver's answers
are confined (`answers`), and so is what they cost (`least`). Boxes are cut where the bound falls
most. Told from the price of one group, all other prices matter and the level does not: one
dimension fewer, and boxes that are twice as wide for the same answers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from hubwise.dispatch import Dispatch, Problem, best_dispatch
from hubwise.dispatch.program import UnsolvedError
from hubwise.domain import Status
from hubwise.domain.arrays import Array
from hubwise.pricing.bound import bound_profit
from hubwise.pricing.family import Family, fewer_changes
from hubwise.pricing.family_bound.box import parts_of
from hubwise.pricing.family_bound.tree import Told, Tree

# Boxes looked at for one bound.
BOXES = 5_000
# Rounds of a dispatch whose prices of the shared limits are to bound boxes.
ROUNDS = 15
# With more groups of prices than this, boxes are too many to cut anything off.
MOST_GROUPS = 8


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
    posted: Array | None = None,
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
    posted
        The prices of that tariff; shape (2, groups) [currency/kWh]. Where all hubs post the same,
        boxes about better ones are dispatched, too.
    boxes
        Most boxes to look at, for each set of hubs with prices of their own.
    """
    fewer = fewer_changes(family)
    if fewer:
        share = boxes // len(fewer)
        return _highest(
            bound_family(
                problem,
                each,
                relaxed,
                planned,
                posted=None if posted is None else each.project(each.posted(family.tariff(posted))),
                boxes=share,
            )
            for each in fewer
        )
    any_tariff = bound_profit(problem, relaxed).profit
    rows = np.unique(family.group, axis=0)
    many = any(len(np.unique(row)) > MOST_GROUPS for row in rows)
    endless = not (np.isfinite(family.low).all() and np.isfinite(family.high).all())
    if boxes <= 0 or many or endless or problem.terms.felt:
        return FamilyBound(any_tariff, 0, Status.NOT_BOUNDED)
    if not len(problem.fleet):
        return FamilyBound(any_tariff, 0, Status.CLOSED)
    at = [relaxed] if planned is None else [relaxed, planned]
    profit, looked, closed = _together(problem, family, at, posted, boxes)
    status = Status.CLOSED if closed and profit <= any_tariff else Status.BOXES_SPENT
    return FamilyBound(min(profit, any_tariff), looked, status)


def _highest(bounds: Iterable[FamilyBound]) -> FamilyBound:
    """The bound of families that hold all tariffs together."""
    found = list(bounds)
    said = {bound.status for bound in found}
    ends = (Status.NOT_BOUNDED, Status.BOXES_SPENT, Status.CLOSED)
    status = next(end for end in ends if end in said)
    boxes = 0 if status is Status.NOT_BOUNDED else sum(bound.boxes for bound in found)
    return FamilyBound(max(bound.profit for bound in found), boxes, status)


@dataclass(frozen=True, slots=True)
class _Teller:
    """Dispatches at tariffs of the family, and the bounds that their prices of limits give."""

    problem: Problem
    family: Family

    def told(self, dispatch: Dispatch) -> list[Told]:
        """One for every set of hubs with prices of their own."""
        bound = bound_profit(self.problem, dispatch)
        parts = parts_of(self.problem, self.family, dispatch, bound.out)
        return [Told(dispatch, bound.profit, part) for part in parts]

    def tell(self, prices: Array, near: Dispatch) -> Told | None:
        """Where all hubs post the same prices: dispatched at these, begun at another dispatch."""
        tariff, warm = self.family.tariff(prices), near.warm().near()
        try:
            answer = best_dispatch(self.problem, tariff, rounds=ROUNDS, warm=warm, flat=False)
        except UnsolvedError:
            return None
        return self.told(answer)[0]


def _together(
    problem: Problem, family: Family, at: list[Dispatch], posted: Array | None, boxes: int
) -> tuple[float, int, bool]:
    """The bound for all hubs, boxes looked at, and whether all are closed.

    Hubs that post prices of their own have the shared limits in common, so that these must be
    priced alike for all: then each way of pricing them is a bound by itself.
    """
    teller = _Teller(problem, family)
    told = [teller.told(dispatch) for dispatch in at]
    if len(told[0]) == 1:
        point = None if posted is None else told[0][0].part.at(posted)
        tell = teller.tell if point is not None else None
        tree = Tree([each[0] for each in told], tell, point, family.project)
        return tree.closed_in(boxes)
    return min(_hub_by_hub(each, family, posted, boxes) for each in told)


def _hub_by_hub(
    told: list[Told], family: Family, posted: Array | None, boxes: int
) -> tuple[float, int, bool]:
    """The same at one way of pricing the limits: what boxes take off, added over sets of hubs."""
    most, looked, closed = told[0].profit, 0, True
    for each in told:
        point = None if posted is None else each.part.at(posted)
        found = Tree([each], None, point, family.project).closed_in(boxes)
        most -= each.profit - found[0]
        looked, closed = looked + found[1], closed and found[2]
    return most, looked, closed
