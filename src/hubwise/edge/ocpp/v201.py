"""OCPP 2.0.1."""

from __future__ import annotations

from hubwise.edge.ocpp import v2
from hubwise.edge.ocpp.profiles import for_201
from hubwise.edge.ocpp.schemas import Schemas
from hubwise.edge.ocpp.version import Version

VERSION = Version("ocpp2.0.1", Schemas("v201", "Request"), v2.HANDLERS, v2.CODES, for_201)
