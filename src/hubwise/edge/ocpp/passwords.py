"""A station's password, as each version sets it."""

from __future__ import annotations

from hubwise.edge.ocpp.frames import Json

TAKEN = ("Accepted", "RebootRequired")


def for_16(password: str) -> tuple[str, Json]:
    """ChangeConfiguration; the key is said in hexadecimal."""
    value = password.encode("ascii").hex()
    return "ChangeConfiguration", {"key": "AuthorizationKey", "value": value}


def for_2(password: str) -> tuple[str, Json]:
    """SetVariables."""
    said: Json = {
        "component": {"name": "SecurityCtrlr"},
        "variable": {"name": "BasicAuthPassword"},
        "attributeValue": password,
    }
    return "SetVariables", {"setVariableData": [said]}


def is_taken(answer: Json) -> bool:
    """Whether either is answered so that the password holds."""
    results = answer.get("setVariableResult")
    if isinstance(results, list) and results and isinstance(results[0], dict):
        return results[0].get("attributeStatus") in TAKEN
    return answer.get("status") in TAKEN
