"""Why every car does what it does in every slot: the case, and figures that hold for its stay.

A sentence is chosen only where all that it says is so, by prices, thresholds and schedule of the
very stay; each choice is a function that says no where it is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite

import numpy as np

from hubwise.domain import Fleet, Horizon, Schedule, Tariff
from hubwise.domain.arrays import Array, Flags, Index
from hubwise.domain.why import Reason, price
from hubwise.drivers.batteries import batteries_of
from hubwise.drivers.thresholds import Thresholds, contradicted, thresholds_of
from hubwise.drivers.worth import TIE

# Less power is none, as chargers see it [kW].
POWER = 1e-6
# Energies that are closer are the same [kWh].
ENERGY = 1e-6
# What is said to who will not have what it needs.
SHORT = "hub_limit.short"
Said = tuple[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Story:
    """What one stay's sentences are chosen by; lists over the slots of its stay.

    ``before``: energy at the start of each slot; ``after``: at the end of the stay; ``wrong``:
    sign of `contradicted`; ``run``: first slot, and the first after the last, of those around a
    slot that stored energy is worth the same in; ``turns``: those of them that may charge
    otherwise, and that may give back otherwise; ``charges_next``: the first slot after a slot that
    charges, or as many as there are; the rest as in `Thresholds`, `Schedule` and `Fleet`.
    """

    first: int
    ends: float
    charge: list[float]
    paid: list[float]
    kw: list[float]
    back_kw: list[float]
    most_kw: list[float]
    most_back_kw: list[float]
    before: list[float]
    after: float
    low: list[float]
    high: list[float]
    below: list[float]
    above: list[float]
    may_charge: list[bool]
    may_give_back: list[bool]
    wrong: list[int]
    run: list[tuple[int, int]]
    turns: list[tuple[list[int], list[int]]]
    charges_next: list[int]
    charge_efficiency: float
    discharge_efficiency: float
    wear: float
    spared: float
    surplus: float
    limit: float
    required: float
    reserve: float
    delegates: bool

    def moment(self, t: int) -> float:
        """When a slot of the stay begins; its end, after the last."""
        return self.ends if t >= len(self.charge) else float(self.first + t)

    def keeps(self, t: int) -> float:
        """What a kWh given back is worth in the battery, wear counted, limits not."""
        return (self.low[t] + self.wear) / self.discharge_efficiency


def reasons_of(
    fleet: Fleet,
    tariff: Tariff,
    horizon: Horizon,
    schedule: Schedule,
    found: Thresholds | None = None,
    *,
    limited: bool = False,
) -> list[tuple[Reason, ...]]:
    """Why each session does what it does, from the start of its stay to its end, by session.

    Parameters
    ----------
    fleet, tariff, horizon
        As for `hubwise.drivers.best_response`.
    schedule
        What sessions do. It need not be cheapest: a slot that contradicts the thresholds says so.
    found
        The sessions' thresholds, if they are known.
    limited
        Whether only the hub's limit keeps a car from its cheapest schedule.
    """
    found = found or thresholds_of(fleet, tariff, horizon)
    batteries = batteries_of(fleet, horizon)
    wrong = contradicted(fleet, tariff, horizon, found, schedule)
    shape = len(fleet), horizon.slots
    most, most_back = (
        np.broadcast_to(each, shape) for each in (batteries.charge_kw, batteries.discharge_kw)
    )
    begins = _begins(fleet, tariff, schedule, found, wrong, most, most_back)
    made = []
    for i in range(len(fleet)):
        story = _story(fleet, tariff, schedule, found, i, wrong[i], most[i], most_back[i])
        short = story.after < batteries.target[i] - ENERGY
        held = "" if not limited else SHORT if short else "hub_limit"
        slots = np.flatnonzero(begins[i, story.first : story.first + len(story.charge)])
        made.append(tuple(_reasons(story, slots.tolist(), held)))
    return made


def _story(
    fleet: Fleet, tariff: Tariff, schedule: Schedule, found: Thresholds, i: int, wrong: Array,
    most: Array, most_back: Array,
) -> Story:  # fmt: skip
    stay = slice(int(fleet.arrival_slot[i]), int(fleet.departure_slot[i]))
    row = fleet.lists[i]

    def cut(values: Array | Flags) -> list[float]:
        kept: list[float] = values[stay].tolist()
        return kept

    low, high = found.lowest[i, stay], found.highest[i, stay]
    run = _runs(low, high)
    may_charge = found.may_charge[i, stay].tolist()
    may_give_back = found.may_give_back[i, stay].tolist()
    before = np.append(fleet.arrival_kwh[i], schedule.energy_kwh[i, stay][:-1])
    return Story(
        first=stay.start,
        ends=float(fleet.ends[i]),
        charge=cut(tariff.charge_price[row]),
        paid=cut(tariff.discharge_price[row]),
        kw=cut(schedule.charge_kw[i]),
        back_kw=cut(schedule.discharge_kw[i]),
        most_kw=cut(most),
        most_back_kw=cut(most_back),
        before=before.tolist(),
        after=float(schedule.energy_kwh[i, stay][-1]),
        low=low.tolist(),
        high=high.tolist(),
        below=cut(found.charge_below[i]),
        above=cut(found.give_back_above[i]),
        may_charge=may_charge,
        may_give_back=may_give_back,
        wrong=wrong[stay].tolist(),
        run=run,
        turns=_turns(
            run, found.may_charge[i, stay].tolist(), found.may_give_back[i, stay].tolist()
        ),
        charges_next=_charges_next(schedule.charge_kw[i, stay].tolist()),
        charge_efficiency=float(fleet.charge_efficiency[i]),
        discharge_efficiency=float(fleet.discharge_efficiency[i]),
        wear=float(fleet.wear_cost[i]),
        spared=float(found.spared[i]),
        surplus=float(fleet.surplus_value[i]),
        limit=float(fleet.discharge_limit_kwh[i]),
        required=float(fleet.required_kwh[i]),
        reserve=float(fleet.reserve_kwh[i]),
        delegates=bool(fleet.delegates[i]),
    )


def _runs(low: Array, high: Array) -> list[tuple[int, int]]:
    """For each slot the first, and the first after the last, of those with the same bounds."""
    with np.errstate(invalid="ignore"):
        near = (np.abs(np.diff(low)) <= TIE) | (low[1:] == low[:-1])
        near &= (np.abs(np.diff(high)) <= TIE) | (high[1:] == high[:-1])
    cuts = [0, *(np.flatnonzero(~near) + 1).tolist(), len(low)]
    return [(first, last) for first, last in pairwise(cuts) for _ in range(first, last)]


def _turns(
    run: list[tuple[int, int]], may_charge: list[bool], may_give_back: list[bool]
) -> list[tuple[list[int], list[int]]]:
    found: list[tuple[list[int], list[int]]] = []
    for first, last in dict.fromkeys(run):
        slots = range(first, last)
        pair = [s for s in slots if may_charge[s]], [s for s in slots if may_give_back[s]]
        found += [pair] * len(slots)
    return found


def _charges_next(kw: list[float]) -> list[int]:
    found = [len(kw)] * len(kw)
    for t in range(len(kw) - 2, -1, -1):
        found[t] = t + 1 if kw[t + 1] > POWER else found[t + 1]
    return found


def _begins(
    fleet: Fleet, tariff: Tariff, schedule: Schedule, found: Thresholds, wrong: Index, most: Array,
    most_back: Array,
) -> Flags:  # fmt: skip
    """In which slots something else may be said than in the one before; (sessions, slots)."""
    kw, back_kw, energy = schedule.charge_kw, schedule.discharge_kw, schedule.energy_kwh
    before = np.column_stack([fleet.arrival_kwh, energy[:, :-1]])
    reserve, required = fleet.reserve_kwh[:, None], fleet.required_kwh[:, None]
    about = (
        *(tariff.charge_price[fleet.lists], tariff.discharge_price[fleet.lists]),
        *(found.lowest, found.highest, found.may_charge, found.may_give_back, wrong),
        *(kw > POWER, back_kw > POWER, most > POWER, most_back > POWER, kw < most - POWER),
        *(before < reserve - ENERGY, before <= reserve + ENERGY, before >= required - ENERGY),
    )
    begins = np.zeros(kw.shape, np.bool_)
    for each in about:
        begins[:, 1:] |= each[:, 1:] != each[:, :-1]
    begins[np.arange(len(fleet)), fleet.arrival_slot] = True
    return begins


def _reasons(story: Story, slots: list[int], held: str) -> Iterator[Reason]:
    """What is said from the start of the stay to its end, each as long as it stays the same.

    ``slots``: where something else may be said.
    """
    said: tuple[Said, float, float] | None = None
    begins = 0
    for t in (*slots, len(story.charge)):
        after = None
        if t < len(story.charge):
            words = _otherwise(story, t, held) or _said(story, t)
            after = words, story.below[t], story.above[t]
        if said is not None and after != said:
            (wording, figures), below, above = said
            known = isfinite(below) and isfinite(above)
            yield Reason(
                slot=story.first + begins,
                until=story.moment(t),
                wording=wording,
                charge_below=below if known else None,
                give_back_above=above if known else None,
                figures=figures,
            )
            begins = t
        said = after


def _said(story: Story, t: int) -> Said:
    """The wording of a slot and what stands in its places."""
    if story.kw[t] > POWER and _below_reserve(story, t):
        return "below_reserve", {"reserve": story.reserve}
    if story.may_charge[t] or story.may_give_back[t]:
        return _turn(story, t)
    if story.back_kw[t] > POWER:
        return _earning(story, t)
    if story.kw[t] > POWER:
        return _charging(story, t)
    return _waiting(story, t) or _keeping(story, t)


def _below_reserve(story: Story, t: int) -> bool:
    """Whether the battery holds less than its driver keeps, and nothing is drawn meanwhile."""
    for s in range(t, len(story.before)):
        if story.before[s] >= story.reserve - ENERGY:
            return s > t
        if story.back_kw[s] > POWER:
            return False
    return True


def _otherwise(story: Story, t: int, held: str) -> Said | None:
    """Who does not do what is cheapest: held back by the hub's limit, or for another reason."""
    less = story.kw[t] < story.most_kw[t] - POWER and story.charge[t] <= story.below[t] + TIE
    if held and less and (story.wrong[t] < 0 or held == SHORT):
        return held, {"until": story.ends}
    return None if story.wrong[t] == 0 else ("hub_limit.otherwise", {})


