"""What a site makes of its market's prices: facts of its log, what plans rest on, what it posts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.audit.books.market import Known
from hubwise.domain.errors import Issue, ScenarioError
from hubwise.domain.events import PriceList, PurchaseNoted
from hubwise.domain.lists import Followed
from hubwise.live import Settings
from hubwise.live.clocks import QUARTER
from hubwise.live.deciding import decided
from hubwise.live.fold import Books
from hubwise.live.following import at_market, followed, list_by_market
from hubwise.live.market import LONGEST, RUN_OUT, UNREAD, MarketWatch, described
from hubwise.live.outlook import SLOTS, Outlook, Storage
from hubwise.live.ports import Quoted
from hubwise.live.purchase import MOST_KNOWN, Purchase
from hubwise.live.sources import Margins, MarketSource, bounds
from hubwise.live.troubles import Troubles

BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)
LIST = PriceList("", 1_440, (Decimal("0.3"),), (Decimal("0.2"),))
days_of_two_years = st.dates(date(2025, 1, 1), date(2026, 12, 31))
CLOCKS = (
    *("Europe/Berlin", "Europe/London", "America/New_York", "Australia/Lord_Howe"),
    *("Asia/Kathmandu", "Africa/Cairo", "America/Havana"),
)
zones = st.sampled_from(CLOCKS)


def prices_of(begins: datetime, ends: datetime, level: int = 0) -> tuple[Decimal, ...]:
    """Prices that tell when they are: each its own."""
    return tuple(
        Decimal(level) + Decimal(k) / 1_000 for k in range(round((ends - begins) / QUARTER))
    )


def noted(day: date, zone: ZoneInfo, level: int = 0, days: int = 1) -> PurchaseNoted:
    begins, ends = bounds(day, zone)[0], bounds(day + (days - 1) * DAY, zone)[1]
    return PurchaseNoted(
        f"p{day}{level}", "", begins, "source", begins, prices_of(begins, ends, level)
    )


@given(days_of_two_years, zones, st.integers(0, 30))
@settings(max_examples=60, deadline=None)
def test_what_is_not_known_is_as_on_the_last_known_day(day, name, gone) -> None:
    """Whatever the clocks do: a quarter that is known has its price, any later one that of the same
    clock time on the last known day that had it."""
    zone = ZoneInfo(name)
    purchase = Purchase()
    purchase.take(noted(day, zone, 1))
    purchase.take(noted(day + DAY, zone, 2))
    by_clock: dict[time, Decimal] = {}
    for each in (noted(day, zone, 1), noted(day + DAY, zone, 2)):
        seen = set()
        for k, price in enumerate(each.prices):
            start = each.begins + k * QUARTER
            assert purchase.at(start + timedelta(minutes=7), zone) == price
            clock = start.astimezone(zone).time()
            if clock not in seen:  # of two the first
                by_clock[clock] = price
            seen.add(clock)
    begins, ends = bounds(day + (2 + gone) * DAY, zone)
    for k in range(round((ends - begins) / QUARTER)):
        start = begins + k * QUARTER
        clock = start.astimezone(zone).time()
        if clock in by_clock:
            assert purchase.at(start, zone) == by_clock[clock], start
        else:
            assert purchase.at(start, zone) is not None
    assert purchase.until(begins - (1 + gone) * DAY - timedelta(minutes=1)) in (
        bounds(day + DAY, zone)[1], begins - (1 + gone) * DAY - timedelta(minutes=15)
    )  # fmt: skip


def test_a_later_word_holds_and_the_past_is_forgotten() -> None:
    """Of what is said twice the later; of a year some days stay; nothing is known of nothing."""
    purchase = Purchase()
    assert purchase.at(datetime(2026, 1, 1, tzinfo=UTC), BERLIN) is None
    for k in range(365):
        purchase.take(noted(date(2026, 1, 1) + k * DAY, BERLIN, k, days=2))
        assert len(purchase.known) <= MOST_KNOWN + 2 * 96
    last = noted(date(2026, 12, 31), BERLIN, 364, days=2)
    assert not purchase.says_new(last.begins, last.prices)
    assert purchase.says_new(last.begins, (*last.prices, Decimal(1)))
    assert purchase.at(last.begins, BERLIN) == Decimal(364)
    early = last.begins - 5 * QUARTER  # the day before has its own later word no more
    assert purchase.at(early, BERLIN) == Decimal(363) + Decimal(91) / 1_000


@given(days_of_two_years, st.integers(0, 95), zones)
@settings(max_examples=60, deadline=None)
def test_a_list_by_the_market_has_each_time_when_it_comes_next(day, quarter, name) -> None:
    """For every instant of the next 23 hours the list has its price and the margin, but for times
    that the clock shows twice, which have the mean of both."""
    zone = ZoneInfo(name)
    purchase = Purchase()
    purchase.take(noted(day, zone, 0, days=3))
    now = bounds(day, zone)[0] + quarter * QUARTER
    margins = Margins(Decimal("0.05"), Decimal("0.02"))
    how = followed(now, zone, Decimal("0.1"), margins)
    found = list_by_market(purchase, how)
    assert (len(found.charge), len(found.discharge), found.slot_minutes) == (96, 96, 15)
    walls: dict[datetime, list[Decimal]] = {}
    for k in range(92):
        start = now + k * QUARTER
        wall = start.astimezone(zone).replace(tzinfo=None, fold=0)
        walls.setdefault(wall, []).append(purchase.at(start, zone))
    shown = [wall.time() for wall in walls]
    for wall, prices in walls.items():
        if shown.count(wall.time()) == 1:
            slot = (60 * wall.hour + wall.minute) // 15
            mean = sum(prices) / len(prices) + Decimal("0.1")
            assert abs(found.charge[slot] - mean - Decimal("0.05")) <= Decimal("0.00005")
            assert abs(found.discharge[slot] - mean + Decimal("0.02")) <= Decimal("0.00005")


@given(
    st.sampled_from([date(2026, 3, 28), date(2026, 10, 24), date(2026, 4, 23), date(2026, 10, 29)]),
    st.integers(-1, 1),
    st.integers(0, 95),
    zones,
    st.integers(0, 3),
    st.integers(0, 200),
    st.data(),
)
@settings(max_examples=60, deadline=None)
def test_the_audit_makes_the_same_list_by_other_means(
    day, more, quarter, name, days, lost, data
) -> None:
    """Around the days on which clocks change, with all known or only some days before: no fault in
    the list that the site posts, and one wherever a price is another."""
    zone, day = ZoneInfo(name), day + more * DAY
    purchase, audit = Purchase(), Known()
    for k in range(-days, 2):
        fact = noted(day + k * DAY, zone, k + 5)
        fact = replace(fact, prices=fact.prices[: len(fact.prices) - (lost if k == 1 else 0)])
        if fact.prices:
            purchase.take(fact)
            assert not [*audit.take({"begins": fact.begins, "prices": fact.prices})]
    now = bounds(day, zone)[0] + quarter * QUARTER + timedelta(minutes=4)
    how = followed(now, zone, Decimal("0.1"), Margins(Decimal("0.05"), Decimal("0.02")))
    found = list_by_market(purchase, how)
    assert found is not None
    said = {
        "received_at": now,
        "followed": {
            name: getattr(how, name) for name in ("begins", "zone", "charge", "discharge")
        },
        "prices": {"slot_minutes": 15, "charge": [*found.charge], "discharge": [*found.discharge]},
    }
    assert [*audit.list_faults(said)] == []
    slot, column = (
        data.draw(st.integers(0, 95)),
        data.draw(st.sampled_from(["charge", "discharge"])),
    )
    said["prices"][column][slot] += Decimal("0.0002")
    assert [*audit.list_faults(said)] == [
        f"at {slot // 4:02}:{15 * (slot % 4):02} the price to {column} is not the market's"
    ]


def test_plans_rest_on_the_market_by_quarter() -> None:
    """With what comes on top, also on the day of 25 hours; where nothing is known, on what was."""
    begins, _ = bounds(date(2026, 10, 25), BERLIN)
    row = (0.3,) * SLOTS
    had = Outlook(begins, begins, 9.0, (row,), (row,), (9.0,) * SLOTS, row, 0.0, "EUR", ())
    purchase = Purchase()
    market = MarketSource("m", added=Decimal("0.1"))
    assert at_market(had, purchase, BERLIN, market) == had
    known = noted(date(2026, 10, 25), BERLIN)
    assert len(known.prices) == 100
    purchase.take(known)
    found = at_market(had, purchase, BERLIN, market)
    assert found.purchase == tuple(float(each + Decimal("0.1")) for each in known.prices[:SLOTS])
    assert replace(found, purchase=had.purchase) == had
    less = replace(market, feed_in_less=Decimal("0.004"))
    fed = at_market(had, purchase, BERLIN, less)
    assert fed.feed_in == tuple(float(each - Decimal("0.004")) for each in known.prices[:SLOTS])
    assert fed.purchase == found.purchase


def test_a_station_battery_trades_on_the_market() -> None:
    """The posted list is flat all day: only the market says when it fills and when it gives."""
    now = bounds(date(2026, 6, 1), BERLIN)[0]
    flat, nothing = (0.3,) * SLOTS, (0.0,) * SLOTS
    battery = Storage(5.0, 20.0, 5.0, 0.95, 0.01)
    had = Outlook(now, now, 50.0, (flat,), (flat,), flat, nothing, 0.05, "EUR", (), battery)
    cheap, dear = range(8, 20), range(60, 72)
    prices = [Decimal("0.02") if k in cheap else Decimal("0.1") for k in range(SLOTS)]
    prices = tuple(Decimal("0.6") if k in dear else each for k, each in enumerate(prices))
    purchase = Purchase()
    purchase.take(PurchaseNoted("p", "", now, "source", now, prices))
    on_it = at_market(had, purchase, BERLIN, MarketSource("m", feed_in_less=Decimal("0.001")))
    powers = decided(on_it).battery
    assert max(powers[k] for k in range(SLOTS) if k not in cheap) < 0.1
    assert 0.25 * sum(powers[k] for k in cheap) * 0.95 >= 14.0
    assert 0.25 * sum(powers[k] for k in dear) <= -14.0
    assert max(decided(had).battery, default=0.0) < 0.1  # on the flat list it fills never


@dataclass
class World:
    """A clock that is set, a source that says what it is told to, and what the site hears."""

    moment: datetime
    zone: ZoneInfo = BERLIN
    margins: Margins | None = None
    file: str = ""
    speed: float = 1.0
    answers: dict[date, object] = field(default_factory=dict)
    asked: list[tuple[datetime, date]] = field(default_factory=list)
    posted: list[tuple[datetime, PriceList]] = field(default_factory=list)
    events: list[PurchaseNoted] = field(default_factory=list)
    gone: bool = False

    def __post_init__(self) -> None:
        market = MarketSource("the exchange", file=self.file, url="" if self.file else "http://x")
        self.books, self.troubles = Books(), Troubles(self)
        self.settings = Settings(
            "s", "EUR", self.zone, {"main": 9.0}, LIST, True, market=market, margins=self.margins
        )
        self.watch = MarketWatch(
            self.books, self.settings, self, self.troubles, market, self, self.hear, self.post
        )

    def now(self) -> datetime:
        return self.moment

    async def sleep(self, _: float) -> None:
        await asyncio.sleep(0)

    async def quoted(self, day: date, today: date) -> Quoted | None:
        assert today == self.moment.astimezone(self.zone).date()
        self.asked.append((self.moment, day))
        answer = self.answers.get(day)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def hear(self, event) -> bool:
        if self.gone:
            raise OSError("disk full")
        body = msgspec.json.encode(event)
        assert msgspec.json.decode(body, type=PurchaseNoted) == event
        self.events.append(event)
        self.books.apply(event)
        return True

    async def post(self, prices: PriceList, _: Followed) -> None:
        self.posted.append((self.moment, prices))

    def says(self, day: date, level: int = 0) -> None:
        begins, ends = bounds(day, self.zone)
        self.answers[day] = Quoted(begins, prices_of(begins, ends, level), ("a note",))

    def goes_on(self, hours: float, step: timedelta = timedelta(seconds=30)) -> None:
        async def work() -> None:
            end = self.moment + timedelta(hours=hours)
            while self.moment < end:
                await self.watch.look()
                self.moment += step

        asyncio.run(work())

    def stands(self) -> list[str]:
        return sorted(self.troubles.standing)


@pytest.mark.parametrize("day", [date(2026, 6, 1), date(2026, 3, 28), date(2026, 10, 24)])
def test_a_url_is_asked_when_prices_are_out(day) -> None:
    """At the start for today, from the stated hour on for tomorrow, again with pauses that double
    up to half an hour until it is there, and then no more until the next day's hour."""
    begins, _ = bounds(day, BERLIN)
    world = World(begins + timedelta(hours=9))
    world.says(day)
    world.answers[day + DAY] = ScenarioError([Issue("the answer", "", "", "no data", "wait")])
    world.goes_on(5.0)
    assert [each for _, each in world.asked] == [day]
    assert world.stands() == []
    world.goes_on(4.0)
    tries = [at for at, each in world.asked if each == day + DAY]
    assert tries[0].astimezone(BERLIN).time() == time(14)
    gaps = [(b - a) / timedelta(minutes=1) for a, b in pairwise(tries)]
    assert gaps == [1, 2, 4, 8, 16, *[30] * (len(gaps) - 5)]
    assert world.stands() == [UNREAD]
    world.goes_on(1.5)
    assert RUN_OUT in world.stands()
    alarm = world.troubles.standing[RUN_OUT]
    assert f"beyond, times of day have the prices of {day}" in alarm.detail
    world.says(day + DAY, 1)
    world.goes_on(1.0)
    assert world.stands() == []
    many = len(world.asked)
    world.goes_on(15.0)
    assert len(world.asked) == many
    assert [(each.source, each.notes) for each in world.events] == [
        ("the exchange", ("a note",))
    ] * 2
    world.says(day + 2 * DAY, 2)
    world.goes_on(4.0)
    assert world.asked[-1][1] == day + 2 * DAY
    assert world.asked[-1][0].astimezone(BERLIN).time() == time(14)
    assert world.books.purchase.until(world.moment) == bounds(day + 2 * DAY, BERLIN)[1]


