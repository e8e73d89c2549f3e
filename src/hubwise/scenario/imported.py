"""The folder of an imported scenario: its tables and its ``scenario.toml``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil, floor, inf, sqrt
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from hubwise.domain import Horizon, TariffFamily
from hubwise.domain.arrays import Array
from hubwise.scenario.day_sessions import ImportedSession
from hubwise.scenario.options import ImportOptions
from hubwise.scenario.reading import TOML
from hubwise.scenario.taper import curve_of
from hubwise.scenario.writing import write_csv, write_toml

# Of the assumed feeder: what nobody tells and a planner needs.
_KV = 0.4
_VOLTAGE_DROP = 0.01  # of a cable at its hub's limit
_HEADROOM = 0.80  # of the transformer's rating, at all hubs' limits
_DECIMALS = 5


@dataclass(frozen=True, slots=True)
class Offered:
    """Prices for the day.

    Parameters
    ----------
    rows
        The price rows that hold on the horizon: start in UTC and price [currency/unit].
    unit, currency
        ``kWh`` or ``MWh``, and the currency.
    purchase_price
        In every slot; shape (slots,) [currency/kWh].
    minutes
        How long each row's price holds [min].
    notes
        What was assumed, chosen and passed over when they were read.
    demand_charges
        For a month's highest power, January to December [currency/kW]; empty for none.
    """

    rows: tuple[tuple[datetime, float], ...]
    unit: str
    currency: str
    purchase_price: Array
    minutes: int
    notes: tuple[str, ...]
    demand_charges: tuple[float, ...] = ()

    @property
    def family(self) -> TariffFamily:
        """The family of tariffs that follows the prices: one for each hour, or each slot."""
        return TariffFamily.HOURLY if self.minutes >= 60 else TariffFamily.EVERY_SLOT


@dataclass(frozen=True, slots=True)
class Site:
    """All that an imported scenario is made of."""

    name: str
    options: ImportOptions
    horizon: Horizon
    stays: tuple[ImportedSession, ...]
    offered: Offered
    notes: tuple[str, ...]

    @property
    def hubs(self) -> list[str]:
        """Names of the hubs, in order."""
        return sorted({stay.hub for stay in self.stays})

    def limit_kw(self, hub: str) -> float:
        """The limit of a hub's grid connection [kW]."""
        if self.options.connection_kw is not None:
            return self.options.connection_kw
        change = np.zeros(self.horizon.slots + 1)
        for stay in self.stays:
            if stay.hub == hub:
                kw = max(stay.equipment.charge_kw, stay.equipment.discharge_kw)
                change[ceil(self.horizon.slot_of(stay.arrival))] += kw
                change[floor(self.horizon.slot_of(stay.departure))] -= kw
        return float(change.cumsum().max().round(6))

    @property
    def tapers(self) -> dict[str, str]:
        """Names of the curves of its cars, by their points."""
        points = sorted({stay.equipment.taper for stay in self.stays} - {""})
        return {one: f"curve-{k}" for k, one in enumerate(points, 1)}

    @property
    def two_way(self) -> bool:
        """Whether any car can discharge where it stays."""
        return any(stay.equipment.discharge_kw > 0 for stay in self.stays)


def write_site(site: Site, folder: Path) -> None:
    """Write the tables and ``scenario.toml`` of a site."""
    limits = {hub: site.limit_kw(hub) for hub in site.hubs}
    buses = range(1, len(limits) + 2)
    write_csv(folder / "sessions.csv", [_session(site, stay) for stay in site.stays])
    write_csv(folder / "prices.csv", [_price(*row) for row in site.offered.rows])
    write_csv(folder / "buses.csv", [{"bus": bus, "kw": 0, "kvar": 0} for bus in buses])
    cables = [_cable(bus, kw) for bus, kw in zip(buses[1:], limits.values(), strict=True)]
    write_csv(folder / "branches.csv", cables)
    write_toml(folder / TOML, _head(site) | _sections(site, limits))


def _session(site: Site, stay: ImportedSession) -> dict[str, object]:
    options, zone, equipment = site.options, ZoneInfo(site.horizon.zone), stay.equipment
    leaving = options.leaving_share * equipment.capacity_kwh
    asked = min(stay.energy_kwh, equipment.most_kwh(options))
    efficiency = equipment.charge_efficiency
    return {
        "session": stay.session,
        "driver": stay.driver,
        "hub": stay.hub,
        "arrival": stay.arrival.astimezone(zone).isoformat(),
        "departure": stay.departure.astimezone(zone).isoformat(),
        "actual_departure": stay.actual_departure.astimezone(zone).isoformat(),
        "capacity_kwh": equipment.capacity_kwh,
        "arrival_kwh": round(leaving - asked * efficiency, 6),
        "required_kwh": round(leaving - min(asked, stay.later_kwh) * efficiency, 6),
        "reserve_kwh": options.reserve_share * equipment.capacity_kwh,
        "max_kwh": equipment.capacity_kwh,
        "charge_kw_max": equipment.charge_kw,
        "discharge_kw_max": equipment.discharge_kw,
        "charge_efficiency": efficiency,
        "discharge_efficiency": equipment.discharge_efficiency,
        "wear_cost": equipment.wear_cost,
        "chemistry": equipment.chemistry,
        **({"taper": site.tapers.get(equipment.taper)} if site.tapers else {}),
    }


def _price(start: datetime, price: float) -> dict[str, object]:
    return {"start_utc": f"{start:%Y-%m-%dT%H:%MZ}", "price": price}


