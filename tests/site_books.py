"""The books of a small site on a real database: stays of all kinds, told by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import Engine

from hubwise.domain.events import (
    Acted,
    Alarmed,
    Booted,
    Event,
    Figures,
    LimitSaid,
    PeakNoted,
    Phase,
    PriceList,
    PricesPosted,
    PurchaseNoted,
    Sample,
    TransactionSaid,
    WishSaid,
)
from hubwise.domain.lists import Ordered
from hubwise.live import Settings, Site
from hubwise.live.following import followed, list_by_market
from hubwise.live.names import named_list
from hubwise.live.ports import Followed, Known, SetPoint
from hubwise.live.purchase import QUARTER, Purchase
from hubwise.live.sources import Margins
from hubwise.store import SiteKey, WaitingLog, open_engine

IMPORT = "Energy.Active.Import.Register"
EXPORT = "Energy.Active.Export.Register"
ZONE = ZoneInfo("Europe/Berlin")
T0 = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def prices(first: int) -> PriceList:
    """An hourly list."""
    charge = tuple(Decimal(first + number % 7) / 100 for number in range(24))
    discharge = tuple(Decimal(first - 10 + number % 5) / 100 for number in range(24))
    return PriceList("", 60, charge, discharge)


SETTINGS = Settings("s", "EUR", ZONE, {"main": 43.0}, prices(25), True)


class Memory:
    """A log in memory: each event once, taken up before whoever said it goes on."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.site: Site

    async def append(self, event: Event, *more: Event) -> bool:
        known = {each.id for each in self.events}
        for each in (event, *more):
            if each.id not in known:
                self.events.append(each)
                self.site.applied(each)
        return event.id not in known

    async def of_transaction(self, station: str, transaction: str) -> list[Event]:
        said = (each for each in self.events if isinstance(each, TransactionSaid))
        return [each for each in said if (each.station, each.transaction) == (station, transaction)]

    def after(self, position: int) -> Iterator[tuple[int, Event]]:
        return iter(list(enumerate(self.events, start=1))[position:])


@dataclass
class World:
    """People, chargers and a clock that is set by hand."""

    at: datetime = T0
    speed: float = 1.0
    max_kw: float = 7.0

    async def driver_of(self, id_token: str) -> str | None:
        return id_token.removeprefix("tag-") if id_token.startswith("tag-") else None

    async def station(self, station: str) -> Known:
        return Known(station, "main", self.max_kw)

    async def stations(self, names) -> list[Known]:
        return [await self.station(name) for name in names]

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.002 if seconds else 0.0)

    async def follow(self, _: SetPoint) -> Followed:
        return Followed.FOLLOWED

    def gives_back(self, *_: object) -> bool:
        return False

    def is_connected(self, _: str) -> bool:
        return True


def said(
    station: str,
    number: int | None,
    phase: Phase,
    minutes: float,
    up: float,
    down: float = 0.0,
    **more: object,
) -> TransactionSaid:
    """A message whose registers stand at so many kWh above 100 and 10."""
    at = T0 + timedelta(minutes=minutes)
    samples = (
        Sample(at, IMPORT, f"{100 + up:g}", "kWh"),
        Sample(at, EXPORT, f"{10 + down:g}", "kWh"),
    )
    made = TransactionSaid(
        id=f"{station}|{number}|{phase}|{minutes:g}",
        station=station,
        received_at=at + timedelta(seconds=1),
        transaction="T1" if number is not None else "1",
        protocol="ocpp2.1" if number is not None else "ocpp1.6",
        phase=phase,
        seq_no=number,
        at=at,
        evse=1,
        samples=samples,
    )
    return replace(made, **more)


def stay(station: str, tag: str = "tag-ann", begin: float = 0.0) -> list[TransactionSaid]:
    """An hour and a quarter: 6 kWh in, 1 kWh back."""
    steps = [(0, 0, 0), (15, 1.5, 0), (30, 3, 0), (60, 6, 0), (70, 6, 0.5), (75, 6, 1)]
    phases = [Phase.STARTED, *[Phase.UPDATED] * 4, Phase.ENDED]
    return [
        said(station, number, phase, begin + at, up, down, id_token=tag if number == 0 else "")
        for number, (phase, (at, up, down)) in enumerate(zip(phases, steps, strict=True))
    ]


def old_stay(station: str) -> list[TransactionSaid]:
    """A stay of 1.6: no numbers, and a value that comes after its end."""
    begun = said(station, None, Phase.STARTED, 30, 0, id_token="nobody")
    ended = said(station, None, Phase.ENDED, 150, 8)
    return [begun, ended]


def late(station: str) -> TransactionSaid:
    """A meter value of the middle, an hour after the end: most energy flowed before it."""
    return replace(
        said(station, None, Phase.UPDATED, 90, 6.5), received_at=T0 + timedelta(minutes=210)
    )


def broken(station: str) -> list[TransactionSaid]:
    """A stay whose register jumps: it cannot be billed by its meter."""
    return [
        said(station, 0, Phase.STARTED, 0, 0, id_token="tag-bob"),
        said(station, 1, Phase.ENDED, 60, 900),
    ]


def act(session: str, charged: str, minutes: float = 240) -> Acted:
    """An operator's word on a session."""
    figures = Figures(Decimal(charged), Decimal(), T0, T0 + timedelta(minutes=60))
    at = T0 + timedelta(minutes=minutes)
    return Acted(
        f"act|{session}|{minutes:g}", "", at, "eve", "correct", session, "meter replaced", figures
    )


