"""The sections of ``scenario.toml``, each read on its own so that one mistake hides no other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from hubwise.domain.errors import did_you_mean
from hubwise.scenario.files import (
    BatterySection,
    ChargersSection,
    CircuitSection,
    DriversSection,
    FeederSection,
    FleetSection,
    Head,
    HorizonSection,
    HubSection,
    PlugsSection,
    PricesSection,
    PromisesSection,
    RulesSection,
    SearchSection,
    Section,
    SessionsSection,
    SolarSection,
)
from hubwise.scenario.reading import TOML, Reader

_REQUIRED = ("horizon", "search", "hubs", "prices", "rules")
_OPTIONAL = (
    "hub_defaults",
    "promises",
    "solar",
    "fleet",
    "sessions",
    "drivers",
    "battery",
    "plugs",
    "chargers",
    "feeder",
    "circuits",
    "tapers",
)

Kind = TypeVar("Kind", bound=Section)
Value = TypeVar("Value", int, str)


@dataclass(frozen=True, slots=True)
class Sections:
    """What ``scenario.toml`` says; nothing where a section is left out or was refused.

    ``raw`` is the file as it stands: tables that it names are read even where the section around
    the name has a mistake. ``hubs`` and ``circuits`` hold each good one with its place in the file.
    """

    raw: Mapping[str, object]
    head: Head | None
    horizon: HorizonSection | None
    search: SearchSection | None
    feeder: FeederSection | None
    solar: SolarSection | None
    hubs: tuple[tuple[int, HubSection], ...]
    prices: PricesSection | None
    rules: RulesSection | None
    promises: PromisesSection | None
    fleet: FleetSection | None
    sessions: SessionsSection | None
    battery: BatterySection | None
    drivers: DriversSection | None
    plugs: PlugsSection | None
    chargers: ChargersSection | None
    circuits: tuple[tuple[int, CircuitSection], ...]

    def said(self, section: str, key: str, kind: type[Value]) -> Value | None:
        """The value of a key, whatever else is wrong in its section; nothing if not a ``kind``."""
        around = self.raw.get(section)
        value = around.get(key) if isinstance(around, dict) else None
        return value if isinstance(value, kind) and value != "" else None

    def hub_names(self) -> list[str]:
        """The names that hubs go by, those of hubs with other mistakes included."""
        hubs = self.raw.get("hubs")
        rows = [hub for hub in hubs if isinstance(hub, dict)] if isinstance(hubs, list) else []
        return [hub["name"] for hub in rows if isinstance(hub.get("name"), str) and hub["name"]]

    def known_hubs(self) -> list[str]:
        """The same; none where the name of one is a mistake, which then may be any."""
        names, hubs = self.hub_names(), self.raw.get("hubs")
        return names if isinstance(hubs, list) and len(names) == len(hubs) else []

    def circuit_names(self) -> list[tuple[str | None, str | None]]:
        """Hub and name of every circuit, also of those with mistakes; ``None`` for what is none.

        Nor is a hub one that is unknown.
        """
        hubs = self.hub_names()
        circuits = self.raw.get("circuits")
        rows = circuits if isinstance(circuits, list) else []
        named = [(row.get("hub"), row.get("name")) for row in rows if isinstance(row, dict)]
        return [
            (hub if hub in hubs else None, name if isinstance(name, str) and name else None)
            for hub, name in named
        ]

    def hub_buses(self) -> list[tuple[int, int]]:
        """Place and bus of every hub, those of hubs with other mistakes included."""
        hubs, defaults = self.raw.get("hubs"), self.raw.get("hub_defaults")
        rows = hubs if isinstance(hubs, list) else []
        common = defaults.get("bus") if isinstance(defaults, dict) else None
        found = [hub.get("bus", common) if isinstance(hub, dict) else None for hub in rows]
        return [(k, bus) for k, bus in enumerate(found, 1) if type(bus) is int]


def read_sections(raw: Mapping[str, object], reader: Reader) -> Sections:
    """Every section of the file, and what is missing or unknown."""

    def section(name: str, model: type[Kind]) -> Kind | None:
        return reader.section(name, model, raw[name]) if name in raw else None

    known = [*Head.model_fields, *_REQUIRED, *_OPTIONAL]
    for key in [key for key in raw if key not in known]:
        reader.wrong(TOML, "", key, "is not a known key", did_you_mean(key, known))
    for key in [key for key in _REQUIRED if key not in raw]:
        section_mark = "[[hubs]]" if key == "hubs" else f"[{key}]"
        reader.wrong(TOML, "", key, "is missing", f"give {section_mark}")
    if ("fleet" in raw) == ("sessions" in raw):
        wrong = "both are given" if "fleet" in raw else "neither is given"
        right = "give [fleet] for a synthetic fleet, or [sessions] for a table"
        reader.wrong(TOML, "", "fleet, sessions", wrong, right)
    if "drivers" in raw and "fleet" in raw:
        right = "write what its drivers wish into [fleet]"
        reader.wrong(TOML, "", "drivers", "names drivers of a synthetic fleet", right)
    return Sections(
        raw=raw,
        head=reader.section("", Head, {k: v for k, v in raw.items() if k in Head.model_fields}),
        horizon=section("horizon", HorizonSection),
        search=section("search", SearchSection),
        feeder=section("feeder", FeederSection),
        solar=section("solar", SolarSection),
        hubs=_read_hubs(raw, reader),
        prices=section("prices", PricesSection),
        rules=section("rules", RulesSection),
        promises=section("promises", PromisesSection),
        fleet=section("fleet", FleetSection),
        sessions=section("sessions", SessionsSection),
        battery=section("battery", BatterySection),
        drivers=section("drivers", DriversSection),
        plugs=section("plugs", PlugsSection),
        chargers=section("chargers", ChargersSection),
        circuits=_read_circuits(raw, reader),
    )


def _read_circuits(
    raw: Mapping[str, object], reader: Reader
) -> tuple[tuple[int, CircuitSection], ...]:
    """Every good circuit and its place, from 1."""
    given = raw.get("circuits", [])
    if not isinstance(given, list) or not all(isinstance(circuit, dict) for circuit in given):
        right = "write each circuit as [[circuits]]"
        reader.wrong(TOML, "", "circuits", "is not a list of sections", right)
        return ()
    read = [
        (place, reader.section(f"circuits[{place}]", CircuitSection, own))
        for place, own in enumerate(given, 1)
    ]
    return tuple((place, circuit) for place, circuit in read if circuit is not None)


def _read_hubs(raw: Mapping[str, object], reader: Reader) -> tuple[tuple[int, HubSection], ...]:
    """Every good hub and its place, from 1; what a hub leaves out comes from the defaults."""
    defaults, given = raw.get("hub_defaults", {}), raw.get("hubs", [])
    if not isinstance(defaults, dict):
        reader.wrong(TOML, "", "hub_defaults", "is not a section", "write it as [hub_defaults]")
        defaults = {}
    if not isinstance(given, list) or not all(isinstance(hub, dict) for hub in given):
        reader.wrong(TOML, "", "hubs", "is not a list of sections", "write each hub as [[hubs]]")
        return ()
    if "hubs" in raw and not given:
        reader.wrong(TOML, "", "hubs", "is empty", "give at least one [[hubs]]")
    hubs = []
    for place, own in enumerate(given, 1):
        inherited = frozenset(defaults) - frozenset(own)
        hub = reader.section(
            f"hubs[{place}]", HubSection, defaults | own, ("hub_defaults", inherited)
        )
        hubs += [] if hub is None else [(place, hub)]
    return tuple(hubs)
