"""Errors as problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException

from hubwise.store import GONE

KIND = "application/problem+json"
NOWHERE = "nothing is here; pages begin at /, the API is under /api/v1 and told at /openapi.json"


class Asked(BaseModel):
    """What is asked for in a body; a key that is not known is refused, never passed over."""

    model_config = ConfigDict(extra="forbid")


def problem(status: int, detail: str, more: dict[str, object] | None = None) -> JSONResponse:
    """An error as a problem."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **(more or {}),
    }
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    return JSONResponse(body, status, media_type=KIND, headers=headers)


async def _of_http(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    plain = error.status_code == HTTPStatus.NOT_FOUND and error.detail == HTTPStatus(404).phrase
    answer = problem(error.status_code, NOWHERE if plain else str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _of_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    wrong = [
        {"where": "/".join(str(part) for part in each["loc"]), "wrong": _words(each, request)}
        for each in error.errors()
    ]
    detail = "; ".join(f"{each['where']}: {each['wrong']}" for each in wrong)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, {"problems": wrong})


def _words(wrong: Mapping[str, object], request: Request) -> str:
    """What is wrong with a part of what was asked, and of a key what keys there are."""
    if wrong["type"] == "missing":
        return "is missing"
    if wrong["type"] != "extra_forbidden":
        return str(wrong["msg"])
    route = request.scope.get("route")
    body = route.body_field if isinstance(route, APIRoute) else None
    kind = body.field_info.annotation if body else None
    keys = kind.model_fields if isinstance(kind, type) and issubclass(kind, BaseModel) else ()
    return f"is no key; keys are {', '.join(keys)}"


async def _of_the_store(_: Request, __: Exception) -> JSONResponse:
    answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, "the database takes nothing now; ask again")
    answer.headers["Retry-After"] = "5"
    return answer


async def _of_us(_: Request, error: Exception) -> JSONResponse:  # noqa: ARG001
    return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "our own mistake; it stands in the log")


def add_problems(app: FastAPI) -> None:
    """Answer every error as a problem."""
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(RequestValidationError, _of_validation)
    for gone in GONE:
        app.add_exception_handler(gone, _of_the_store)
    app.add_exception_handler(Exception, _of_us)
