"""Why a car does what it does: cases, the sentences that drivers read, and the figures in them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache

Clock = Callable[[float], datetime]
"""When a slot begins, on the site's clock; a fraction is inside a slot."""

# Digits of prices per kWh that people read, at most and at least.
DIGITS, FEWEST = Decimal("0.0001"), Decimal("0.01")


class Case(StrEnum):
    """What a car does in a slot, as a driver would tell it apart."""

    EARNING = "earning"
    SPARE = "earning_spare"
    CHARGING = "charging"
    URGENT = "charging_urgent"
    RESERVE = "below_reserve"
    TURNS = "taking_turns"
    WAITING = "waiting"
    KEEPING = "keeping"
    HUB_LIMIT = "hub_limit"
    NOT_OBEYED = "not_obeyed"
    SAFE_RULE = "safe_rule"
    NOT_TAKING_PART = "not_taking_part"


SENTENCES: Mapping[str, str] = {
    "earning": "The hub pays {price} a kWh now. Refilling at {at} costs {cost} and battery wear "
    "{wear}, so you keep {kept} of every kWh.",
    "earning.bought": "The hub pays {price} a kWh now. What your car charged at {at} for it cost "
    "{cost}, and battery wear is {wear}, so you keep {kept} of every kWh.",
    "earning.more": "The hub pays {price} a kWh now, which is more than the {above} that it is "
    "worth in your battery, wear counted.",
    "earning.room": "Your car makes room in its battery, and the hub pays {price} a kWh for it.",
    "earning.even": "The hub pays {price} a kWh now, which is what it is worth in your battery, "
    "wear counted.",
    "earning_spare": "You came with more than you need. The hub pays {price} a kWh for it; battery "
    "wear is {wear}.",
    "charging": "{price} a kWh is the lowest price before you leave.",
    "charging.too": "Your car needs more than fits into the cheaper times, so it charges at "
    "{price} a kWh, too.",
    "charging.resale": "Your car charges at {price} a kWh now: the hub pays {paid} at {at}, which "
    "is more, losses and battery wear counted.",
    "charging.low": "{price} a kWh is low enough: until {until} your car charges for {dearest} a "
    "kWh or less.",
    "charging_urgent": "Your car needs the time until {until}, so it charges now.",
    "below_reserve": "First back to your {reserve}. Nothing is taken before that.",
    "taking_turns": "What your car does now makes no difference to you, battery wear and what it "
    "leaves with counted, so it does what is gentlest on the grid here.",
    "taking_turns.charging": "At {price} a kWh, when your car charges between {begin} and {end} "
    "makes no difference to your bill, so it takes the turn that is gentlest on the grid here.",
    "taking_turns.giving": "At {price} a kWh, when your car gives back between {begin} and {end} "
    "makes no difference to your bill, so it takes the turn that is gentlest on the grid here.",
    "taking_turns.own": "What your car does now makes no difference to you, battery wear and what "
    "it leaves with counted, so your own device chooses.",
    "taking_turns.own_charging": "At {price} a kWh, when your car charges between {begin} and "
    "{end} makes no difference to your bill, so your own device chooses.",
    "taking_turns.own_giving": "At {price} a kWh, when your car gives back between {begin} and "
    "{end} makes no difference to your bill, so your own device chooses.",
    "waiting": "Waiting: {price} now, {next} from {at}.",
    "waiting.no_power": "No power may flow to or from your car now.",
    "keeping": "The hub pays too little now to be worth your battery.",
    "keeping.reserve": "Your car holds what you keep in any case; no more is taken from it.",
    "keeping.limit": "You let your car give back only so much, and it does so at other times.",
    "keeping.never": "You let your car give nothing back.",
    "keeping.ready": "Your car has what it needs until you leave.",
    "keeping.idle": "Charging or giving back now would gain you nothing.",
    "hub_limit": "The hub is at its limit for a few minutes. You will still have what you need by "
    "{until}.",
    "hub_limit.short": "The hub is at its limit. Your car may not have all that you need by "
    "{until}.",
    "hub_limit.otherwise": "Your car does otherwise here than would be cheapest for you, since its "
    "charger or the hub cannot do that.",
    "not_obeyed": "Your car is not following. We have told the hub; your bill follows the meter.",
    "safe_rule": "We have lost touch with the planner. Your car charges with its share of what the "
    "hub's connection allows.",
    "not_taking_part": "You are on the standard price, and your car charges as soon as it can.",
}
"""Every sentence by its wording: a case, or one of several of a case, with *named* places."""

