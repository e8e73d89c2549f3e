"""OCPP 1.6: its messages as common events. Numbers of transactions are given out by the site."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

import msgspec

from hubwise.domain.events import (
    Alarmed,
    Booted,
    MeterSaid,
    Phase,
    Sample,
    StatusSaid,
    TransactionSaid,
)
from hubwise.edge.ocpp.frames import Json, as_time
from hubwise.edge.ocpp.profiles import for_16
from hubwise.edge.ocpp.schemas import Schemas
from hubwise.edge.ocpp.version import (
    STATION_CERTIFICATE,
    Heard,
    Message,
    Version,
    answer_boot,
    as_message,
    digest,
    heartbeat,
    sign_certificate,
)


class Boot(Message):
    """BootNotification."""

    charge_point_vendor: str
    charge_point_model: str
    firmware_version: str = ""


class Status(Message):
    """StatusNotification."""

    connector_id: int
    status: str
    error_code: str
    timestamp: str | None = None


class Sampled(Message):
    """A sampled value; 1.6 leaves out what is usual."""

    value: str
    context: str = "Sample.Periodic"
    format: str = "Raw"
    measurand: str = "Energy.Active.Import.Register"
    phase: str = ""
    location: str = "Outlet"
    unit: str = "Wh"


class Metered(Message):
    """Values of one moment."""

    timestamp: str
    sampled_value: list[Sampled]


class Meter(Message):
    """MeterValues."""

    connector_id: int
    meter_value: list[Metered]
    transaction_id: int | None = None


class Start(Message):
    """StartTransaction."""

    connector_id: int
    id_tag: str
    meter_start: int
    timestamp: str


class Stop(Message):
    """StopTransaction."""

    meter_stop: int
    timestamp: str
    transaction_id: int
    id_tag: str = ""
    reason: str = "Local"
    transaction_data: list[Metered] = msgspec.field(default_factory=list)


class Authorizing(Message):
    """Authorize."""

    id_tag: str


class Request(Message):
    """SignCertificate."""

    csr: str


def _samples(groups: list[Metered]) -> Iterator[Sample]:
    for group in groups:
        at = as_time(group.timestamp)
        for said in group.sampled_value:
            signed = said.format == "SignedData"
            yield Sample(
                at=at,
                measurand=said.measurand,
                value="" if signed else said.value,
                unit=said.unit,
                context=said.context,
                location=said.location,
                phase=said.phase,
                signed=said.value if signed else "",
            )


async def _boot(heard: Heard) -> Json:
    said = as_message(heard.payload, Boot)
    key = f"{heard.station}|boot|{heard.at.isoformat()}"
    who = (said.charge_point_vendor, said.charge_point_model, said.firmware_version)
    return await answer_boot(heard, Booted(key, heard.station, heard.at, heard.protocol, *who))


async def _status(heard: Heard) -> Json:
    said = as_message(heard.payload, Status)
    at = as_time(said.timestamp) if said.timestamp else heard.at
    key = f"{heard.station}|status|{digest(heard.payload, None if said.timestamp else str(at))}"
    error = "" if said.error_code == "NoError" else said.error_code
    place = (said.connector_id, said.connector_id, said.status, error)
    await heard.listener.hear(StatusSaid(key, heard.station, heard.at, at, *place))
    return {}


async def _tag_info(heard: Heard, tag: str) -> Json:
    return {"status": "Accepted" if await heard.listener.accepts(tag) else "Invalid"}


async def _authorize(heard: Heard) -> Json:
    return {"idTagInfo": await _tag_info(heard, as_message(heard.payload, Authorizing).id_tag)}


def _said(heard: Heard, key: str, transaction: str, phase: Phase, at: datetime) -> TransactionSaid:
    return TransactionSaid(
        key, heard.station, heard.at, transaction, heard.protocol, phase, seq_no=None, at=at
    )


async def _start(heard: Heard) -> Json:
    said = as_message(heard.payload, Start)
    at = as_time(said.timestamp)
    begin = Sample(
        at,
        "Energy.Active.Import.Register",
        str(said.meter_start),
        "Wh",
        context="Transaction.Begin",
    )
    key = f"{heard.station}|start|{digest(heard.payload)}"
    number = await heard.listener.begin(
        replace(
            _said(heard, key, "", Phase.STARTED, at),
            evse=said.connector_id,
            connector=said.connector_id,
            id_token=said.id_tag,
            samples=(begin,),
        )
    )
    return {"transactionId": int(number), "idTagInfo": await _tag_info(heard, said.id_tag)}


async def _meter(heard: Heard) -> Json:
    said = as_message(heard.payload, Meter)
    number = str(said.transaction_id)
    samples = tuple(_samples(said.meter_value))
    key = f"{heard.station}|meter|{digest(heard.payload)}"
    if said.transaction_id is None or not heard.listener.knows(heard.station, number):
        event = MeterSaid(key, heard.station, heard.at, said.connector_id, samples)
        await heard.listener.hear(event)
        return {}
    at = max((sample.at for sample in samples), default=heard.at)
    await heard.listener.hear(
        replace(
            _said(heard, key, number, Phase.UPDATED, at),
            evse=said.connector_id,
            connector=said.connector_id,
            samples=samples,
        )
    )
    return {}


async def _stop(heard: Heard) -> Json:
    """Whatever it names, it gets a result: without one a station sends it for ever."""
    said = as_message(heard.payload, Stop)
    number = str(said.transaction_id)
    key = f"{heard.station}|stop|{digest(heard.payload)}"
    answer: Json = {"idTagInfo": await _tag_info(heard, said.id_tag)} if said.id_tag else {}
    if not heard.listener.knows(heard.station, number):
        detail = msgspec.json.encode(heard.payload).decode()
        what = "end of a transaction that was never begun"
        await heard.listener.hear(Alarmed(key, heard.station, heard.at, what, detail))
        return answer
    at = as_time(said.timestamp)
    end = Sample(
        at, "Energy.Active.Import.Register", str(said.meter_stop), "Wh", context="Transaction.End"
    )
    await heard.listener.hear(
        replace(
            _said(heard, key, number, Phase.ENDED, at),
            reason=said.reason,
            samples=(*_samples(said.transaction_data), end),
        )
    )
    heard.steering.stop(number)
    return answer


async def _sign(heard: Heard) -> Json:
    csr = as_message(heard.payload, Request).csr
    return await sign_certificate(heard, csr, STATION_CERTIFICATE)


async def _data(_: Heard) -> Json:
    return {"status": "UnknownVendorId"}


async def _noted(_: Heard) -> Json:
    return {}


VERSION = Version(
    name="ocpp1.6",
    schemas=Schemas("v16", ""),
    handlers={
        "BootNotification": _boot,
        "Heartbeat": heartbeat,
        "StatusNotification": _status,
        "Authorize": _authorize,
        "StartTransaction": _start,
        "MeterValues": _meter,
        "StopTransaction": _stop,
        "DataTransfer": _data,
        "SignCertificate": _sign,
        "DiagnosticsStatusNotification": _noted,
        "FirmwareStatusNotification": _noted,
        "SecurityEventNotification": _noted,
        "LogStatusNotification": _noted,
        "SignedFirmwareStatusNotification": _noted,
    },
    codes={
        "form": "ProtocolError",
        "kind": "ProtocolError",
        "payload": "FormationViolation",
        "type": "TypeConstraintViolation",
        "occurrence": "OccurenceConstraintViolation",  # spelt so in 1.6
        "property": "PropertyConstraintViolation",
        "unknown": "NotImplemented",
        "unsupported": "NotSupported",
        "security": "SecurityError",
        "internal": "InternalError",
    },
    profile=for_16,
    has_variables=False,
)
