"""Books: the same bill whatever the order, the doubling and the breaks in what was said."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwise.domain.events import Event, Phase, PriceList, Sample, TransactionSaid
from hubwise.live import Settings, Site
from hubwise.live.control import LEAST_KW, shares
from hubwise.live.fold import Numbers
from hubwise.live.ports import Followed, Known, SetPoint
from hubwise.live.registers import EXPORT, IMPORT, readings
from hubwise.live.settle import Terms, settle
from site_books import Memory

T0 = datetime(2026, 3, 28, 22, 10, tzinfo=UTC)  # the night in which Berlin's clocks go forward
NOW = datetime(2026, 4, 1, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Berlin")


def price_list(slots: int) -> PriceList:
    charge = tuple(Decimal(20 + number % 7) / 100 for number in range(slots))
    discharge = tuple(Decimal(10 + number % 5) / 100 for number in range(slots))
    return PriceList("L", 1_440 // slots, charge, discharge)


SETTINGS = Settings("s", "EUR", ZONE, {"main": 43.0}, price_list(96), True)
TERMS = Terms("EUR", ZONE, SETTINGS.prices, 7.0)


class World:
    """Everybody is known, time stands still, chargers do as they are told."""

    speed = 1.0

    async def driver_of(self, id_token: str) -> str | None:
        return id_token.removeprefix("tag-") if id_token else None

    async def station(self, station: str) -> Known:
        return Known(station, "main", 7.0)

    async def stations(self, names) -> list[Known]:
        return [await self.station(name) for name in names]

    def now(self) -> datetime:
        return NOW

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.01 if seconds else 0.0)

    async def follow(self, _: SetPoint) -> Followed:
        return Followed.FOLLOWED

    def is_connected(self, _: str) -> bool:
        return True


def bills_of(events: list[Event], restart_after: int | None = None) -> list[object]:
    """Run a site on what was said, in this order; what was posted."""

    async def work() -> list[object]:
        memory, world = Memory(), World()
        site = memory.site = Site(SETTINGS, memory, world, world)
        await site.start(world)
        for number, event in enumerate(events):
            await site.hear(event)
            if number == restart_after:
                await site.stop()
                site = memory.site = Site(SETTINGS, memory, world, world)
                await site.start(world)
        for session in list(site.books.sessions.values()):
            await site.settled(session)
        await site.stop()
        return [
            (each.session, each.driver, each.paid, each.earned, each.lines, each.entries)
            for each in memory.events
            if type(each).__name__ == "BillPosted"
        ]

    return asyncio.run(work())


def said(phase: Phase, number: int, at: datetime, samples: tuple[Sample, ...]) -> TransactionSaid:
    return TransactionSaid(
        id=f"S|{number}|{phase}",
        station="S",
        received_at=NOW,
        transaction="T",
        protocol="ocpp2.1",
        phase=phase,
        seq_no=number,
        at=at,
        id_token="tag-ann" if phase is Phase.STARTED else "",
        samples=samples,
    )


@st.composite
def stays(draw: st.DrawFn) -> list[TransactionSaid]:
    """A stay as a meter shows it: steps in time, energy within the station's power."""
    steps = draw(
        st.lists(
            st.tuples(st.integers(1, 5_000), st.integers(0, 100), st.integers(0, 100)),
            min_size=1,
            max_size=8,
        )
    )
    at, imported, exported = T0, draw(st.integers(0, 10**7)), 500
    made = []
    for number, (seconds, up, down) in enumerate([(0, 0, 0), *steps]):
        at += timedelta(seconds=seconds)
        imported += int(7_000 * seconds / 3_600 * up / 100)
        exported += int(7_000 * seconds / 3_600 * down / 100)
        phase = (
            Phase.STARTED if number == 0 else Phase.ENDED if number == len(steps) else Phase.UPDATED
        )
        samples = (Sample(at, IMPORT, str(imported), "Wh"), Sample(at, EXPORT, str(exported), "Wh"))
        made.append(said(phase, number, at, samples))
    return made


@given(stays(), st.data())
def test_any_order_and_doubling_gives_the_same_bill(stay, data) -> None:
    """Interleaved, doubled, reordered, with a restart anywhere: one bill, the same to the digit."""
    plain = bills_of(stay)
    assert len(plain) == 1
    order = data.draw(
        st.permutations(stay + data.draw(st.lists(st.sampled_from(stay), max_size=5)))
    )
    restart = data.draw(st.none() | st.integers(0, len(order) - 1))
    assert bills_of(order, restart) == plain


