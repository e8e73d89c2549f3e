"""Answers in plain sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hubwise.domain import Strategy
from hubwise.ledger import minor_unit
from hubwise.study.verdict.answers import (
    AloneAnswer,
    BatteryAnswer,
    Gain,
    Size,
    TwoWayAnswer,
    Worth,
)
from hubwise.study.verdict.cases import Case
from hubwise.study.verdict.costs import DAYS_A_YEAR, Costs

# A share of what is found, above which energy that is left short is worth a word.
WORTH_A_WORD = 0.02


def in_kwh(kwh: float) -> str:
    """A battery's size without digits that say nothing."""
    return f"{kwh:,.0f}" if kwh >= 100.0 else f"{kwh:,.3g}"


@dataclass(frozen=True, slots=True)
class Words:
    """How amounts are told.

    Parameters
    ----------
    currency
        Of all amounts.
    days
        How many are planned.
    """

    currency: str
    days: int

    def amount(self, value: float) -> str:
        """An amount, to the currency's smallest unit."""
        digits = -int(str(minor_unit(self.currency).as_tuple().exponent))
        return f"{round(value, digits) + 0.0:,.{digits}f} {self.currency}"

    def a_day(self, value: float) -> str:
        """An amount of all days, by day."""
        return f"{self.amount(value / self.days)} a day"

    def a_year(self, value: float) -> str:
        """An amount a year, whole where it is large."""
        digits = 0 if abs(value) >= 10.0 else 2
        return f"{round(value, digits) + 0.0:,.{digits}f} {self.currency}"


def _range(gain: Gain, words: Words) -> str:
    """How far plans and bounds leave it open."""
    if gain.least is None or gain.most is None:
        return "how far better prices would change that is not known, as a plan has no bound"
    low, high = words.amount(gain.least / words.days), words.amount(gain.most / words.days)
    if low == high:
        return "the same for the best prices of both"
    return f"between {low} and {high} a day for the best prices of both"


def two_way_sentence(answer: TwoWayAnswer, costs: Costs, words: Words) -> str:
    """Whether two-way charging is worth it."""
    gain = answer.gain
    if gain is None:
        return (
            "Two-way charging: there is nothing to compare, as no car that could discharge comes "
            "here."
        )
    subject = "Two-way charging"
    if answer.made_up:
        subject += ", were every car and charger here made for it,"
    if answer.worth is Worth.BESIDE:
        return f"{subject} {_beside(answer, gain, words)}"
    found = f"{_brings(gain, words)} ({_range(gain, words)})"
    asked = _asked_of_chargers(costs, words)
    price = _price_of_charger(gain, words)
    said = {
        Worth.YES: f"is worth it: it {found}, and {asked}; {price}.",
        Worth.NO: f"is not worth it: it {found}, and {asked}; {price}.",
        Worth.OPEN: f"cannot be told apart from none: it {found}, and {asked}; {price}, as found.",
        Worth.PRICE: f"{found}; whether that is worth it depends on the chargers: {price}.",
    }[answer.worth]
    return f"{subject} {said}{_by_fair(gain, words)}"


def _brings(gain: Gain, words: Words) -> str:
    more = "brings the operator" if gain.found >= 0.0 else "takes from the operator"
    return f"{more} {words.a_day(abs(gain.found))} before what it costs"


def _asked_of_chargers(costs: Costs, words: Words) -> str:
    if costs.charger is None:
        return "what chargers cost is not known"
    each = words.a_year(costs.charger)
    plural = "s" if costs.chargers != 1 else ""
    return (
        f"{costs.chargers} two-way charger{plural} at {each} a year ({costs.charger_from}) cost "
        f"{words.a_day(costs.of_chargers() or 0.0)}"
    )


def _price_of_charger(gain: Gain, words: Words) -> str:
    found = gain.a_year(gain.found) or 0.0
    if found <= 0.0:
        return "it would be at no price"
    both = gain.a_year(gain.found + gain.drivers) or 0.0
    said = f"it would be up to {words.a_year(found)} per two-way charger and year"
    if abs(both - found) > WORTH_A_WORD * abs(found):
        said += f" ({words.a_year(both)} with what drivers gain or lose)"
    return said


