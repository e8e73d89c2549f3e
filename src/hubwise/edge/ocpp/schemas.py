"""The schemas of every message, as shipped with pip ``ocpp``, compiled when first needed."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Protocol

import jsonschema_rs

from hubwise.edge.ocpp.frames import FrameError, Json, as_time

_CODES = {
    "type": "type",
    "enum": "property",
    "required": "occurrence",
    "minItems": "occurrence",
    "maxItems": "occurrence",
    "additionalProperties": "payload",
}


class _Validator(Protocol):
    def validate(self, instance: object) -> None: ...


class Schemas:
    """Validators of one version.

    Parameters
    ----------
    folder
        Of the schemas in the package: ``v16``, ``v201`` or ``v21``.
    suffix
        Of requests' files: ``Request`` from 2.0.1 on.
    """

    def __init__(self, folder: str, suffix: str) -> None:
        """Nothing happens yet."""
        self._place = files("ocpp") / folder / "schemas"
        self._suffix = suffix
        self._made: dict[str, _Validator] = {}
        names = (each.name.removesuffix(".json") for each in self._place.iterdir())
        self._names = frozenset(names)

    def has(self, action: str) -> bool:
        """Whether the version has such an action."""
        return action + self._suffix in self._names and not action.endswith("Response")

    def check(self, action: str, payload: Json) -> None:
        """Check a request.

        Raises
        ------
        FrameError
            With what is wrong first.
        """
        self._check(action + self._suffix, payload)

    def check_answer(self, action: str, payload: Json) -> None:
        """Check the answer to a request.

        Raises
        ------
        FrameError
            With what is wrong first.
        """
        self._check(f"{action}Response", payload)

    def _check(self, name: str, payload: Json) -> None:
        validator = self._made.get(name) or self._make(name)
        try:
            validator.validate(payload)
        except jsonschema_rs.ValidationError as error:
            place = "/".join(str(part) for part in error.instance_path)
            code = _CODES.get(str(error.kind.name), "property")
            raise FrameError(code, f"{place}: {error.message}"[:250]) from error
        except ValueError as error:  # a number that no schema's engine holds
            raise FrameError("property", str(error)[:250]) from error

    def _make(self, name: str) -> _Validator:
        text = (self._place / f"{name}.json").read_text("utf-8-sig")
        made = jsonschema_rs.validator_for(json.loads(text), formats={"date-time": _is_time})
        self._made[name] = made
        return made


def _is_time(text: str) -> bool:
    """Many stations leave out the zone: what can be read as a time is one."""
    try:
        as_time(text)
    except FrameError:
        return False
    return True
