"""``site.toml``: read, checked at the door, every problem told at once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from hubwise.books import Party
from hubwise.domain.devices import BatteryPlace, DevicePlace
from hubwise.domain.errors import Issue, ScenarioError
from hubwise.domain.events import PriceList
from hubwise.live.party import NAMES as PARTY
from hubwise.live.party import party_of
from hubwise.live.peaks import Demand, demand_of
from hubwise.live.places import battery_of, meter_of
from hubwise.live.sources import (
    Margins,
    MarketSource,
    amount,
    margins_of,
    price_of,
    source_of,
)
from hubwise.live.telling import Wrong

_Device = TypeVar("_Device", DevicePlace, BatteryPlace)
NAME = "site.toml"
MINUTES_OF_A_DAY = 1_440
HUB = ("connection_kw", "meter", "battery", "demand_charge", "demand_period")
# Slots of a day that a list may have: five minutes each.
MOST_SLOTS = 288
# What drawing a kWh costs a battery, where nothing is said of it [currency/kWh].
WEAR = 0.06


@dataclass(frozen=True, slots=True)
class Planning:
    """What decisions rest on beside posted prices.

    Parameters
    ----------
    decides
        Whether cars are planned; else all are under the safe rule.
    purchase, feed_in
        What a kWh costs the operator, and brings, by slot of a day; nothing told where empty
        [currency/kWh].
    wear
        What a kWh drawn from a car's battery costs its owner [currency/kWh].
    """

    decides: bool = True
    purchase: tuple[Decimal, ...] = ()
    feed_in: tuple[Decimal, ...] = ()
    wear: float = WEAR


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator says of a site.

    Parameters
    ----------
    name, currency
        What it is called; ISO 4217 code.
    zone
        The clock that prices follow.
    connection_kw
        By hub: the most that its chargers may draw together [kW].
    prices
        Posted when they change.
    accepts_unknown
        Whether tags that stand for no driver may charge.
    meters
        By hub: where the meter at its connection is, where it has one.
    demand
        By hub: what its highest quarter of an hour costs, where it does.
    batteries
        By hub: its station battery, where it has one.
    planning
        What decisions rest on.
    market
        Where the prices of its energy come from, if a source says them.
    margins
        How the posted list follows these; ``None`` where it does not.
    least_margin
        What a list that an operator posts has to leave on every kWh, at least; ``None`` where
        nothing is asked of it [currency/kWh].
    party
        Who it is in records for others (OCPI), if it says so.
    feeder
        The scenario whose feeder its hubs are at, a folder or a shipped one; empty without.
    """

    name: str
    currency: str
    zone: ZoneInfo
    connection_kw: dict[str, float]
    prices: PriceList
    accepts_unknown: bool
    meters: dict[str, DevicePlace] = field(default_factory=dict)
    demand: dict[str, Demand] = field(default_factory=dict)
    batteries: dict[str, BatteryPlace] = field(default_factory=dict)
    planning: Planning = field(default_factory=Planning)
    market: MarketSource | None = None
    margins: Margins | None = None
    least_margin: Decimal | None = None
    party: Party | None = None
    feeder: str = ""


