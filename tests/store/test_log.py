"""The log and the registry, on SQLite and PostgreSQL: each event once, in order, durable."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, text

from hubwise.domain.events import Alarmed, Phase, Sample, TransactionSaid
from hubwise.store import (
    EventLog,
    NotKeptError,
    Registry,
    SiteKey,
    StationRow,
    WaitingLog,
    open_engine,
)
from hubwise.store.engine import NEWEST, make_engine

NOW = datetime(2026, 4, 1, 12, tzinfo=UTC)
KEY = SiteKey(b"k" * 32)


@pytest.fixture
def engine(url):
    made = open_engine(url)
    yield made
    made.dispose()


def alarm(number: int, station: str = "S") -> Alarmed:
    return Alarmed(f"a{number}", station, NOW, "what", f"detail {number} ü")


def said(number: int) -> TransactionSaid:
    samples = (Sample(NOW, "Energy.Active.Import.Register", "12.5", "kWh"),)
    return TransactionSaid(
        f"t{number}", "S", NOW, "T", "ocpp2.1", Phase.UPDATED, number, NOW, samples=samples
    )


def kept(engine, events) -> list[bool]:
    async def work():
        applied = []
        log = WaitingLog(engine, applied.append)
        new = await asyncio.gather(*(log.append(each) for each in events))
        await log.close()
        assert [each.id for each in applied] == [
            e.id for e, n in zip(events, new, strict=True) if n
        ]
        return new

    return asyncio.run(work())


def test_each_event_is_kept_once(engine) -> None:
    """In one batch or in another, in another process's life: the id decides."""
    assert kept(engine, [alarm(1), alarm(2), alarm(1)]) == [True, True, False]
    assert kept(engine, [alarm(2), alarm(3)]) == [False, True]
    log = EventLog(engine, lambda *_: None)
    found = list(log.after(0))
    assert [event.id for _, event in found] == ["a1", "a2", "a3"]
    assert [position for position, _ in found] == sorted({position for position, _ in found})
    assert found[1][1] == alarm(2)
    assert [event.id for _, event in log.after(found[0][0])] == ["a2", "a3"]
    log.close()


def test_an_event_comes_back_as_it_was(engine) -> None:
    """Times, decimals and samples, and only those of the transaction that was asked for."""
    events = [said(number) for number in range(1_500)]
    assert all(kept(engine, [*events, alarm(1)]))
    log = EventLog(engine, lambda *_: None)
    assert [event for _, event in log.of_transaction("S", "T")] == events
    assert log.of_transaction("S", "U") == []
    assert [event.id for _, event in log.of_kind("alarm")] == ["a1"]
    log.close()


def test_who_waits_is_told_when_nothing_was_kept(engine) -> None:
    """A table that is gone: an error, no answer; when it is back the same event is kept."""

    async def work():
        log = WaitingLog(engine, lambda _: None)
        await log.append(alarm(1))
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE events RENAME TO gone"))
        with pytest.raises(NotKeptError):
            await log.append(alarm(2))
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO events"))
        assert await log.append(alarm(2))
        await log.close()

    asyncio.run(work())


def test_kinds_come_in_order(engine) -> None:
    """Of one, of some, of all, from any position on and no more than asked."""
    told = [alarm(k) if k % 3 else said(k) for k in range(12)]
    kept(engine, told)
    log = EventLog(engine, lambda *_: None)
    whole = log.of_kinds(())
    assert [event for _, event in whole] == told
    assert log.of_kinds(("alarm", "transaction")) == whole
    assert log.of_kinds(("transaction", "alarm"), whole[3][0], 4) == whole[4:8]
    alarms = [it for it in whole if isinstance(it[1], Alarmed)]
    assert log.of_kind("alarm", alarms[1][0]) == alarms[2:]
    log.close()


