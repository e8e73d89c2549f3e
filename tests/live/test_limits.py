"""Limits of what may be asked over HTTP: 429 with a time to wait, and nobody else held up."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from starlette.responses import PlainTextResponse

from hubwise.web import limits
from hubwise.web.limits import Bucket, Limits, Rates


@pytest.fixture
def clock(monkeypatch):
    """A clock set by hand."""

    class Hand:
        at = 100.0

    monkeypatch.setattr(limits.time, "monotonic", lambda: Hand.at)
    return Hand


async def _app(scope, receive, send) -> None:
    known = dict(scope["headers"]).get(b"authorization") == b"Bearer good"
    await PlainTextResponse("said", 200 if known else 401)(scope, receive, send)


def ask(app, many: int, token: str = "good", address: str = "10.0.0.1") -> list[httpx.Response]:
    async def work():
        transport = httpx.ASGITransport(app, client=(address, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
            headers = {"Authorization": f"Bearer {token}"}
            return [await client.get("/", headers=headers) for _ in range(many)]

    return asyncio.run(work())


def test_too_much_at_once_hears_429(clock) -> None:
    """After the burst a problem with Retry-After; after that wait it is answered again."""
    app = Limits(_app, Rates(Bucket(5, 0.5), Bucket(100, 1)))
    answers = ask(app, 7)
    assert [each.status_code for each in answers] == [200] * 5 + [429] * 2
    said = answers[-1]
    assert said.headers["content-type"] == "application/problem+json"
    assert said.json()["status"] == 429
    assert said.headers["retry-after"] == "2"
    assert ask(app, 1, address="10.0.0.2")[0].status_code == 200
    clock.at += 2
    assert [each.status_code for each in ask(app, 2)] == [200, 429]


def test_tokens_that_fail_hear_429_and_good_ones_do_not(clock) -> None:
    """Who guesses is held up; whoever is known is served, from the same address."""
    app = Limits(_app, Rates(Bucket(1_000, 1), Bucket(3, 0.1)))
    answers = ask(app, 5, token="bad")
    assert [each.status_code for each in answers] == [401] * 3 + [429] * 2
    assert answers[-1].headers["retry-after"] == "10"
    assert answers[-1].json()["title"] == "Too Many Requests"
    assert [each.status_code for each in ask(app, 3)] == [200] * 3
    clock.at += 10
    assert ask(app, 1, token="bad")[0].status_code == 401


def test_addresses_are_forgotten(clock) -> None:
    """Memory stays flat however many ask."""
    bucket = Bucket(2, 1)
    for number in range(limits.MOST_ADDRESSES + 500):
        clock.at += 0.001
        bucket.wait_seconds(str(number))
    assert len(bucket._left) == limits.MOST_ADDRESSES
