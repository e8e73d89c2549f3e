"""Operators' acts in a process that is killed at a statement of its database."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Engine, event

from hubwise.domain.events import PricesPosted
from hubwise.live import Site, acts, listing
from hubwise.live.names import named_list
from hubwise.live.rights import Actor, Role
from hubwise.store import SiteKey, WaitingLog, open_engine
from site_books import SETTINGS, T0, World, prices, stay, wish

EVE = Actor(Role.OPERATOR, name="eve")


@dataclass
class Fuse:
    """Kills this process where so many rows and commits were asked for; 0 does not."""

    left: int

    def burn(self) -> None:
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    def lay(self, engine: Engine) -> None:
        """Before every insertion and every commit; what is behind one is before the next."""

        @event.listens_for(engine, "before_cursor_execute")
        def _asked(_c, _k, statement: str, *_: object) -> None:
            if statement.lstrip().upper().startswith("INSERT"):
                self.burn()

        @event.listens_for(engine, "commit")
        def _committed(_: object) -> None:
            self.burn()


def act_and_die(folder: str, url: str, points: int) -> None:
    """Post a list and take it back, limit a hub and lift that, say a wish: killed on the way."""
    asyncio.run(_act(Path(folder), url, points))


async def _act(folder: Path, url: str, points: int) -> None:
    engine, world = open_engine(url), World(T0 + timedelta(hours=2))
    log = WaitingLog(engine, lambda event: site.applied(event), SiteKey.read(folder).key)
    site = Site(SETTINGS, log, world, world)
    site.take_up()
    if not site.books.sessions:
        await site.hear(PricesPosted("prices|0", "", T0, named_list(prices(25))))
        for said in stay("S1")[:3]:
            await site.hear(said)
    session = site.books.sessions["S1:T1"]
    await site.wish(wish("S1:T1"))
    Fuse(points).lay(engine)
    list_ = listing.Listing(("0.3",) * 24, ("0.1",) * 24, None, None, "a fair")
    posted = (await listing.post(site, EVE, list_)).posted
    await listing.withdraw(site, EVE, posted, "rained off")
    until = world.now() + timedelta(hours=1)
    limit = acts.Limit("main", Decimal("12.5"), world.now(), until, "dimmed")
    await acts.lift(site, EVE, await acts.limit(site, EVE, limit), "over")
    await acts.prefer(site, session, EVE, acts.Preferences(None, *map(Decimal, (10, 12, 8))))
    await log.close()
