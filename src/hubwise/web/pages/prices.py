"""O3, prices: what is offered, who posted it, and another list, seen before it is posted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import Response

from hubwise.domain.errors import Issue
from hubwise.domain.events import PriceList
from hubwise.live import Site, listing
from hubwise.live.mine import Ahead, offered_ahead
from hubwise.live.offered import source_of
from hubwise.live.outlook import MINUTES_OF_A_DAY
from hubwise.live.proposed import NotAListError, blocks_of, by_hours, by_margins, text_of
from hubwise.live.rights import Thing
from hubwise.web.acts import EARLIEST, LATEST
from hubwise.web.asking import Here, World, check
from hubwise.web.figures import Labels, price_chart
from hubwise.web.pages.templating import page, words_of
from hubwise.web.pages.who import Browser, Formed, Signed
from hubwise.web.words import Words

router = APIRouter(include_in_schema=False)
_ORDER = re.compile(r"[0-9a-f]{32}")
_SLOT = re.compile(r"(charge|discharge)\[([0-9]+)\]")
FIELDS = ("how", "margin", "discharge_margin", "hours", "begins", "until", "reason")


@dataclass(frozen=True, slots=True)
class Shown:
    """How a list is shown.

    Parameters
    ----------
    words, currency
        How amounts are written.
    """

    words: Words
    currency: str

    def price(self, price: Decimal) -> str:
        """With all its digits, at least two."""
        digits = max(-int(price.normalize().as_tuple().exponent), 2)
        return self.words.money(round(price, digits), self.currency)

    def chart(self, ahead: Sequence[Ahead], *, back: bool) -> Markup:
        """Bars of one price of the day ahead: to charge, or for what is given back."""
        title = "Price for energy given back" if back else "Price to charge"
        labels = Labels(
            self.words.say("%(what)s, by time of day", what=self.words.say(title)),
            self.words.time,
            lambda price: self.words.price(price, self.currency),
            lambda each: (
                f"{self.words.time(each.start)} · "
                f"{self.price(each.discharge if back else each.charge)}"
            ),
        )
        kw = -1.0 if back else 1.0
        return Markup(price_chart([replace(each, kw=kw) for each in ahead], labels))

    def of(self, site: Site, prices: PriceList) -> dict[str, object]:
        """What the template of a list is given."""
        ahead = [*offered_ahead(site, prices=prices)]
        return {
            "blocks": blocks_of(prices),
            "price": self.price,
            "charts": [self.chart(ahead, back=False), self.chart(ahead, back=True)],
        }


@router.get("/operator/prices")
async def prices(request: Request, here: Here, browser: Signed) -> HTMLResponse:
    """What is offered now, what is to come, and the form for another list."""
    check(browser.actor, Thing("orders"))
    offered = here.site.books.offered.at(here.site.now()).prices
    filled = {"how": "hours", "hours": text_of(offered)}
    return _page(request, here, browser, filled, [])


@router.post("/operator/prices")
async def propose(request: Request, here: Here, browser: Formed) -> Response:
    """Say what a list would do; post it where that was seen (``sure``)."""
    check(browser.actor, Thing("orders"), "change")
    said = {name: str(value) for name, value in (await request.form()).items()}
    asked, issues = read(here.site, said)
    if said.get("sure") and asked.order in here.site.books.offered.ordered:
        return RedirectResponse("/operator/prices", 303)
    try:
        found = listing.tried(here.site, browser.actor, asked)
        if said.get("sure") and not issues:
            await listing.post(here.site, browser.actor, asked)
            return RedirectResponse("/operator/prices", 303)
    except listing.RefusedError as error:
        issues += [it for it in error.issues if asked.charge or not _is_of_prices(it)]
    if issues:
        wrong = [in_words(words_of(request), each, len(asked.charge)) for each in issues]
        return _page(request, here, browser, said, wrong)
    return _trial(request, here, browser, said, found)


@router.post("/operator/prices/withdraw")
async def withdraw(request: Request, here: Here, browser: Formed) -> Response:
    """Take a list back; who has it keeps it."""
    check(browser.actor, Thing("orders"), "change")
    form = await request.form()
    standing = here.site.books.offered.standing(here.site.now())
    name = str(form.get("order", ""))
    found = next((it for it in standing if it.ordered and it.ordered.order == name), None)
    if found is None:
        raise HTTPException(404, "this list is taken back already, or over")
    try:
        await listing.withdraw(here.site, browser.actor, found, str(form.get("reason", "")))
    except listing.RefusedError as error:
        raise HTTPException(422, str(error)) from error
    return RedirectResponse("/operator/prices", 303)


def read(site: Site, said: Mapping[str, str]) -> tuple[listing.Listing, list[Issue]]:
    """What a form asks for, and what of it cannot be read."""
    issues, zone = list[Issue](), site.settings.zone
    begins_at, until = (_moment(name, said.get(name, ""), zone, issues) for name in FIELDS[4:6])
    columns: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    try:
        if said.get("how") == "margins":
            margins = (said.get(name, "") for name in FIELDS[1:3])
            columns = by_margins(site, begins_at or site.now(), *margins)
        else:
            columns = by_hours(said.get("hours", ""))
    except NotAListError as error:
        issues += error.issues
    order = said.get("order", "")
    order = order if _ORDER.fullmatch(order) else ""
    return listing.Listing(*columns, begins_at, until, said.get("reason", ""), order), issues


def _moment(name: str, text: str, zone: ZoneInfo, issues: list[Issue]) -> datetime | None:
    """A time of the site's clock; nothing where none is said."""
    if not text.strip():
        return None
    try:
        at = datetime.fromisoformat(text.strip()).replace(tzinfo=zone)
        if EARLIEST < at < LATEST:
            return at.astimezone(UTC)
    except ValueError:
        pass
    issues.append(Issue("", name, "", f"{text[:40]!r}", "a day and a time: 2026-12-06T22:00"))
    return None


