"""Frames as nobody should send them: every one is answered or ignored, none raises."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from decimal import Decimal
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hubwise.domain.events import KIND_OF, KINDS, PriceList
from hubwise.domain.screen import Cost
from hubwise.edge.ocpp import Standing
from hubwise.edge.ocpp.connection import Connection
from hubwise.edge.ocpp.server import VERSIONS
from hubwise.edge.ocpp.steering import Steering
from hubwise.edge.ocpp.version import World
from station_messages import AT, known_to

NOW = datetime(2026, 4, 1, tzinfo=UTC)


class Listener:
    """Hears everything and can encode it."""

    def __init__(self) -> None:
        self.heard = []

    def now(self):
        return NOW

    async def hear(self, event):
        body = msgspec.json.encode(event)
        kind = KINDS[KIND_OF[type(event)]]
        assert msgspec.json.decode(body, type=kind) == event
        assert "\0" not in event.id + event.station
        self.heard.append(event)
        return True

    async def begin(self, said):
        await self.hear(said)
        return "7"

    async def accepts(self, _):
        return True

    def knows(self, _, transaction):
        return transaction == "7"

    async def cost(self, *_):
        return Cost(Decimal("-1.50"), Decimal("0.3"), Decimal("0.2"), "EUR")

    def posted(self):
        return PriceList("p", 1_440, (Decimal("0.3"),), (Decimal("0.2"),)), "EUR"


class Desk:
    """Everybody may work."""

    async def standing(self, _):
        return Standing.ACCEPTED

    async def safe_kw(self, _):
        return 1.4


def answers(protocol: str, frames: list[str | bytes]) -> tuple[list[object], Listener]:
    listener = Listener()
    world = World(listener, Desk(), lambda *_: None)

    async def work():
        steering = Steering("S", listener, Desk())
        station = Connection(SimpleNamespace(), VERSIONS[protocol], steering, world)
        found = [await station.answer_to(frame) for frame in frames]
        await steering.close()
        return found

    return asyncio.run(work()), listener


ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=12),
    st.sampled_from(
        ["", "-1", 10**400, "1970-01-01T00:00:00Z", "9999-12-31T23:59:59-23:00", "\0", {}, []]
    ),
    st.recursive(
        st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
        ),
        max_leaves=8,
    ),
)


@st.composite
def frames(draw: st.DrawFn, known) -> str | bytes:
    """A valid frame with a few parts replaced, dropped or doubled, or some bytes flipped."""
    action, payload = draw(st.sampled_from(known))
    frame = json.loads(json.dumps([2, "id", action, payload]))
    for _ in range(draw(st.integers(0, 3))):
        where = frame
        while isinstance(where, list | dict) and where:
            key = draw(
                st.sampled_from(sorted(where) if isinstance(where, dict) else range(len(where)))
            )
            if not isinstance(where[key], list | dict) or not where[key] or draw(st.booleans()):
                if draw(st.booleans()):
                    del where[key]
                else:
                    where[key] = draw(ODD)
                break
            where = where[key]
    text = json.dumps(frame, ensure_ascii=draw(st.booleans()))
    if draw(st.integers(0, 9)):
        return text
    raw = bytearray(text.encode("utf-8", "surrogatepass"))
    for _ in range(draw(st.integers(1, 4))):
        raw[draw(st.integers(0, len(raw) - 1))] = draw(st.integers(0, 255))
    return bytes(raw)


@pytest.mark.parametrize("protocol", sorted(VERSIONS))
@given(data=st.data())
@settings(max_examples=150)
def test_no_frame_goes_wrong(protocol, data) -> None:
    """1,500 frames a version: each is answered in a form that the version has, and can be kept."""
    known = known_to(protocol, transaction=7)
    said = data.draw(st.lists(frames(known), min_size=10, max_size=10))
    found, _ = answers(protocol, said)
    for answer in found:
        if answer is None:
            continue
        assert json.loads(msgspec.json.encode(answer))
        assert answer[0] in (3, 4)
        if answer[0] == 4:
            assert answer[2] in VERSIONS[protocol].codes.values()
            assert answer[2] != "InternalError"


@pytest.mark.parametrize("protocol", sorted(VERSIONS))
def test_what_is_valid_is_answered_by_the_schema(protocol) -> None:
    """Each known message gets a result that its own schema allows, and the same event each time."""
    known = known_to(protocol, transaction=7)
    said = [json.dumps([2, f"{n}", action, payload]) for n, (action, payload) in enumerate(known)]
    found, listener = answers(protocol, said)
    for (action, _), answer in zip(known, found, strict=True):
        assert answer[0] == 3, answer
        VERSIONS[protocol].schemas.check_answer(action, answer[2])
    _, again = answers(protocol, said)
    assert [each.id for each in listener.heard] == [each.id for each in again.heard]


def test_a_signed_value_is_kept_and_not_read() -> None:
    """1.6 writes signed values as text where numbers stand: verbatim, and nobody's energy."""
    signed = {"value": "OCMF|{}|{}", "format": "SignedData", "context": "Transaction.End"}
    payload = {
        "connectorId": 1,
        "transactionId": 7,
        "meterValue": [{"timestamp": AT, "sampledValue": [signed]}],
    }
    _, listener = answers("ocpp1.6", [json.dumps([2, "a", "MeterValues", payload])])
    sample = listener.heard[0].samples[0]
    assert (sample.signed, sample.value) == ("OCMF|{}|{}", "")
