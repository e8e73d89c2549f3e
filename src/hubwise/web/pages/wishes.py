"""D2, wishes: a form that says what changes before anything is saved; so do *Charge now* and
*Don't use my battery*."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hubwise.domain.events import WishSaid
from hubwise.domain.modes import Mode
from hubwise.live import Session, acts
from hubwise.live.rights import Thing
from hubwise.live.trial import Trial, in_mode, try_wish
from hubwise.web.asking import Here, World, check
from hubwise.web.limits import wait_for
from hubwise.web.me import own_session
from hubwise.web.pages.templating import page, words_of
from hubwise.web.pages.who import Browser, Formed
from hubwise.web.sayings import Car, Told
from hubwise.web.words import Words

router = APIRouter(include_in_schema=False)
MOST = Decimal(10_000)


@dataclass
class Asked:
    """A form of wishes as it was filled in, and what is wrong with it.

    Parameters
    ----------
    said
        Fields by name, as text.
    words, car
        How its reader is spoken to; in km where the car is known, else in kWh.
    """

    said: Mapping[str, str]
    words: Words
    car: Car | None
    wrong: list[str] = field(default_factory=list)

    def preferences(self, now: datetime) -> acts.Preferences:
        """What it asks for; what is wrong is in ``wrong`` then."""
        held, required, reserve = (self._kwh(name) for name in ("held", "need", "keep"))
        if reserve > required:
            self._say("Never below is more than what you need when you leave.")
        mode = self.said.get("mode", Mode.AS_IT_PAYS)
        if mode not in (Mode.AS_IT_PAYS, Mode.ONLY_CHARGE):
            self._say("Use of the battery: choose one of the two.")
            mode = Mode.AS_IT_PAYS
        return acts.Preferences(self._leaves(now), held, required, reserve, Mode(mode))

    def _kwh(self, name: str) -> Decimal:
        text = self.said.get(name, "").strip().replace(",", ".")
        if not text:
            return Decimal()
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal(-1)
        if not (value.is_finite() and 0 <= value <= MOST):
            self._say("%(text)s is no number between 0 and 10,000.", text=text)
            return Decimal()
        per = Decimal(str(self.car.km_per_kwh)) if self.car else Decimal(1)
        return round(value / per, 3)

    def _leaves(self, now: datetime) -> datetime | None:
        """The next time that the site's clock shows so."""
        text = self.said.get("leaves", "").strip()
        if not text:
            self._say("Say when you leave, such as 07:30.")
            return None
        try:
            hour, minute = (int(part) for part in text.split(":"))
            local = now.astimezone(self.words.zone)
            at = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
        except ValueError:
            self._say("%(text)s is no time of day, such as 07:30.", text=text)
            return None
        return (at if at > local else at + timedelta(days=1)).astimezone(UTC)

    def _say(self, sentence: str, **said: object) -> None:
        self.wrong.append(self.words.say(sentence, **said))


def filled(told: Told) -> dict[str, str]:
    """What the form holds at first: what was asked for last."""
    stay, wanted, held = told.stay, told.stay.wanted, told.stay.held_kwh

    def level(kwh: float) -> str:
        value = kwh * told.car.km_per_kwh if told.car else kwh
        return f"{value:.0f}" if told.car else f"{value:.1f}"

    base = float(held or 0)
    known = wanted is not None
    return {
        "leaves": told.words.time(stay.leaves_at) if stay.leaves_at else "",
        "held": level(base) if held else "",
        "need": level(wanted.required_kwh + base) if known and wanted else "",
        "keep": level(max(wanted.least_kwh + base, 0.0)) if held and wanted else "",
        "mode": (stay.wish.mode if stay.wish else Mode.AS_IT_PAYS).value,
    }


async def _stay_of(here: World, browser: Browser, which: str) -> Session:
    check(browser.actor, Thing("stay", browser.actor.account), "change")
    session = await own_session(here, browser.actor, which)
    if session is None or session.ended is not None:
        raise HTTPException(409, "the stay is over")
    wait_for(here.rates.wishes, browser.actor.driver)
    return session