def test_a_day_that_ends_by_another_clock_is_enough() -> None:
    """Prices until 23:00 on the site's clock are tomorrow's: nobody asks all night."""
    world = World(datetime(2026, 6, 1, 10, tzinfo=UTC), zone=ZoneInfo("Europe/London"))
    for k in range(3):
        begins, ends = bounds(date(2026, 6, 1) + k * DAY, BERLIN)
        answer = Quoted(begins, prices_of(begins, ends))
        world.answers[date(2026, 6, 1) + k * DAY] = answer
    world.goes_on(24.0)
    assert [each for _, each in world.asked] == [date(2026, 6, 1), date(2026, 6, 2)]
    assert world.stands() == []


def test_a_source_that_fails_is_told_once_and_what_was_known_goes_on() -> None:
    """One alarm while it stands, another when something else is wrong; it ends with the first good
    answer; the shape of the last day is repeated meanwhile, and that is said."""
    day = date(2026, 6, 1)
    world = World(bounds(day, BERLIN)[0] + timedelta(hours=9))
    world.goes_on(0.2)
    assert world.stands() == [RUN_OUT]
    assert "no price is known" in world.troubles.standing[RUN_OUT].detail
    world.says(day)
    world.goes_on(1.0)
    world.answers.update(dict.fromkeys([day + DAY, day + 2 * DAY], OSError("answers 500")))
    world.goes_on(20.0)
    mine = [each for each in world.troubles.waiting if each.what == UNREAD]
    assert [each.detail for each in mine] == ["the exchange: answers 500; what was known goes on"]
    assert f"the prices of {day}" in described(world.books.purchase, world.settings, world.moment)
    issues = [Issue("the answer", f"row {k}", "price", "'x'", "a number") for k in range(9)]
    world.answers[day + DAY] = ScenarioError(issues)
    world.goes_on(1.0)
    mine = [each for each in world.troubles.waiting if each.what == UNREAD]
    assert len(mine) == 2
    assert "the answer, row 0, price: 'x'; a number | " in mine[1].detail
    assert "and 6 more" in mine[1].detail
    assert world.troubles.standing[UNREAD] == mine[1]
    now = world.moment.astimezone(BERLIN)
    assert now.date() == day + DAY
    assert (
        world.books.purchase.at(world.moment, BERLIN)
        == Decimal(4 * now.hour + now.minute // 15) / 1_000
    )
    world.says(day + DAY, 5)
    world.goes_on(1.0)
    assert UNREAD not in world.stands()
    assert world.books.purchase.at(world.moment, BERLIN) >= 5


def test_what_could_not_be_kept_is_kept_later() -> None:
    """The database is gone as the prices come: nobody is asked again, and they are noted when it is
    back."""
    day = date(2026, 6, 1)
    world = World(bounds(day, BERLIN)[0] + timedelta(hours=9), gone=True)
    world.says(day)
    for _ in range(5):
        with pytest.raises(OSError, match="disk full"):
            world.goes_on(0.001)
    assert len(world.asked) == 1
    world.gone = False
    world.goes_on(1.0)
    assert (len(world.asked), len(world.events)) == (1, 1)


def test_a_clock_that_is_set_back_waits_for_nothing() -> None:
    """An hour back, a pause that was meant for later does not hold."""
    day = date(2026, 6, 1)
    world = World(bounds(day, BERLIN)[0] + timedelta(hours=9))
    world.answers[day] = OSError("no")
    world.goes_on(3.0)
    many = len(world.asked)
    world.moment -= 2 * LONGEST
    world.says(day)
    world.goes_on(0.05)
    assert len(world.asked) == many + 1
    assert world.books.purchase.latest is not None


def test_a_file_is_looked_at_all_the_time() -> None:
    """What says nothing new makes no event; a wrong one rests on nobody's pause."""
    day = date(2026, 6, 1)
    world = World(bounds(day, BERLIN)[0] + timedelta(hours=9), file="p.csv")
    world.says(day)
    world.goes_on(0.1)
    assert (len(world.asked), len(world.events)) == (12, 1)
    world.answers[day] = ScenarioError([Issue("p.csv", "row 4", "price", "'x'", "a number")])
    world.goes_on(0.1)
    assert UNREAD in world.stands()
    assert len(world.asked) == 24
    world.says(day, 1)
    world.goes_on(0.1)
    assert UNREAD not in world.stands()
    assert (len(world.asked), len(world.events)) == (36, 2)
    world.answers[day] = OSError("is too much to be read")
    world.goes_on(0.5)
    assert len(world.asked) < 36 + 8  # each time a process


def test_the_posted_list_follows() -> None:
    """Posted when prices come and when a day begins, and at no other time; for each time of the
    clock what it costs when it comes next, with the margin."""
    day = date(2026, 6, 1)
    margins = Margins(Decimal("0.05"), Decimal("0.02"))
    world = World(bounds(day, BERLIN)[0] + timedelta(hours=9), margins=margins)
    world.says(day)
    world.says(day + DAY, 1)
    world.goes_on(38.0)
    at = [moment.astimezone(BERLIN) for moment, _ in world.posted]
    assert [(each.date(), each.hour) for each in at] == [(day, 9), (day, 14), (day + DAY, 0)]
    first, second, third = (prices for _, prices in world.posted)
    assert first.charge[40] == Decimal("0.0400") + Decimal("0.05")
    assert second.charge[40] == Decimal("1.0400") + Decimal("0.05")
    assert second.charge[60] == Decimal("0.0600") + Decimal("0.05")
    assert third.discharge[60] == Decimal("1.0600") - Decimal("0.02")


def test_a_failure_ends_nothing() -> None:
    """Whatever a source raises, the next look is another try."""
    world = World(datetime(2026, 6, 1, 10, tzinfo=UTC))
    world.answers[date(2026, 6, 1)] = RuntimeError("of a kind that nobody thought of")

    async def work() -> None:
        task = asyncio.create_task(world.watch.run())
        for _ in range(200):
            await asyncio.sleep(0)
            world.moment += timedelta(minutes=1)
        task.cancel()

    asyncio.run(work())
    assert len(world.asked) > 4
    assert UNREAD in world.stands()