def test_no_question_goes_through_the_whole_log() -> None:
    """Every question that a session's end or a page asks is answered by an index that leads to its
    rows alone, in their order: what a bill costs does not grow with the log."""
    engine, plans = open_engine("sqlite://"), []

    @event.listens_for(engine, "before_cursor_execute")
    def explain(connection, _, asked, values, *__):
        if asked.startswith("SELECT") and "FROM events" in asked:
            plan = connection.connection.cursor().execute(f"EXPLAIN QUERY PLAN {asked}", values)
            plans.append([row[3] for row in plan])

    log = EventLog(engine, lambda *_: None)
    log.of_transaction("S", "T")
    log.of_kinds(("bill", "correction"), 7)
    log.of_kind("needs", 7)
    log.find("a1")
    list(log.after(7))
    log.close()
    used = ["; ".join(plan) for plan in plans]
    transaction, bill, correction, needs, found, after = used
    assert "events_of_a_transaction (station=? AND transaction_id=?)" in transaction
    for each in (bill, correction, needs):
        assert "events_of_a_kind (kind=? AND position>?)" in each
    assert "(id=?)" in found
    assert "PRIMARY KEY (rowid>?)" in after
    assert not any("TEMP B-TREE" in each for each in used)


def test_the_registry_knows_whom_it_was_told(engine) -> None:
    """Passwords and tokens by keyed hash; a changed password holds at once; tokens expire."""
    registry = Registry(engine, KEY)
    rows = [StationRow(f"S{number}", f"password-{number}", "main", 7.0) for number in range(1_200)]
    assert registry.add_stations(rows) == 1_200
    assert registry.admit("S7", "password-7").max_kw == 7.0
    assert registry.admit("S7", "password-8") is None
    assert registry.admit("nobody", "password-8") is None
    registry.add_stations([StationRow("S7", "another-one", "side", 22.0)])
    assert registry.admit("S7", "password-7") is None
    assert registry.find("S7").hub == "side"
    everybody = registry.all_stations()
    assert len(everybody) == 1_200
    for names in ({each.station for each in everybody[:7]}, {each.station for each in everybody}):
        found = registry.these({*names, "nobody"})
        assert sorted(found, key=str) == sorted(filter(None, map(registry.find, names)), key=str)
    registry.add_driver("ann", ["tag-1", "tag-2"])
    registry.add_driver("ann", ["tag-3"])
    assert [registry.driver_of(f"tag-{n}") for n in range(1, 5)] == ["ann", "ann", "ann", None]
    token = registry.create_token("driver", "ann", lasts=timedelta(hours=1))
    now = datetime.now(UTC)
    assert registry.actor_of(token, now) == ("driver", "ann", "")
    assert registry.actor_of(token, now + timedelta(hours=2)) is None
    assert registry.actor_of(token + "x", now) is None
    registry.drop_token(token)
    assert registry.actor_of(token, now) is None
    other = Registry(engine, SiteKey(b"other" * 8))
    assert other.admit("S8", "password-8") is None


def test_a_database_knows_its_form(engine, url) -> None:
    """Opened again it is as it was, and says which step it is at; SQLite is set to survive."""
    registry = Registry(engine, KEY)
    registry.add_driver("ann", [])
    again = open_engine(url)
    assert Registry(again, KEY).has_driver("ann")
    with again.connect() as connection:
        assert (
            connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == NEWEST
        )
        if again.dialect.name == "sqlite":
            assert connection.execute(text("PRAGMA synchronous")).scalar() == 2  # FULL
            assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
    again.dispose()


def test_another_process_may_add_stations_while_events_are_kept(engine, url) -> None:
    """Two writers of one database wait for each other."""
    other = Registry(open_engine(url), KEY)
    adding = threading.Thread(
        target=lambda: [
            other.add_stations([StationRow(f"S{n}", "a-password", "main", 7.0)]) for n in range(20)
        ]
    )
    adding.start()
    assert all(kept(engine, [alarm(number) for number in range(300)]))
    adding.join()
    assert len(other.all_stations()) == 20
    other.engine.dispose()


def test_no_other_database_is_taken_for_one() -> None:
    """What is no URL, or of no known kind, is said to be."""
    for wrong in ("nonsense", "mysql://x/y"):
        with pytest.raises(ValueError, match=r"database"):
            open_engine(wrong)


def test_what_a_url_says_of_its_patience_holds() -> None:
    """Else a site that cannot reach its database knows it after seconds."""
    seen: list[dict[str, object]] = []
    for more in ("", "?connect_timeout=60"):
        engine = make_engine(f"postgresql://u@localhost/d{more}")

        @event.listens_for(engine, "do_connect")
        def connect(*words: object) -> None:
            seen.append(words[3])
            raise OSError("nowhere")

        with pytest.raises(OSError, match="nowhere"):
            engine.connect()
    assert [int(str(each["connect_timeout"])) for each in seen] == [5, 60]
    assert seen[1]["tcp_user_timeout"] == seen[0]["tcp_user_timeout"]
