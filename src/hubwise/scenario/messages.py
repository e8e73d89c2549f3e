"""Pydantic's errors in plain words: what is wrong, and what would be right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from pydantic import BaseModel
from pydantic_core import ErrorDetails, PydanticCustomError

from hubwise.domain.errors import did_you_mean

_BOUNDS = {
    "greater_than": ("gt", "above"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "below"),
    "less_than_equal": ("le", "at most"),
}
_KINDS = {
    "float": ("a number", "such as 7.5"),
    "int": ("a whole number", "such as 7"),
    "bool": ("true or false", "in small letters"),
    "string": ("a text", "in quotes"),
    "date": ("a date", "such as 2024-05-12, without quotes"),
    "time": ("a time", "such as 12:00:00, without quotes"),
    "list": ("a list", "in [brackets]"),
    "model": ("a section", "of keys with values"),
}


def advice(wrong: str, right: str) -> PydanticCustomError:
    """An error of our own, for validators to raise."""
    return PydanticCustomError("advice", "{wrong}; {right}", {"wrong": wrong, "right": right})


def explain(error: ErrorDetails, model: type[BaseModel] | None = None) -> tuple[str, str]:
    """What is wrong and what would be right, for one of pydantic's errors.

    ``model`` is the model that was validated; with it, an unknown key is told its likely meaning.
    """
    kind, given, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "advice":
        return context["wrong"], context["right"]
    if kind == "missing":
        return "is missing", "it has to be given"
    if kind == "extra_forbidden":
        return "is not a known key", did_you_mean(str(error["loc"][-1]), _keys(model, error["loc"]))
    if kind in _BOUNDS:
        key, words = _BOUNDS[kind]
        return f"{given} is out of bounds", f"it has to be {words} {context[key]:g}"
    if kind == "finite_number":
        return f"{given} is not a finite number", "give a finite number"
    if kind in ("literal_error", "enum"):
        return f"{given!r} is not known", f"it is {context['expected']}"
    if kind in ("too_short", "string_too_short"):
        return "is empty", "it needs at least one"
    right, such_as = _KINDS.get(kind.split("_")[0], ("of the right kind", ""))
    return f"{given!r} is not {right}", f"give {right} {such_as}"


def path(loc: Sequence[int | str], section: str = "") -> str:
    """A key's path as one writes it, such as ``hubs[2].bus``; counted from 1, as people do."""
    words = section
    for part in loc:
        words += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if words else part
    return words


def _keys(model: type[BaseModel] | None, loc: Sequence[int | str]) -> list[str]:
    """The keys that may stand where ``loc`` points."""
    for part in loc[:-1]:
        if model is not None and isinstance(part, str):
            model = _model_in(model.model_fields[part].annotation)
    return [] if model is None else list(model.model_fields)


def _model_in(annotation: object) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(part) for part in get_args(annotation))
    return next((model for model in found if model is not None), None)
