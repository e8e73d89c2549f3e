"""O4, money: what was billed this month and the last, and what is not billed yet."""

from __future__ import annotations

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from hubwise.ledger.books import minor_unit
from hubwise.live.fold import SessionStatus
from hubwise.live.money import months_of
from hubwise.live.rights import Thing
from hubwise.web.asking import Here, check
from hubwise.web.grid import PeakItem
from hubwise.web.pages.templating import page, words_of
from hubwise.web.pages.who import Signed

router = APIRouter(include_in_schema=False)


@router.get("/operator/money")
async def money(request: Request, here: Here, browser: Signed) -> HTMLResponse:
    """The books of two months, to the cent."""
    check(browser.actor, Thing("money"))
    site, words = here.site, words_of(request)
    currency = site.settings.currency
    peaks = {hub: PeakItem.of(hub, site) for hub in sorted(site.settings.demand)}
    said = {
        "months": await months_of(site),
        "unbilled": [
            (SessionStatus.OPEN, words.say("under way")),
            (SessionStatus.PROVISIONAL, words.say("provisional: values are still to come")),
            (SessionStatus.QUARANTINED, words.say("quarantined: an operator has to bill them")),
        ],
        "peaks": {hub: peak for hub, peak in peaks.items() if peak is not None},
        "currency": currency,
        "money": lambda amount: words.money(amount.quantize(minor_unit(currency)), currency),
        "kwh": lambda value: words.number(value, 3),
        "form": here.doors.form_token(browser.secret),
    }
    return page(request, "money.html", said, actor=browser.actor)