def _turn(story: Story, t: int) -> Said:
    """What is as cheap otherwise: a turn among slots at one price, or more than that."""
    own = "" if story.delegates else "own"
    # What stays in the battery, and its worth, may be what differs.
    leaves = story.run[t][1] == len(story.charge) and abs(story.low[t] - story.surplus) <= TIE
    charging, giving = story.turns[t]
    for which, turns, others, prices, kind in (
        (story.may_charge, charging, giving, story.charge, "charging"),
        (story.may_give_back, giving, charging, story.paid, "giving"),
    ):
        if which[t] and not others and not leaves and len(turns) > 1:
            begin, end = story.moment(turns[0]), story.moment(turns[-1] + 1)
            figures = {"price": prices[t], "begin": begin, "end": end}
            return f"taking_turns.{own}_{kind}" if own else f"taking_turns.{kind}", figures
    return "taking_turns.own" if own else "taking_turns", {}


def _earning(story: Story, t: int) -> Said:
    paid, low = story.paid[t], story.low[t]
    wear = story.wear / story.discharge_efficiency
    if abs(low) <= TIE and story.surplus == 0.0 and story.before[0] > story.required + ENERGY:
        return "earning_spare", {"price": paid, "wear": wear}
    for wording, slots in (
        ("earning", range(t + 1, story.run[t][1])),
        ("earning.bought", range(t - 1, story.run[t][0] - 1, -1)),
    ):
        for s in slots:
            at_margin = abs(story.charge[s] / story.charge_efficiency - low) <= TIE
            if story.kw[s] > POWER and at_margin:
                cost = low / story.discharge_efficiency
                kept = float(price(paid) - price(cost) - price(wear))
                figures = {"price": paid, "at": story.moment(s), "cost": cost, "wear": wear}
                if kept > 0.0:
                    return wording, {**figures, "kept": kept}
    worth = story.keeps(t)
    if not worth >= 0.0:
        return "earning.room", {"price": paid}
    if price(paid) > price(worth):
        return "earning.more", {"price": paid, "above": worth}
    return "earning.even", {"price": paid}


