"""What people do over HTTP: operators correct sessions, drivers say their wishes."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.exceptions import HTTPException

from hubwise.domain.modes import Mode
from hubwise.live import acts
from hubwise.live.rights import Thing
from hubwise.web import answers
from hubwise.web.asking import Asking, Here, Most, check, found, problems
from hubwise.web.problems import Asked

router = APIRouter(prefix="/api/v1", responses=problems)
Number = Annotated[str, Field(max_length=40, pattern=r"^-?[0-9]+(\.[0-9]+)?$", examples=["12.5"])]
# Times of sites lie between these, and can be told on any clock.
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
NOT_NOW: dict[int | str, dict[str, object]] = {409: {"description": "Does not fit what it is"}}


class CorrectionAsked(Asked):
    """An operator's figures of a session; without times, from its beginning to its end."""

    charged_kwh: Number
    discharged_kwh: Number = "0"
    began_at: datetime | None = None
    ended_at: datetime | None = None
    reason: Annotated[str, Field(min_length=1, max_length=acts.MOST_REASON)]


class PreferencesAsked(Asked):
    """A driver's wishes [kWh]; levels count from ``energy_kwh`` at plug-in, 0 if not known."""

    departure_at: datetime | None = None
    energy_kwh: Number = "0"
    required_kwh: Number = "0"
    reserve_kwh: Number = "0"
    mode: Mode = Mode.AS_IT_PAYS


def in_utc(at: datetime | None, name: str) -> datetime | None:
    """A time that was said with its offset from UTC, in UTC; 422 where it was not, or is absurd."""
    if at is None:
        return None
    if at.tzinfo is None:
        raise HTTPException(422, f"{name}: say the offset from UTC, such as Z")
    if not EARLIEST < at < LATEST:
        raise HTTPException(422, f"{name}: {at.isoformat()} is no time of a site")
    return at.astimezone(UTC)


def number(text: str) -> Decimal:
    """A number in text."""
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise HTTPException(422, f"{text!r} is no number") from error


def preferences_of(asked: PreferencesAsked) -> acts.Preferences:
    """Wishes as they are kept."""
    return acts.Preferences(
        in_utc(asked.departure_at, "departure_at"),
        number(asked.energy_kwh),
        number(asked.required_kwh),
        number(asked.reserve_kwh),
        asked.mode,
    )


@router.post("/sessions/{session:path}/corrections", status_code=201, responses=NOT_NOW)
async def correct(here: Here, actor: Asking, session: str, asked: CorrectionAsked) -> answers.Bill:
    """Bill a session by an operator's figures, as an act with a reason; operators only."""
    corrected = await found(here, actor, session, "corrections", "change")
    figures = acts.Correction(
        number(asked.charged_kwh),
        number(asked.discharged_kwh),
        in_utc(asked.began_at, "began_at"),
        in_utc(asked.ended_at, "ended_at"),
        asked.reason,
    )
    try:
        await acts.correct(here.site, corrected, actor, figures)
    except acts.NotNowError as error:
        raise HTTPException(409, str(error)) from error
    return answers.Bill.of(await here.site.account(corrected))


@router.get("/sessions/{session:path}/preferences")
async def preferences(here: Here, actor: Asking, session: str) -> answers.PreferencesItem:
    """What the driver wants of a stay, as said last."""
    asked = await found(here, actor, session, "preferences")
    return answers.PreferencesItem.of(asked.session, asked.wish)


@router.put("/sessions/{session:path}/preferences", responses=NOT_NOW)
async def prefer(
    here: Here, actor: Asking, session: str, asked: PreferencesAsked
) -> answers.PreferencesItem:
    """Say what the driver wants of a stay under way: their own word, or an operator's for them."""
    wished = await found(here, actor, session, "preferences", "change")
    try:
        await acts.prefer(here.site, wished, actor, preferences_of(asked))
    except acts.NotNowError as error:
        raise HTTPException(409, str(error)) from error
    return answers.PreferencesItem.of(wished.session, wished.wish)


@router.get("/acts")
async def list_acts(
    here: Here, actor: Asking, after: Annotated[int, Query(ge=0, le=2**62)] = 0, most: Most = 100
) -> answers.Acts:
    """What operators did: who, when, to what and why; operators only."""
    check(actor, Thing("acts"))
    rows = await here.acts(after, most)
    items = [
        answers.ActItem(
            act=row.number, at=_z(row.at), who=row.who, verb=row.verb, what=row.what, why=row.why
        )
        for row in rows
    ]
    return answers.Acts(items=items, next=str(rows[-1].number) if len(rows) == most else None)


def _z(at: str) -> str:
    return answers.in_utc(datetime.fromisoformat(at))
