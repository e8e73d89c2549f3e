"""Errors as pages, for browsers: a sentence and a next step."""

from __future__ import annotations

import json

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hubwise.store import GONE
from hubwise.web.pages.templating import page, words_of

# By status: what it is called, and what to do next.
STEPS = {
    401: ("Sign in first", "/sign-in", "Sign in"),
    403: ("This is not for you", "/", "To your own page"),
    404: ("There is nothing here", "/", "To your own page"),
    422: ("This does not fit", "/", "Back to your own page"),
    429: ("Too often", "/", "Try again in a minute"),
    503: ("Just a moment", "/", "Try again"),
}
ELSE = ("Something went wrong here", "/", "Back to your own page")


def wants_page(request: Request) -> bool:
    """Whether it is a person's browser that asks for a page."""
    ours = not request.url.path.startswith("/api/")
    return ours and "text/html" in request.headers.get("accept", "")


def add_pages_of_errors(app: FastAPI) -> None:
    """Answer browsers with a page where others get a problem."""
    for kind in (HTTPException, RequestValidationError, *GONE, Exception):
        problem_of = app.exception_handlers[kind]

        async def answer(request: Request, error: Exception, told: object = problem_of) -> Response:
            assert callable(told)
            said = await told(request, error)
            assert isinstance(said, JSONResponse)
            return _as_page(request, said) if wants_page(request) else said

        app.add_exception_handler(kind, answer)


def _as_page(request: Request, said: JSONResponse) -> Response:
    problem = json.loads(bytes(said.body))
    words, status = words_of(request), said.status_code
    title, url, step = STEPS.get(status, ELSE)
    shown = {
        "title": words.say(title),
        "detail": words.say(_sentence(str(problem["detail"]))),
        "next_url": url,
        "next_text": words.say(step),
        "number": status,
    }
    answer = page(request, "error.html", shown, status=status)
    if retry := said.headers.get("retry-after"):
        answer.headers["Retry-After"] = retry
    return answer


def _sentence(text: str) -> str:
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!")) else f"{text}."
