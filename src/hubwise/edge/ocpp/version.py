"""What one version of OCPP brings: its actions, its words for faults, its set-points."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TypeVar

import msgspec

from hubwise.edge.ocpp.frames import FrameError, Json
from hubwise.edge.ocpp.listener import Listener
from hubwise.edge.ocpp.schemas import Schemas


@dataclass(frozen=True, slots=True)
class Heard:
    """A validated call: from whom, when, and who listens."""

    station: str
    protocol: str
    at: datetime
    listener: Listener
    payload: Json


Handler = Callable[[Heard], Awaitable[Json]]

HEARTBEAT_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that may be drawn [kW] at an EVSE, in a transaction or in any."""

    number: int
    evse: int
    transaction: str
    most_kw: float
    at: datetime


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
        The payload of SetChargingProfile for a limit.
    """

    name: str
    schemas: Schemas
    handlers: Mapping[str, Handler]
    codes: Mapping[str, str]
    profile: Callable[[Limit], Json]


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


def as_time(text: str) -> datetime:
    """A station's time; without a zone it is UTC.

    Raises
    ------
    FrameError
        Where it is none.
    """
    try:
        found = datetime.fromisoformat(text.strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise FrameError("property", f"{text[:40]!r} is no time") from error


def in_words(at: datetime) -> str:
    """A time as OCPP writes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def heartbeat(heard: Heard) -> Json:
    """The site's time."""
    return {"currentTime": in_words(heard.at)}


def boot_answer(heard: Heard) -> Json:
    """The answer to a station that boots."""
    now = in_words(heard.at)
    return {"status": "Accepted", "currentTime": now, "interval": HEARTBEAT_SECONDS}


def digest(*parts: object) -> str:
    """The same for the same content, whenever and however often it is said."""
    text = msgspec.json.encode(parts, order="deterministic")
    return blake2b(text, digest_size=12).hexdigest()