def read_settings(folder: Path) -> Settings:
    """The settings of a site.

    Raises
    ------
    ScenarioError
        With everything that is wrong.
    OSError
        Where there is no such file.
    """
    place = folder / NAME
    try:
        said = tomllib.loads(place.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScenarioError([Issue(str(place), "", "", f"no TOML: {error}", "")]) from error
    door = _Door(str(place), said, [])
    settings = Settings(
        name=door.text("name"),
        currency=door.text("currency"),
        zone=door.zone(),
        connection_kw=door.hubs(),
        prices=door.prices(),
        accepts_unknown=door.accepts_unknown(),
        meters=door.devices("meter", meter_of),
        demand=door.demand(),
        batteries=door.devices("battery", battery_of),
        planning=door.planning(),
        market=source_of(said.get("market"), door.wrong),
        margins=margins_of(said.get("prices"), "market" in said, door.wrong),
        least_margin=door.least_margin(),
        party=party_of(said.get("ocpi"), door.wrong),
        feeder=door.feeder(folder),
    )
    door.no_other_keys()
    if door.issues:
        raise ScenarioError(door.issues)
    return settings


@dataclass(frozen=True, slots=True)
class _Door:
    file: str
    said: dict[str, object]
    issues: list[Issue]

    def wrong(self, where: str, wrong: str, right: str) -> None:
        self.issues.append(Issue(self.file, where, "", wrong, right))

    def table(self, name: str) -> dict[str, object]:
        found = self.said.get(name)
        if isinstance(found, dict):
            return found
        self.wrong(name, "is no table", f"write [{name}]")
        return {}

    def text(self, name: str) -> str:
        found = self.said.get(name)
        if isinstance(found, str) and found and (name != "currency" or len(found) == 3):
            return found
        self.wrong(
            name,
            f"{found!r}",
            'three letters, such as "EUR"' if name == "currency" else "some text",
        )
        return "XXX"

    def zone(self) -> ZoneInfo:
        found = self.said.get("zone")
        try:
            return ZoneInfo(str(found))
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.wrong("zone", f"{found!r} is no time zone", 'a name such as "Europe/Berlin"')
            return ZoneInfo("UTC")

    def hubs(self) -> dict[str, float]:
        found: dict[str, float] = {}
        for hub, table in self.table("hubs").items():
            kw = table.get("connection_kw") if isinstance(table, dict) else None
            if isinstance(kw, int | float) and not isinstance(kw, bool) and 0 < kw < 1e6:
                found[hub] = float(kw)
            else:
                self.wrong(f"hubs.{hub}", f"connection_kw is {kw!r}", "a number of kW above 0")
        if not found and not self.issues:
            self.wrong("hubs", "names no hub", "write [hubs.main] and connection_kw below it")
        return found

    def devices(
        self, name: str, of: Callable[[str, object, Wrong], _Device | None]
    ) -> dict[str, _Device]:
        """By hub: what it says of a device."""
        found: dict[str, _Device] = {}
        for hub, table in self.table("hubs").items():
            if isinstance(table, dict) and name in table:
                place = of(f"hubs.{hub}.{name}", table[name], self.wrong)
                found |= {hub: place} if place else {}
        return found

    def demand(self) -> dict[str, Demand]:
        """By hub: what its highest quarter of an hour costs."""
        hubs = [(hub, each) for hub, each in self.table("hubs").items() if isinstance(each, dict)]
        said = ((hub, demand_of(f"hubs.{hub}", each, self.wrong)) for hub, each in hubs)
        return {hub: demand for hub, demand in said if demand is not None}

    def prices(self) -> PriceList:
        table = self.table("prices")
        columns = {name: tuple(self._amounts(table, name)) for name in ("charge", "discharge")}
        charge, discharge = columns["charge"], columns["discharge"]
        fits = bool(charge) and MINUTES_OF_A_DAY % len(charge) == 0 and len(charge) <= MOST_SLOTS
        if not fits or len(charge) != len(discharge):
            self.wrong(
                "prices",
                f"{len(charge)} prices to charge, {len(discharge)} to discharge",
                "as many of one as of the other: 1, 24, 48 or 96, the slots of a day",
            )
            return PriceList("", MINUTES_OF_A_DAY, (Decimal(),), (Decimal(),))
        return PriceList("", MINUTES_OF_A_DAY // len(charge), charge, discharge)

    def least_margin(self) -> Decimal | None:
        """What is kept to by lists that are posted; margins of the own one have to, too."""
        table = self.table("prices")
        if "least_margin" not in table:
            return None
        least = amount(table["least_margin"], "prices.least_margin", self.wrong)
        for name in ("margin", "discharge_margin"):
            said = price_of(table.get(name))
            if said is not None and said < least:
                self.wrong(f"prices.{name}", f"{said}", f"at least {least}, the least_margin")
        return least

    def planning(self) -> Planning:
        table = self.said.get("planning", {})
        if not isinstance(table, dict):
            self.wrong("planning", f"{table!r}", "a table: write [planning]")
            return Planning()
        decides, wear = table.get("decides", True), table.get("wear", WEAR)
        if not isinstance(decides, bool):
            self.wrong("planning.decides", f"{decides!r}", "true or false")
        if isinstance(wear, bool) or not isinstance(wear, int | float) or not 0 <= wear < 1_000:
            self.wrong("planning.wear", f"{wear!r}", "what a kWh drawn costs the car's owner")
            wear = 0.0
        rows = {name: self._day(table, name) for name in ("purchase", "feed_in") if name in table}
        return Planning(decides is True, wear=float(wear), **rows)

    def _day(self, table: dict[str, object], name: str) -> tuple[Decimal, ...]:
        """Prices by slot of a day."""
        found = tuple(self._amounts(table, name, "planning"))
        if not found or MINUTES_OF_A_DAY % len(found) or len(found) > MOST_SLOTS:
            right = "1, 24, 48 or 96, the slots of a day"
            self.wrong(f"planning.{name}", f"{len(found)} prices", right)
        return found

    def _amounts(
        self, table: dict[str, object], name: str, section: str = "prices"
    ) -> Iterator[Decimal]:
        found = table.get(name)
        for at, each in enumerate(found if isinstance(found, list) else [found]):
            price = price_of(each)
            if price is not None:
                yield price
            else:
                self.wrong(f"{section}.{name}", f"price {at + 1} is {each!r}", "a price for a kWh")

    def feeder(self, folder: Path) -> str:
        """A scenario; a folder is looked for from the site's."""
        if "feeder" not in self.said:
            return ""
        found = self.table("feeder").get("scenario")
        if not isinstance(found, str) or not found:
            right = 'a folder, or a scenario that is shipped, such as "ieee33"'
            self.wrong("feeder.scenario", f"{found!r}", right)
            return ""
        return str(folder / found) if (folder / found).is_dir() else found

    def accepts_unknown(self) -> bool:
        found = self.table("access").get("unknown_tokens")
        if found not in ("accept", "refuse"):
            self.wrong("access.unknown_tokens", f"{found!r}", '"accept" or "refuse"')
        return found == "accept"

    def no_other_keys(self) -> None:
        known = ("name", "currency", "zone", "hubs", "prices", "access", "planning", "market")
        self._only("", self.said, (*known, "ocpi", "feeder"))
        self._only("feeder.", self.said.get("feeder"), ("scenario",))
        prices = ("charge", "discharge", "margin", "discharge_margin", "least_margin")
        self._only("prices.", self.said.get("prices"), prices)
        planning = self.said.get("planning")
        self._only("planning.", planning, ("decides", "purchase", "feed_in", "wear"))
        self._only("access.", self.said.get("access"), ("unknown_tokens",))
        self._only("ocpi.", self.said.get("ocpi"), PARTY)
        hubs = self.said.get("hubs")
        for hub, table in hubs.items() if isinstance(hubs, dict) else ():
            self._only(f"hubs.{hub}.", table, HUB)

    def _only(self, where: str, table: object, known: tuple[str, ...]) -> None:
        for name in table if isinstance(table, dict) else ():
            if name not in known:
                self.wrong(f"{where}{name}", "is not known", f"one of {', '.join(known)}")
