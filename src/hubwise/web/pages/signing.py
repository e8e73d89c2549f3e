"""Ways in and out for browsers: a driver by a one-time link, an operator by password."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hubwise.live import Role, may
from hubwise.live.rights import Thing
from hubwise.web.asking import Here, World
from hubwise.web.limits import Bucket, wait_for
from hubwise.web.pages.guard import check_origin, is_private
from hubwise.web.pages.templating import page
from hubwise.web.pages.who import Formed, drop_cookies, put_cookie, secret_of

router = APIRouter(include_in_schema=False)
Secret = Annotated[str, Form(max_length=100)]
AFTER = {Role.DRIVER: "/me", Role.OPERATOR: "/"}


def _check(request: Request, here: World, *more: tuple[Bucket, str]) -> None:
    """What holds for every way in: nobody reads along, it comes from us, and not too often."""
    assert may(None, "read", Thing("door"))
    if not is_private(request):
        raise HTTPException(403, "sign in over https: on plain http others could read along")
    check_origin(request)
    address = str(request.client.host if request.client else "")
    for bucket, who in ((here.rates.sign_in, address), *more):
        wait_for(bucket, who)


async def _let_in(request: Request, here: World, secret: str, role: Role) -> Response:
    """With a new secret: one that was known before the sign-in is worth nothing after it."""
    if before := secret_of(request):
        await here.doors.end(before)
    answer = RedirectResponse(AFTER[role], 303)
    put_cookie(request, answer, secret, role)
    return answer


@router.get("/in/{link}")
async def link_page(request: Request, here: Here, link: str) -> HTMLResponse:
    """What a one-time link opens: a button, since whoever looks at links must not use them up."""
    assert may(None, "read", Thing("door"))
    driver = await here.doors.driver_of_link(link[:100])
    return page(
        request, "link.html", {"driver": driver, "link": link}, status=200 if driver else 410
    )


@router.post("/in")
async def use_link(request: Request, here: Here, link: Secret) -> Response:
    """Let a driver in, once."""
    _check(request, here)
    secret = await here.doors.use_link(link)
    if secret is None:
        return page(request, "link.html", {"driver": None, "link": ""}, status=410)
    return await _let_in(request, here, secret, Role.DRIVER)


@router.get("/sign-in")
async def sign_in_page(request: Request) -> HTMLResponse:
    """Where an operator says name and password, and drivers read how they get in."""
    assert may(None, "read", Thing("door"))
    return page(request, "sign_in.html", {"wrong": False})


@router.post("/sign-in")
async def sign_in(
    request: Request,
    here: Here,
    name: Annotated[str, Form(max_length=255)],
    password: Annotated[str, Form(max_length=1_024)],
) -> Response:
    """Let an operator in."""
    _check(request, here, (here.rates.account, name))
    secret = await here.doors.check_password(name, password)
    if secret is None:
        return page(request, "sign_in.html", {"wrong": True}, status=403)
    return await _let_in(request, here, secret, Role.OPERATOR)


@router.post("/sign-out")
async def sign_out(request: Request, here: Here, browser: Formed) -> Response:
    """End this browser's sign-in."""
    assert may(browser.actor, "change", Thing("sign-in", browser.actor.account))
    await here.doors.end(browser.secret)
    answer = page(request, "out.html")
    drop_cookies(answer)
    return answer
