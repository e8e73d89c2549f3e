"""An operator's act and what follows from it are kept together, wherever the process dies."""

from __future__ import annotations

import multiprocessing
import signal
import uuid

import pytest
from sqlalchemy import select

from act_kills import act_and_die
from hubwise.audit.books import audit_books
from hubwise.store import SiteKey, open_engine
from hubwise.store.tables import acts, events

FACTS = ("prices", "limit", "wish")
VERBS = ("post prices", "withdraw prices", "limit", "lift", "wish")
MOST = 60


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'site.db'}"
    return request.getfixturevalue("postgres")(f"t{uuid.uuid4().hex[:12]}")


def held(url: str) -> tuple[list[str], int, int]:
    """Verbs of the acts that stand, how many events follow from acts, and how many are listed."""
    engine = open_engine(url)
    with engine.connect() as connection:
        listed = [row.verb for row in connection.execute(select(acts))]
        rows = connection.execute(select(events.c.kind, events.c.id)).all()
    engine.dispose()
    own = {"prices|0", "wish|S1:T1"}  # these are nobody's act
    facts = sum(row.kind in FACTS and row.id not in own for row in rows)
    return sorted(listed), facts, sum(row.kind == "act" for row in rows)


def test_no_act_stands_alone_wherever_the_process_dies(tmp_path, url) -> None:
    """Killed before each row and each commit of five acts, one after the other: whatever of them
    is there is whole, the audit agrees, and the run that nobody kills has all five."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "site.toml").write_text("")
    SiteKey.create(folder)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["hubwise.live.acts", "hubwise.live.listing", "hubwise.store"])
    before, seen = 0, set[int]()
    for points in range(1, MOST):
        process = context.Process(target=act_and_die, args=(str(folder), url, points))
        process.start()
        process.join(60)
        listed, facts, told = held(url)
        assert len(listed) == facts == told, f"killed at point {points}"
        seen.add(len(listed) - before)
        before = len(listed)
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
    assert process.exitcode == 0
    assert seen == set(range(len(VERBS) + 1))  # killed within and behind each of the acts
    report = audit_books(folder, url)
    assert not report.failures, report
    assert set(listed) == set(VERBS)
