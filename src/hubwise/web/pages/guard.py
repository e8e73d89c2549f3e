"""What holds for all that a browser is given: strict headers, and forms from our own pages only."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Nothing inline, nothing from elsewhere.
POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{what} 'self'" for what in ("script-src", "style-src", "img-src", "connect-src")),
        *(f"{what} 'self'" for what in ("manifest-src", "worker-src", "form-action")),
        *(f"{what} 'none'" for what in ("base-uri", "frame-ancestors")),
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
TLS_ONLY = "max-age=31536000"
# Pages that bring their own styles within: printed invoices of the report.
OWN_STYLES = frozenset({"/api/v1/invoices.html"})


class Guard:
    """Puts the headers on every answer."""

    def __init__(self, app: ASGIApp) -> None:
        """Stands before an application."""
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and mark its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"] in OWN_STYLES:
                    del headers["Content-Security-Policy"]
                if scope["scheme"] == "https":
                    headers.setdefault("Strict-Transport-Security", TLS_ONLY)
            await send(message)

        await self._app(scope, receive, marked)


def check_origin(request: Request) -> None:
    """Let what changes something come from our own pages only.

    Raises
    ------
    HTTPException
        403 where it comes from elsewhere, or does not say from where.
    """
    fetched, origin = (request.headers.get(name) for name in ("sec-fetch-site", "origin"))
    ours = f"{request.url.scheme}://{request.headers.get('host', '')}"
    if fetched not in (None, "same-origin") or origin not in (None, ours):
        raise HTTPException(403, "this came from another site; open our own page and try again")
    if fetched is None and origin is None and _referred(request) != ours:
        raise HTTPException(403, "your browser does not say which page this came from")


def _referred(request: Request) -> str:
    parts = urlsplit(request.headers.get("referer", ""))
    return f"{parts.scheme}://{parts.netloc}"


def is_private(request: Request) -> bool:
    """Whether nobody on the way can read along: TLS, or this machine alone."""
    if request.url.scheme == "https":
        return True
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
