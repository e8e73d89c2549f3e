"""Which browser asks: an opaque secret in a cookie, looked up each time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hubwise.live import Actor, Role
from hubwise.store import DRIVER_LASTS, OPERATOR_LASTS
from hubwise.web.asking import Here, Said
from hubwise.web.pages.guard import check_origin

# A browser keeps what begins with __Host- for this host alone, and takes it over TLS only.
SECURE, PLAIN = "__Host-hubwise", "hubwise"


@dataclass(frozen=True, slots=True)
class Browser:
    """Who is signed in, and the secret of the cookie."""

    actor: Actor
    secret: str


def secret_of(request: Request) -> str:
    """The cookie's secret; nothing where there is none. Over TLS the safer name alone counts."""
    return request.cookies.get(SECURE if request.url.scheme == "https" else PLAIN, "")


def put_cookie(request: Request, answer: Response, secret: str, role: Role) -> None:
    """Sign the browser in."""
    secure = request.url.scheme == "https"
    lasts = DRIVER_LASTS if role is Role.DRIVER else OPERATOR_LASTS
    answer.set_cookie(
        SECURE if secure else PLAIN,
        secret,
        max_age=int(lasts.total_seconds()),
        path="/",
        secure=secure,
        httponly=True,
        samesite="lax",
    )


def drop_cookies(answer: Response) -> None:
    """Sign the browser out."""
    answer.delete_cookie(PLAIN, path="/", httponly=True, samesite="lax")
    answer.delete_cookie(SECURE, path="/", secure=True, httponly=True, samesite="lax")


async def browser_of(request: Request, here: Here) -> Browser:
    """Who asks by a cookie; 401 where nobody is signed in."""
    secret = secret_of(request)
    actor = await here.doors.who(secret) if secret else None
    if actor is None:
        raise HTTPException(401, "you are not signed in")
    return Browser(actor, secret)


Signed = Annotated[Browser, Depends(browser_of)]


async def either(request: Request, here: Here, said: Said) -> Actor:
    """Who asks by a token, or else by a cookie: a machine, or one of our own pages."""
    if said is not None:
        actor = await here.actor_of(said.credentials)
        if actor is None:
            raise HTTPException(401, "give a token: Authorization: Bearer TOKEN")
        return actor
    if request.method not in ("GET", "HEAD"):
        check_origin(request)
    return (await browser_of(request, here)).actor


Either = Annotated[Actor, Depends(either)]


async def checked_form(request: Request, here: Here, browser: Signed) -> Browser:
    """Who sends a form: from our own page, and made for this browser."""
    check_origin(request)
    form = await request.form(max_files=0, max_fields=40)
    if not here.doors.is_form_token(browser.secret, str(form.get("form", ""))):
        raise HTTPException(403, "this page is too old; open it again and repeat what you did")
    return browser


Formed = Annotated[Browser, Depends(checked_form)]
