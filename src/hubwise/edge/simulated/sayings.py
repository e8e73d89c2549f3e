"""What a simulated station says, by version."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from hubwise.edge.simulated.link import Json

IMPORT = "Energy.Active.Import.Register"
EXPORT = "Energy.Active.Export.Register"
Saying = tuple[str, Json]


@dataclass(frozen=True, slots=True)
class Shown:
    """What a meter shows [Wh], when, and the car's power [W]."""

    at: datetime
    imported: int
    exported: int
    watts: float


class Speech(Protocol):
    """One version's messages: action and payload each."""

    def boot(self) -> Saying:
        """BootNotification."""
        ...

    def begin(self, shown: Shown, tag: str, name: str) -> Saying:
        """A transaction begins."""
        ...

    def go_on(self, shown: Shown, name: str, number: int) -> Saying:
        """Meter values of a transaction."""
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

    def go_on(self, shown: Shown, name: str, number: int) -> Saying:  # noqa: ARG002
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

    def go_on(self, shown: Shown, name: str, number: int) -> Saying:
        """TransactionEvent, Updated."""
        return "TransactionEvent", _event("Updated", "MeterValuePeriodic", shown, name, number)

    def end(self, shown: Shown, name: str, number: int) -> Saying:
        """TransactionEvent, Ended."""
        return "TransactionEvent", _event("Ended", "EVDeparted", shown, name, number)


def _event(kind: str, trigger: str, shown: Shown, name: str, number: int) -> Json:
    sampled: list[Mapping[str, object]] = [
        {"value": shown.imported, "measurand": IMPORT},
        {"value": shown.exported, "measurand": EXPORT},
        {"value": shown.watts, "measurand": "Power.Active.Import"},
    ]
    return {
        "eventType": kind,
        "timestamp": in_words(shown.at),
        "triggerReason": trigger,
        "seqNo": number,
        "transactionInfo": {"transactionId": name},
        "meterValue": [{"timestamp": in_words(shown.at), "sampledValue": sampled}],
    }


SPEECHES: dict[str, Speech] = {"ocpp1.6": Old(), "ocpp2.0.1": New(), "ocpp2.1": New()}


def needs(car_kwh: tuple[float, float], most_kw: float, leaves: datetime) -> Saying:
    """NotifyEVChargingNeeds of a two-way car: what it still wants and what it has to give."""
    room, above = car_kwh
    parameters = {
        "maxChargePower": most_kw * 1_000,
        "maxDischargePower": most_kw * 1_000,
        "evMaxEnergyRequest": round(room * 1_000),
        "evMinEnergyRequest": -round(above * 1_000),
    }
    wanted = {
        "requestedEnergyTransfer": "AC_BPT",
        "departureTime": in_words(leaves),
        "v2xChargingParameters": parameters,
    }
    return "NotifyEVChargingNeeds", {"evseId": 1, "chargingNeeds": wanted}


def allowed_kw(payload: Json, otherwise: float) -> float:
    """The first set-point of a SetChargingProfile of any version [kW]; below 0 it is to give."""
    profile = payload.get("chargingProfile") or payload.get("csChargingProfiles")
    schedule = profile.get("chargingSchedule") if isinstance(profile, dict) else None
    if isinstance(schedule, list) and schedule:
        schedule = schedule[0]
    periods = schedule.get("chargingSchedulePeriod") if isinstance(schedule, dict) else None
    period = periods[0] if isinstance(periods, list) and periods else {}
    said = period.get("setpoint", period.get("limit")) if isinstance(period, dict) else None
    if not isinstance(said, int | float) or not isinstance(schedule, dict):
        return otherwise
    return float(said) * (0.001 if schedule.get("chargingRateUnit") == "W" else 0.23)
