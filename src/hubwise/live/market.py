"""A site's market: its prices are asked for, noted in the log, and followed where that is wanted.

Nobody waits for it: what was known goes on, and beyond that the last known day is repeated.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from hubwise.domain.errors import ScenarioError
from hubwise.domain.events import Event, PriceList, PurchaseNoted
from hubwise.domain.lists import Followed
from hubwise.live.clocks import DAY, QUARTER
from hubwise.live.fold import Books
from hubwise.live.following import followed, list_by_market
from hubwise.live.ports import Clock, PriceSource, Quoted
from hubwise.live.purchase import Purchase
from hubwise.live.settings import Settings
from hubwise.live.sources import MarketSource, bounds
from hubwise.live.troubles import Troubles, first_line

UNREAD = "the market's prices are not read"
RUN_OUT = "the market's prices run out"
LOOK_SECONDS = 2.0
# A market's day may end by another clock than the site's: so much of it may be missing.
ANOTHER_CLOCK = timedelta(hours=3)
# When less than that is known, it is told.
SOON = timedelta(hours=6)
# After an answer without what was asked for: first, and at most; each time twice as long.
FIRST, LONGEST = timedelta(minutes=1), timedelta(minutes=30)
MOST_TOLD = 3
logger = logging.getLogger(__name__)


@dataclass(slots=True)
class MarketWatch:
    """Asks a source for prices, notes what is new, and has the posted list follow.

    Parameters
    ----------
    books, settings, clock, troubles
        What the site knows, and where it is told that there are no prices.
    market, source
        What is said of the source, and the source.
    hear
        Keeps an event; raises where it is not durable.
    post
        Posts a price list, with how it was made.
    """

    books: Books
    settings: Settings
    clock: Clock
    troubles: Troubles
    market: MarketSource
    source: PriceSource
    hear: Callable[[Event], Awaitable[bool]]
    post: Callable[[PriceList, Followed], Awaitable[None]]
    _asked: bool = False
    _pause: timedelta = timedelta()
    _not_before: datetime | None = None
    _waiting: Quoted | None = None
    _followed: tuple[str, date] | None = None

    async def run(self) -> None:
        """Look until cancelled; a failure is told and never ends it."""
        while True:
            try:
                await self.look()
            except Exception as error:
                logger.warning("the market is looked at again: %s", first_line(error))
            await self.clock.sleep(LOOK_SECONDS * self.clock.speed)

    async def look(self) -> None:
        """Look once: ask if it is time, note what is new, post what follows from it."""
        now = self.clock.now()
        day = self._due(now)
        if self._waiting is None and day is not None and not self._rests(now):
            self._waiting = await self._ask(day)
        if self._waiting is not None:
            await self._note(self._waiting)
            self._waiting = None
        if day is not None and not self.market.file and not self._rests(now):
            self._rest(again=self._due(now) == day)
        if self._asked:
            self._tell_end(now)
        await self._follow(now)

    def _due(self, now: datetime) -> date | None:
        """The day whose prices are wanted; of a file that is watched, always today."""
        local = now.astimezone(self.settings.zone)
        if self.market.file:
            return local.date()
        until = self.books.purchase.until(now) + ANOTHER_CLOCK
        tomorrow = local.date() + DAY
        if until < bounds(local.date(), self.settings.zone)[1]:
            return local.date()
        lacks = until < bounds(tomorrow, self.settings.zone)[1]
        return tomorrow if lacks and local.time() >= self.market.at else None

    def _rests(self, now: datetime) -> bool:
        """Whether it was in vain not long ago; a clock that was set does not count."""
        return self._not_before is not None and now < self._not_before <= now + LONGEST

    def _rest(self, *, again: bool) -> None:
        self._pause = min(max(2 * self._pause, FIRST), LONGEST) if again else timedelta()
        self._not_before = self.clock.now() + self._pause

    async def _ask(self, day: date) -> Quoted | None:
        today, again = self.clock.now().astimezone(self.settings.zone).date(), False
        quoted = None
        try:
            quoted = await self.source.quoted(day, today)
        except Exception as error:
            self.troubles.begin(UNREAD, f"{self._named(error)}{_said(error)}", anew=True)
            again = not isinstance(error, ScenarioError)  # one that is wrong is read once mended
        if self.market.file:
            self._rest(again=again)
        if quoted is not None:
            self.troubles.end(UNREAD)
        self._asked = True
        return quoted

    def _named(self, error: Exception) -> str:
        """The source, where what is wrong does not name it itself: a file's problems do."""
        named = self.market.file and isinstance(error, ScenarioError)
        return "" if named else f"{self.market.name}: "

    async def _note(self, quoted: Quoted) -> None:
        """Prices become facts, where they say anything new."""
        if self.books.purchase.says_new(quoted.begins, quoted.prices):
            now, said = self.clock.now(), (quoted.begins, quoted.prices, quoted.notes)
            key = f"purchase|{now.isoformat()}"
            await self.hear(PurchaseNoted(key, "", now, self.market.name, *said))

    def _tell_end(self, now: datetime) -> None:
        until = self.books.purchase.until(now)
        if until - now < SOON:
            self.troubles.begin(
                RUN_OUT, described(self.books.purchase, self.settings, now), anew=True
            )
        else:
            self.troubles.end(RUN_OUT)

    async def _follow(self, now: datetime) -> None:
        """Post the list by what is known, when more is and when a day begins."""
        purchase, margins = self.books.purchase, self.settings.margins
        if margins is None or purchase.latest is None:
            return
        due = (purchase.latest.id, now.astimezone(self.settings.zone).date())
        if due == self._followed:
            return
        how = followed(now, self.settings.zone, self.market.added, margins)
        found = list_by_market(purchase, how)
        if found is not None:
            await self.post(found, how)
        self._followed = due


def described(purchase: Purchase, settings: Settings, now: datetime) -> str:
    """How far the market's prices are known, and what is taken beyond, as a sentence."""
    if settings.market is None:
        return "no market is followed"
    if purchase.latest is None:
        return "no price is known; purchase of [planning] is taken, or else what is charged"
    until, end = purchase.until(now), max(purchase.known) + QUARTER
    day = (end - QUARTER).astimezone(settings.zone).date()
    known = f"known until {_local(until, settings)}"
    if until <= now:
        known = f"now is not known, the last price ends {_local(end, settings)}"
    return f"{known}; beyond, times of day have the prices of {day}"


def _local(moment: datetime, settings: Settings) -> str:
    return f"{moment.astimezone(settings.zone):%Y-%m-%d %H:%M}"


def _said(error: Exception) -> str:
    """What is wrong, as the import words it."""
    if not isinstance(error, ScenarioError):
        return f"{first_line(error)}; what was known goes on"
    told = [str(issue) for issue in error.issues]
    more = [f"and {len(told) - MOST_TOLD} more"] if len(told) > MOST_TOLD else []
    return " | ".join([*told[:MOST_TOLD], *more, "what was known goes on"])
