"""Who is known, as a served site asks: the registry and sign-ins, in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from hubwise.live import Actor, Role
from hubwise.live.ports import Known
from hubwise.store import ActRow, Registry, SignedIn, SignIns

DEFAULT_KW = 7.0


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The registry, asked in threads."""

    registry: Registry

    async def driver_of(self, id_token: str) -> str | None:
        """Whose tag it is."""
        return await asyncio.to_thread(self.registry.driver_of, id_token) if id_token else None

    async def station(self, station: str) -> Known:
        """What is registered of a station."""
        found = await asyncio.to_thread(self.registry.find, station)
        return Known(station, found.hub, found.max_kw) if found else Known(station, "", DEFAULT_KW)

    async def stations(self, names: Collection[str]) -> Sequence[Known]:
        """The same of several, in one question."""
        found = await asyncio.to_thread(self.registry.these, names)
        known = {each.station: Known(each.station, each.hub, each.max_kw) for each in found}
        return [known.get(name, Known(name, "", DEFAULT_KW)) for name in names]

    async def all_stations(self) -> Sequence[Known]:
        """Everything registered."""
        found = await asyncio.to_thread(self.registry.all_stations)
        return [Known(each.station, each.hub, each.max_kw) for each in found]

    async def actor_of(self, token: str) -> Actor | None:
        """Whose token it is."""
        found = await asyncio.to_thread(self.registry.actor_of, token, datetime.now(UTC))
        return Actor(Role(found[0]), *found[1:]) if found else None

    async def acts(self, after: int, most: int) -> Sequence[ActRow]:
        """What operators did."""
        return await asyncio.to_thread(self.registry.acts, after, most)


@dataclass(frozen=True, slots=True)
class BrowserDoors:
    """Sign-ins and one-time links, asked in threads; times are the machine's own."""

    sign_ins: SignIns
    registry: Registry

    async def who(self, secret: str) -> Actor | None:
        """Who is signed in by a cookie's secret."""
        found = await asyncio.to_thread(self.sign_ins.who, secret, datetime.now(UTC))
        return Actor(Role(found.role), found.driver, found.name) if found else None

    async def driver_of_link(self, secret: str) -> str | None:
        """Whom a one-time link lets in, if it still does."""
        return await asyncio.to_thread(self.sign_ins.driver_of_link, secret, datetime.now(UTC))

    async def use_link(self, secret: str) -> str | None:
        """The secret of a new sign-in for a link, once."""
        return await asyncio.to_thread(self.sign_ins.use_link, secret, datetime.now(UTC))

    async def check_password(self, name: str, password: str) -> str | None:
        """The secret of a new sign-in for an operator's password."""
        said = (name, password, datetime.now(UTC))
        return await asyncio.to_thread(self.sign_ins.check_password, *said)

    async def end(self, secret: str) -> None:
        """Sign a browser out."""
        await asyncio.to_thread(self.sign_ins.end, secret)

    async def end_all(self, actor: Actor) -> None:
        """Sign all browsers of somebody out."""
        if actor.driver or actor.name:
            await asyncio.to_thread(self.sign_ins.end_all, actor.driver, actor.name)

    async def sign_ins_of(self, driver: str) -> Sequence[SignedIn]:
        """Where a driver is signed in."""
        return await asyncio.to_thread(self.sign_ins.all_of, driver, datetime.now(UTC))

    async def tokens_of(self, driver: str) -> Sequence[str]:
        """Until when each of a driver's tokens holds."""
        return await asyncio.to_thread(self.registry.tokens_of, driver)

    def form_token(self, secret: str) -> str:
        """What a form of a signed-in browser carries."""
        return self.sign_ins.form_token(secret)

    def is_form_token(self, secret: str, said: str) -> bool:
        """Whether a form was made for this browser."""
        return self.sign_ins.is_form_token(secret, said)

    async def tags_of(self, driver: str) -> Sequence[str]:
        """The tags that stand for a driver."""
        return await asyncio.to_thread(self.registry.tags_of, driver)

    async def car_of(self, driver: str) -> tuple[float, float] | None:
        """What a driver said of the car: what it holds [kWh], and how far a kWh goes [km]."""
        return await asyncio.to_thread(self.registry.car_of, driver)
