"""Is a sentence true? Each is held against prices, thresholds and schedule of its stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np

from builders import stay_bounds
from hubwise.domain import Fleet, Horizon, Schedule, Tariff
from hubwise.domain.why import SENTENCES, Reason

SOME, NEAR = 1e-6, 1e-9


@dataclass(frozen=True)
class Told:
    """A stay, its slots in lists, and the slot that a sentence is about."""

    fleet: Fleet
    i: int
    ends: float
    charge: np.ndarray
    paid: np.ndarray
    kw: np.ndarray
    back: np.ndarray
    most: np.ndarray
    most_back: np.ndarray
    energy: np.ndarray
    t: int
    reason: Reason

    def of(self, name: str) -> float:
        return float(getattr(self.fleet, name)[self.i])

    @property
    def first(self) -> int:
        return int(self.fleet.arrival_slot[self.i])

    def at(self, name: str) -> int:
        """The slot of the stay in which a moment is; the last, for its end."""
        moment = self.reason.figures[name]
        return len(self.charge) if moment == self.ends else int(moment) - self.first

    def figure(self, name: str) -> float:
        return float(self.reason.figures[name])


def check(
    fleet: Fleet,
    tariff: Tariff,
    horizon: Horizon,
    schedule: Schedule,
    reasons: Sequence[Sequence[Reason]],
) -> dict[str, int]:
    """Assert every sentence of every slot; how often each was said."""
    said: dict[str, int] = {}
    for i, mine in enumerate(reasons):
        stay = slice(int(fleet.arrival_slot[i]), int(fleet.departure_slot[i]))
        most, most_back, _, _ = stay_bounds(fleet, i, horizon.slot_hours)
        row = fleet.lists[i]
        energy = np.append(fleet.arrival_kwh[i], schedule.energy_kwh[i, stay])
        ends = [float(each.slot) for each in mine[1:]] + [float(fleet.ends[i])]
        assert mine[0].slot == stay.start
        assert [each.until for each in mine] == ends
        slots = [ceil(each.until) - each.slot for each in mine]
        for t, reason in enumerate(
            each for each, n in zip(mine, slots, strict=True) for _ in range(n)
        ):
            told = Told(
                fleet, i, float(fleet.ends[i]), tariff.charge_price[row, stay],
                tariff.discharge_price[row, stay], schedule.charge_kw[i, stay],
                schedule.discharge_kw[i, stay], most, most_back, energy, t, reason,
            )  # fmt: skip
            assert reason.wording in SENTENCES
            assert TRUTHS[reason.wording](told), (i, reason, told.t)
            assert agrees(told), (i, reason, told.t)
            said[reason.wording] = said.get(reason.wording, 0) + 1
    return said


def agrees(told: Told) -> bool:
    """Thresholds and schedule: what is below is charged at full power, and so on."""
    t, below, above = told.t, told.reason.charge_below, told.reason.give_back_above
    if below is None or above is None or told.reason.case == "hub_limit":
        return True
    full = told.kw[t] > told.most[t] - SOME
    full_back = told.back[t] > told.most_back[t] - SOME
    return bool(
        (full or told.charge[t] >= below - NEAR)
        and (told.kw[t] < SOME or told.charge[t] <= below + NEAR)
        and (full_back or told.paid[t] <= above + NEAR)
        and (told.back[t] < SOME or told.paid[t] >= above - NEAR)
    )


def price_is(name: str, which: str) -> Callable[[Told], bool]:
    return lambda it: it.figure(name) == getattr(it, which)[it.t]


def all_of(*truths: Callable[[Told], bool]) -> Callable[[Told], bool]:
    return lambda it: all(truth(it) for truth in truths)


def gives(it: Told) -> bool:
    return bool(it.back[it.t] > SOME)


def charges(it: Told) -> bool:
    return bool(it.kw[it.t] > SOME)


def rests(it: Told) -> bool:
    return bool(it.kw[it.t] <= SOME and it.back[it.t] <= SOME)


def adds_up(it: Told) -> bool:
    """What is kept is what is paid less what it costs, as shown; it is something."""
    shown = {name: round(it.figure(name), 4) for name in ("price", "cost", "wear", "kept")}
    rest = shown["price"] - shown["cost"] - shown["wear"] - shown["kept"]
    return abs(rest) < 1e-9 and shown["kept"] > 0


def refills(later: bool) -> Callable[[Told], bool]:
    """The car charges then, at the price that makes the cost, losses counted."""

    def truth(it: Told) -> bool:
        s, lost = it.at("at"), it.of("charge_efficiency") * it.of("discharge_efficiency")
        cost = it.charge[s] / lost
        return bool(
            (s > it.t) == later and it.kw[s] > SOME and abs(cost - it.figure("cost")) < NEAR
        )

    return truth


def wear_is(it: Told) -> bool:
    return abs(it.figure("wear") - it.of("wear_cost") / it.of("discharge_efficiency")) < NEAR


def turn_of(price: str) -> Callable[[Told], bool]:
    """Within the window are several slots at that price, and the slot is one of them."""

    def truth(it: Told) -> bool:
        begin, end = it.at("begin"), it.at("end")
        prices = getattr(it, price)
        return bool(
            begin <= it.t < end
            and it.figure("price") == prices[it.t]
            and (np.abs(prices[begin:end] - prices[it.t]) < 1e-6).sum() > 1
            and any_turn(it)
        )

    return truth


def any_turn(it: Told) -> bool:
    """A price is at its threshold; that another schedule is as cheap is tested against HiGHS."""
    below, above = it.reason.charge_below, it.reason.give_back_above
    if below is None or above is None:
        return False
    return min(abs(it.charge[it.t] - below), abs(it.paid[it.t] - above)) < 2 * NEAR


def delegating(yes: bool) -> Callable[[Told], bool]:
    return lambda it: bool(it.fleet.delegates[it.i]) == yes


def lowest(it: Told) -> bool:
    return bool(it.charge[it.t] <= it.charge[it.t :].min())


def cheaper_are_full(it: Told) -> bool:
    later = np.arange(len(it.charge)) > it.t
    cheaper = later & (it.charge < it.charge[it.t])
    return bool(cheaper.any() and (it.kw[cheaper] > it.most[cheaper] - 2 * SOME).all())


def resold(it: Told) -> bool:
    s = it.at("at")
    gain = it.paid[s] * it.of("discharge_efficiency") - it.of("wear_cost")
    return bool(
        s > it.t
        and it.back[s] > SOME
        and it.figure("paid") == it.paid[s]
        and gain > it.charge[it.t] / it.of("charge_efficiency")
    )


def no_dearer(it: Told) -> bool:
    within = slice(it.t, it.at("until"))
    charged = it.charge[within][it.kw[within] > SOME]
    return bool(charged.max() == it.figure("dearest"))


def all_full(it: Told) -> bool:
    within = slice(it.t, it.at("until"))
    return bool((it.kw[within] > it.most[within] - SOME).all() and charges(it))


def to_reserve(it: Told) -> bool:
    """The car is below it, and nothing is drawn until it is reached."""
    reached = np.flatnonzero(it.energy[it.t :] >= it.figure("reserve") - SOME)
    until = it.t + int(reached[0]) if len(reached) else len(it.kw)
    return bool(
        it.figure("reserve") == it.of("reserve_kwh") > it.energy[it.t]
        and (it.back[it.t : until] <= SOME).all()
    )


def spare(it: Told) -> bool:
    return it.of("arrival_kwh") > it.of("required_kwh") and it.of("surplus_value") == 0.0


def cheaper_later(it: Told) -> bool:
    s = it.at("at")
    return bool(
        s > it.t
        and it.kw[s] > SOME
        and it.charge[s] == it.figure("next")
        and it.figure("price") == it.charge[it.t] > it.charge[s]
    )


def two_way(it: Told) -> bool:
    return bool(it.most_back[it.t] > SOME)


def above_is_less(it: Told) -> bool:
    return it.figure("above") <= it.paid[it.t]


def has_enough(it: Told) -> bool:
    return bool(
        (it.kw[it.t :] <= SOME).all() and it.energy[it.t] >= it.of("required_kwh") - 2 * SOME
    )


def pays_too_little(it: Told) -> bool:
    above = it.reason.give_back_above
    return bool(two_way(it) and (above is None or it.paid[it.t] < above))


TRUTHS: dict[str, Any] = {
    "earning": all_of(gives, price_is("price", "paid"), adds_up, refills(later=True), wear_is),
    "earning.bought": all_of(
        gives, price_is("price", "paid"), adds_up, refills(later=False), wear_is
    ),
    "earning.more": all_of(gives, price_is("price", "paid"), above_is_less),
    "earning.room": all_of(gives, price_is("price", "paid")),
    "earning.even": all_of(gives, price_is("price", "paid")),
    "earning_spare": all_of(gives, price_is("price", "paid"), spare, wear_is),
    "charging": all_of(charges, price_is("price", "charge"), lowest),
    "charging.too": all_of(charges, price_is("price", "charge"), cheaper_are_full),
    "charging.resale": all_of(charges, price_is("price", "charge"), resold),
    "charging.low": all_of(charges, price_is("price", "charge"), no_dearer),
    "charging_urgent": all_full,
    "below_reserve": all_of(charges, to_reserve),
    "taking_turns": all_of(any_turn, delegating(True)),
    "taking_turns.charging": all_of(turn_of("charge"), delegating(True)),
    "taking_turns.giving": all_of(turn_of("paid"), delegating(True)),
    "taking_turns.own": all_of(any_turn, delegating(False)),
    "taking_turns.own_charging": all_of(turn_of("charge"), delegating(False)),
    "taking_turns.own_giving": all_of(turn_of("paid"), delegating(False)),
    "waiting": all_of(rests, cheaper_later),
    "waiting.no_power": all_of(rests, lambda it: max(it.most[it.t], it.most_back[it.t]) <= SOME),
    "keeping": all_of(rests, pays_too_little),
    "keeping.reserve": all_of(
        rests, two_way, lambda it: it.energy[it.t] <= it.of("reserve_kwh") + 2 * SOME
    ),
    "keeping.limit": all_of(
        rests,
        lambda it: np.isfinite(it.of("discharge_limit_kwh")) and it.back.max() > SOME,
    ),
    "keeping.never": all_of(rests, lambda it: it.of("discharge_limit_kwh") <= SOME),
    "keeping.ready": all_of(rests, has_enough),
    "keeping.idle": rests,
}
"""What has to be so where a sentence is said; of cheapest schedules."""