@given(stays(), st.sampled_from([1, 24, 96, 288]))
def test_lines_add_up_to_what_the_meter_showed(stay, slots) -> None:
    """Every kWh stands in the slots it flowed in, no matter how an hour is skipped or cut."""
    terms = Terms("EUR", ZONE, price_list(slots), 7.0)
    settled = settle(stay, terms)
    assert not settled.doubts
    for samples, total in ((0, settled.charged_kwh), (1, settled.discharged_kwh)):
        first, last = (Decimal(stay[end].samples[samples].value) for end in (0, -1))
        assert total == (last - first) / 1_000
    for line in settled.lines:
        assert line.charged_kwh >= 0
        assert line.discharged_kwh >= 0
        hours = Decimal(1_440 // slots) / 60
        assert line.charged_kwh <= 7 * hours + Decimal("0.001")
        local = line.slot_start.astimezone(ZONE)
        assert (local.hour * 60 + local.minute) % min(60, 1_440 // slots) == 0


@given(stays(), st.data())
def test_a_lie_in_the_middle_changes_no_total(stay, data) -> None:
    """What a meter cannot have shown is left out, with a reason, however large or small it is."""
    if len(stay) < 5:
        return
    at = data.draw(st.integers(1, len(stay) - 2))
    lie = data.draw(st.sampled_from(["1e9", "0", "-1", "nan", "12,5", "", "99999999", "Infinity"]))
    samples = (Sample(stay[at].at, IMPORT, lie, "Wh"), stay[at].samples[1])
    wrong = [*stay[:at], said(Phase.UPDATED, at, stay[at].at, samples), *stay[at + 1 :]]
    settled, honest = settle(wrong, TERMS), settle(stay, TERMS)
    usual = Decimal(stay[0].samples[0].value) > 1_000
    if usual:
        assert settled.charged_kwh == honest.charged_kwh
    assert settled.charged_kwh <= honest.charged_kwh
    refused = [each for each in settled.found if not each.accepted]
    assert refused or not usual
    assert all(each.reason for each in refused)


def test_a_transaction_name_given_twice_makes_two_sessions() -> None:
    """After a reset a station may begin its names anew: each stay gets its own bill."""
    first = [
        said(Phase.STARTED, 0, T0, (Sample(T0, IMPORT, "1000", "Wh"),)),
        said(
            Phase.ENDED,
            1,
            T0 + timedelta(hours=1),
            (Sample(T0 + timedelta(hours=1), IMPORT, "3000", "Wh"),),
        ),
    ]
    later = T0 + timedelta(hours=5)
    second = [
        TransactionSaid(**{**_fields(each), "id": f"again|{each.id}", "at": at, "samples": samples})
        for each, at, samples in (
            (first[0], later, (Sample(later, IMPORT, "3000", "Wh"),)),
            (
                first[1],
                later + timedelta(hours=1),
                (Sample(later + timedelta(hours=1), IMPORT, "9000", "Wh"),),
            ),
        )
    ]
    found = bills_of([*first, *second])
    assert [each[0] for each in found] == ["S:T", "S:T:2"]
    assert found == bills_of([*first, *second], 1)


def _fields(event: TransactionSaid) -> dict[str, object]:
    from dataclasses import fields

    return {each.name: getattr(event, each.name) for each in fields(event)}


@given(st.lists(st.integers(0, 30), max_size=60))
def test_numbers_are_gapless_when_they_are(numbers) -> None:
    """A run of seen numbers says the same as a set of them."""
    seen = Numbers()
    for each in numbers:
        seen.see(each)
    for first in range(0, 30, 3):
        for last in range(first, 30, 4):
            assert seen.holds_all(first, last) <= (set(range(first, last + 1)) <= set(numbers))
    if numbers and set(range(min(numbers), max(numbers) + 1)) == set(numbers):
        assert seen.holds_all(min(numbers), max(numbers))


@given(
    st.dictionaries(
        st.text("abcdef", min_size=1, max_size=3), st.floats(0.5, 50.0), min_size=1, max_size=12
    ),
    st.floats(0.1, 100.0),
    st.integers(0, 1_000),
)
def test_shares_keep_the_connection_and_leave_nobody_out_for_ever(most, connection, turn) -> None:
    """Together within the connection; nobody between nothing and the least; all get their turn."""
    given_kw = shares(most, connection, turn)
    assert sum(given_kw.values()) <= connection + 1e-9
    for name, kw in given_kw.items():
        assert kw <= most[name] + 1e-9
        assert kw == 0 or kw >= min(LEAST_KW, most[name]) - 1e-9
    if sum(min(LEAST_KW, kw) for kw in most.values()) <= connection:
        assert min(given_kw.values()) > 0
        if sum(most.values()) <= connection:
            assert given_kw == pytest.approx(most)
    elif connection >= LEAST_KW:
        turns = [shares(most, connection, turn + number) for number in range(len(most))]
        assert all(any(each[name] > 0 for each in turns) for name in most)


def test_readings_do_not_depend_on_the_order() -> None:
    """Two registers as long as each other contradict: neither is billed, in any order."""
    messages = [
        said(Phase.STARTED, 0, T0, (Sample(T0, IMPORT, "0", "Wh"),)),
        said(
            Phase.ENDED,
            1,
            T0 + timedelta(minutes=5),
            (Sample(T0 + timedelta(minutes=5), IMPORT, "910000", "Wh"),),
        ),
    ]
    for order in (messages, messages[::-1]):
        found = readings(order, Decimal(7))
        assert [each.accepted for each in found] == [False, False]
        assert all("contradict" in each.reason for each in found)


def test_of_two_messages_that_contradict_the_first_counts() -> None:
    """The same number with another register: kept, told, and not billed from."""
    stay = [
        said(Phase.STARTED, 0, T0, (Sample(T0, IMPORT, "1000", "Wh"),)),
        said(
            Phase.UPDATED,
            1,
            T0 + timedelta(hours=1),
            (Sample(T0 + timedelta(hours=1), IMPORT, "3000", "Wh"),),
        ),
        said(
            Phase.ENDED,
            2,
            T0 + timedelta(hours=2),
            (Sample(T0 + timedelta(hours=2), IMPORT, "5000", "Wh"),),
        ),
    ]
    later = T0 + timedelta(hours=3)
    other = said(Phase.ENDED, 2, later, (Sample(later, IMPORT, "9000", "Wh"),))
    other = TransactionSaid(**{**_fields(other), "id": "another"})
    for order in ([*stay, other], [stay[0], stay[2], other, stay[1]]):
        assert bills_of(order) == bills_of(stay)


class Busy(World):
    """Time passes, chargers remember what they were told, and who is known may be out of reach."""

    def __init__(self) -> None:
        self.at = NOW
        self.told: dict[str, float] = {}
        self.sent = 0
        self.gone = False

    async def station(self, station: str) -> Known:
        if self.gone:
            raise ConnectionError("the database is gone")
        return Known(station, "main", 7.0)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        await asyncio.sleep(0)

    async def follow(self, setpoint: SetPoint) -> Followed:
        self.told[setpoint.station] = setpoint.most_kw
        self.sent += 1
        return Followed.FOLLOWED


def test_control_keeps_the_connection_while_cars_come_and_go() -> None:
    """Never above the connection, everybody by turns, nobody lost while the database is gone."""

    async def work() -> None:
        memory, busy = Memory(), Busy()
        site = memory.site = Site(SETTINGS, memory, busy, busy)
        await site.start(busy)
        for number in range(40):
            busy.gone = 10 <= number < 20
            name = f"C{number:02}"
            begun = said(Phase.STARTED, 0, NOW, ())
            again = {**_fields(begun), "id": name, "station": name, "received_at": busy.at}
            await site.hear(TransactionSaid(**again))
            for _ in range(3):
                await asyncio.sleep(0)
                assert sum(busy.told.values()) <= 43.0 + 1e-6
        for _ in range(200):
            await asyncio.sleep(0)
        assert len(busy.told) == 40
        running = [kw for kw in busy.told.values() if kw > 0]
        assert all(kw >= LEAST_KW - 1e-3 for kw in running)
        assert sum(running) == pytest.approx(43.0, abs=0.1)
        before, turns = busy.sent, {name for name, kw in busy.told.items() if kw > 0}
        busy.at += timedelta(minutes=15)
        for _ in range(50):
            await asyncio.sleep(0)
        turns |= {name for name, kw in busy.told.items() if kw > 0}
        assert busy.sent > before
        assert len(turns) > len(running)
        assert site.controls
        await site.stop()

    asyncio.run(work())
