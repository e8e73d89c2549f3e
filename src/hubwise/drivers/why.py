"""Why every car does what it does in every slot: the case, and figures that hold for its stay.

A sentence is chosen only where all that it says is so, by prices, thresholds and schedule of the
very stay; each choice is a function that says no where it is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

import numpy as np

from hubwise.domain import Fleet, Horizon, Schedule, Tariff
from hubwise.domain.why import Reason, price
from hubwise.drivers.stories import ENERGY, POWER, Story, stories_of
from hubwise.drivers.thresholds import Thresholds, thresholds_beside
from hubwise.drivers.worth import TIE

# What is said to who will not have what it needs.
SHORT = "hub_limit.short"
Said = tuple[str, dict[str, float]]


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
    found = found or thresholds_beside(fleet, tariff, horizon, schedule)
    made = []
    for story in stories_of(fleet, tariff, horizon, schedule, found):
        short = story.after < story.target - ENERGY
        held = "" if not limited else SHORT if short else "hub_limit"
        made.append(tuple(_reasons(story, held)))
    return made


def _reasons(story: Story, held: str) -> Iterator[Reason]:
    """What is said from the start of the stay to its end, each as long as it stays the same."""
    said: tuple[Said, float, float] | None = None
    begins = 0
    for t in (*story.begins, len(story.charge)):
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
