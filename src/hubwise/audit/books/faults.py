"""What is checked of books, and the faults found so far."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from hubwise.audit.report import Check, Status

MOST = 5
CHANGED = "the database was changed by something else than this site; restore a backup"

# By check: what should be so, what to do where it is not, and whether that is a lie or a lack.
PROMISES: dict[str, tuple[str, str, Status]] = {
    "events: seals": (
        "every event is as it was sealed, none is missing, added or moved",
        CHANGED,
        Status.FAILS,
    ),
    "events: form": (
        "every event can be read, and its row says what it says itself",
        CHANGED,
        Status.FAILS,
    ),
    "events: order": ("positions grow, every id is there once", CHANGED, Status.FAILS),
    "prices: posted": (
        "every posted list makes a day and is the one that its name was made of",
        CHANGED,
        Status.FAILS,
    ),
    "prices: followed": (
        "every list that follows the market is made of what was noted of it before, with margins",
        CHANGED,
        Status.FAILS,
    ),
    "prices: ordered": (
        "every list of an operator stands behind their act, begins no earlier than it was posted, "
        "and was changed by nothing but taking it back",
        CHANGED,
        Status.FAILS,
    ),
    "peaks: noted": (
        "every peak is of a whole quarter of an hour of its period, and above the one before it",
        CHANGED,
        Status.FAILS,
    ),
    "bills: session": (
        "every bill is of a stay that was heard of, its first and only one",
        CHANGED,
        Status.FAILS,
    ),
    "bills: final": (
        "beginning, end and every number between were heard before the bill, and both ends of "
        "what is billed were metered",
        CHANGED,
        Status.FAILS,
    ),
    "bills: facts": (
        "terms, station and tag that a bill rests on were noted before it",
        CHANGED,
        Status.FAILS,
    ),
    "bills: account": ("whoever charged is billed", CHANGED, Status.FAILS),
    "bills: prices": (
        "every slot is billed at the list accepted at plug-in, to the end of the stay",
        CHANGED,
        Status.FAILS,
    ),
    "bills: energy": (
        "every slot's energy is what the meter showed, or what an operator said",
        CHANGED,
        Status.FAILS,
    ),
    "bills: amounts": (
        "paid, earned and rounding follow from the lines, rounded once",
        CHANGED,
        Status.FAILS,
    ),
    "bills: due": (
        "every stay that can be billed is billed, by all that was heard of it",
        "serve the site: it posts what is due",
        Status.MISSED,
    ),
    "ledger: entries": (
        "every entry follows from its bill, and each bill has all of its entries",
        CHANGED,
        Status.FAILS,
    ),
    "ledger: balance": (
        "every driver's account holds what the bills that stand come to",
        CHANGED,
        Status.FAILS,
    ),
    "corrections: order": (
        "corrections follow a bill and each other by number, with a reason",
        CHANGED,
        Status.FAILS,
    ),
    "corrections: credit": (
        "every correction takes back all of the bill that stood",
        CHANGED,
        Status.FAILS,
    ),
    "acts: listed": (
        "every operator's act has a name and a reason, and stands in the list of acts as it is",
        CHANGED,
        Status.FAILS,
    ),
    "acts: followed": (
        "every act that posts prices, limits a hub or says a wish stands with what follows from "
        "it, and no limit stands without one",
        CHANGED,
        Status.FAILS,
    ),
    "wishes: whose": (
        "every wish is of a stay under way, said by its driver or by an operator's act",
        CHANGED,
        Status.FAILS,
    ),
    "promises: required energy": (
        "who stayed long enough left with the energy that they asked for",
        "the car did not draw, or the connection was too small for all who were there",
        Status.MISSED,
    ),
    "promises: reserve": (
        "no car fell below its reserve once it was there",
        "find out why it gave back: its own setting, or a set-point",
        Status.MISSED,
    ),
}


@dataclass(slots=True)
class Faults:
    """Faults by check; of each the first few in words."""

    _said: dict[str, list[str]] = field(default_factory=dict)
    _many: dict[str, int] = field(default_factory=dict)

    def add(self, check: str, where: str, what: str = "") -> None:
        """One more."""
        assert check in PROMISES
        self._many[check] = self._many.get(check, 0) + 1
        said = self._said.setdefault(check, [])
        if len(said) < MOST:
            said.append(f"{where}: {what}" if what else where)

    def add_all(self, check: str, where: str, faults: Iterable[str]) -> None:
        """Several at one place."""
        for each in faults:
            self.add(check, where, each)

    def checks(self, unchecked: dict[str, str]) -> tuple[Check, ...]:
        """One for each promise; ``unchecked`` says which were not looked at, and why."""
        return tuple(self._check(name, unchecked.get(name)) for name in PROMISES)

    def _check(self, name: str, why_not: str | None) -> Check:
        promise, advice, otherwise = PROMISES[name]
        many, said = self._many.get(name, 0), self._said.get(name, [])
        if many:
            more = [f"and {many - len(said)} more"] if many > len(said) else []
            return Check(
                name, promise, otherwise, float(many), 0.0, "; ".join([*said, *more]), advice
            )
        if why_not is not None:
            return Check(name, promise, Status.UNCHECKED, advice=why_not)
        return Check(name, promise, Status.HOLDS, 0.0, 0.0)
