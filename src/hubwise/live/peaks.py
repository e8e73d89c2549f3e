"""What a hub draws by quarter of an hour, and the highest of a billing period: what power costs.

A meter at the connection says it; without one, the chargers' own meters do, together. What flowed
between two readings flowed evenly. What nobody saw (a meter that was lost, values that a station
sent after its quarter was over) is not in it: the peak that is known is then below the true one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from hubwise.domain.devices import MeterReading
from hubwise.domain.events import PeakNoted
from hubwise.live.clocks import DAY, QUARTER, quarter_of
from hubwise.live.telling import Wrong

# A quarter is over for so long before it is looked at: its last values come behind it.
BEHIND = timedelta(minutes=2)
# Readings that lie further apart tell nothing of quarters.
LONGEST = DAY
WATTS = Decimal("0.001")
MONTH, BY_DAY = "month", "day"


@dataclass(frozen=True, slots=True)
class Demand:
    """What the highest quarter of an hour costs a hub.

    Parameters
    ----------
    charge
        Paid once in a period for its highest mean draw [currency/kW].
    by_day
        Whether a period is a day; else it is a month.
    """

    charge: float
    by_day: bool = False

    def period(self, moment: datetime, zone: ZoneInfo) -> str:
        """The billing period of a time."""
        return f"{moment.astimezone(zone):{'%Y-%m-%d' if self.by_day else '%Y-%m'}}"

    def charges_ahead(
        self, now: datetime, slots: Sequence[datetime], zone: ZoneInfo
    ) -> tuple[tuple[int, float], ...]:
        """What a plan over ``slots``, which begin then, counts for a kW, by billing period.

        First slot of each, and its charge as `charge_ahead` has it [currency/kW].
        """
        moments = (now, *slots[1:])
        periods = [self.period(moment, zone) for moment in moments]
        firsts = [periods.index(period) for period in dict.fromkeys(periods)]
        return tuple((first, self.charge_ahead(moments[first], zone)) for first in firsts)

    def charge_ahead(self, now: datetime, zone: ZoneInfo) -> float:
        """What a plan of a day counts for a kW above the peak so far [currency/kW].

        The month's charge is shared among the days that are left of it, today's with them: a peak
        once paid is free for all of them.
        """
        if self.by_day:
            return self.charge
        today = now.astimezone(zone).date()
        month = (today + k * DAY for k in range(31))
        return self.charge / sum(day.month == today.month for day in month)


def demand_of(where: str, table: Mapping[str, object], wrong: Wrong) -> Demand | None:
    """What ``[hubs.NAME]`` says of it; ``None`` where it says nothing."""
    charge, by = table.get("demand_charge"), table.get("demand_period", MONTH)
    if "demand_charge" not in table:
        if "demand_period" in table:
            wrong(f"{where}.demand_period", "is alone", "demand_charge beside it")
        return None
    right = not isinstance(charge, bool) and isinstance(charge, int | float) and 0 <= charge < 1e6
    if not right:
        wrong(f"{where}.demand_charge", f"{charge!r}", "what a kW of the period's highest costs")
    if by not in (MONTH, BY_DAY):
        wrong(f"{where}.demand_period", f"{by!r}", f'"{MONTH}" or "{BY_DAY}"')
    return Demand(float(str(charge)), by == BY_DAY) if right else None


@dataclass(slots=True)
class Drawn:
    """Energy from the grid by quarter of an hour, of those that are not looked at yet."""

    _kwh: dict[datetime, float] = field(default_factory=dict)
    _last: dict[str, tuple[datetime, float]] = field(default_factory=dict)
    _held: MeterReading | None = None
    _summed_kwh: float = 0.0

    def counted(self, source: str, at: datetime, kwh: float) -> None:
        """A register stands at so many kWh; what is heard of first tells nothing yet."""
        since, before = self._last.get(source, (at, kwh))
        if at < since:
            return
        self._last[source] = at, kwh
        if since < at <= since + LONGEST:
            self._spread(since, at, (kwh - before) / ((at - since) / timedelta(hours=1)))

    def saw(self, reading: MeterReading) -> None:
        """What the meter at the connection says; its registers, or else its power as it lasts."""
        held, self._held = self._held, reading
        if reading.imported_kwh is not None:
            kwh = reading.imported_kwh - (reading.exported_kwh or 0.0)
        else:
            hours = 0.0 if held is None else (reading.at - held.at) / timedelta(hours=1)
            lost = held is not None and reading.at - held.at > BEHIND
            kw = 0.0 if held is None or lost else held.power_kw
            self._summed_kwh += kw * max(hours, 0.0)
            kwh = self._summed_kwh
        self.counted("meter", reading.at, kwh)

    def forget(self, source: str) -> None:
        """Nothing more comes of it."""
        self._last.pop(source, None)

    def over(self, now: datetime) -> list[tuple[datetime, float]]:
        """Quarters that are over, each once, with their mean draw [kW]; in order."""
        done = sorted(each for each in self._kwh if each + QUARTER + BEHIND <= now)
        return [(each, self._kwh.pop(each) / (QUARTER / timedelta(hours=1))) for each in done]

    def _spread(self, since: datetime, until: datetime, kw: float) -> None:
        begins = quarter_of(since)
        while begins < until:
            span = min(until, begins + QUARTER) - max(since, begins)
            kwh = kw * (span / timedelta(hours=1))
            self._kwh[begins] = self._kwh.get(begins, 0.0) + kwh
            begins += QUARTER


@dataclass(slots=True)
class Peaks:
    """By hub: the highest quarter of an hour of the latest billing period that is known."""

    highest: dict[str, PeakNoted] = field(default_factory=dict)

    def take(self, noted: PeakNoted) -> None:
        """Take up a quarter; one of a period that is over changes nothing."""
        known = self.highest.get(noted.hub)
        if known is None or (known.period, known.kw) < (noted.period, noted.kw):
            self.highest[noted.hub] = noted

    def is_higher(self, noted: PeakNoted) -> bool:
        """Whether a quarter is the highest of its period, which is none that is over."""
        known = self.highest.get(noted.hub)
        if known is None or known.period < noted.period:
            return noted.kw > 0
        return known.period == noted.period and known.kw < noted.kw

    def kw(self, hub: str, period: str) -> float:
        """The highest draw of a period so far; 0 where none is known [kW]."""
        known = self.highest.get(hub)
        return float(known.kw) if known is not None and known.period == period else 0.0


def higher(
    peaks: Peaks,
    demand: Mapping[str, Demand],
    over: Mapping[str, list[tuple[datetime, float]]],
    now: datetime,
    zone: ZoneInfo,
) -> Iterator[PeakNoted]:
    """Quarters that are over and were the highest of their period; each looks at those before."""
    for hub, said in demand.items():
        for begins, kw in over.get(hub, []):
            watts, period = Decimal(str(kw)).quantize(WATTS), said.period(begins, zone)
            key = f"peak|{hub}|{begins.isoformat()}|{watts}"
            noted = PeakNoted(key, "", now, hub, period, begins, watts)
            if peaks.is_higher(noted):
                yield noted
