"""What a running session comes to so far: a step for each message, however long it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal

from hubwise.domain.events import BillPosted, TransactionSaid
from hubwise.domain.screen import Cost
from hubwise.ledger.books import minor_unit
from hubwise.live.registers import EXPORT, IMPORT, Reading, between, readings
from hubwise.live.settle import Settlement, Terms, by_slot, line


@dataclass(slots=True)
class Running:
    """A session's cost so far.

    What comes late is left out: the bill, which is made of all readings, has it.

    Parameters
    ----------
    terms
        What it is settled by.
    amounts
        What was charged costs, and what was given back earned, by register, unrounded [currency].
    last
        The last reading of each register.
    kwh
        What flowed through each register since plug-in [kWh].
    kw
        Mean power through each register between its last two readings [kW].
    whole
        Whether nothing was left out so far.
    """

    terms: Terms
    amounts: dict[str, Decimal]
    last: dict[str, Reading]
    kwh: dict[str, Decimal]
    kw: dict[str, float] = field(default_factory=dict)
    whole: bool = True

    @classmethod
    def of(cls, settled: Settlement, terms: Terms) -> Running:
        """From all that was said so far."""
        amounts = {
            IMPORT: sum((each.paid for each in settled.lines), Decimal()),
            EXPORT: sum((each.earned for each in settled.lines), Decimal()),
        }
        last: dict[str, Reading] = {}
        kw: dict[str, float] = {}
        for each in settled.found:
            if each.accepted and each.bounds:
                kw[each.measurand] = _mean_kw(last.get(each.measurand, each), each)
                last[each.measurand] = each
        kwh = {
            IMPORT: sum((each.charged_kwh for each in settled.lines), Decimal()),
            EXPORT: sum((each.discharged_kwh for each in settled.lines), Decimal()),
        }
        return cls(terms, amounts, last, kwh, kw)

    @property
    def net(self) -> Decimal:
        """Charged less given back, unrounded [currency]."""
        return self.amounts[IMPORT] - self.amounts[EXPORT]

    @property
    def flowing_kw(self) -> float:
        """Mean power between the last two readings; below 0, given back [kW]."""
        return self.kw.get(IMPORT, 0.0) - self.kw.get(EXPORT, 0.0)

    @property
    def read_at(self) -> datetime | None:
        """When the meter was read last, by the station's clock."""
        return max((each.at for each in self.last.values()), default=None)

    @property
    def net_kwh(self) -> float:
        """What was charged since plug-in, less what was given back [kWh]."""
        return float(self.kwh[IMPORT] - self.kwh[EXPORT])

    def take(self, said: TransactionSaid) -> None:
        """Take up the next message."""
        most_kw = Decimal(str(self.terms.most_kw))
        for each in readings([said], most_kw):
            if not each.bounds:
                continue
            before = self.last.get(each.measurand, each)
            if not each.accepted or each.at < before.at or between(before, each, most_kw):
                self.whole = False
                continue
            self.last[each.measurand] = each
            self.kw[each.measurand] = _mean_kw(before, each)
            self._count(before, each)

    def cost(self, now: datetime, billed: BillPosted | None) -> Cost:
        """What is shown at a time; a bill, where there is one, is what it came to."""
        price = line(now, Decimal(), Decimal(), self.terms)
        unit = minor_unit(self.terms.currency)
        net = billed.net if billed else self.net.quantize(unit, ROUND_HALF_EVEN) + 0
        return Cost(net, price.charge_price, price.discharge_price, self.terms.currency)

    def _count(self, before: Reading, after: Reading) -> None:
        for measurand in (IMPORT, EXPORT):
            for start, kwh in by_slot([before, after], measurand, self.terms).items():
                self.kwh[measurand] += kwh
                back = measurand == EXPORT
                flow = (Decimal(), kwh) if back else (kwh, Decimal())
                found = line(start, *flow, self.terms)
                self.amounts[measurand] += found.earned if back else found.paid


def _mean_kw(before: Reading, after: Reading) -> float:
    hours = (after.at - before.at).total_seconds() / 3_600
    if hours <= 0.0 or before.kwh is None or after.kwh is None:
        return 0.0
    return float(after.kwh - before.kwh) / hours
