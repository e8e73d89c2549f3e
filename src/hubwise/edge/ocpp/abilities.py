"""What a station can do, as it says itself: asked for after boot, per EVSE, never assumed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import msgspec

from hubwise.edge.ocpp.frames import Json
from hubwise.edge.ocpp.profiles import Mode

# How many variables are asked for in one message: some stations take few.
AT_ONCE = 8
TWO_WAY = "V2XChargingCtrlr"
TARIFF = "TariffCostCtrlr"
OF_EVSE = (
    (TWO_WAY, "Available", ""),
    (TWO_WAY, "Enabled", ""),
    (TWO_WAY, "SupportedOperationModes", ""),
    (TWO_WAY, "SupportedEnergyTransferModes", ""),
    ("ISO15118Ctrlr", "Enabled", ""),
)
OF_STATION = (
    (TARIFF, "Available", "Tariff"),
    (TARIFF, "Enabled", "Tariff"),
    (TARIFF, "Available", "Cost"),
    (TARIFF, "Enabled", "Cost"),
)
MOST_EVSES = 64
Key = tuple[int, str, str, str]  # EVSE or 0, component, variable, the variable's instance


class _Named(msgspec.Struct, rename="camel"):
    name: str
    instance: str = ""
    evse: Json | None = None


class _Found(msgspec.Struct, rename="camel"):
    component: _Named
    variable: _Named
    attribute_status: str = "Accepted"
    attribute_value: str | None = None
    variable_attribute: list[Json] = msgspec.field(default_factory=list)


class _Answer(msgspec.Struct, rename="camel"):
    get_variable_result: list[_Found] = msgspec.field(default_factory=list)
    report_data: list[_Found] = msgspec.field(default_factory=list)


@dataclass(slots=True)
class Abilities:
    """What is known of a station's variables.

    Parameters
    ----------
    values
        By EVSE, component, variable and instance; what a station does not have is not there.
    asked
        EVSEs that were asked about; 0 is the station.
    """

    values: dict[Key, str] = field(default_factory=dict)
    asked: set[int] = field(default_factory=set)

    def take_in(self, payload: Json) -> None:
        """Of GetVariables' answer or a NotifyReport, what we have a use for."""
        said = msgspec.convert(payload, _Answer)
        for found in (*said.get_variable_result, *said.report_data):
            evse = _evse_of(found.component)
            if not 0 <= evse <= MOST_EVSES:
                continue
            key = (evse, found.component.name, found.variable.name, found.variable.instance)
            value = _value_of(found)
            if value is not None and (*key[1:],) in (*OF_EVSE, *OF_STATION):
                self.values[key] = value

    def is_on(self, evse: int, component: str, variable: str, instance: str = "") -> bool:
        """Whether a variable says ``true``."""
        return self.values.get((evse, component, variable, instance), "").lower() == "true"

    def is_two_way(self, evse: int) -> bool:
        """Whether an EVSE gives energy back to set-points, as it says."""
        return (
            self.is_on(evse, TWO_WAY, "Enabled")
            and Mode.CENTRAL.value in self._list(evse, "SupportedOperationModes")
            and bool(self.two_way_transfers(evse))
        )

    def is_known(self, evse: int) -> bool:
        """Whether an EVSE has said which modes it has."""
        return (evse, TWO_WAY, "SupportedOperationModes", "") in self.values

    def two_way_transfers(self, evse: int) -> frozenset[str]:
        """Its energy transfers in both directions."""
        return frozenset(filter(is_both_ways, self._list(evse, "SupportedEnergyTransferModes")))

    def has_tariffs(self) -> bool:
        """Whether the station itself works out what a session costs, and shows it."""
        return all(self.is_on(0, TARIFF, each, "Tariff") for each in ("Available", "Enabled"))

    def _list(self, evse: int, variable: str) -> list[str]:
        said = self.values.get((evse, TWO_WAY, variable, ""), "")
        return [each.strip() for each in said.split(",") if each.strip()]


def is_both_ways(transfer: str) -> bool:
    """Whether an energy transfer has power both ways."""
    return "BPT" in transfer


def questions(evse: int) -> Iterator[Json]:
    """GetVariables about an EVSE, or about the station (0)."""
    wanted = OF_EVSE if evse else OF_STATION
    for at in range(0, len(wanted), AT_ONCE):
        yield {"getVariableData": [_asked(evse, *each) for each in wanted[at : at + AT_ONCE]]}


def _asked(evse: int, component: str, variable: str, instance: str) -> Json:
    where: Json = {"name": component, **({"evse": {"id": evse}} if evse else {})}
    return {
        "component": where,
        "variable": {"name": variable, **({"instance": instance} if instance else {})},
    }


def evses_of(payload: Json) -> Iterable[int]:
    """Which EVSEs a NotifyReport tells of."""
    found = {_evse_of(each.component) for each in msgspec.convert(payload, _Answer).report_data}
    return sorted(each for each in found if 0 < each <= MOST_EVSES)


def _evse_of(component: _Named) -> int:
    said = (component.evse or {}).get("id", 0)
    return said if isinstance(said, int) else 0


def _value_of(found: _Found) -> str | None:
    if found.attribute_status != "Accepted":
        return None
    if found.attribute_value is not None:
        return found.attribute_value
    for each in found.variable_attribute:
        if each.get("type", "Actual") == "Actual" and isinstance(each.get("value"), str):
            return str(each["value"])
    return None
