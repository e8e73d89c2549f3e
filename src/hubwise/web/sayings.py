"""A stay in words: what the car does, why, and what to do, in the reader's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from hubwise.domain.modes import Mode
from hubwise.live.fold import SessionStatus
from hubwise.live.mine import Ahead, Doing, Money, MyStay
from hubwise.live.outlook import Wanted
from hubwise.web.words import Words

HOUR = timedelta(hours=1)
STATES = {
    Doing.STARTING: "Getting ready",
    Doing.CHARGING: "Charging",
    Doing.EARNING: "Earning while parked",
    Doing.WAITING: "Waiting",
    Doing.LOST: "Out of touch",
    Doing.ENDED: "Ended",
}


@dataclass(frozen=True, slots=True)
class Car:
    """What its driver said of it: what it holds [kWh], and how far a kWh goes [km]."""

    capacity_kwh: float
    km_per_kwh: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of money: what for, by now, and at departure as planned; empty where not known."""

    what: str
    now: str
    then: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """A stay, told to one reader.

    Parameters
    ----------
    words, stay, car
        How, of what, and the car where its driver said what it is.
    """

    words: Words
    stay: MyStay
    car: Car | None

    @property
    def state(self) -> str:
        """What the car does."""
        return self.words.say(STATES[self.stay.doing])

    @property
    def heard(self) -> str:
        """How old the figures are."""
        stay, words = self.stay, self.words
        if stay.heard_at is None:
            return words.say("The meter has not been read yet")
        at = words.moment(stay.heard_at, stay.at)
        if stay.doing is Doing.LOST:
            return words.say("Last heard %(at)s", at=at)
        return words.say("Meter read %(at)s", at=at)

    @property
    def now_kwh(self) -> float | None:
        """What is in the battery, where it was said what was at plug-in [kWh]."""
        held = self.stay.held_kwh
        return None if held is None else float(held) + self.stay.stored_kwh

    @property
    def level(self) -> str:
        """Range, or energy where the car is not known."""
        now, words = self.now_kwh, self.words
        if now is None:
            return words.kwh(self.stay.charged_kwh - self.stay.discharged_kwh)
        if self.car is None:
            return words.kwh(now)
        share = words.number(100 * now / self.car.capacity_kwh, 0)
        return f"{self.km(now)} ({share}\N{NO-BREAK SPACE}%)"

    @property
    def level_note(self) -> str:
        """Where the figure is from."""
        known = self.now_kwh is not None
        return "" if known else self.words.say("since you plugged in, from the meter")

    def km(self, kwh: float) -> str:
        """How far so much goes, or so much where the car is not known."""
        if self.car is None:
            return self.words.kwh(kwh)
        return f"{self.words.number(kwh * self.car.km_per_kwh, 0)}\N{NO-BREAK SPACE}km"

    @property
    def rate(self) -> str:
        """What is earned or paid in an hour at this power."""
        flow, ahead = self.stay.flow, self.stay.ahead
        if flow is None or not ahead or self.stay.doing not in (Doing.CHARGING, Doing.EARNING):
            return ""
        price = ahead[0].charge if flow.kw > 0 else ahead[0].discharge
        cents = self.stay.so_far.paid.as_tuple().exponent
        amount = (Decimal(str(-flow.kw)) * price).quantize(Decimal((0, (1,), int(cents))))
        text = self.words.money(amount, self.stay.currency, signed=True)
        return self.words.say("%(amount)s an hour", amount=text)

    @property
    def power(self) -> str:
        """Power now, and where it is from."""
        flow, words = self.stay.flow, self.words
        if flow is None:
            return ""
        kw = f"{words.number(abs(flow.kw), 1)}\N{NO-BREAK SPACE}kW"
        return kw if flow.source == "meter" else words.say("%(kw)s by plan", kw=kw)

    @property
    def why(self) -> str:
        """Why it does that."""
        stay, words = self.stay, self.words
        if stay.doing is Doing.LOST:
            return words.say(
                "The charger does not answer. Your car keeps the last plan for a few minutes, then "
                "charges so that it is ready. Your bill follows the meter."
            )
        if stay.doing is Doing.ENDED:
            return self._ended()
        if stay.wish is not None and stay.wish.mode is Mode.CHARGE_NOW:
            return words.say("You asked to charge now, so your car charges as fast as the hub can.")
        if stay.ahead and stay.ahead[0].why is not None:
            return stay.ahead[0].why.text
        if stay.wanted is None:
            return words.say(
                "Nobody has said when you leave, so your car charges as the hub has room. Say it "
                "below, and it charges when that costs you least."
            )
        return words.say("Charging until the plan is ready.")

    def _ended(self) -> str:
        said = {
            SessionStatus.FINAL: "This bill is final.",
            SessionStatus.QUARANTINED: "The meter's values contradict each other. The hub looks at "
            "them; you are not billed until then.",
        }
        provisional = "This bill is provisional until all of the meter's values are in."
        return self.words.say(said.get(self.stay.status, provisional))

    @property
    def ready(self) -> str:
        """From when on the car has what it needs; empty where that is not known."""
        at = self.stay.ready_at
        return "" if at is None else self.words.moment(at, self.stay.at)

    @property
    def at_departure(self) -> str:
        """What will be there when the car leaves, as planned."""
        ahead, held = self.stay.ahead, self.stay.held_kwh
        if not ahead or ahead[-1].stored_kwh is None:
            return ""
        kwh = ahead[-1].stored_kwh
        return f"+{self.words.kwh(kwh)}" if held is None else self.km(kwh + float(held))

    @property
    def cannot(self) -> list[str]:
        """What was asked for and cannot be."""
        stay, words = self.stay, self.words
        if stay.wanted is None:
            return [words.say("It is not known when you leave: nothing can be planned.")]
        if not stay.short_kwh or stay.leaves_at is None:
            return []
        at = words.moment(stay.leaves_at, stay.at)
        said = "%(need)s by %(at)s is not possible here: %(most)s"
        need = self._needed_level()
        return [words.say(said, need=need, at=at, most=self.at_departure)]

    def _needed_level(self) -> str:
        wanted, held = self.stay.wanted, self.stay.held_kwh
        assert wanted is not None
        return self._added(wanted) if held is None else self.km(wanted.required_kwh + float(held))

    @property
    def leaving(self) -> str:
        """When the car leaves."""
        stay, words = self.stay, self.words
        if stay.ended_at is not None:
            return words.say("left %(at)s", at=words.moment(stay.ended_at, stay.at))
        if stay.leaves_at is None:
            return words.say("leaving time not said")
        return words.say("leaving %(at)s", at=words.moment(stay.leaves_at, stay.at))

    @property
    def needed(self) -> str:
        """What is to be there by departure."""
        if self.stay.wanted is None or self.stay.leaves_at is None:
            return ""
        at = self.words.moment(self.stay.leaves_at, self.stay.at)
        return self.words.say("%(what)s by %(at)s", what=self._needed_level(), at=at)

    def _added(self, wanted: Wanted) -> str:
        """What is to be put in, where it is not known what was there."""
        return f"+{self.words.kwh(wanted.required_kwh)}"

    @property
    def kept(self) -> str:
        """What is never gone below."""
        wanted, held = self.stay.wanted, self.stay.held_kwh
        if wanted is None or held is None or wanted.least_kwh + float(held) <= 0:
            return ""
        return self.words.say("never below %(what)s", what=self.km(wanted.least_kwh + float(held)))

    @property
    def money(self) -> list[Line]:
        """This stay's money: each line adds up to the last, as it stands on the page."""
        stay, words = self.stay, self.words
        then = stay.expected
        lines = [
            self._line("You pay for charging", "paid"),
            self._line("You earn while parked", "earned", sign=-1),
            Line(
                words.say("On your bill"),
                words.money(stay.so_far.net, stay.currency),
                words.money(then.net, stay.currency) if then else "",
                "sum",
            ),
            self._line("Battery wear, counted for you", "wear"),
        ]
        if stay.at_once is None or stay.saving is None:
            return lines
        at_once = words.money(stay.at_once, stay.currency)
        saving = words.money(abs(stay.saving), stay.currency)
        saved = "You save" if stay.saving >= 0 else "You pay more than that"
        one, other = (("", at_once), ("", saving)) if then else ((at_once, ""), (saving, ""))
        return [
            *lines,
            Line(words.say("Charging at once would cost"), *one, "at-once"),
            Line(words.say(saved), *other, "saving" if stay.saving >= 0 else "excess"),
        ]

    def _line(self, what: str, name: str, sign: int = 1) -> Line:
        def text(money: Money | None) -> str:
            if money is None:
                return ""
            amount: Decimal = sign * getattr(money, name)
            return self.words.money(amount + 0, self.stay.currency)

        return Line(self.words.say(what), text(self.stay.so_far), text(self.stay.expected), name)

    def slot(self, each: Ahead) -> str:
        """A slot in one line, for the chart and the table."""
        words, currency = self.words, self.stay.currency
        span = f"{words.time(each.start)}\N{EN DASH}{words.time(each.until)}"
        price = words.say(
            "charging %(charge)s, giving back %(discharge)s a kWh",
            charge=words.price(each.charge, currency),
            discharge=words.price(each.discharge, currency),
        )
        return f"{span} · {price}" + (f" · {self.act(each)}" if each.kw is not None else "")

    def act(self, each: Ahead) -> str:
        """What the car does in a slot by plan."""
        if each.kw is None:
            return ""
        kw = f"{self.words.number(abs(each.kw), 1)}\N{NO-BREAK SPACE}kW"
        if abs(each.kw) < 0.05:
            return self.words.say("waits")
        return self.words.say("charges %(kw)s" if each.kw > 0 else "gives back %(kw)s", kw=kw)