def _by_fair(gain: Gain, words: Words) -> str:
    if gain.fair is None or abs(gain.fair - gain.found) <= WORTH_A_WORD * abs(gain.found):
        return ""
    return (
        f" Had the energy that cars are left short of been bought back, it would be "
        f"{words.a_day(gain.fair)}."
    )


def _beside(answer: TwoWayAnswer, gain: Gain, words: Words) -> str:
    """Where promises are missed on one side or both, amounts do not compare."""
    together = words.a_day(gain.found + gain.drivers)
    if answer.missed_two_way and answer.missed_one_way:
        return (
            "cannot be judged: with it and without it promises or limits are missed (with it: "
            f"{answer.missed_two_way[0]}). Operator and drivers together gain {together} by it."
        )
    if answer.missed_one_way:
        return (
            f"is what keeps the promises here: without it {answer.missed_one_way[0]}. Operator and "
            f"drivers together gain {together} by it, {_together_a_year(gain, words)} per two-way "
            "charger and year."
        )
    return (
        f"cannot be judged: with it {answer.missed_two_way[0]}, where all is kept without it; more "
        "evaluations may mend that."
    )


def _together_a_year(gain: Gain, words: Words) -> str:
    return words.a_year(gain.a_year(gain.found + gain.drivers) or 0.0)


def battery_sentence(answer: BatteryAnswer, costs: Costs, words: Words) -> str:
    """Whether a station battery is worth it, and which size."""
    best = answer.best
    if best is None:
        return "A station battery: there is nothing to compare, as no car charges here."
    size = in_kwh(best.kwh)
    name = f"A station battery of {size} kWh"
    if answer.worth is Worth.BESIDE:
        return f"{name} {_battery_beside(answer, best, words)}"
    gain = best.gain
    brings = f"{_brings(gain, words)}, its wear paid ({_range(gain, words)})"
    found, price = f"{brings}, and {_asked(best, costs, words)}", _price_of_kwh(answer, words)
    tried = ", ".join(f"{in_kwh(size.kwh)}" for size in answer.sizes)
    largest = len(answer.sizes) > 1 and best is answer.sizes[-1]
    more = " A larger one was not tried; name some with --battery." if largest else ""
    return {
        Worth.YES: f"{name}, the best of {tried} kWh, is worth it: it {found}; {price}.{more}",
        Worth.NO: f"A station battery is not worth it: the best of {tried} kWh, that of {size}, "
        f"{found}; {price}.",
        Worth.OPEN: f"{name}, the best of {tried} kWh, cannot be told apart from none: it {found}; "
        f"{price}, as found.",
        Worth.PRICE: f"{name} {brings}; whether that is worth it depends on its price: {price}.",
    }[answer.worth]


def _asked(size: Size, costs: Costs, words: Words) -> str:
    if size.cost is None or costs.battery is None:
        return "what it costs is not known"
    each = words.a_year(costs.battery)
    return f"at {each} per kWh and year ({costs.battery_from}) costs {words.a_day(size.cost)}"


def _price_of_kwh(answer: BatteryAnswer, words: Words) -> str:
    """The highest price a kWh and year at which some size breaks even."""
    top = max(answer.sizes, key=lambda size: size.gain.found / size.kwh)
    price = top.gain.a_year(top.gain.found) or 0.0
    if price <= 0.0:
        return "it would be at no price"
    which = "" if answer.best is top else f", that of {in_kwh(top.kwh)} kWh"
    return f"it would be up to {words.a_year(price)} per kWh and year{which}"


def _battery_beside(answer: BatteryAnswer, best: Size, words: Words) -> str:
    together = words.a_day(best.gain.found + best.gain.drivers)
    if best.misses:
        return (
            "cannot be judged: with every battery that was tried, and without, promises or limits "
            f"are missed (with it: {best.misses[0]}). Operator and drivers together gain "
            f"{together} by it."
        )
    return (
        f"is what keeps the promises here: without one {answer.missed_without[0]}. Operator and "
        f"drivers together gain {together} by it."
    )


