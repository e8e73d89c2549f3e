"""What OCPP 2.0.1 and 2.1 have in common, as common events."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import msgspec

from hubwise.domain.events import (
    Booted,
    MeterSaid,
    NeedsSaid,
    Phase,
    Sample,
    StatusSaid,
    TransactionSaid,
)
from hubwise.edge.ocpp.frames import Json, as_time
from hubwise.edge.ocpp.screen import answer_with
from hubwise.edge.ocpp.steering import Steering
from hubwise.edge.ocpp.version import (
    STATION_CERTIFICATE,
    Handler,
    Heard,
    Message,
    answer_boot,
    as_message,
    digest,
    heartbeat,
    sign_certificate,
)

logger = logging.getLogger(__name__)
CODES = {
    "form": "FormatViolation",
    "kind": "MessageTypeNotSupported",
    "payload": "FormatViolation",
    "type": "TypeConstraintViolation",
    "occurrence": "OccurrenceConstraintViolation",
    "property": "PropertyConstraintViolation",
    "unknown": "NotImplemented",
    "unsupported": "NotSupported",
    "security": "SecurityError",
    "internal": "InternalError",
}


class Charger(Message):
    """Who boots."""

    vendor_name: str
    model: str
    firmware_version: str = ""


class Boot(Message):
    """BootNotification."""

    charging_station: Charger
    reason: str


class Status(Message):
    """StatusNotification."""

    timestamp: str
    connector_status: str
    evse_id: int
    connector_id: int


class Unit(Message):
    """Unit and power of ten."""

    unit: str = "Wh"
    multiplier: int = 0


class Sampled(Message):
    """A sampled value."""

    value: float
    context: str = "Sample.Periodic"
    measurand: str = "Energy.Active.Import.Register"
    phase: str = ""
    location: str = "Outlet"
    unit_of_measure: Unit = msgspec.field(default_factory=Unit)
    signed_meter_value: Json | None = None


class Metered(Message):
    """Values of one moment."""

    timestamp: str
    sampled_value: list[Sampled]


class Meter(Message):
    """MeterValues."""

    evse_id: int
    meter_value: list[Metered]


class Evse(Message):
    """Where."""

    id: int
    connector_id: int = 0


class Token(Message):
    """Who."""

    id_token: str
    type: str


class Transaction(Message):
    """Which transaction."""

    transaction_id: str
    stopped_reason: str = ""


class Happened(Message):
    """TransactionEvent."""

    event_type: str
    timestamp: str
    trigger_reason: str
    seq_no: int
    transaction_info: Transaction
    offline: bool = False
    evse: Evse | None = None
    id_token: Token | None = None
    meter_value: list[Metered] = msgspec.field(default_factory=list)


class Authorizing(Message):
    """Authorize."""

    id_token: Token


class Needs(Message):
    """NotifyEVChargingNeeds."""

    evse_id: int
    charging_needs: Json


class Request(Message):
    """SignCertificate."""

    csr: str
    certificate_type: str = STATION_CERTIFICATE


def _samples(groups: list[Metered]) -> Iterator[Sample]:
    for group in groups:
        at = as_time(group.timestamp)
        for said in group.sampled_value:
            signed = said.signed_meter_value
            yield Sample(
                at=at,
                measurand=said.measurand,
                value=repr(said.value),
                unit=said.unit_of_measure.unit,
                multiplier=said.unit_of_measure.multiplier,
                context=said.context,
                location=said.location,
                phase=said.phase,
                signed=msgspec.json.encode(signed).decode() if signed else "",
            )


async def _boot(heard: Heard) -> Json:
    said = as_message(heard.payload, Boot)
    who = said.charging_station
    key = f"{heard.station}|boot|{heard.at.isoformat()}"
    names = (heard.protocol, who.vendor_name, who.model, who.firmware_version, said.reason)
    return await answer_boot(heard, Booted(key, heard.station, heard.at, *names))


async def _status(heard: Heard) -> Json:
    said = as_message(heard.payload, Status)
    key = f"{heard.station}|status|{digest(heard.payload)}"
    place = (said.evse_id, said.connector_id, said.connector_status)
    at = as_time(said.timestamp)
    await heard.listener.hear(StatusSaid(key, heard.station, heard.at, at, *place))
    heard.steering.see_evse(said.evse_id)
    return {}


async def _token_info(heard: Heard, token: Token) -> Json:
    free = token.type == "NoAuthorization"
    accepted = free or await heard.listener.accepts(token.id_token)
    return {"status": "Accepted" if accepted else "Unknown"}


async def _authorize(heard: Heard) -> Json:
    said = as_message(heard.payload, Authorizing)
    return {"idTokenInfo": await _token_info(heard, said.id_token)}


async def _transaction(heard: Heard) -> Json:
    said = as_message(heard.payload, Happened)
    # A message is the same whether it is first sent or kept and sent later.
    same = {name: value for name, value in heard.payload.items() if name != "offline"}
    info = said.transaction_info
    # Neighbours in a transaction are neighbours in the log's index: else each event, wherever its
    # digest fell, touched a page of its own, and the longer the log the more of them.
    place = f"{info.transaction_id}|{said.seq_no:010}"
    kept = TransactionSaid(
        id=f"{heard.station}|tx|{place}|{digest(same)}",
        station=heard.station,
        received_at=heard.at,
        transaction=info.transaction_id,
        protocol=heard.protocol,
        phase=Phase(said.event_type.lower()),
        seq_no=said.seq_no,
        at=as_time(said.timestamp),
        offline=said.offline,
        evse=said.evse.id if said.evse else 0,
        connector=said.evse.connector_id if said.evse else 0,
        id_token=said.id_token.id_token if said.id_token else "",
        trigger=said.trigger_reason,
        reason=info.stopped_reason,
        samples=tuple(_samples(said.meter_value)),
    )
    await heard.listener.hear(kept)
    _steer(heard.steering, kept)
    answer: Json = {}
    if said.id_token:
        answer["idTokenInfo"] = await _token_info(heard, said.id_token)
    return {**answer, **await _shown(heard, kept.transaction)}


async def _shown(heard: Heard, transaction: str) -> Json:
    """For the screen; what is kept is answered even where nobody can tell what it comes to."""
    try:
        cost = await heard.listener.cost(heard.station, transaction)
    except Exception as error:
        logger.warning("%s: no cost of %s: %s", heard.station, transaction, error)
        return {}
    return {} if cost is None else answer_with(cost)


def _steer(steering: Steering, said: TransactionSaid) -> None:
    """What a message tells of now; what a station kept tells of the past."""
    if said.phase is Phase.ENDED:
        steering.end(said.transaction)
    elif not said.offline:
        steering.see_evse(said.evse)
        steering.meter(said.evse, said.transaction, said.samples)


async def _meter(heard: Heard) -> Json:
    said = as_message(heard.payload, Meter)
    key = f"{heard.station}|meter|{digest(heard.payload)}"
    samples = tuple(_samples(said.meter_value))
    await heard.listener.hear(MeterSaid(key, heard.station, heard.at, said.evse_id, samples))
    return {}


async def _needs(heard: Heard) -> Json:
    """The answer comes at once, the profile from the queue behind it."""
    said = as_message(heard.payload, Needs)
    key = f"{heard.station}|needs|{heard.at.isoformat()}|{digest(heard.payload)}"
    needs = msgspec.json.encode(heard.payload).decode()
    to_be_had = heard.steering.need(said.evse_id, said.charging_needs)
    await heard.listener.hear(NeedsSaid(key, heard.station, heard.at, said.evse_id, needs))
    return {"status": "Processing" if to_be_had else "Rejected"}


async def _data(_: Heard) -> Json:
    return {"status": "UnknownVendorId"}


async def _noted(_: Heard) -> Json:
    return {}


async def _reported(heard: Heard) -> Json:
    heard.steering.report(heard.payload)
    return {}


async def _sign(heard: Heard) -> Json:
    said = as_message(heard.payload, Request)
    return await sign_certificate(heard, said.csr, said.certificate_type)


async def _schedule(_: Heard) -> Json:
    return {"status": "Accepted"}


HANDLERS: dict[str, Handler] = {
    "BootNotification": _boot,
    "Heartbeat": heartbeat,
    "StatusNotification": _status,
    "Authorize": _authorize,
    "TransactionEvent": _transaction,
    "MeterValues": _meter,
    "NotifyEVChargingNeeds": _needs,
    "NotifyEVChargingSchedule": _schedule,
    "DataTransfer": _data,
    "NotifyEvent": _noted,
    "NotifyReport": _reported,
    "SignCertificate": _sign,
    "NotifyMonitoringReport": _noted,
    "NotifyChargingLimit": _noted,
    "ClearedChargingLimit": _noted,
    "ReportChargingProfiles": _noted,
    "SecurityEventNotification": _noted,
    "FirmwareStatusNotification": _noted,
    "LogStatusNotification": _noted,
    "ReservationStatusUpdate": _noted,
}
