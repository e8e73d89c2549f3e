"""D1, My car: what is happening, why, whether the range will be there, and what is got for it."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup
from starlette.responses import Response

from hubwise.live import Role, may
from hubwise.live.mine import Ahead, MyStay, offered_ahead
from hubwise.live.rights import Thing
from hubwise.web.asking import Here
from hubwise.web.figures import Battery, Labels, level_bar, price_chart
from hubwise.web.me import Which, own_session, told
from hubwise.web.pages.templating import page, words_of
from hubwise.web.pages.who import Signed
from hubwise.web.pages.wishes import filled
from hubwise.web.sayings import Told
from hubwise.web.words import Words

router = APIRouter(include_in_schema=False)


@router.get("/")
async def home(browser: Signed) -> Response:
    """Wherever whoever is signed in belongs."""
    assert may(browser.actor, "read", Thing("door"))
    return RedirectResponse("/me" if browser.actor.role is Role.DRIVER else "/operator", 303)


@router.get("/me")
async def me(request: Request, here: Here, browser: Signed, stay: Which = None) -> HTMLResponse:
    """A driver's stay under way, the last one, or what is offered; or one that is asked for."""
    session = await own_session(here, browser.actor, stay)
    words, form = words_of(request), here.doors.form_token(browser.secret)
    offered = list(offered_ahead(here.site))
    currency = here.site.settings.currency
    said: dict[str, object] = {"form": form, "currency": currency, "offered": offered}
    found = None if session is None else await told(here, browser.actor, words, session)
    if found is None or found.stay.ended_at is not None:
        bill = None if session is None else (await here.site.account(session)).bill
        said |= {"told": found, "chart": _chart(words, currency, offered)}
        said |= {"bill": bill, "asked": stay is not None}
        return page(request, "away.html", said, actor=browser.actor)
    said |= {"told": found, "chart": _stay_chart(found), "level": _level(found)}
    said |= {"filled": filled(found), "car": found.car, "stay_name": found.stay.session}
    return page(request, "car.html", said, actor=browser.actor)


def _chart(words: Words, currency: str, ahead: list[Ahead]) -> Markup:
    labels = Labels(
        words.say("Prices by time of day"),
        words.time,
        lambda price: words.price(price, currency),
        lambda each: _priced(words, currency, each),
    )
    return Markup(price_chart(ahead, labels))


def _priced(words: Words, currency: str, each: Ahead) -> str:
    span = f"{words.time(each.start)}\N{EN DASH}{words.time(each.until)}"
    charge, back = (words.price(price, currency) for price in (each.charge, each.discharge))
    said = words.say("charging %(charge)s, giving back %(back)s a kWh", charge=charge, back=back)
    return f"{span} · {said}"


def _stay_chart(found: Told) -> Markup:
    """Prices until departure, with the plan and the battery."""
    stay, words = found.stay, found.words
    if not stay.ahead:
        return Markup()
    labels = Labels(
        words.say("Prices until you leave, what your car does when, and its battery"),
        words.time,
        lambda price: words.price(price, stay.currency),
        found.slot,
    )
    return Markup(price_chart(stay.ahead, labels, _battery(stay)))


def _battery(stay: MyStay) -> Battery | None:
    """What is in the battery now, and between what its line runs, from plug-in on [kWh]."""
    stored = [each.stored_kwh for each in stay.ahead if each.stored_kwh is not None]
    if stay.wanted is None or not stored:
        return None
    now = stay.stored_kwh
    least = min(-float(stay.held_kwh or 0), stay.wanted.least_kwh, now, *stored)
    most = max(stay.wanted.most_kwh, stay.wanted.required_kwh, now, *stored)
    return Battery(now, least, most)


def _level(found: Told) -> Markup:
    """The battery as a bar: by its levels where they are known, else from plug-in on."""
    stay, now, wanted = found.stay, found.now_kwh, found.stay.wanted
    held = float(stay.held_kwh or 0)
    needed = None if wanted is None else wanted.required_kwh + held
    shown = stay.stored_kwh if now is None else now
    if now is None and needed is None:
        return Markup()
    least = None if wanted is None or now is None else wanted.least_kwh + held
    full = found.car.capacity_kwh if found.car and now is not None else (needed or shown) * 1.15
    title = ", ".join(each for each in (found.level, found.kept, found.needed) if each)
    return Markup(level_bar(shown, full, least=least, needed=needed, title=title))
