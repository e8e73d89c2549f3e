"""What a hub's decision is about: stays as they stand, prices ahead, the connection's room."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from hubwise.domain.events import NeedsSaid, PriceList, WishSaid
from hubwise.domain.plain import named, number
from hubwise.live.clocks import QUARTER, quarter_of
from hubwise.live.settings import Planning

SLOT = QUARTER
SLOTS = 96
# Between plug and battery, one way, as long as nothing is known of the car.
EFFICIENCY = 0.95
MINUTES_OF_A_DAY = 1_440


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is wanted of a stay: energies from plug-in on, powers, and when it ends.

    Parameters
    ----------
    departs_at
        When the car leaves.
    required_kwh, most_kwh
        What is to be put in by then, and the most that has room [kWh].
    least_kwh
        What the battery never falls below, from what it held at plug-in; below 0, what may be
        taken from that [kWh].
    charge_kw, discharge_kw
        The most that the car takes and gives [kW]; infinite where it does not say.
    """

    departs_at: datetime
    required_kwh: float
    most_kwh: float
    least_kwh: float
    charge_kw: float = float("inf")
    discharge_kw: float = float("inf")


@dataclass(frozen=True, slots=True)
class Stay:
    """A car that is decided about.

    Parameters
    ----------
    session
        Identifier.
    wanted
        See there.
    stored_kwh
        What has been put in since plug-in, losses taken off [kWh].
    charge_kw, discharge_kw
        The most that station and car take and give together [kW].
    prices
        Row of the outlook's lists that it accepted.
    arrives_at
        When it is expected; ``None`` where it is here.
    """

    session: str
    wanted: Wanted
    stored_kwh: float
    charge_kw: float
    discharge_kw: float
    prices: int
    arrives_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Storage:
    """A hub's station battery, as it is now.

    Parameters
    ----------
    energy_kwh, capacity_kwh
        What is in it, and what there can be [kWh].
    power_kw
        The most that it takes and gives [kW].
    efficiency
        Share that comes through, one way.
    wear
        What a kWh drawn from it costs [currency/kWh].
    """

    energy_kwh: float
    capacity_kwh: float
    power_kw: float
    efficiency: float
    wear: float


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that a decision about a hub rests on.

    Parameters
    ----------
    starts_at, now
        When the slot began, and the time, in UTC.
    connection_kw
        What those who are decided about and the battery may draw together [kW].
    charge, discharge
        Price lists by slot from ``starts_at`` on; lists x `SLOTS` [currency/kWh].
    purchase, feed_in
        What energy costs the operator, and brings, by slot [currency/kWh].
    wear
        What a kWh drawn from a battery costs its owner [currency/kWh].
    currency
        ISO 4217 code.
    stays
        Who is decided about, and who is expected.
    storage
        The station battery, where there is one that answers.
    demand_charge
        What a kW above the peak so far costs [currency/kW].
    peak_kw
        What those who are decided about may draw together without drawing more than the hub has
        drawn in its billing period so far [kW].
    later_periods
        Billing periods that begin later within the slots, which have no peak yet: the first slot,
        and what a kW costs [currency/kW], of each.
    hub
        Whose it is: who decides knows by it what was decided before.
    allowed_kw
        What they may draw together by slot, as far as limits of the grid hold then; infinite where
        none does, empty where there is none [kW].
    """

    starts_at: datetime
    now: datetime
    connection_kw: float
    charge: tuple[tuple[float, ...], ...]
    discharge: tuple[tuple[float, ...], ...]
    purchase: tuple[float, ...]
    feed_in: tuple[float, ...]
    wear: float
    currency: str
    stays: tuple[Stay, ...]
    storage: Storage | None = None
    demand_charge: float = 0.0
    peak_kw: float = 0.0
    later_periods: tuple[tuple[int, float], ...] = ()
    hub: str = ""
    allowed_kw: tuple[float, ...] = ()

    @property
    def here(self) -> tuple[Stay, ...]:
        """Who is decided about."""
        return tuple(each for each in self.stays if each.arrives_at is None)

    @property
    def elapsed(self) -> float:
        """Share of the slot that is over."""
        return (self.now - self.starts_at) / SLOT


def prices_ahead(values: Sequence[object], starts_at: datetime, zone: ZoneInfo) -> list[float]:
    """Prices of a day by slot, on the site's clock, for the slots ahead."""
    minutes = MINUTES_OF_A_DAY // len(values)
    found = []
    for k in range(SLOTS):
        local = (starts_at + k * SLOT).astimezone(zone)
        found.append(float(str(values[(60 * local.hour + local.minute) // minutes])))
    return found


def wanted_by_car(said: NeedsSaid) -> Wanted | None:
    """What a car asked for (NotifyEVChargingNeeds), if it says when it leaves and how much.

    Powers in W and energies in Wh, as the message has them.
    """
    message = named(json.loads(said.needs))
    needs = named(message.get("chargingNeeds"))
    departs = needs.get("departureTime")
    if not isinstance(departs, str):
        return None
    try:
        departs_at = datetime.fromisoformat(departs.replace("Z", "+00:00"))
    except ValueError:
        return None
    if departs_at.tzinfo is None:
        return None
    if isinstance(both := needs.get("v2xChargingParameters"), dict):
        return _two_way(departs_at, named(both))
    if isinstance(ac := needs.get("acChargingParameters"), dict):
        kwh = number(ac.get("energyAmount")) / 1_000
        return Wanted(departs_at, kwh, kwh, 0.0, discharge_kw=0.0) if kwh > 0 else None
    return None


def _two_way(departs_at: datetime, said: dict[str, object]) -> Wanted | None:
    def kilo(name: str, default: float) -> float:
        found = said.get(name)
        return number(found) / 1_000 if isinstance(found, int | float) else default

    most = kilo("evMaxEnergyRequest", 0.0)
    wanted = kilo("evTargetEnergyRequest", most)
    if not most > 0.0:
        return None
    return Wanted(
        departs_at=departs_at,
        required_kwh=min(wanted, most),
        most_kwh=most,
        least_kwh=min(kilo("evMinV2XEnergyRequest", 0.0), 0.0),
        charge_kw=kilo("maxChargePower", float("inf")),
        discharge_kw=abs(kilo("maxDischargePower", 0.0)),
    )


def wanted_by_driver(said: WishSaid) -> Wanted | None:
    """What a driver said of the stay, if a departure was; energies from plug-in on."""
    if said.departure_at is None:
        return None
    held = float(said.energy_kwh)
    required = max(float(said.required_kwh) - held, 0.0)
    return Wanted(said.departure_at, required, required, float(said.reserve_kwh) - held)


def outlook_of(
    now: datetime,
    lists: Sequence[PriceList],
    stays: Sequence[Stay],
    connection_kw: float,
    about: Planning,
    zone: ZoneInfo,
    currency: str,
    storage: Storage | None,
) -> Outlook:
    """An outlook from what the site knows; ``lists``: what is posted, then what stays accepted."""
    starts_at = quarter_of(now)

    def ahead(values: Sequence[object]) -> tuple[float, ...]:
        return tuple(prices_ahead(values, starts_at, zone))

    charge = tuple(ahead(each.charge) for each in lists)
    return Outlook(
        starts_at=starts_at,
        now=now,
        connection_kw=connection_kw,
        charge=charge,
        discharge=tuple(ahead(each.discharge) for each in lists),
        purchase=ahead(about.purchase) if about.purchase else charge[0],
        feed_in=ahead(about.feed_in) if about.feed_in else (0.0,) * SLOTS,
        wear=about.wear,
        currency=currency,
        stays=tuple(stays),
        storage=storage,
    )
