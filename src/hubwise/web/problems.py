"""Errors as problem details (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from hubwise.store import GONE

KIND = "application/problem+json"


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
    answer = problem(error.status_code, str(error.detail))
    answer.headers.update(error.headers or {})
    return answer


async def _of_validation(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    wrong = [
        {"where": "/".join(str(part) for part in each["loc"]), "wrong": str(each["msg"])}
        for each in error.errors()
    ]
    detail = "; ".join(f"{each['where']}: {each['wrong']}" for each in wrong)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, {"problems": wrong})


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
