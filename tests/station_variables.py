"""A station's answers to GetVariables."""

from __future__ import annotations

from collections.abc import Mapping

MODES = "ChargingOnly,CentralSetpoint,Idle"
TRANSFERS = "AC_single_phase,AC_three_phase,AC_BPT"


def variables(
    modes: str = MODES,
    transfers: str = TRANSFERS,
    enabled: str = "true",
    station: Mapping[str, str] | None = None,
):
    """A station that has these at every EVSE, and its own; others it does not know."""
    known = {
        "SupportedOperationModes": modes,
        "SupportedEnergyTransferModes": transfers,
        "Enabled": enabled,
        "Available": "true",
    }
    own = {"Enabled": "true", **station} if station else {}

    def answer(payload):
        found = []
        for each in payload["getVariableData"]:
            here = known if "evse" in each["component"] else own
            value = here.get(each["variable"]["name"])
            said = {"attributeStatus": "Accepted", "attributeValue": value}
            found.append({**each, **(said if value else {"attributeStatus": "UnknownComponent"})})
        return {"getVariableResult": found}

    return answer
