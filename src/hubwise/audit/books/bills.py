"""A bill, held against what was heard, noted and posted before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hubwise.audit.books.faults import Faults
from hubwise.audit.books.forms import Said
from hubwise.audit.books.meters import Shown, doubtful, run, shown, slots
from hubwise.audit.books.money import (
    PAYMENTS,
    REVENUE,
    accepted,
    amounts,
    entries,
    order_faults,
    price_faults,
    turned,
)
from hubwise.audit.books.stays import REGISTERS, Heard, Stay

# Energies of a slot are written with nine digits, once for every two readings [kWh].
DIGIT = Fraction(1, 10**9)
SIDES = ("charged_kwh", "discharged_kwh")


@dataclass(slots=True)
class Noted:
    """What bills rest on beside messages, as it was said last.

    Parameters
    ----------
    zone, currency
        The site's terms, if they were noted.
    most_kw
        By station [kW].
    driver
        By tag.
    posted
        Price lists as they were posted.
    acts
        By id.
    """

    zone: ZoneInfo | None = None
    currency: str = ""
    most_kw: dict[str, Fraction] = field(default_factory=dict)
    driver: dict[str, str] = field(default_factory=dict)
    posted: list[Said] = field(default_factory=list)
    acts: dict[str, Said] = field(default_factory=dict)

    def take(self, kind: str, said: Said) -> None:
        """Take up a note."""
        if kind == "terms":
            try:
                self.zone, self.currency = ZoneInfo(said["zone"]), said["currency"]
            except (ZoneInfoNotFoundError, ValueError, OSError):
                self.zone = None
        elif kind == "known":
            self.most_kw[said["station"]] = Fraction(said["max_kw"])
        elif kind == "tag":
            self.driver[said["id_token"]] = said["driver"]
        elif kind == "prices":
            self.posted.append(said)
        elif kind == "act":
            self.acts[said["id"]] = said


@dataclass(slots=True)
class Case:
    """What stands of a stay.

    Parameters
    ----------
    bill
        The bill that stands.
    corrections
        How many there are.
    due
        What the bill that stands has to come to, derived: paid and earned.
    """

    bill: Said
    corrections: int
    due: tuple[Decimal, Decimal]


@dataclass(slots=True)
class Examiner:
    """Looks at bills, and remembers which stand, and what entries left on drivers' accounts."""

    noted: Noted
    faults: Faults
    cases: dict[str, Case] = field(default_factory=dict)
    held: dict[str, Decimal] = field(default_factory=dict)

    def bill(self, said: Said, stay: Stay | None, place: str) -> None:
        """A first bill."""
        if stay is None or said["session"] in self.cases:
            self.faults.add(
                "bills: session", place, "of no stay" if stay is None else "a second one"
            )
            return
        self._book(said["entries"])
        self._look(said, stay, None, place)

    def correction(self, said: Said, stay: Stay | None, place: str) -> None:
        """A correction of a bill that stands."""
        case, bill = self.cases.get(said["session"]), said["bill"]
        if stay is None or case is None:
            self.faults.add("corrections: order", place, "of no bill")
            return
        names = ("session", "transaction", "station", "received_at")
        if said["number"] != case.corrections + 1 or not said["because"]:
            self.faults.add("corrections: order", place, "out of order, or without a reason")
        if any(said[name] != bill[name] for name in names):
            self.faults.add("corrections: order", place, "its bill is another's")
        if said["credit"] != turned(case.bill["entries"]):
            self.faults.add("corrections: credit", place)
        self._book([*said["credit"], *bill["entries"]])
        self._look(bill, stay, case, place)

    def _book(self, moved: Sequence[Said]) -> None:
        """Entries as they are written: what they leave on drivers' accounts."""
        for each in moved:
            sides = ((each["debit"], each["amount"]), (each["credit"], -each["amount"]))
            for account, amount in sides:
                if account not in (REVENUE, PAYMENTS):
                    self.held[account] = self.held.get(account, Decimal()) + amount

    def _look(self, bill: Said, stay: Stay, before: Case | None, place: str) -> None:
        """A bill in all that it says."""
        heard, noted = stay.until(bill["heard"]), self.noted
        if not 0 < bill["heard"] <= stay.heard or bill["transaction"] != stay.transaction:
            self.faults.add("bills: session", place, "rests on messages that were not heard")
        if why := heard.why_not_whole():
            self.faults.add("bills: final", place, why)
        prices = accepted(noted.posted, heard.plugged_in(stay.opened_at))
        if noted.zone is None or stay.station not in noted.most_kw or prices is None:
            self.faults.add("bills: facts", place, "terms, prices or station were not noted")
            return
        if bill["currency"] != noted.currency:
            self.faults.add("bills: facts", place, f"currency {bill['currency']}")
        self._account(bill, heard, before, place)
        self._prices(bill, prices, noted.zone, place)
        self._energy(bill, heard, stay, prices["slot_minutes"], place)
        self._money(bill, place)
        right = amounts(bill["lines"], noted.currency)
        number = before.corrections + 1 if before else 0
        self.cases[bill["session"]] = Case(bill, number, (right.paid, right.earned))

    def _account(self, bill: Said, heard: Heard, before: Case | None, place: str) -> None:
        tag = heard.id_token
        if tag and tag not in self.noted.driver and before is None:
            self.faults.add("bills: facts", place, "whose tag it is was not noted")
        driver = self.noted.driver.get(tag, "")
        right = f"driver:{driver}" if driver else f"token:{tag}"
        if before is not None:
            right = before.bill["driver"]
        if bill["driver"] != right:
            self.faults.add("bills: account", place, f"{bill['driver']}, not {right}")

    def _prices(self, bill: Said, prices: Said, zone: ZoneInfo, place: str) -> None:
        if bill["price_list"] != prices["list_id"]:
            self.faults.add("bills: prices", place, "not the list that was on offer at plug-in")
        for line in bill["lines"]:
            self.faults.add_all("bills: prices", place, price_faults(line, prices, zone))

    def _energy(self, bill: Said, heard: Heard, stay: Stay, minutes: int, place: str) -> None:
        self.faults.add_all("bills: energy", place, order_faults(bill["lines"]))
        if bill["act"]:
            act = self.noted.acts.get(bill["act"])
            if act is None or act["what"] != stay.name or not act["figures"]:
                self.faults.add("bills: energy", place, "rests on no operator's act")
                return
            curves = said_curves(act["figures"])
        else:
            curves, doubts = self.metered(heard, stay.station)
            if doubts:
                self.faults.add("bills: final", place, doubts)
        assert self.noted.zone is not None
        for side, curve in zip(SIDES, curves, strict=True):
            right = slots(curve, self.noted.zone, minutes)
            near = DIGIT * (len(curve) + 1)
            self.faults.add_all("bills: energy", place, _apart(bill, side, right, near))
            whole = sum(right.values(), Fraction())
            lines = sum((Fraction(line[side]) for line in bill["lines"]), Fraction())
            if not whole == lines == Fraction(bill[side]):
                said = f"{side} {float(bill[side]):.6g}, metered {float(whole):.6g}"
                self.faults.add("bills: energy", place, said)

    def metered(
        self, heard: Heard, station: str
    ) -> tuple[list[list[tuple[datetime, Fraction]]], str]:
        """Registers that count, charged and discharged, and why they may not be billed from."""
        curves, doubts = [], ""
        for register in REGISTERS:
            found = shown(heard, register)
            counted: list[Shown] = run(found, self.noted.most_kw.get(station, Fraction()))
            if doubtful(found, counted):
                doubts = f"{register} is not known at an end of the stay"
            curves.append([(each.at, each.kwh) for each in counted if each.kwh is not None])
        return curves, doubts

    def _money(self, bill: Said, place: str) -> None:
        right = amounts(bill["lines"], self.noted.currency)
        for name in ("paid", "earned", "rounding"):
            if bill[name] != getattr(right, name):
                self.faults.add(
                    "bills: amounts", place, f"{name} {bill[name]}, not {getattr(right, name)}"
                )
        if bill["entries"] != entries(bill["driver"], right.paid, right.earned):
            self.faults.add("ledger: entries", place)


def said_curves(figures: Said) -> list[list[tuple[datetime, Fraction]]]:
    """An operator's figures as registers that rise evenly."""
    ends = (figures["began_at"], figures["ended_at"])
    return [[(ends[0], Fraction()), (ends[1], Fraction(figures[side]))] for side in SIDES]


def _apart(bill: Said, side: str, right: dict[datetime, Fraction], near: Fraction) -> Sequence[str]:
    """Slots whose energy is another."""
    lines = {line["slot_start"]: Fraction(line[side]) for line in bill["lines"]}
    return [
        f"{at:%d.%m. %H:%M}Z {side} {float(lines.get(at, 0)):.6g}, not {float(kwh):.6g}"
        for at in sorted({*lines, *right})
        if abs(lines.get(at, Fraction()) - (kwh := right.get(at, Fraction()))) > near
    ]