async def _car(here: World, browser: Browser) -> Car | None:
    car = await here.doors.car_of(browser.actor.driver)
    return Car(*car) if car else None


@router.post("/me/wishes")
async def wishes(request: Request, here: Here, browser: Formed) -> Response:
    """Show what a wish would change; save it where that was seen (``sure``)."""
    said = {name: str(value)[:100] for name, value in (await request.form()).items()}
    session = await _stay_of(here, browser, said.get("stay", ""))
    asked = Asked(said, words_of(request), await _car(here, browser))
    preferences = asked.preferences(here.site.now())
    if asked.wrong:
        shown = {"wrong": asked.wrong, "filled": said, "car": asked.car, "stay_name": said["stay"]}
        shown["form"] = here.doors.form_token(browser.secret)
        return page(request, "wishes.html", shown, actor=browser.actor, status=422)
    fields = {name: said.get(name, "") for name in ("leaves", "held", "need", "keep", "mode")}
    return await _answer(request, here, browser, session, (preferences, fields))


@router.post("/me/override")
async def override(request: Request, here: Here, browser: Formed) -> Response:
    """*Charge now*, *Don't use my battery*, and back to the plan: what it costs, then the deed."""
    said = {name: str(value)[:700] for name, value in (await request.form()).items()}
    session = await _stay_of(here, browser, said.get("stay", ""))
    if said.get("mode") not in list(Mode):
        raise HTTPException(422, "there is no such button")
    mode = Mode(said["mode"])
    return await _answer(
        request, here, browser, session, (in_mode(session, mode), {"mode": mode.value})
    )


async def _answer(
    request: Request,
    here: World,
    browser: Browser,
    session: Session,
    asked: tuple[acts.Preferences, dict[str, str]],
) -> Response:
    preferences, fields = asked
    form = await request.form()
    try:
        if form.get("sure"):
            await acts.prefer(here.site, session, browser.actor, preferences)
            return RedirectResponse("/me", 303)
        trial = await try_wish(here.site, session, browser.actor, preferences)
    except acts.NotNowError as error:
        raise HTTPException(409, str(error)) from error
    except TimeoutError as error:
        raise HTTPException(503, "this could not be worked out just now; try again") from error
    return await _shown(request, here, browser, trial, fields)


async def _shown(
    request: Request, here: World, browser: Browser, trial: Trial, fields: dict[str, str]
) -> HTMLResponse:
    words, car = words_of(request), await _car(here, browser)
    before, after = Told(words, trial.before, car), Told(words, trial.after, car)
    shown = {
        "form": here.doors.form_token(browser.secret),
        "action": request.url.path,
        "fields": {**fields, "stay": trial.wish.session},
        "before": before,
        "after": after,
        "trial": trial,
        "headline": headline(words, trial.wish, before, after),
        "cannot": after.cannot,
    }
    return page(request, "trial.html", shown, actor=browser.actor)


def headline(words: Words, wish: WishSaid, before: Told, after: Told) -> str:
    """What it costs, in a sentence."""
    one, other = before.stay.expected, after.stay.expected
    if one is None or other is None:
        return words.say("What this changes cannot be said until there is a plan.")
    more = other.cost - one.cost
    amount = words.money(abs(more), after.stay.currency)
    costs = (
        words.say("It makes no difference to what you pay.")
        if not more
        else words.say("%(amount)s more than now, battery wear counted.", amount=amount)
        if more > 0
        else words.say("%(amount)s less than now, battery wear counted.", amount=amount)
    )
    back = words.say("You can go back at any time.") if wish.mode is not Mode.AS_IT_PAYS else ""
    ready = words.say("Ready %(at)s.", at=after.ready) if after.ready else ""
    return " ".join(each for each in (costs, ready, back) if each)
