"""What people say: figures of a session, a driver's wishes, limits of the grid; checked here."""

from __future__ import annotations

import unicodedata
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from hubwise.domain.events import Acted, Figures, LimitSaid, WishSaid
from hubwise.domain.modes import Mode
from hubwise.live.fold import Session
from hubwise.live.registers import ABOVE_RATED, LONGEST, MOST_KWH
from hubwise.live.rights import Actor, Role
from hubwise.live.site import Site

MOST_REASON = 2_000
MOST_BATTERY_KWH = Decimal(10_000)


class NotNowError(ValueError):
    """What is asked for does not fit what a session is; says all that is in the way."""


@dataclass(frozen=True, slots=True)
class Correction:
    """An operator's figures of a session: energies [kWh], when they flowed, and why."""

    charged_kwh: Decimal
    discharged_kwh: Decimal
    began_at: datetime | None
    ended_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Preferences:
    """A driver's wishes for a stay [kWh]; levels count from ``energy_kwh`` at plug-in."""

    departure_at: datetime | None
    energy_kwh: Decimal
    required_kwh: Decimal
    reserve_kwh: Decimal
    mode: Mode = Mode.AS_IT_PAYS

    @classmethod
    def nothing(cls) -> Preferences:
        """Of a stay of which nothing was said."""
        return cls(None, Decimal(), Decimal(), Decimal())


@dataclass(frozen=True, slots=True)
class Limit:
    """The most that a hub may draw from the grid for a while [kW], and why."""

    hub: str
    most_kw: Decimal
    begins_at: datetime
    until: datetime
    reason: str


async def correct(site: Site, session: Session, actor: Actor, asked: Correction) -> None:
    """Bill a session by an operator's figures; what stood is taken back.

    Raises
    ------
    NotNowError
        Where messages are missing, or the figures cannot be.
    """
    began, ended = session.started, session.ended
    if not session.complete or began is None or ended is None:
        raise NotNowError("messages of the session are missing: it can be billed when it is whole")
    figures = Figures(
        asked.charged_kwh,
        asked.discharged_kwh,
        asked.began_at or began.at,
        asked.ended_at or ended.at,
    )
    most_kw = Decimal(str((await site.known(session.station)).max_kw))
    if wrong := [*_wrong(figures, most_kw, site.now()), *wrong_reason(asked.reason)]:
        raise NotNowError("; ".join(wrong))
    name, now = f"act|{uuid.uuid4().hex}", site.now()
    said = (actor.who, "correct", session.session, asked.reason.strip())
    await site.act(Acted(name, "", now, *said, figures))


def _wrong(figures: Figures, most_kw: Decimal, now: datetime) -> Iterator[str]:
    span = figures.ended_at - figures.began_at
    if not timedelta() < span <= LONGEST:
        yield f"from {figures.began_at.isoformat()} to {figures.ended_at.isoformat()} is no stay"
        return
    if figures.ended_at > now:
        yield "it ends in the future"
    most = ABOVE_RATED * most_kw * Decimal(str(span.total_seconds())) / 3_600
    for name, kwh in (("charged", figures.charged_kwh), ("discharged", figures.discharged_kwh)):
        if not kwh.is_finite() or not 0 <= kwh <= min(most, MOST_KWH):
            yield f"{kwh} kWh {name}: {most_kw} kW bring {most:.1f} at most in that time"


def wrong_reason(reason: str) -> Iterator[str]:
    """What is wrong with a reason that somebody gives."""
    if not reason.strip() or len(reason) > MOST_REASON:
        yield f"give a reason of at most {MOST_REASON} characters"
    if any(unicodedata.category(each) in ("Cc", "Cs") for each in reason if each not in "\n\t\r"):
        yield "give a reason in letters: some of its characters cannot be written down"


async def prefer(site: Site, session: Session, actor: Actor, asked: Preferences) -> None:
    """Keep what a driver wants of a stay; an operator's word for them is an act.

    Raises
    ------
    NotNowError
        Where the stay is over, or the wish cannot be.
    """
    wish, done = await wish_of(site, session, actor, asked), list[Acted]()
    if actor.role is Role.OPERATOR:
        said = (actor.who, "wish", session.session, "said for the driver")
        done.append(Acted(f"act|{uuid.uuid4().hex}", "", wish.received_at, *said))
    await site.wish(wish, *done)


