"""OCPP 1.6, 2.0.1 and 2.1 over websockets: frames, schemas, dispatch; common events come out."""

from hubwise.edge.ocpp.listener import Listener
from hubwise.edge.ocpp.server import Admitted, OcppServer, Outcome

__all__ = ["Admitted", "Listener", "OcppServer", "Outcome"]
