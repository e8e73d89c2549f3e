"""Price lists over HTTP: what is offered, and what operators post over the site's own."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from hubwise.domain.events import PriceList, PricesPosted
from hubwise.live import listing
from hubwise.live.offered import source_of
from hubwise.live.rights import Actor, Role, Thing
from hubwise.live.settings import Settings
from hubwise.web import answers
from hubwise.web.acts import in_utc
from hubwise.web.asking import Asking, Here, check, problems
from hubwise.web.grid import Reason
from hubwise.web.problems import Asked, problem

router = APIRouter(prefix="/api/v1", responses=problems)
MOST_SAID = 1_440
Said = Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=MOST_SAID)]
REFUSED: dict[int | str, dict[str, object]] = {422: {"description": "All that is wrong with it"}}


class Prices(BaseModel):
    """A price list, repeated daily on the site's clock, and who posted it [currency/kWh].

    ``posted_by`` is ``site.toml``, ``market``, or an operator; to drivers, ``operator``.
    """

    price_list: str
    currency: str
    zone: str
    slot_minutes: int
    charge: list[str]
    discharge: list[str]
    posted_by: str
    posted_at: str
    until: str | None

    @classmethod
    def of(cls, posted: PricesPosted, settings: Settings, actor: Actor) -> Prices:
        """As it was posted, for whoever asks."""
        prices, said = posted.prices, posted.ordered
        named = said is None or actor.role is Role.OPERATOR
        return cls(
            price_list=prices.list_id,
            currency=settings.currency,
            zone=settings.zone.key,
            slot_minutes=prices.slot_minutes,
            charge=_texts(prices, "charge"),
            discharge=_texts(prices, "discharge"),
            posted_by=source_of(posted) if named else Role.OPERATOR.value,
            posted_at=answers.in_utc(posted.received_at),
            until=answers.in_utc(said.until) if said and said.until else None,
        )


class ListingAsked(Asked):
    """A list to post: decimals as text by slot of a day; from now on, until it is taken back."""

    charge: Said
    discharge: Said
    begins_at: datetime | None = None
    until: datetime | None = None
    reason: Reason


class OrderItem(BaseModel):
    """A list that an operator posted: when it is offered, who posted it, and why."""

    order: str
    price_list: str
    begins_at: str
    until: str | None
    by: str
    reason: str
    charge: list[str]
    discharge: list[str]

    @classmethod
    def of(cls, posted: PricesPosted) -> OrderItem:
        """As it was said last."""
        said = posted.ordered
        assert said is not None
        return cls(
            order=said.order,
            price_list=posted.prices.list_id,
            begins_at=answers.in_utc(said.begins_at),
            until=answers.in_utc(said.until) if said.until else None,
            by=said.by,
            reason=said.why,
            charge=_texts(posted.prices, "charge"),
            discharge=_texts(posted.prices, "discharge"),
        )


class Orders(BaseModel):
    """Lists that hold or are to come; of two at once the first holds."""

    items: list[OrderItem]


class KeptItem(BaseModel):
    """A stay under way, the list that it is billed by, and when it said that it ends."""

    session: str
    price_list: str
    departs_at: str | None

    @classmethod
    def all_of(cls, found: tuple[listing.Kept, ...]) -> list[KeptItem]:
        """Several."""
        return [
            cls(
                session=each.session,
                price_list=each.price_list,
                departs_at=answers.in_utc(each.departs_at) if each.departs_at else None,
            )
            for each in found
        ]


class LeavesItem(BaseModel):
    """The least that a kWh leaves over what it costs, charged and given back [currency/kWh]."""

    charge: str
    discharge: str

    @classmethod
    def of(cls, found: listing.Leaves) -> LeavesItem:
        """As text."""
        return cls(charge=answers.in_text(found.charge), discharge=answers.in_text(found.discharge))


class OrderDone(OrderItem):
    """What a list does, or would do where it was only tried (then ``order`` is no name yet).

    ``keep`` are stays that keep the list which was offered when they began, to their end, ``get``
    those that are billed by this one; ``expected`` cars are to come while it is offered; ``over``
    says whose lists it stands over; ``leaves`` is empty where it is not known what a kWh costs.
    """

    tried: bool
    keep: list[KeptItem]
    get: list[KeptItem]
    expected: int
    over: list[str]
    leaves: LeavesItem | None

    @classmethod
    def made(cls, found: listing.Outcome, *, tried: bool) -> OrderDone:
        """In words for others."""
        item = OrderItem.of(found.posted).model_dump()
        return cls(
            **item | {"order": "" if tried else item["order"]},
            tried=tried,
            keep=KeptItem.all_of(found.keep),
            get=KeptItem.all_of(found.get),
            expected=found.expected,
            over=list(found.over),
            leaves=LeavesItem.of(found.leaves) if found.leaves else None,
        )


def _texts(prices: PriceList, side: str) -> list[str]:
    return [answers.in_text(price) for price in getattr(prices, side)]


@router.get("/prices")
async def prices(here: Here, actor: Asking) -> Prices:
    """What is offered now to whoever plugs in; it is kept to the end of that stay."""
    check(actor, Thing("prices"))
    offered = here.site.books.offered.at(here.site.now())
    return Prices.of(offered, here.site.settings, actor)


@router.post("/prices", status_code=201, response_model=OrderDone, responses=REFUSED)
async def post(
    here: Here,
    actor: Asking,
    asked: ListingAsked,
    response: Response,
    try_: Annotated[bool, Query(alias="try", description="Only say what it would do.")] = False,
) -> OrderDone | JSONResponse:
    """Post a list over the site's own, or with ``try=1`` hear what that would do; operators only.

    Who plugged in before keeps the list that was offered then.
    """
    check(actor, Thing("orders"), "change")
    given = listing.Listing(
        tuple(asked.charge),
        tuple(asked.discharge),
        in_utc(asked.begins_at, "begins_at"),
        in_utc(asked.until, "until"),
        asked.reason,
    )
    try:
        if try_:
            response.status_code = 200
            return OrderDone.made(listing.tried(here.site, actor, given), tried=True)
        return OrderDone.made(await listing.post(here.site, actor, given), tried=False)
    except listing.RefusedError as error:
        return _refused(error)


@router.get("/prices/orders")
async def orders(here: Here, actor: Asking) -> Orders:
    """Lists that operators posted and that hold or are to come; operators only."""
    check(actor, Thing("orders"))
    return _orders(here)


@router.delete("/prices/orders/{order}", response_model=Orders, responses=REFUSED)
async def withdraw(
    here: Here,
    actor: Asking,
    order: str,
    reason: Annotated[str, Query(min_length=1, max_length=2_000)],
) -> Orders | JSONResponse:
    """Take a list back: it is offered no more, who has it keeps it; operators only."""
    check(actor, Thing("orders"), "change")
    found = here.site.books.offered.ordered.get(order)
    said = found.ordered if found else None
    if found is None or said is None or (said.until and said.until <= here.site.now()):
        raise HTTPException(404, f"there is no list {order!r} that holds or is to come")
    try:
        await listing.withdraw(here.site, actor, found, reason)
    except listing.RefusedError as error:
        return _refused(error)
    return _orders(here)


def _orders(here: Here) -> Orders:
    standing = here.site.books.offered.standing(here.site.now())
    return Orders(items=[OrderItem.of(each) for each in standing])


def _refused(error: listing.RefusedError) -> JSONResponse:
    wrong = [
        {"where": each.where, "wrong": each.wrong, "right": each.right} for each in error.issues
    ]
    return problem(422, str(error), {"problems": wrong})
