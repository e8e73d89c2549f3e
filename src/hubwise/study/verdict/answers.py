"""Answers from plans: what is worth it, at which price it would be, and what cannot be told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from enum import StrEnum

from hubwise.study.verdict.cases import Case
from hubwise.study.verdict.costs import Costs

# Amounts nearer than this share of the larger are the same.
SAME = 1e-6


class Worth(StrEnum):
    """What can be said of whether something is worth it."""

    YES = "worth it"
    NO = "not worth it"
    OPEN = "cannot be told apart"
    PRICE = "depends on its price"
    BESIDE = "cannot be compared"
    NONE = "no question here"


@dataclass(frozen=True, slots=True)
class Gain:
    """What more equipment brings over the days planned, before what it costs [currency].

    Parameters
    ----------
    found
        The difference of the two plans' profits.
    least, most
        What the difference of the best prices is at least and at most, by the plans and their
        bounds; ``None`` where a bound is not known.
    fair
        The difference had energy that is left short been bought back; ``None`` if not known.
    drivers
        What drivers pay less together.
    units
        Of what: kWh of battery, or chargers.
    years
        The days planned, as a share of a year.
    """

    found: float
    least: float | None
    most: float | None
    fair: float | None
    drivers: float
    units: float
    years: float

    def a_year(self, amount: float | None) -> float | None:
        """An amount per unit and year [currency]."""
        return None if amount is None or not self.units else amount / self.units / self.years

    def worth(self, cost: float | None) -> Worth:
        """Whether it is worth a cost [currency]; proven, or not to be told apart."""
        if cost is None:
            none = self.most is not None and self.most <= self._trifle(0.0)
            return Worth.NO if none else Worth.PRICE
        if self.least is not None and self.least > cost + self._trifle(cost):
            return Worth.YES
        if self.most is not None and self.most < cost - self._trifle(cost):
            return Worth.NO
        return Worth.OPEN

    def _trifle(self, cost: float) -> float:
        return SAME * max(abs(self.found), abs(cost), 1.0)

    def to_json(self) -> dict[str, object]:
        """The figures, with the prices a year at which it would break even."""
        return {
            **asdict(self),
            "break_even": self.a_year(self.found),
            "break_even_least": self.a_year(self.least),
            "break_even_most": self.a_year(self.most),
            "break_even_with_drivers": self.a_year(self.found + self.drivers),
        }


def gain(more: Case, less: Case, units: float, years: float) -> Gain:
    """What one case brings beyond another; ``units`` of equipment more, over so many years."""
    fair = None
    if more.fair_profit is not None and less.fair_profit is not None:
        fair = more.fair_profit - less.fair_profit
    return Gain(
        found=more.profit - less.profit,
        least=None if less.bound is None else more.profit - less.bound,
        most=None if more.bound is None else more.bound - less.profit,
        fair=fair,
        drivers=less.drivers_cost - more.drivers_cost,
        units=units,
        years=years,
    )


@dataclass(frozen=True, slots=True)
class TwoWayAnswer:
    """Whether two-way charging is worth it.

    Parameters
    ----------
    worth, gain
        The answer, and what it rests on; no gain where there is no question.
    cost
        What its chargers cost over the days planned [currency].
    made_up
        Whether cars were made two-way for it, being all one-way.
    missed_one_way, missed_two_way
        What each plan misses of promises and limits.
    """

    worth: Worth
    gain: Gain | None = None
    cost: float | None = None
    made_up: bool = False
    missed_one_way: tuple[str, ...] = ()
    missed_two_way: tuple[str, ...] = ()


def answer_two_way(
    two_way: Case | None, one_way: Case | None, costs: Costs, *, made_up: bool
) -> TwoWayAnswer:
    """Whether two-way charging is worth it, from the plans with and without it."""
    if two_way is None or one_way is None:
        return TwoWayAnswer(Worth.NONE)
    found = gain(two_way, one_way, costs.chargers, costs.years)
    cost = costs.of_chargers()
    kept = not two_way.misses and not one_way.misses
    return TwoWayAnswer(
        worth=found.worth(cost) if kept else Worth.BESIDE,
        gain=found,
        cost=cost,
        made_up=made_up,
        missed_one_way=one_way.misses,
        missed_two_way=two_way.misses,
    )


@dataclass(frozen=True, slots=True)
class Size:
    """A battery that was tried.

    Parameters
    ----------
    kwh
        What it holds [kWh].
    gain
        What it brings beyond none.
    cost
        What it costs over the days planned; ``None`` if not known [currency].
    worth
        Whether it is worth that.
    misses
        What its plan misses of promises and limits.
    """

    kwh: float
    gain: Gain
    cost: float | None
    worth: Worth
    misses: tuple[str, ...]

    @property
    def net(self) -> float | None:
        """What it brings beyond none and its cost [currency]."""
        return None if self.cost is None else self.gain.found - self.cost


@dataclass(frozen=True, slots=True)
class BatteryAnswer:
    """Whether a station battery is worth it, and which.

    Parameters
    ----------
    worth
        Of the best size.
    sizes
        Those that were tried, from the smallest.
    best
        That which brings most beyond its cost, among those that keep promises and limits; where no
        cost is known, that which brings most a kWh.
    missed_without
        What the plan without battery misses.
    """

    worth: Worth
    sizes: tuple[Size, ...] = ()
    best: Size | None = None
    missed_without: tuple[str, ...] = ()


def answer_battery(without: Case | None, tried: Sequence[Case], costs: Costs) -> BatteryAnswer:
    """Whether a station battery is worth it, from plans without and with some."""
    if without is None or not tried:
        return BatteryAnswer(Worth.NONE)
    sizes = tuple(_size(case, without, costs) for case in tried)
    kept = [size for size in sizes if not size.misses] or list(sizes)
    best = max(kept, key=_value)
    if without.misses:
        return BatteryAnswer(Worth.BESIDE, sizes, best, without.misses)
    return BatteryAnswer(best.worth, sizes, best)


def _size(case: Case, without: Case, costs: Costs) -> Size:
    found = gain(case, without, case.battery_kwh, costs.years)
    cost = costs.of_battery(case.battery_kwh)
    worth = found.worth(cost) if not case.misses and not without.misses else Worth.BESIDE
    return Size(case.battery_kwh, found, cost, worth, case.misses)


def _value(size: Size) -> float:
    return size.gain.found / size.kwh if size.net is None else size.net


@dataclass(frozen=True, slots=True)
class AloneAnswer:
    """Whether to post prices at all, or leave it.

    Parameters
    ----------
    worth
        Whether posting prices is worth it.
    posted, alone
        The best plan with prices, and the best without that keeps the same promises and limits.
    difference
        What the first brings beyond the second, equipment paid [currency].
    most
        The same for the best prices of all cases, by their bounds; ``None`` if not known.
    refused
        What the best without prices misses, where none keeps promises and limits.
    """

    worth: Worth
    posted: Case | None = None
    alone: Case | None = None
    difference: float = 0.0
    most: float | None = None
    refused: Case | None = None


def answer_alone(cases: Sequence[Case], costs: Costs, *, participants: int) -> AloneAnswer:
    """Whether to post prices, from all plans of the site."""
    known = replace(costs, battery=costs.battery or 0.0, charger=costs.charger or 0.0)

    def net(case: Case) -> float:
        return case.profit - (known.of(case) or 0.0)

    posted = [case for case in cases if case.posts]
    best = max(posted, key=lambda case: (not case.misses, net(case)))
    if not participants:
        return AloneAnswer(Worth.NONE, best)
    others = [case for case in cases if not case.posts]
    keeping = [case for case in others if not case.misses and case.broken <= best.broken]
    if not keeping:
        refused = max(others, key=lambda case: case.profit, default=None)
        worth = Worth.BESIDE if best.misses else Worth.YES
        return AloneAnswer(worth, best, refused=refused)
    alone = max(keeping, key=net)
    bounds = [None if c.bound is None else c.bound - (known.of(c) or 0.0) for c in posted]
    tops = [bound for bound in bounds if bound is not None]
    difference = net(best) - net(alone)
    most = max(tops) - net(alone) if len(tops) == len(bounds) else None
    same = SAME * max(abs(net(best)), abs(net(alone)), 1.0)
    worth = _posting(difference, most, same, kept=not best.misses)
    return AloneAnswer(worth, best, alone, difference, most)


def _posting(difference: float, most: float | None, same: float, *, kept: bool) -> Worth:
    """Whether prices are worth posting; what is found is kept, what is not found may be there.

    Amounts that differ by no more than ``same`` are.
    """
    if not kept:
        return Worth.NO
    if difference > same:
        return Worth.YES
    return Worth.NO if most is not None and most <= same else Worth.OPEN
