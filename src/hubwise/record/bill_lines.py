"""A bill's lines: for each run of slots at one price what flowed, at which price, for how much.

Made from a plan folder alone. Lines are rounded so that they add up to the bill, which is that of
the books: each ends where the sum of all so far, rounded, does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby

from hubwise.ledger import in_cents
from hubwise.record.folder import PlanFolder
from hubwise.record.statement import Clock, StayStatement, clock_of

# Less than this in a slot is rounding [kW].
ROUNDING_KW = 1e-4
# Amounts of a bill and of its lines that are further apart are of other prices [currency].
SAME = 1e-6

Slots = Sequence[tuple[int, float, float]]


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a bill.

    Parameters
    ----------
    begins, ends
        On the site's clock; the whole stay where prices by slot are not in the folder.
    returned
        Whether energy flowed back to the grid, and was paid for.
    kwh
        At the charger.
    price
        Per kWh [currency/kWh].
    mean
        Whether that is a mean over the stay, and not what was posted.
    amount
        In the currency's smallest unit.
    """

    begins: datetime
    ends: datetime
    returned: bool
    kwh: float
    price: float
    mean: bool
    amount: Decimal

    def to_dict(self) -> dict[str, object]:
        """The line in JSON's own types."""
        return {
            "begins": self.begins.isoformat(),
            "ends": self.ends.isoformat(),
            "returned": self.returned,
            "kwh": self.kwh,
            "price": self.price,
            "mean": self.mean,
            "amount": str(self.amount),
        }


class BillLines:
    """Looks up the lines of stays of a plan folder."""

    def __init__(self, folder: PlanFolder) -> None:
        """Sort the folder's tables by stay and by hub."""
        self._clock, self._currency = clock_of(folder), str(folder.summary["currency"])
        self._hours = _slot_hours(self._clock)
        flows = folder.tables["schedule"].select("session", "slot", "charge_kw", "discharge_kw")
        self._flows = {str(key[0]): rows.drop("session") for key, rows in flows.group_by("session")}
        self._prices = {
            str(key[0]): dict(zip(rows["slot"], rows.select(_PRICES).iter_rows(), strict=True))
            for key, rows in folder.tables["prices"].group_by("hub")
        }
        exact = folder.tables["bills"].select("session", "paid", "earned")
        self._exact = {name: (paid, earned) for name, paid, earned in exact.iter_rows()}

    def of(self, stay: StayStatement) -> tuple[Line, ...]:
        """The lines of a stay, in order of time."""
        flows = self._flows.get(stay.session)
        slots: Slots = [] if flows is None else list(flows.sort("slot").iter_rows())
        posted = self._prices[stay.hub] if stay.participating else {}
        lines = [
            line
            for returned, exact in zip((False, True), self._exact[stay.session], strict=True)
            for line in self._one_way(stay, slots, posted, exact, returned=returned)
        ]
        return tuple(sorted(lines, key=lambda line: (line.begins, line.returned)))

    def _one_way(
        self,
        stay: StayStatement,
        slots: Slots,
        posted: Mapping[int, tuple[float, float]],
        exact: float,
        *,
        returned: bool,
    ) -> Iterator[Line]:
        way = int(returned)
        flows = [(row[0], row[1 + way]) for row in slots if row[1 + way] > ROUNDING_KW]
        if not flows:
            return
        runs = _runs(flows, {slot: pair[way] for slot, pair in posted.items()})
        parts = [self._hours * kw * price for _, _, kw, price in runs]
        if not runs or abs(sum(parts) - exact) > _trifle(slots, self._hours):
            kwh = self._hours * sum(kw for _, kw in flows)
            yield Line(
                stay.arrival, stay.departure, returned, kwh, exact / kwh, True, self._cents(exact)
            )
            return
        said = Decimal()
        for k, (first, last, kw, price) in enumerate(runs):
            so_far = self._cents(exact if k == len(runs) - 1 else sum(parts[: k + 1]))
            begins = max(self._clock(first), stay.arrival)
            ends = min(self._clock(last + 1), stay.departure)
            yield Line(begins, ends, returned, self._hours * kw, price, False, so_far - said)
            said = so_far

    def _cents(self, amount: float) -> Decimal:
        return in_cents((amount,), self._currency)[0]


_PRICES = ("charge_price", "discharge_price")


def _trifle(slots: Slots, hours: float) -> float:
    """What flows too small for a line may come to, at a price of 1 [currency]."""
    return SAME + ROUNDING_KW * hours * len(slots)


def _slot_hours(clock: Clock) -> float:
    return (clock(1) - clock(0)) / timedelta(hours=1)


def _runs(
    flows: Sequence[tuple[int, float]], prices: Mapping[int, float]
) -> list[tuple[int, int, float, float]]:
    """Slots in a row at one price: first, last, power added up, price; none if one is missing."""
    if any(slot not in prices for slot, _ in flows):
        return []
    found = []
    numbered = enumerate(flows)
    for _, run in groupby(numbered, key=lambda it: (it[1][0] - it[0], prices[it[1][0]])):
        members = [flow for _, flow in run]
        kw = sum(kw for _, kw in members)
        found.append((members[0][0], members[-1][0], kw, prices[members[0][0]]))
    return found
