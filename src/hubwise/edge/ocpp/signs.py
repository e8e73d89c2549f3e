"""Which way energy flows, by the meter: a station that says it gives is believed when it does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hubwise.domain.events import Sample

# Below so much, nothing flows: clocks of meters, standby, a charger's own use [kW].
LEAST_KW = 0.1
LEAST_SHARE = 0.05
# A car ramps by itself: what is shown sooner tells nothing [s].
RAMP_SECONDS = 5.0
# Registers are read in Wh: less than this between two readings has no sign [kWh].
LEAST_KWH = 0.005
SIZES = {"W": 1e-3, "kW": 1.0, "MW": 1e3, "Wh": 1e-3, "kWh": 1.0, "MWh": 1e3}


class Sign(StrEnum):
    """What a meter says of a set-point."""

    AS_ASKED = "as asked"
    OPPOSITE = "opposite"
    NOTHING = "nothing"


@dataclass(slots=True)
class Signs:
    """A set-point and what the meter says of it.

    Parameters
    ----------
    asked_kw
        The set-point, below 0 given back [kW].
    since
        When its direction was asked for; none if never.
    proven
        Whether the meter showed that direction.
    """

    asked_kw: float = 0.0
    since: datetime | None = None
    proven: bool = False
    _before: tuple[datetime, float] | None = None

    def ask(self, kw: float, now: datetime) -> bool:
        """A set-point was taken; true if giving back has to be proven anew."""
        turned = self.since is None or (kw < 0) != (self.asked_kw < 0)
        self.asked_kw = kw
        if turned:
            self.since, self.proven, self._before = now, False, None
        return turned and kw < 0

    def see(self, samples: Sequence[Sample], now: datetime) -> Sign:
        """What samples that came just now say."""
        if self.since is None or (now - self.since).total_seconds() < RAMP_SECONDS:
            return Sign.NOTHING
        shown = self._by_registers(samples)
        shown = power_kw(samples) if shown is None else shown
        least = max(LEAST_KW, LEAST_SHARE * abs(self.asked_kw))
        if shown is None or abs(shown) < least:
            return Sign.NOTHING
        if (shown < 0) != (self.asked_kw < 0):
            return Sign.OPPOSITE
        self.proven = True
        return Sign.AS_ASKED

    def _by_registers(self, samples: Sequence[Sample]) -> float | None:
        """Mean power since the reading before, by what is billed from [kW]."""
        charged = _total(samples, "Energy.Active.Import.Register")
        back = _total(samples, "Energy.Active.Export.Register")
        if charged is None or back is None:
            return None
        at, net = samples[0].at, charged - back
        before = self._before or (at, net)
        if abs(net - before[1]) < LEAST_KWH:
            self._before = before
            return None
        self._before = at, net
        hours = (at - before[0]).total_seconds() / 3_600
        return (net - before[1]) / hours if hours > 0 else None


def power_kw(samples: Sequence[Sample]) -> float | None:
    """Power at the outlet [kW], below 0 given; none if no sample says."""
    drawn = _total(samples, "Power.Active.Import")
    given = _total(samples, "Power.Active.Export")
    return None if drawn is None and given is None else (drawn or 0.0) - (given or 0.0)


def _total(samples: Sequence[Sample], measurand: str) -> float | None:
    """The last total of a measurand; those of one phase are none [kW or kWh]."""
    found = None
    for each in samples:
        if each.measurand == measurand and not each.phase and each.location == "Outlet":
            try:
                found = float(each.value) * SIZES[each.unit] * 10.0**each.multiplier
            except (KeyError, ValueError, OverflowError):
                continue
    return found
