"""OCPP 2.1: two-way cars begin with charging only."""

from __future__ import annotations

from hubwise.edge.ocpp import v2
from hubwise.edge.ocpp.frames import Json
from hubwise.edge.ocpp.schemas import Schemas
from hubwise.edge.ocpp.version import Limit, Version

# Without a link for longer than two slots the station falls back on what lies below [s].
OFFLINE_SECONDS = 1_800


def profile(limit: Limit) -> Json:
    """SetChargingProfile."""
    extra: Json = {"maxOfflineDuration": OFFLINE_SECONDS} if limit.transaction else {}
    return v2.profile(limit, {"operationMode": "ChargingOnly"}, extra)


VERSION = Version("ocpp2.1", Schemas("v21", "Request"), v2.HANDLERS, v2.CODES, profile)