def wish(session: str, required: str = "4", by: str = "driver:ann") -> WishSaid:
    """What ann wants."""
    at, leaves = T0 + timedelta(minutes=20), T0 + timedelta(minutes=75)
    return WishSaid(
        f"wish|{session}",
        session.split(":")[0],
        at,
        session,
        session.split(":")[1],
        by,
        leaves,
        Decimal(10),
        Decimal(10) + Decimal(required),
        Decimal(8),
    )


def told() -> list[Event]:
    """Everything that a site hears, in order."""
    first, second = stay("S1"), stay("S2", "tag-bob", begin=5)
    mixed = [each for pair in zip(first, second, strict=True) for each in pair]
    return [
        Booted("b|S1", "S1", T0, "ocpp2.1", "V", "M"),
        *mixed[:4],
        wish("S1:T1"),
        *mixed[4:],
        *old_stay("S3"),
        *broken("S4"),
        Alarmed("alarm|x", "S1", T0, "clock differs", "by an hour"),
        *stay("S5", "tag-ann", begin=100),
        late("S3"),
        act("S4:T1", "5.5"),
        act("S5:T1", "5", 245),
        *stay("S6", "tag-cid", begin=300)[:3],  # under way
        *by_market(T0 + timedelta(hours=9)),
        *ordered(T0 + timedelta(hours=10)),
        *(peak(hours, kw) for hours, kw in ((11, "7.5"), (12, "9.25"))),
        *limited(T0 + timedelta(hours=13)),
    ]


def peak(hours: float, kw: str) -> PeakNoted:
    """A quarter of an hour that was the highest of its month."""
    begins = T0 + timedelta(hours=hours)
    at = begins + timedelta(minutes=17)
    return PeakNoted(f"peak|{hours:g}", "", at, "main", "2026-03", begins, Decimal(kw))


def ordered(at: datetime) -> list[Event]:
    """A list that an operator posts over the site's own for a day, and takes back an hour later."""
    said = Ordered("o", at + timedelta(minutes=5), at + timedelta(hours=24), "eve", "a fair")
    back = replace(said, until=at + timedelta(hours=1), why="rained off")
    made = named_list(prices(44))
    return [
        Acted("act|o|1", "", at, "eve", "post prices", "o", "a fair"),
        PricesPosted("prices|o|1", "", at, made, ordered=said),
        Acted("act|o|2", "", back.until, "eve", "withdraw prices", "o", "rained off"),
        PricesPosted("prices|o|2", "", back.until, made, ordered=back),
    ]


def limited(at: datetime) -> list[Event]:
    """The grid has a hub draw less for two hours, and an hour later no longer; eve says a wish."""
    until, back = at + timedelta(hours=2), at + timedelta(hours=1)
    words = ("main", Decimal("12.5"), at)
    wished = replace(wish("S6:T1", by="operator:eve"), received_at=back, departure_at=None)
    return [
        Acted("act|l|1", "", at, "eve", "limit", "main: 12.5 kW", "dimmed"),
        LimitSaid("limit|l|1", "", at, "l", *words, until, "eve", "dimmed"),
        Acted("act|l|2", "", back, "eve", "lift", "main: 12.5 kW", "over"),
        LimitSaid("limit|l|2", "", back, "l", *words, back, "eve", "over"),
        Acted("act|w|1", "", back, "eve", "wish", "S6:T1", "said for the driver"),
        wished,
    ]


def by_market(at: datetime) -> list[Event]:
    """Two words of a market, and the list that follows them."""
    first = tuple(Decimal(k) / 1_000 for k in range(192))
    begins = datetime(2026, 3, 1, 23, tzinfo=UTC)
    facts = [
        PurchaseNoted("purchase|1", "", at, "prices.csv", begins, first, ("a note",)),
        PurchaseNoted("purchase|2", "", at, "prices.csv", begins + 90 * QUARTER, first[:8]),
    ]
    purchase = Purchase()
    for each in facts:
        purchase.take(each)
    how = followed(at, ZONE, Decimal("0.1"), Margins(Decimal("0.05"), Decimal("0.02")))
    made = list_by_market(purchase, how)
    name = blake2b(repr((made.charge, made.discharge)).encode(), digest_size=16).hexdigest()
    return [*facts, PricesPosted("prices|m", "", at, replace(made, list_id=name), how)]


async def tell(site: Site, world: World, events: list[Event]) -> None:
    """Let a site hear events, and settle what each of them makes due."""
    for event in events:
        world.at = max(world.at, event.received_at)
        if isinstance(event, WishSaid):
            await site.wish(event)
        else:
            await site.hear(event)
        for session in list(site.books.sessions.values()):
            await site.settled(session)


async def serve(
    engine: Engine, key: SiteKey, world: World, settings: Settings, events: list[Event]
) -> None:
    """A site's life: it starts, hears, settles, and stops."""
    log = WaitingLog(engine, lambda event: site.applied(event), key.key)
    site = Site(settings, log, world, world)
    await site.start(world)
    await tell(site, world, events)
    await site.stop()
    await log.close()


def make_books(folder: Path, url: str) -> None:
    """A site's folder, and its books on a database; half-way prices change and it starts anew."""
    folder.mkdir()
    (folder / "site.toml").write_text("")
    key = SiteKey.create(folder)

    async def work() -> None:
        engine, world = open_engine(url), World()
        events = told()
        await serve(engine, key, world, SETTINGS, events[:20])
        await serve(engine, key, world, replace(SETTINGS, prices=prices(35)), events[20:])
        # What was asked when it stopped is still asked in threads, by connections of their own.
        await asyncio.get_running_loop().shutdown_default_executor()
        engine.dispose()

    asyncio.run(work())