def _is_of_prices(issue: Issue) -> bool:
    return issue.where.startswith(("charge", "discharge"))


def in_words(words: Words, issue: Issue, slots: int) -> str:
    """Where, what is wrong, and what would be right."""
    names = {
        "margin": "Added to charge", "discharge_margin": "Less for energy given back",
        "margins": "By margins", "hours": "By hours", "begins": "From", "begins_at": "From",
        "until": "Until", "reason": "Reason", "charge": "Price to charge",
        "discharge": "Price for energy given back",
    }  # fmt: skip
    slot, where = _SLOT.fullmatch(issue.where), issue.where
    if slot is not None and slots:
        minutes = int(slot[2]) * MINUTES_OF_A_DAY // slots
        where = f"{words.say(names[slot[1]])}, {minutes // 60:02d}:{minutes % 60:02d}"
    elif where in names:
        where = words.say(names[where])
    return f"{where}: {issue.wrong}; {issue.right}"


def _page(
    request: Request,
    here: World,
    browser: Browser,
    filled: Mapping[str, str],
    wrong: Sequence[str],
) -> HTMLResponse:
    site, words = here.site, words_of(request)
    now = site.now()
    offered = site.books.offered.at(now)
    said = {
        **Shown(words, site.settings.currency).of(site, offered.prices),
        "posted": offered,
        "by": source_of(offered),
        "standing": site.books.offered.standing(now),
        "now": now,
        "currency": site.settings.currency,
        "least": site.settings.least_margin,
        "filled": {name: filled.get(name, "") for name in FIELDS},
        "wrong": wrong,
        "form": here.doors.form_token(browser.secret),
    }
    return page(request, "prices.html", said, actor=browser.actor, status=422 if wrong else 200)


def _trial(
    request: Request,
    here: World,
    browser: Browser,
    filled: Mapping[str, str],
    found: listing.Outcome,
) -> HTMLResponse:
    site, words, order = here.site, words_of(request), found.posted.ordered
    assert order is not None
    # What was seen is what is posted, though a market may move meanwhile: the list itself goes.
    fields = {name: filled.get(name, "") for name in ("begins", "until", "reason")}
    fields |= {"how": "hours", "hours": text_of(found.posted.prices), "order": order.order}
    said = {
        **Shown(words, site.settings.currency).of(site, found.posted.prices),
        "found": found,
        "order": order,
        "now": site.now(),
        "least": site.settings.least_margin,
        "fields": fields,
        "form": here.doors.form_token(browser.secret),
    }
    return page(request, "prices_trial.html", said, actor=browser.actor)