def _cable(bus: int, limit_kw: float) -> dict[str, object]:
    """A cable from the transformer to a hub that loses ``_VOLTAGE_DROP`` at the hub's limit."""
    r = _VOLTAGE_DROP * _KV**2 / (limit_kw / 1000.0)
    ampacity = 1.25 * limit_kw / (sqrt(3.0) * _KV)
    return {
        "from_bus": 1,
        "to_bus": bus,
        "r_ohm": round(r, 6),
        "x_ohm": round(r / 2.0, 6),
        "ampacity_a": ceil(ampacity),
    }


def _head(site: Site) -> dict[str, object]:
    return {
        "name": site.name,
        "currency": site.offered.currency,
        "participation": site.options.participation,
        "assumptions": _assumptions(site),
        "notes": list(site.notes),
    }


def _sections(site: Site, limits: dict[str, float]) -> dict[str, object]:
    options, start = site.options, site.horizon.local_start
    days = {"days": options.days} if options.days > 1 else {}
    curves = {name: curve_of(points) for points, name in site.tapers.items()}
    promises = {"saving": options.saving, "peak_valley": options.peak_valley}
    return {
        "horizon": {
            "day": start.date(),
            "start": options.start,
            "zone": options.zone,
            "slot_minutes": options.slot_minutes,
            **days,
        },
        "search": {"seed": options.seed},
        "feeder": {
            "buses": "buses.csv",
            "branches": "branches.csv",
            "source_bus": 1,
            "nominal_kv": _KV,
            "voltage_min_pu": 0.90,
            "voltage_max_pu": 1.10,
            "transformer_kva": _round_up(sum(limits.values()) / _HEADROOM, 10.0),
            "transformer_limit": 0.85,
        },
        "hubs": [
            {"name": hub, "bus": bus, "import_limit_kw": kw, "export_limit_kw": kw}
            for bus, (hub, kw) in enumerate(limits.items(), 2)
        ],
        "prices": {
            "series": "prices.csv",
            "unit": site.offered.unit,
            "feed_in": "purchase",
            "service_fee": options.service_fee,
            **_demand(site.offered),
        },
        "rules": _rules(site),
        "promises": {key: share for key, share in promises.items() if share < inf},
        **({"tapers": curves} if curves else {}),
        "sessions": {"file": "sessions.csv"},
    }


def _demand(offered: Offered) -> dict[str, object]:
    """A tariff's demand charge, in one number where all months have the same."""
    charges = offered.demand_charges
    if not charges:
        return {}
    return {"demand_charge": charges[0] if len(set(charges)) == 1 else list(charges)}


def _rules(site: Site) -> dict[str, object]:
    """Bounds that let no driver pay above the reference tariff and leave room below arbitrage.

    Where the reference tariff is negative, the lowest prices have to be, too.
    """
    options = site.options
    reference = site.offered.purchase_price + options.service_fee
    low, high = float(reference.min()), float(reference.max())
    kept = options.efficiency**2
    fair = (low + options.wear_cost * options.efficiency) / kept
    step = 10.0**-_DECIMALS
    return {
        "family": site.offered.family.value,
        "charge_price_min": min(0.0, -_round_up(-low, step)),
        "charge_price_max": "reference",
        "discharge_price_min": min(0.0, -_round_up(-fair, step)) if site.two_way else 0.0,
        "discharge_price_max": _round_up(max(high, 0.0) + options.wear_cost, step)
        if site.two_way
        else 0.0,
        "decimals": _DECIMALS,
    }


def family_notes(offered: Offered) -> list[str]:
    """Why an imported scenario's tariffs are of another family than the usual, hourly one."""
    if offered.family is TariffFamily.HOURLY:
        return []
    return [
        f"Purchase prices change every {offered.minutes} min, so tariffs have a price for every "
        f'slot (family = "{offered.family.value}"); hourly ones would lose by it.'
    ]


def _assumptions(site: Site) -> list[str]:
    options, currency = site.options, site.offered.currency
    way = "two-way" if options.two_way else "one-way"
    limit = (
        f"Each hub's grid connection carries {options.connection_kw:g} kW."
        if options.connection_kw is not None
        else "Each hub's grid connection has room for all its cars at once."
    )
    return [
        f"Every vehicle{_but(options.cars)} has {options.capacity_kwh:g} kWh with "
        f"{options.chemistry} cells, and a wear cost of {options.wear_cost:g} {currency}/kWh "
        "drawn.",
        f"Energy asked for brings a vehicle to {options.leaving_share:.0%} of its battery; what it "
        f"holds at arrival is less by as much. The reserve is {options.reserve_share:.0%}.",
        f"Every charger{_but(options.chargers)} is {way} with {options.charge_kw:g} kW, "
        f"{options.efficiency:g} efficient each way.",
        "The stated departure is planned with; the actual one is kept beside it.",
        f"The reference tariff is the purchase price plus {options.service_fee:g} {currency}/kWh; "
        "energy sold earns the purchase price.",
        f"The feeder is assumed: a {_KV:g} kV transformer with room for all hubs, and to each hub "
        f"a short cable that loses {_VOLTAGE_DROP:.0%} at the hub's limit. No other load is known.",
        limit,
        "There is no station battery and no solar."
        if site.offered.demand_charges
        else "There is no station battery, no solar and no demand charge.",
    ]


def _but(table: str | None) -> str:
    """That a table goes before what is assumed."""
    return f" that {Path(table).name} tells nothing else of" if table else ""


def _round_up(value: float, step: float) -> float:
    """The next multiple of ``step``, free of binary dust."""
    return round(ceil(value / step - 1e-9) * step, 9)