def _charging(story: Story, t: int) -> Said:
    now, last = story.charge[t], story.run[t][1]
    if story.high[t] == np.inf:
        return "charging_urgent", {"until": story.moment(last)}
    slots = range(t, len(story.charge))
    cheaper = [s for s in slots if story.charge[s] < now]
    if not cheaper:
        return "charging", {"price": now}
    if all(story.kw[s] >= story.most_kw[s] - POWER for s in cheaper):
        return "charging.too", {"price": now}
    for s in range(t + 1, last):
        gain = story.paid[s] * story.discharge_efficiency - story.wear
        if story.back_kw[s] > POWER and gain > now / story.charge_efficiency + TIE:
            return "charging.resale", {"price": now, "paid": story.paid[s], "at": story.moment(s)}
    dearest = max(story.charge[s] for s in range(t, last) if story.kw[s] > POWER)
    return "charging.low", {"price": now, "until": story.moment(last), "dearest": dearest}


def _waiting(story: Story, t: int) -> Said | None:
    """Who charges later for less, and who can do nothing."""
    if story.most_kw[t] <= POWER and story.most_back_kw[t] <= POWER:
        return "waiting.no_power", {}
    now, s = story.charge[t], story.charges_next[t]
    if s == len(story.charge) or story.most_kw[t] <= POWER:
        return None
    if story.charge[s] < now and price(story.charge[s]) < price(now):
        return "waiting", {"price": now, "next": story.charge[s], "at": story.moment(s)}
    return None


def _keeping(story: Story, t: int) -> Said:
    """Who rests, and has nothing cheaper to wait for."""
    if story.most_back_kw[t] > POWER:
        if story.before[t] <= story.reserve + ENERGY:
            return "keeping.reserve", {}
        if story.paid[t] < story.keeps(t) - TIE:
            return "keeping", {}
        if story.limit <= ENERGY:
            return "keeping.never", {}
        if story.spared > TIE and max(story.back_kw) > POWER:
            return "keeping.limit", {}
    ready = story.before[t] >= story.required - ENERGY
    if ready and story.charges_next[t] == len(story.charge):
        return "keeping.ready", {}
    return "keeping.idle", {}
