"""The books for others over HTTP: statements, invoices, OCPI records, the ledger as a table."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import HTMLResponse, PlainTextResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from hubwise.books import Billed, Invoice, cdrs, make_invoices
from hubwise.live import Actor, may
from hubwise.live.billed import all_billed, billed_of
from hubwise.live.rights import Role, Thing
from hubwise.web.asking import Asking, Here, World, check, found, problems
from hubwise.web.pages.who import Either

router = APIRouter(prefix="/api/v1", responses=problems)
Whose = Annotated[
    str | None, Query(max_length=300, description="An account, such as driver:ann; else all.")
]
Month = Annotated[str | None, Query(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$", examples=["2026-03"])]


class Records(BaseModel):
    """Records as others read them."""

    items: list[dict[str, object]]


def _billed(here: World, actor: Actor, driver: str | None, kind: str) -> list[Billed]:
    """Stays of an account: a driver's own, of an operator's choice, or all."""
    if actor.role is Role.DRIVER:
        driver = driver or actor.account
    check(actor, Thing(kind, driver or ""))
    found = all_billed(here.site.books)
    return [
        each
        for each in found
        if driver in (None, each.bill.driver) and may(actor, "read", Thing(kind, each.bill.driver))
    ]


def _invoices(
    here: World, actor: Actor, driver: str | None, month: str | None, *, by_month: bool
) -> list[Invoice]:
    settings, billed = here.site.settings, _billed(here, actor, driver, "statement")
    return make_invoices(billed, settings.name, settings.zone, month=month, by_month=by_month)


@router.get("/statements")
def statements(here: Here, actor: Asking, driver: Whose = None, month: Month = None) -> Records:
    """By driver, every bill, credit and corrected bill that was posted, and what they come to."""
    made = _invoices(here, actor, driver, month, by_month=False)
    return Records(items=[each.to_dict() for each in made])


@router.get("/invoices")
def invoices(here: Here, actor: Asking, driver: Whose = None, month: Month = None) -> Records:
    """The same by driver and month."""
    made = _invoices(here, actor, driver, month, by_month=True)
    return Records(items=[each.to_dict() for each in made])


@router.get("/invoices.html", response_class=HTMLResponse)
def invoices_page(
    here: Here, actor: Either, driver: Whose = None, month: Month = None
) -> HTMLResponse:
    """Invoices as a page to print, one a sheet."""
    # Rooms of numbers that a running site needs for this alone: a third of its memory.
    from hubwise.study.report.bills import bills_page, invoice_bill

    made = _invoices(here, actor, driver, month, by_month=True)
    return HTMLResponse(bills_page([invoice_bill(each) for each in made], here.site.settings.name))


@router.get("/ledger/entries.csv", response_class=PlainTextResponse)
def entries_csv(here: Here, actor: Either, driver: Whose = None) -> PlainTextResponse:
    """Entries as a table."""
    from hubwise.books.tables import ledger_tables

    table = ledger_tables(_billed(here, actor, driver, "entries"))["entries"]
    return PlainTextResponse(table.write_csv(), media_type="text/csv; charset=utf-8")


@router.get(
    "/sessions/{session:path}/cdrs",
    responses={409: {"description": "The site does not say who it is"}},
)
async def session_cdrs(here: Here, actor: Asking, session: str) -> Records:
    """A session's charge detail records (OCPI 2.2.1), credit records among them."""
    asked = await found(here, actor, session, "cdrs")
    settings = here.site.settings
    if settings.party is None:
        raise HTTPException(409, "site.toml has no [ocpi]: it says who the site is to others")
    await here.site.settled(asked)
    billed = billed_of(here.site.books, asked)
    return Records(items=cdrs([billed], settings.party, settings.name) if billed else [])
