"""The lease on PostgreSQL: one holder at a time, and nothing of an older one behind it."""

from __future__ import annotations

import asyncio
import threading
import time
import uuid
from datetime import UTC, datetime
from random import Random

import pytest
from sqlalchemy import create_engine, event, text
from sqlalchemy.exc import DBAPIError

import hubwise.store.lease as leases
from hubwise.domain.events import Alarmed
from hubwise.store import EventLog, Fence, FencedError, Holder, Lease, NotKeptError, WaitingLog
from hubwise.store.engine import open_engine

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)


@pytest.fixture
def engine(postgres):
    made = open_engine(postgres(f"t{uuid.uuid4().hex[:12]}"))
    yield made
    made.dispose()


@pytest.fixture
def short(monkeypatch) -> float:
    monkeypatch.setattr(leases, "LASTS_SECONDS", 0.3)
    return 0.3


def alarm(name: str) -> Alarmed:
    return Alarmed(name, "S", NOW, "what", "detail")


def taken(lease: Lease, seconds: float = 10.0) -> int:
    """Its term, as soon as it is to be had."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if isinstance(found := lease.take(), int):
            return found
        time.sleep(0.02)
    raise TimeoutError


def test_it_passes_on_when_it_lapses_and_no_sooner(engine, short) -> None:
    """By the database's clock; who stands by is seen by who holds it."""
    one, other = (Lease(engine, name, "key") for name in ("one", "other"))
    assert one.take() == 1
    assert one.renew(1) == ""
    assert other.take() == Holder("one", "key")
    assert one.renew(1) == "other"
    for _ in range(4):
        time.sleep(short / 2)
        assert one.renew(1) is not None
        assert isinstance(other.take(), Holder)
    time.sleep(short)
    assert one.renew(1) == ""  # lapsed for both, and nobody took it
    assert taken(other) == 2
    assert one.renew(1) is None
    assert isinstance(one.take(), Holder)


def test_it_is_let_go_or_known_to_be_free(engine) -> None:
    """At once: after an orderly end, after one's own, and where the holder is known to be dead."""
    one, other = (Lease(engine, name, "key") for name in ("one", "other"))
    assert one.take() == 1
    assert one.take() == 2
    one.free(1)  # of an old term nothing is let go
    assert isinstance(other.take(), Holder)
    one.free(2)
    assert other.take() == 3
    assert isinstance(one.take("nobody"), Holder)
    assert one.take("other") == 4


def test_who_has_another_key_is_not_seen_to_stand_by(engine) -> None:
    """It cannot take over: the holder must not count on it."""
    one, other = Lease(engine, "one", "key"), Lease(engine, "other", "another")
    assert one.take() == 1
    assert other.take() == Holder("one", "key")
    assert one.renew(1) == ""


def test_an_older_term_keeps_nothing(engine, short) -> None:
    """Its writer is told so; the same event is kept by the new term, sealed behind the rest."""

    async def work() -> list[str]:
        old = WaitingLog(engine, lambda _: None, b"k", Fence(Lease(engine, "one", "").take()))
        await old.append(alarm("a"))
        time.sleep(short)
        new = WaitingLog(engine, lambda _: None, b"k", Fence(taken(Lease(engine, "two", ""))))
        with pytest.raises(NotKeptError, match="term 1 is over"):
            await old.append(alarm("b"))
        assert await new.append(alarm("b"))
        with pytest.raises(NotKeptError):
            await old.append(alarm("c"))
        assert await new.append(alarm("d"))
        for each in (old, new):
            await each.close()
        return [each.id for _, each in new.after(0)]

    assert asyncio.run(work()) == ["a", "b", "d"]


def test_a_fence_without_a_term_lets_nothing_through(engine) -> None:
    """Also before anybody ever held the lease."""
    for _ in range(2):
        with engine.begin() as connection, pytest.raises(FencedError):
            Fence()(connection)
        Lease(engine, "one", "").take()


def test_a_commit_under_way_is_waited_for_but_not_for_ever(engine, short, monkeypatch) -> None:
    """The successor comes behind it; where it says nothing more, the database ends it."""
    monkeypatch.setattr(leases, "COMMIT_SECONDS", 1.0)
    term = Lease(engine, "one", "").take()
    with engine.connect() as asleep:
        Fence(term)(asleep)
        time.sleep(short)
        began, found = time.monotonic(), []
        taking = threading.Thread(
            target=lambda: found.append(Lease(engine, "two", "").take()), daemon=True
        )
        taking.start()
        taking.join(8.0)
        if taking.is_alive():
            asleep.invalidate()
        assert found == [term + 1]
        assert time.monotonic() - began > 0.3
        with pytest.raises(DBAPIError):
            asleep.execute(text("INSERT INTO drivers VALUES ('late')"))
        asleep.invalidate()


def test_who_falls_silent_while_it_stands_by_holds_nobody_up(engine) -> None:
    """Asleep behind any of its statements: the holder renews all the same."""
    holder = Lease(engine, "one", "")
    term = holder.take()
    url = engine.url
    for many in range(1, 5):
        asleep, other, said = threading.Event(), create_engine(url), []

        @event.listens_for(other, "after_cursor_execute")
        def _(*_, asleep=asleep, said=said, many=many) -> None:
            said.append(1)
            if len(said) == many:
                asleep.wait(20)

        standing = threading.Thread(target=Lease(other, "two", "").take, daemon=True)
        standing.start()
        while len(said) < many:
            time.sleep(0.01)
        renewing = threading.Thread(target=holder.renew, args=(term,), daemon=True)
        renewing.start()
        renewing.join(5.0)
        waits = renewing.is_alive()
        asleep.set()
        standing.join(10.0)
        other.dispose()
        assert not waits, many


def test_renewals_do_not_wait_for_commits(engine) -> None:
    """Nor commits for them: else a long commit would cost the lease."""
    lease = Lease(engine, "one", "")
    term = lease.take()
    with engine.begin() as connection:
        Fence(term)(connection)
        done = threading.Thread(target=lease.renew, args=(term,), daemon=True)
        done.start()
        done.join(2.0)
        assert not done.is_alive()


@pytest.mark.usefixtures("short")
def test_terms_never_go_back(engine) -> None:
    """Three that take, write, pause and take again: events of a term stand behind older ones'.

    None looks whether its lease has lapsed before it writes; the fence alone keeps order.
    """
    kept: list[tuple[str, bool]] = []
    end = time.monotonic() + 6.0

    async def work(name: str) -> None:
        draw, lease = Random(name), Lease(engine, name, "")
        while time.monotonic() < end:
            term = await asyncio.to_thread(lease.take)
            if isinstance(term, Holder):
                await asyncio.sleep(0.05)
                continue
            log = WaitingLog(engine, lambda _: None, b"k", Fence(term))
            for number in range(40):
                said = f"{term}|{name}|{number}"
                try:
                    kept.append((said, await log.append(alarm(said))))
                except NotKeptError:
                    break
                await asyncio.sleep(draw.uniform(0.0, 0.04))
            await log.close()

    async def all_of_them() -> None:
        await asyncio.gather(*(work(name) for name in ("one", "two", "three")))

    asyncio.run(all_of_them())
    found = [each.id for _, each in EventLog(engine, lambda *_: None).after(0)]
    terms = [int(name.partition("|")[0]) for name in found]
    assert terms == sorted(terms)
    assert sorted(found) == sorted(name for name, _ in kept)  # what was answered, and nothing else
    assert all(new for _, new in kept)
    assert len({name.split("|")[1] for name in found}) == 3
    assert len(set(terms)) > 5
