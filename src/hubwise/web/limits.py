"""How much may be asked: a bucket for each address, and a smaller one for tokens that fail."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from math import ceil

from fastapi import HTTPException
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hubwise.web.problems import problem

MOST_ADDRESSES = 10_000
# What a request may bring: the longest list of prices is a tenth of it.
MOST_BYTES = 256 * 1024
TOO_LONG = f"more than {MOST_BYTES // 1024} KiB are not taken"


@dataclass(slots=True)
class Bucket:
    """So many at once, and so many a second after that.

    Parameters
    ----------
    burst, a_second
        What it holds, and what comes in.
    """

    burst: float
    a_second: float
    _left: dict[str, tuple[float, float]] = field(default_factory=dict)

    def wait_seconds(self, who: str) -> float:
        """Take one from somebody's bucket; how long until there is one, where there is none [s]."""
        now = time.monotonic()
        left, at = self._left.pop(who, (self.burst, now))
        left = min(self.burst, left + (now - at) * self.a_second)
        short = 1.0 - left
        self._left[who] = (left if short > 0 else left - 1.0, now)
        while len(self._left) > MOST_ADDRESSES:
            del self._left[next(iter(self._left))]
        return max(short, 0.0) / self.a_second


@dataclass(slots=True)
class Rates:
    """The buckets of a site: requests, answers that somebody is not known, and sign-ins.

    Sign-ins count by address, and by the account that is tried; wishes and exports by driver.
    """

    asked: Bucket = field(default_factory=lambda: Bucket(1_000.0, 200.0))
    unknown: Bucket = field(default_factory=lambda: Bucket(60.0, 1.0))
    sign_in: Bucket = field(default_factory=lambda: Bucket(20.0, 20.0 / 60.0))
    account: Bucket = field(default_factory=lambda: Bucket(5.0, 5.0 / 60.0))
    wishes: Bucket = field(default_factory=lambda: Bucket(10.0, 10.0 / 60.0))
    exports: Bucket = field(default_factory=lambda: Bucket(5.0, 5.0 / 3_600.0))


def wait_for(bucket: Bucket, who: str) -> None:
    """Take one from somebody's bucket.

    Raises
    ------
    HTTPException
        429, with when there will be one, where there is none.
    """
    if (wait := bucket.wait_seconds(who)) > 0:
        retry = {"Retry-After": str(ceil(wait))}
        raise HTTPException(429, "too much at once; ask again later", headers=retry)


class Limits:
    """Answers 429 where an address asks too much, or too often with a token that is not known.

    What a request brings is not held beyond `MOST_BYTES`, whether its length is told or not: 413.
    """

    def __init__(self, app: ASGIApp, rates: Rates) -> None:
        """Stands before an application."""
        self._app, self._rates = app, rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        who = str((scope.get("client") or ("",))[0])
        if (wait := self._rates.asked.wait_seconds(who)) > 0:
            await _too_much(wait)(scope, receive, send)
            return
        noticing = self._noticing(who, scope, receive, send)
        told = dict(scope["headers"]).get(b"content-length", b"")
        if told.isdigit() and int(told[:20]) > MOST_BYTES:
            await _too_long()(scope, receive, send)
            return
        await self._app(scope, _Heard(receive), noticing)

    def _noticing(self, who: str, scope: Scope, receive: Receive, send: Send) -> Send:
        """What sends an answer, but that tokens fail too often: whoever is known is not held up."""
        instead = False

        async def noticed(message: Message) -> None:
            nonlocal instead
            if message["type"] == "http.response.start" and message["status"] == 401:
                wait = self._rates.unknown.wait_seconds(who)
                instead = wait > 0
                if instead:
                    await _too_much(wait)(scope, receive, send)
            if not instead:
                await send(message)

        return noticed


@dataclass(slots=True)
class _Heard:
    """What a request brings, counted as it comes."""

    receive: Receive
    so_far: int = 0

    async def __call__(self) -> Message:
        message = await self.receive()
        self.so_far += len(message.get("body", b""))
        if self.so_far > MOST_BYTES:
            raise HTTPException(413, TOO_LONG, {"Connection": "close"})
        return message


def _too_long() -> Response:
    answer = problem(413, TOO_LONG)
    answer.headers["Connection"] = "close"
    return answer


def _too_much(wait_seconds: float) -> Response:
    answer = problem(429, "too much at once; ask again later")
    answer.headers["Retry-After"] = str(ceil(wait_seconds))
    return answer
