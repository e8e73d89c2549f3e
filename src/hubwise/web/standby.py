"""What HTTP answers where control does not run: health says why, all else is to ask elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Gauge, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from hubwise.web.answers import Health
from hubwise.web.problems import problem

RETRY = {"Retry-After": "5"}
METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]


@dataclass(slots=True)
class Front:
    """An application in place of another: whatever is asked goes to the one that stands now."""

    now: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on."""
        await self.now(scope, receive, send)


def standby_app(health: Callable[[], Health]) -> ASGIApp:
    """The API of a process that stands by; ``health`` is asked each time."""
    registry = CollectorRegistry()
    Gauge("hubwise_control_running", "1 while control runs", registry=registry)

    async def healthy(_: Request) -> Response:
        return JSONResponse(health().model_dump(), 503, headers=RETRY)

    async def metrics(_: Request) -> Response:
        return PlainTextResponse(generate_latest(registry))

    async def elsewhere(_: Request) -> Response:
        active = health().active or "nobody yet"
        answer = problem(503, f"this process stands by; the site is served by {active}")
        answer.headers.update(RETRY)
        return answer

    return Starlette(
        routes=[
            Route("/api/v1/health", healthy),
            Route("/metrics", metrics),
            Route("/{path:path}", elsewhere, methods=METHODS),
        ]
    )