def alone_sentence(answer: AloneAnswer, words: Words) -> str:
    """Whether to post prices at all."""
    if answer.posted is None or answer.worth is Worth.NONE:
        return "Leave Hubwise alone: nobody takes part here, so prices move nothing."
    if answer.alone is None:
        return _without_another(answer, words)
    alone = _named(answer.alone.strategy)
    lost = words.a_day(abs(answer.difference))
    if answer.worth is Worth.YES:
        a_year = words.a_year(answer.difference / words.days * DAYS_A_YEAR)
        return (
            f"Posted prices bring {lost} more than {alone}, the best without them, with the same "
            f"promises and limits kept. Leave Hubwise alone if running it costs more than "
            f"{a_year} a year."
        )
    if answer.posted.misses:
        return (
            f"Leave Hubwise alone: no prices that were found keep all promises and limits "
            f"({answer.posted.misses[0]}), and {alone} does."
        )
    more = "as much as" if lost == words.a_day(0.0) else f"{lost} more than"
    brings = f"{alone} brings the operator {more} the prices that were found"
    said = (
        f"Leave Hubwise alone: {brings}, and no such prices bring more."
        if answer.worth is Worth.NO
        else f"Posted prices cannot be told apart from none: {brings}, and whether better ones "
        "exist is not proven."
    )
    return said + _with_drivers(answer.alone, answer.posted, words)


def _with_drivers(alone: Case, posted: Case, words: Words) -> str:
    """What prices would save drivers, where nobody but they would gain."""
    saved = alone.drivers_cost - posted.drivers_cost
    if posted.misses or saved <= WORTH_A_WORD * abs(alone.drivers_cost):
        return ""
    return f" Drivers would pay {words.a_day(saved)} less at the prices that were found."


def _without_another(answer: AloneAnswer, words: Words) -> str:
    if answer.posted is not None and answer.posted.misses:
        return (
            "Neither with posted prices nor without them are all promises and limits kept here "
            f"(with them: {answer.posted.misses[0]}): promise less before anything else."
        )
    said = "Without posted prices nothing keeps the promises here"
    if answer.refused is None or answer.posted is None:
        return said + "."
    why = answer.refused.misses or ("more limits are broken",)
    return (
        f"{said}: of uncoordinated charging and storage alone, {_named(answer.refused.strategy)} "
        f"brings most ({words.a_day(answer.refused.profit)} against "
        f"{words.a_day(answer.posted.profit)}, before equipment), and {why[0]}. Leave Hubwise "
        "alone only where you give these promises up."
    )


def _named(strategy: str) -> str:
    return {
        Strategy.UNCOORDINATED.value: "uncoordinated charging at the reference tariff",
        Strategy.STORAGE.value: "storage alone at the reference tariff",
    }[strategy]


def notes(costs: Costs, words: Words, *, demand_charge: bool, assumed: Sequence[str]) -> list[str]:
    """What the answers rest on, in sentences."""
    days = "One day is one day" if words.days == 1 else f"{words.days} days are {words.days} days"
    said = [
        f"{days}: amounts a year count as if all were like this. Seasons, holidays and other "
        "prices are not in it; --days plans more of a site of many days.",
        "Differences are of planned profits. What lies within the gap between a plan and its bound "
        "is called not to be told apart: better prices may turn it.",
        f"Battery: {_cost_words(costs.battery, costs.battery_from, 'kWh', words)}; its wear is in "
        "the profit. Two-way charger, beyond a one-way one: "
        f"{_cost_words(costs.charger, costs.charger_from, 'charger', words)}; {costs.chargers} are "
        "as many as there are such cars at hubs at the same time.",
        *assumed,
    ]
    if demand_charge and words.days == 1:
        said.append(
            "The demand charge is counted as the scenario has it, for the day that is planned; a "
            "month's charge on one day would count thirty times too much a year."
        )
    if words.days > 1:
        said.append(
            "Bounds over several days are those of each day's plan, added up: what one day's "
            "prices do to the next is not in them."
        )
    return said


def _cost_words(cost: float | None, source: str, unit: str, words: Words) -> str:
    return source if cost is None else f"{words.a_year(cost)} per {unit} and year, {source}"
