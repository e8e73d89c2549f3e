"""What a running session comes to so far: a step for each message, however long it is."""

from __future__ import annotations

from dataclasses import dataclass
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
    net
        Charged less given back, unrounded [currency].
    last
        The last reading of each register.
    kwh
        What flowed through each register since plug-in [kWh].
    whole
        Whether nothing was left out so far.
    """

    terms: Terms
    net: Decimal
    last: dict[str, Reading]
    kwh: dict[str, Decimal]
    whole: bool = True

    @classmethod
    def of(cls, settled: Settlement, terms: Terms) -> Running:
        """From all that was said so far."""
        net = sum((each.paid - each.earned for each in settled.lines), Decimal())
        last = {each.measurand: each for each in settled.found if each.accepted and each.bounds}
        kwh = {
            IMPORT: sum((each.charged_kwh for each in settled.lines), Decimal()),
            EXPORT: sum((each.discharged_kwh for each in settled.lines), Decimal()),
        }
        return cls(terms, net, last, kwh)

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
            self.net += self._worth(before, each)

    def cost(self, now: datetime, billed: BillPosted | None) -> Cost:
        """What is shown at a time; a bill, where there is one, is what it came to."""
        price = line(now, Decimal(), Decimal(), self.terms)
        unit = minor_unit(self.terms.currency)
        net = billed.net if billed else self.net.quantize(unit, ROUND_HALF_EVEN) + 0
        return Cost(net, price.charge_price, price.discharge_price, self.terms.currency)

    def _worth(self, before: Reading, after: Reading) -> Decimal:
        worth = Decimal()
        for measurand in (IMPORT, EXPORT):
            for start, kwh in by_slot([before, after], measurand, self.terms).items():
                self.kwh[measurand] += kwh
                back = measurand == EXPORT
                flow = (Decimal(), kwh) if back else (kwh, Decimal())
                found = line(start, *flow, self.terms)
                worth += found.paid - found.earned
        return worth