_MOMENTS = frozenset({"at", "begin", "end", "until"})
_ENERGIES = frozenset({"reserve"})


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a car does what it does, in the slots in which the same is said.

    Parameters
    ----------
    slot
        The first of them.
    until
        When something else is said, counted in slots; the end of the stay for the last.
    wording
        The sentence, as a key of `SENTENCES`.
    charge_below, give_back_above
        The thresholds; ``None`` where a car charges whatever it costs, and where none are known
        [currency/kWh].
    figures
        What stands in the sentence's places: prices [currency/kWh], energies [kWh], moments counted
        in slots.
    """

    slot: int
    until: float
    wording: str
    charge_below: float | None = None
    give_back_above: float | None = None
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def case(self) -> Case:
        """What the car does."""
        return Case(self.wording.partition(".")[0])

    def text(self, clock: Clock, currency: str) -> str:
        """The sentence with its figures, on the site's clock."""
        now = clock(self.slot)
        shown = {
            name: moment(clock(value), now)
            if name in _MOMENTS
            else f"{value:.1f} kWh"
            if name in _ENERGIES
            else f"{price(value)} {currency}"
            for name, value in self.figures.items()
        }
        return SENTENCES[self.wording].format(**shown)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A reason as it is told: from when until when, its case, its sentence, its thresholds."""

    begins: datetime
    until: datetime
    case: Case
    text: str
    charge_below: float | None = None
    give_back_above: float | None = None

    @classmethod
    def of(cls, reason: Reason, clock: Clock, currency: str) -> Spoken:
        """A reason with its sentence, on a site's clock."""
        return cls(
            begins=clock(reason.slot),
            until=clock(reason.until),
            case=reason.case,
            text=reason.text(clock, currency),
            charge_below=reason.charge_below,
            give_back_above=reason.give_back_above,
        )

    def to_dict(self) -> dict[str, object]:
        """The same in JSON's own types."""
        return {
            "begins": self.begins.isoformat(),
            "until": self.until.isoformat(),
            "case": str(self.case),
            "text": self.text,
            "charge_below": self.charge_below,
            "give_back_above": self.give_back_above,
        }


def told_once(spoken: Iterable[Spoken]) -> tuple[Spoken, ...]:
    """The same in a row, without thresholds: each sentence once for as long as it holds."""
    made: list[Spoken] = []
    for each in spoken:
        if made and (made[-1].case, made[-1].text) == (each.case, each.text):
            made[-1] = replace(made[-1], until=each.until)
        else:
            made.append(replace(each, charge_below=None, give_back_above=None))
    return tuple(made)


@lru_cache(maxsize=4096)
def price(value: float) -> Decimal:
    """A price per kWh as people read it: four decimals at most, two at least."""
    whole = Decimal(repr(value)).quantize(DIGITS)
    short = whole.quantize(FEWEST)
    return short if short == whole else whole.normalize()


def moment(at: datetime, now: datetime) -> str:
    """A time of day; of which day, too, where that is not within 24 hours from ``now``."""
    near = timedelta(0) <= at - now < timedelta(days=1)
    return f"{at:%H:%M}" if near or at.date() == now.date() else f"{at:%a} {at:%H:%M}"


def reason_at(reasons: Sequence[Reason], slot: int) -> Reason | None:
    """The one of reasons in a row that is of a slot."""
    return next((each for each in reasons if each.slot <= slot < each.until), None)
