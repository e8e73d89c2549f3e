"""What one version of OCPP brings: its actions, its words for faults, its set-points."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import TypeVar

import msgspec

from hubwise.domain.events import Alarmed, Booted
from hubwise.edge.ocpp.frames import FrameError, Json
from hubwise.edge.ocpp.listener import Desk, Listener, Signer, Standing
from hubwise.edge.ocpp.profiles import Profile, in_words
from hubwise.edge.ocpp.schemas import Schemas
from hubwise.edge.ocpp.steering import Steering


@dataclass(frozen=True, slots=True)
class World:
    """What is around a connection: who listens, knows stations, counts answers, signs."""

    listener: Listener
    desk: Desk
    told: Callable[[float, str], None]
    signer: Signer | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A validated call: from whom, when, and who listens."""

    station: str
    protocol: str
    at: datetime
    world: World
    steering: Steering
    payload: Json

    @property
    def listener(self) -> Listener:
        """Who hears of it."""
        return self.world.listener


Handler = Callable[[Heard], Awaitable[Json]]

HEARTBEAT_SECONDS = 300
# How soon a station that may not work yet asks again [s].
AGAIN_SECONDS = 60
STATION_CERTIFICATE = "ChargingStationCertificate"


@dataclass(frozen=True, slots=True)
class Version:
    """One version.

    Parameters
    ----------
    name
        The subprotocol.
    schemas
        Of its messages.
    handlers
        By action.
    codes
        Its words for faults.
    profile
        The payload of SetChargingProfile.
    sets_points, has_variables
        Whether it knows set-points (2.1), and variables (2.x).
    """

    name: str
    schemas: Schemas
    handlers: Mapping[str, Handler]
    codes: Mapping[str, str]
    profile: Callable[[Profile], Json]
    sets_points: bool = False
    has_variables: bool = True


class Message(msgspec.Struct, rename="camel"):
    """What a payload becomes once its schema was checked."""


Made = TypeVar("Made", bound=msgspec.Struct)


def as_message(payload: Json, kind: type[Made]) -> Made:
    """The payload as a record.

    Raises
    ------
    FrameError
        Where it does not fit.
    """
    try:
        return msgspec.convert(payload, kind)
    except msgspec.ValidationError as error:
        raise FrameError("type", str(error)[:250]) from error


async def heartbeat(heard: Heard) -> Json:
    """The site's time."""
    return {"currentTime": in_words(heard.at)}


async def answer_boot(heard: Heard, booted: Booted) -> Json:
    """Keep a boot and answer it; what the station may do is known from then on."""
    await heard.listener.hear(booted)
    standing = await heard.world.desk.standing(heard.station)
    heard.steering.boot(standing)
    works = standing is Standing.ACCEPTED
    if not works:
        hour = f"{heard.at:%Y%m%d%H}"
        what, key = "a station may not work yet", f"{heard.station}|{standing}|{hour}"
        detail = f"{standing.value.lower()}: register it at a hub that the site has"
        await heard.listener.hear(Alarmed(key, heard.station, heard.at, what, detail))
    interval = HEARTBEAT_SECONDS if works else AGAIN_SECONDS
    return {
        "status": standing.value,
        "currentTime": in_words(heard.at),
        "interval": interval,
    }


async def sign_certificate(heard: Heard, csr: str, kind: str) -> Json:
    """A station's own certificate is signed, and sent behind the answer; others are not ours."""
    signer = heard.world.signer
    if signer is None or kind != STATION_CERTIFICATE:
        return {"status": "Rejected"}
    try:
        chain = await asyncio.to_thread(signer.sign, csr, heard.station)
    except ValueError as error:
        key = f"{heard.station}|csr|{digest(heard.payload)}"
        what = "a request for a certificate is refused"
        await heard.listener.hear(Alarmed(key, heard.station, heard.at, what, str(error)[:250]))
        return {"status": "Rejected"}
    heard.steering.certify(chain, heard.payload)
    return {"status": "Accepted"}


def digest(*parts: object) -> str:
    """The same for the same content, whenever and however often it is said."""
    text = msgspec.json.encode(parts, order="deterministic")
    return blake2b(text, digest_size=12).hexdigest()