async def wish_of(site: Site, session: Session, actor: Actor, asked: Preferences) -> WishSaid:
    """The wish that this would be; it is not kept.

    Raises
    ------
    NotNowError
        Where the stay is over, or the wish cannot be.
    """
    if session.ended is not None:
        raise NotNowError("the stay is over")
    if wrong := [*_wrong_wish(asked, site.now())]:
        raise NotNowError("; ".join(wrong))
    by, now = await site.account_of(session.id_token), site.now()
    if actor.role is Role.OPERATOR:
        by = f"operator:{actor.who}"
    return WishSaid(
        id=f"wish|{uuid.uuid4().hex}",
        station=session.station,
        received_at=now,
        session=session.session,
        transaction=session.transaction,
        by=by,
        departure_at=asked.departure_at,
        energy_kwh=asked.energy_kwh,
        required_kwh=asked.required_kwh,
        reserve_kwh=asked.reserve_kwh,
        mode=asked.mode,
    )


async def limit(site: Site, actor: Actor, asked: Limit) -> LimitSaid:
    """Keep a limit of a hub; control holds it from its beginning to its end.

    Raises
    ------
    NotNowError
        With everything that is wrong with it.
    """
    if wrong := [*_wrong_limit(asked, site)]:
        raise NotNowError("; ".join(wrong))
    return await _said(site, actor, uuid.uuid4().hex, asked)


async def lift(site: Site, actor: Actor, limit: LimitSaid, reason: str) -> None:
    """Take a limit back: it ends now.

    Raises
    ------
    NotNowError
        Where there is no reason.
    """
    if wrong := [*wrong_reason(reason)]:
        raise NotNowError("; ".join(wrong))
    now = site.now()
    asked = Limit(limit.hub, limit.most_kw, min(limit.begins_at, now), now, reason)
    await _said(site, actor, limit.limit, asked)


async def _said(site: Site, actor: Actor, name: str, asked: Limit) -> LimitSaid:
    now = site.now()
    verb = "lift" if asked.until <= now else "limit"
    words = (actor.who, verb, f"{asked.hub}: {asked.most_kw} kW", asked.reason)
    act = Acted(f"act|{uuid.uuid4().hex}", "", now, *words)
    said = LimitSaid(
        id=f"limit|{uuid.uuid4().hex}",
        station="",
        received_at=now,
        limit=name,
        hub=asked.hub,
        most_kw=asked.most_kw,
        begins_at=asked.begins_at,
        until=asked.until,
        by=actor.who,
        why=asked.reason,
    )
    await site.hear(act, said)
    return said


def _wrong_limit(asked: Limit, site: Site) -> Iterator[str]:
    carried = site.settings.connection_kw
    if asked.hub not in carried:
        yield f"hub {asked.hub!r} is none of {', '.join(carried)}"
    if not (asked.most_kw.is_finite() and 0 <= asked.most_kw < 1_000_000):
        yield f"most_kw {asked.most_kw}: 0 or more, below a million kW"
    now = site.now()
    if not now < asked.until <= now + LONGEST:
        yield f"until {asked.until.isoformat()}: a time to come, within {LONGEST.days} days"
    if not asked.begins_at < asked.until:
        yield f"begins_at {asked.begins_at.isoformat()} is not before until"
    yield from wrong_reason(asked.reason)


def _wrong_wish(asked: Preferences, now: datetime) -> Iterator[str]:
    leaves = asked.departure_at
    if leaves is not None and not now < leaves <= now + LONGEST:
        yield f"departure_at {leaves.isoformat()}: a time to come, within {LONGEST.days} days"
    for name in ("energy_kwh", "required_kwh", "reserve_kwh"):
        kwh: Decimal = getattr(asked, name)
        if not kwh.is_finite() or abs(kwh) > MOST_BATTERY_KWH:
            yield f"{name} {kwh}: at most {MOST_BATTERY_KWH} kWh"
    if asked.energy_kwh < 0:
        yield "energy_kwh is below 0"
    if asked.reserve_kwh > asked.required_kwh:
        yield "reserve_kwh is above required_kwh: what is never given up is required, too"
