"""OCPP 1.6, 2.0.1 and 2.1 over websockets: frames, schemas, dispatch; common events come out."""

from hubwise.edge.ocpp.listener import Desk, Gate, Listener, Signer, Standing
from hubwise.edge.ocpp.profiles import Step
from hubwise.edge.ocpp.server import OcppServer
from hubwise.edge.ocpp.standby import refuse_all
from hubwise.edge.ocpp.steering import Outcome

__all__ = [
    "Desk",
    "Gate",
    "Listener",
    "OcppServer",
    "Outcome",
    "Signer",
    "Standing",
    "Step",
    "refuse_all",
]
