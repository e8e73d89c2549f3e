"""What a plan missed, and what would help, in words: numbers in, sentences out.

Planning writes them, and the audit writes them again from numbers that it has checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby

import numpy as np

from hubwise.domain import Horizon, Situation
from hubwise.grid import Kind
from hubwise.grid.redispatch import most_base
from hubwise.record.missed import Missed, Redispatch
from hubwise.record.result import WithoutPrices

# Elements that get a sentence of their own; the rest are counted, and named in the result.
SENTENCES = 6
# A gap to the bound above this share is worth a word.
LARGE_GAP = 0.1
# Amounts nearer than this share of the larger are the same.
SAME = 1e-6

# What a step may pass its promise by, as a share: rounding.
RAMP = 1e-6

_UNITS = {
    Kind.VOLTAGE: ("{:.4f}", " p.u."),
    Kind.CONNECTION: ("{:.1f}", " kW"),
    Kind.CIRCUIT: ("{:.1f}", " kW"),
}


def shortcomings(
    peak_valley: tuple[float | None, float],
    saving: tuple[float | None, float],
    broken: Mapping[str, int],
    uncoordinated: Mapping[str, int],
    ramp: tuple[float, float | None] = (0.0, None),
) -> list[str]:
    """What is missed of promises and limits; empty where all holds.

    Parameters
    ----------
    peak_valley, saving
        What it is, as a share of uncoordinated, and at most should be.
    broken, uncoordinated
        How often limits of each kind are broken, in the plan and uncoordinated.
    ramp
        The steepest step at the feeder head, and what it was promised to be at most [kW a
        quarter-hour].
    """
    said = []
    for (ratio, most), words in (
        (peak_valley, "the peak-valley promise"),
        (saving, "the saving promise"),
    ):
        if ratio is not None and ratio > most * (1 + 1e-9):
            is_now = told_apart("{:.4f}", ratio, most)[0]
            said.append(
                f"{words} is missed: {is_now} of uncoordinated against {most:g}; promise less, "
                "allow wider price bounds or a freer tariff family, or give the search more "
                "evaluations"
            )
    steepest, gentle = ramp
    if gentle is not None and steepest > gentle * (1 + RAMP):
        steps = told_apart("{:,.0f}", steepest, gentle)
        said.append(
            f"the ramp promise is missed: the feeder head changes by {steps[0]} kW in a "
            f"quarter-hour against {steps[1]}; promise less, or add a station battery"
        )
    for kind, count in broken.items():
        if count:
            words = kind.replace("_", " ")
            said.append(
                f"{count} {words} limits are broken over the horizon "
                f"({uncoordinated[kind]} uncoordinated)"
            )
    return said


def better_than(
    profit: float,
    reference_margin: float,
    bound: float | None,
    without: WithoutPrices | None,
    currency: str,
    without_incentive: float = np.inf,
) -> list[str]:
    """What would be better than a plan that is poor, the plainest first.

    Parameters
    ----------
    profit, reference_margin
        Of the plan, and what participants bring at the reference tariff [currency].
    bound
        No such tariff brings more [currency]; ``None`` where that is not known.
    without
        What would be brought without prices, with the same promises and limits kept.
    currency
        In which amounts are told.
    without_incentive
        The plan's profit but for what incentives bring [currency].
    """
    said = []
    if without is not None and _more(without.operator_profit, profit):
        said.append(
            "this hub is better left without posted prices: "
            f"`--strategy {without.strategy}` brings {without.operator_profit:,.2f} "
            f"{currency} from the same participants and keeps the same promises, where these "
            f"prices bring {profit:,.2f}"
        )
    if profit < 0.0:
        said.append(
            f"the operator loses {-profit:,.2f} {currency}: promise less, or allow wider price "
            "bounds or a freer tariff family"
        )
    elif _more(reference_margin, profit):
        said.append(
            f"the profit of {profit:,.2f} {currency} is below what participants bring at the "
            f"reference tariff without any of this ({reference_margin:,.2f}): what is promised, "
            "or what stations cost, takes more than prices bring"
        )
    if _more(min(0.0, profit, reference_margin), without_incentive):
        said.append(
            "the incentive pays for pumping: cars buy what they sell again for it, and without the "
            f"{profit - without_incentive:,.2f} {currency} that it brings this plan loses "
            f"{-without_incentive:,.2f}; ask whoever pays it whether such energy counts"
        )
    if bound is not None and bound - profit > LARGE_GAP * max(abs(bound), abs(profit)):
        said.append(
            "whether better prices exist is not proven: no such tariff brings more than "
            f"{bound:,.2f} {currency}, where these bring {profit:,.2f}; a freer tariff family, "
            "more evaluations, or more boxes where these were spent, may tell"
        )
    return said


def told_apart(form: str, one: float, other: float) -> tuple[str, str]:
    """Two figures with as many decimals more than ``form`` has as tell them apart, six at most."""
    begin, _, rest = form.partition(".")
    decimals, kind = int(rest[0]), rest[1:]
    forms = [f"{begin}.{decimals + more}{kind}" for more in range(7)]
    wide = next((one_of for one_of in forms if one_of.format(one) != one_of.format(other)), form)
    return wide.format(one), wide.format(other)


def _more(one: float, other: float) -> bool:
    return one > other + SAME * max(abs(one), abs(other), 1.0)


def sentences(
    situation: Situation, missed: Sequence[Missed], redispatches: Sequence[Redispatch]
) -> list[str]:
    """What is missed and what would mend it, worst first: a sentence for each element."""
    by_slot = {redispatch.slot: redispatch for redispatch in redispatches}
    ranked = sorted(missed, key=lambda one: -_badness(one))
    said = [_sentence(situation, one, by_slot[one.worst_slot]) for one in ranked[:SENTENCES]]
    if (more := len(ranked) - SENTENCES) > 0:
        said.append(f"and {more} more: limits_missed and mends in summary.json name them all")
    return said


def _badness(missed: Missed) -> float:
    """By which share of the limit it is missed; without a power flow it is worst."""
    if missed.value is None or missed.limit is None:
        return float("inf")
    return abs(missed.value - missed.limit) / max(abs(missed.limit), 1e-9)


def _sentence(situation: Situation, missed: Missed, redispatch: Redispatch) -> str:
    horizon = situation.horizon
    where = f"{missed.element}, {_when(horizon, missed.slots)}: "
    slot = f"slot {missed.worst_slot} ({horizon.clock(missed.worst_slot)})"
    if missed.value is None or missed.limit is None:
        return where + _without_solution(situation, missed, redispatch, slot)
    form, unit = _UNITS.get(Kind(missed.kind), ("{:.1%}", ""))
    value, limit = told_apart(form, missed.value, missed.limit)
    said = f"{where}{value}{unit} against {limit}{unit} in {slot}"
    others, devices = _there(situation, missed)
    if Kind(missed.kind) is Kind.CIRCUIT:
        over = told_apart(form, missed.value - missed.limit, 0.0)[0] + unit
        join = " and ".join(["take part"] * others + ["delegate"] * devices)
        more = f"let more of them {join}, ask" if join else "ask"
        return (
            f"{said}; its cars would have to do with {over} less: {more} for less there, or "
            "strengthen it"
        )
    if missed.base_alone and missed.without_hubs is not None:
        said += f"; the base load alone makes it {_amount(missed, missed.without_hubs)}"
    if missed.hubs_mend:
        holds = "all limits hold" if redispatch.holds else "it holds"
        own = ", or where more drivers delegate" if devices else ""
        return f"{said}; with {_changes(redispatch)} in that slot {holds} under AC{own}"
    if missed.bus_kw is None:
        return f"{said}; no change of hubs or of one bus's load mends it"
    load = _less(missed.bus_kw)
    return f"{said}; no hub can mend it: {load} of load at bus {missed.bus} would"


def _there(situation: Situation, missed: Missed) -> tuple[bool, bool]:
    """Whether cars that draw through what is missed, then, do not take part; or do, not delegating.

    Their own devices know of no limit.
    """
    fleet, hubs, slot = situation.fleet, situation.hubs, missed.worst_slot
    through = (fleet.arrival_slot <= slot) & (slot < fleet.departure_slot)
    if Kind(missed.kind) is Kind.CIRCUIT:
        unit, line, _ = hubs.lines.of_spots(fleet.spots)
        through &= np.isin(
            np.arange(len(fleet)), unit[line == hubs.lines.name.index(missed.element)]
        )
    elif Kind(missed.kind) in (Kind.CONNECTION, Kind.HUB_TRANSFORMER):
        names = [missed.element.startswith(f"hub {name}, ") for name in hubs.name]
        through &= np.array(names)[fleet.hub]
    others = through & ~fleet.participating
    devices = through & fleet.participating & ~fleet.delegates
    return bool(others.any()), bool(devices.any())


def _without_solution(
    situation: Situation, missed: Missed, redispatch: Redispatch, slot: str
) -> str:
    said = "the power flow finds no solution"
    if missed.hubs_mend:
        return f"{said}; with {_changes(redispatch)} it finds one in {slot}"
    share = most_base(situation.feeder.in_slots(np.array([missed.worst_slot])))
    return f"{said}, whatever hubs do; without them it finds one up to {share:.0%} of the base load"


def _amount(missed: Missed, value: float) -> str:
    form, unit = _UNITS.get(Kind(missed.kind), ("{:.1%}", ""))
    return form.format(value) + unit


def _less(kw: float) -> str:
    return f"{abs(kw):,.1f} kW {'less' if kw < 0 else 'more'}"


def _changes(redispatch: Redispatch) -> str:
    parts = [f"{_less(kw)} at hub {name}" for name, kw in redispatch.hub_kw.items()]
    return " and ".join(parts) if parts else "no change of hubs"


def _when(horizon: Horizon, slots: Sequence[int]) -> str:
    word = "slots " if len(slots) > 1 else "slot "
    return word + ", ".join(
        (f"{a}-{b}" if b > a else f"{a}") + f" ({horizon.clock(a)}-{horizon.clock(b + 1)})"
        for a, b in _runs(slots)
    )


def _runs(slots: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Runs of slots that follow each other, first and last of each."""
    for _, run in groupby(enumerate(sorted(slots)), key=lambda pair: pair[1] - pair[0]):
        members = [slot for _, slot in run]
        yield members[0], members[-1]
