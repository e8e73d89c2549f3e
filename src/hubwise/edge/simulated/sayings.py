"""What a simulated station says, by version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from hubwise.edge.simulated.car import BOTH_WAYS, RESERVE, Car
from hubwise.edge.simulated.link import Json

IMPORT = "Energy.Active.Import.Register"
EXPORT = "Energy.Active.Export.Register"
Saying = tuple[str, Json]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a meter shows [Wh], when, the car's power [W], and whether there was no link."""

    at: datetime
    imported: int
    exported: int
    watts: float
    offline: bool = False


class Speech(Protocol):
    """One version's messages: action and payload each."""

    def boot(self) -> Saying:
        """BootNotification."""
        ...

    def begin(self, shown: Shown, tag: str, name: str) -> Saying:
        """A transaction begins."""
        ...

    def go_on(
        self, shown: Shown, name: str, number: int, trigger: str = "MeterValuePeriodic"
    ) -> Saying:
        """Meter values of a transaction, and why they are told."""
        ...

    def end(self, shown: Shown, name: str, number: int) -> Saying:
        """A transaction ends."""
        ...


def in_words(at: datetime) -> str:
    """A time as OCPP writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Old:
    """OCPP 1.6; the site gives out the transaction's number."""

    def boot(self) -> Saying:
        """BootNotification."""
        return "BootNotification", {"chargePointVendor": "Hubwise", "chargePointModel": "Simulated"}

    def begin(self, shown: Shown, tag: str, name: str) -> Saying:  # noqa: ARG002
        """StartTransaction."""
        said = {"meterStart": shown.imported, "timestamp": in_words(shown.at)}
        return "StartTransaction", {"connectorId": 1, "idTag": tag, **said}

    def go_on(self, shown: Shown, name: str, number: int, trigger: str = "") -> Saying:  # noqa: ARG002
        """MeterValues."""
        sampled = [
            {"value": str(shown.imported), "measurand": IMPORT, "unit": "Wh"},
            {"value": f"{shown.watts:.0f}", "measurand": "Power.Active.Import", "unit": "W"},
        ]
        values = [{"timestamp": in_words(shown.at), "sampledValue": sampled}]
        said: Json = {"connectorId": 1, "transactionId": int(name), "meterValue": values}
        return "MeterValues", said

    def end(self, shown: Shown, name: str, number: int) -> Saying:  # noqa: ARG002
        """StopTransaction."""
        said = {"meterStop": shown.imported, "timestamp": in_words(shown.at)}
        return "StopTransaction", {"transactionId": int(name), "reason": "EVDisconnected", **said}


class New:
    """OCPP 2.0.1 and 2.1."""

    def boot(self) -> Saying:
        """BootNotification."""
        who = {"vendorName": "Hubwise", "model": "Simulated"}
        return "BootNotification", {"chargingStation": who, "reason": "PowerUp"}

    def begin(self, shown: Shown, tag: str, name: str) -> Saying:
        """TransactionEvent, Started."""
        said = _event("Started", "CablePluggedIn", shown, name, 0)
        more = {
            "evse": {"id": 1, "connectorId": 1},
            "idToken": {"idToken": tag, "type": "ISO14443"},
        }
        return "TransactionEvent", {**said, **more}

    def go_on(
        self, shown: Shown, name: str, number: int, trigger: str = "MeterValuePeriodic"
    ) -> Saying:
        """TransactionEvent, Updated."""
        return "TransactionEvent", _event("Updated", trigger, shown, name, number)

    def end(self, shown: Shown, name: str, number: int) -> Saying:
        """TransactionEvent, Ended."""
        return "TransactionEvent", _event("Ended", "EVDeparted", shown, name, number)


def _event(kind: str, trigger: str, shown: Shown, name: str, number: int) -> Json:
    sampled: list[Mapping[str, object]] = [
        {"value": shown.imported, "measurand": IMPORT},
        {"value": shown.exported, "measurand": EXPORT},
        {"value": max(shown.watts, 0.0), "measurand": "Power.Active.Import"},
        {"value": max(-shown.watts, 0.0), "measurand": "Power.Active.Export"},
    ]
    return {
        "eventType": kind,
        "timestamp": in_words(shown.at),
        "triggerReason": trigger,
        "seqNo": number,
        "transactionInfo": {"transactionId": name},
        "meterValue": [{"timestamp": in_words(shown.at), "sampledValue": sampled}],
        **({"offline": True} if shown.offline else {}),
    }


SPEECHES: dict[str, Speech] = {"ocpp1.6": Old(), "ocpp2.0.1": New(), "ocpp2.1": New()}


def needs(car: Car, leaves: datetime) -> Saying:
    """NotifyEVChargingNeeds: what a car still wants, and what it has to give."""
    wants = car.capacity_kwh - car.energy_kwh
    above = max(car.energy_kwh - RESERVE * car.capacity_kwh, 0.0)
    wanted: Json = {
        "requestedEnergyTransfer": car.transfers[0],
        "availableEnergyTransfer": list(car.transfers),
        "controlMode": "DynamicControl",
        "departureTime": in_words(leaves),
        "v2xChargingParameters": {
            "maxChargePower": car.most_kw * 1_000,
            "maxDischargePower": car.most_kw * 1_000 if BOTH_WAYS in car.transfers else 0.0,
            "evTargetEnergyRequest": round(car.target_kwh * 1_000),
            "evMaxEnergyRequest": round(wants * 1_000),
            "evMinEnergyRequest": -round(car.energy_kwh * 1_000),
            "evMaxV2XEnergyRequest": round(wants * 1_000),
            "evMinV2XEnergyRequest": -round(above * 1_000),
        },
    }
    return "NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": wanted}


# Of the station itself: component, variable and instance.
STATION_VARIABLES = {
    ("TariffCostCtrlr", name, "Tariff"): "true" for name in ("Available", "Enabled")
}


def variables_of(
    asked: Json, known: Mapping[str, str], own: Mapping[tuple[str, str, str], str]
) -> Json:
    """GetVariables' answer: what EVSE 1 knows by the variable's name, and the station's own."""
    found = []
    said = asked.get("getVariableData")
    for each in said if isinstance(said, list) else []:
        name, evse = each["variable"]["name"], each["component"].get("evse", {}).get("id")
        place = (each["component"]["name"], name, each["variable"].get("instance", ""))
        value = known.get(name) if evse == 1 else own.get(place) if evse is None else None
        status = {"attributeStatus": "UnknownVariable" if value is None else "Accepted"}
        more = {} if value is None else {"attributeValue": value}
        found.append(
            {"component": each["component"], "variable": each["variable"], **status, **more}
        )
    return {"getVariableResult": found}
