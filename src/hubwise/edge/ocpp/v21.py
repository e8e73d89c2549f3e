"""OCPP 2.1: what 2.0.1 has, and set-points in both directions."""

from __future__ import annotations

from hubwise.edge.ocpp import v2
from hubwise.edge.ocpp.frames import Json
from hubwise.edge.ocpp.profiles import for_21
from hubwise.edge.ocpp.schemas import Schemas
from hubwise.edge.ocpp.version import Handler, Heard, Message, Version, as_message


class Pull(Message):
    """PullDynamicScheduleUpdate."""

    charging_profile_id: int


async def _pull(heard: Heard) -> Json:
    return heard.steering.pulled(as_message(heard.payload, Pull).charging_profile_id)


HANDLERS: dict[str, Handler] = {**v2.HANDLERS, "PullDynamicScheduleUpdate": _pull}
VERSION = Version(
    "ocpp2.1", Schemas("v21", "Request"), HANDLERS, v2.CODES, for_21, sets_points=True
)
