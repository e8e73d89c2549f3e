"""What a process believes of its lease, and whom it commands: renewals that fail, hang, or end."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic

import pytest
from sqlalchemy.exc import OperationalError

from hubwise.cli import tenure as rooms
from hubwise.cli.devices import Chargers, HeldBattery
from hubwise.cli.tenure import KeyDiffersError, Tenure
from hubwise.edge.simulated import SimulatedBattery
from hubwise.live.ports import Followed, SetPoint
from hubwise.store import Holder

LASTS = 1.0


@pytest.fixture(autouse=True)
def _short(monkeypatch) -> None:
    monkeypatch.setattr(rooms, "LASTS_SECONDS", LASTS)
    monkeypatch.setattr(rooms, "RENEW_SECONDS", 0.05)


@dataclass
class Lease:
    """A lease in memory: what a renewal says, or what goes wrong with it."""

    standby: str | None = ""
    error: Exception | None = None
    hangs: threading.Event | None = None
    holder: Holder | None = None
    renewed: int = 0
    freed: int = 0
    secret: str = "key"

    def take(self, _: str) -> int | Holder:
        return self.holder or 7

    def renew(self, term: int) -> str | None:
        assert term == 7
        self.renewed += 1
        if self.hangs is not None:
            self.hangs.wait(10)
        if self.error is not None:
            raise self.error
        return self.standby

    def free(self, term: int) -> None:
        self.freed = term


GONE = OperationalError("", {}, Exception("the server is gone"))


async def held(lease: Lease) -> tuple[Tenure, asyncio.Task[None]]:
    """A tenure that has begun and was renewed once."""
    made = Tenure("me", lease)
    assert await made.take()
    keeping = asyncio.create_task(made.keep())
    while not lease.renewed:
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.02)
    return made, keeping


def test_with_a_standby_a_lease_that_is_not_renewed_is_over() -> None:
    """In time, and what is over is not let go: it may be another's."""

    async def work() -> None:
        lease = Lease("other")
        made, keeping = await held(lease)
        assert (made.active, made.standby, made.term) == ("me", "other", 7)
        await asyncio.sleep(2 * LASTS)
        assert made.holds
        began, lease.error = monotonic(), GONE
        await asyncio.wait_for(keeping, 5)
        assert monotonic() - began > LASTS / 3
        assert not made.holds
        await made.end()
        assert lease.freed == 0

    asyncio.run(work())


def test_a_renewal_that_hangs_is_not_waited_for() -> None:
    """The lease is over when it lapses, however long the database says nothing."""

    async def work() -> None:
        lease, over = Lease("other"), threading.Event()
        made, keeping = await held(lease)
        began, lease.hangs = monotonic(), over
        try:
            await asyncio.wait_for(keeping, 5)
            assert monotonic() - began < 5.0
            assert not made.holds
        finally:
            over.set()

    asyncio.run(work())


def test_without_a_standby_a_database_that_is_gone_ends_nothing() -> None:
    """Until it says that the term is over."""

    async def work() -> None:
        lease = Lease()
        made, keeping = await held(lease)
        lease.error = GONE
        await asyncio.sleep(3 * LASTS)
        assert made.holds
        lease.error, lease.standby = None, None
        await asyncio.wait_for(keeping, 5)
        assert not made.holds

    asyncio.run(work())


def test_who_slept_commands_nobody(monkeypatch) -> None:
    """Before it has looked at anything else: neither stations nor a battery."""

    async def work() -> None:
        made, keeping = await held(Lease("other"))
        battery = SimulatedBattery(lambda: datetime.now(UTC), 10.0, 5.0, 1.0)
        guarded = HeldBattery(battery, made)
        assert await guarded.follow(3.0, 120) == 3.0
        now = rooms._seconds()
        monkeypatch.setattr(rooms, "_seconds", lambda: now + 60.0)
        with pytest.raises(OSError, match="another process"):
            await guarded.follow(5.0, 120)
        assert (await guarded.state()).power_kw == 3.0
        said = await Chargers(None, made).follow(SetPoint("S", 1, "", 5.0))
        assert said is Followed.UNREACHABLE
        await asyncio.wait_for(keeping, 5)

    asyncio.run(work())


def test_an_end_lets_whoever_stands_by_have_it() -> None:
    """Once; and where there is no lease there is nothing to let go."""

    async def work() -> None:
        lease = Lease("other")
        made, keeping = await held(lease)
        keeping.cancel()
        await made.end()
        assert (lease.freed, made.holds) == (7, False)
        alone = Tenure("me")
        assert await alone.take()
        keeping = asyncio.create_task(alone.keep())
        await asyncio.sleep(0.1)
        assert (alone.holds, keeping.done()) == (True, False)
        keeping.cancel()
        await alone.end()
        assert not alone.holds

    asyncio.run(work())


def test_what_another_holds_is_not_had() -> None:
    """And with another key nobody waits for it."""

    async def work() -> None:
        made = Tenure("me", Lease(holder=Holder("it", "key")))
        assert not await made.take()
        assert (made.active, made.holds) == ("it", False)
        with pytest.raises(KeyDiffersError, match="it"):
            await Tenure("me", Lease(holder=Holder("it", "another"))).take()

    asyncio.run(work())
