"""OCPP's frames: read with limits of depth and size, and what is answered where that fails."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

CALL, RESULT, ERROR, RESULT_ERROR, SEND = 2, 3, 4, 5, 6
MOST_BYTES = 128 * 1024
MOST_DEPTH = 32
MOST_ID = 36
# The id of an answer to a frame whose own cannot be read.
NO_ID = "-1"
Json = dict[str, object]


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that has its form; ``action`` and ``payload`` as its kind has them."""

    kind: int
    id: str
    action: str
    payload: Json


@dataclass(slots=True)
class FrameError(Exception):
    """What is wrong with a frame, as it is answered.

    Parameters
    ----------
    code
        ``form``, ``payload``, ``type``, ``occurrence``, ``property``, ``unknown``, ``unsupported``,
        ``kind``, ``internal`` or ``security``; each version has its own word for it.
    what
        For people.
    id
        Of the frame: a number where the station wrote one.
    """

    code: str
    what: str
    id: str | int = NO_ID


@dataclass(slots=True)
class RefusedError(Exception):
    """A station answered our call with an error."""

    code: str
    what: str


class UnansweredError(Exception):
    """A station did not answer our call in time, or went."""


def read_frame(raw: str | bytes) -> Frame:
    """Read a frame.

    Raises
    ------
    FrameError
        With what is wrong.
    """
    parts = _decode(raw)
    if not isinstance(parts, list) or not parts:
        raise FrameError("form", "a frame is a list")
    kind, said = parts[0], parts[1] if len(parts) > 1 else None
    answer_to = said if isinstance(said, str | int) and not isinstance(said, bool) else NO_ID
    if isinstance(answer_to, str) and not 0 < len(answer_to) <= MOST_ID:
        answer_to = NO_ID
    if kind not in (CALL, RESULT, ERROR, RESULT_ERROR, SEND) or isinstance(kind, bool | float):
        raise FrameError("kind", "the message type is not known", answer_to)
    if not isinstance(said, str) or answer_to == NO_ID != said:
        raise FrameError(
            "form", f"the message id is a text of 1 to {MOST_ID} characters", answer_to
        )
    if kind in (CALL, SEND):
        return _call(kind, said, parts)
    payload = parts[2] if kind == RESULT and len(parts) > 2 else {"error": parts[2:]}
    return Frame(kind, said, "", payload if isinstance(payload, dict) else {})


def as_time(text: str) -> datetime:
    """A station's time, a date and what follows; without a zone it is UTC.

    Raises
    ------
    FrameError
        Where it is none.
    """
    said = text.strip().upper()
    try:
        if len(said) < len("2026-03-02T10:00"):
            raise ValueError
        found = datetime.fromisoformat(said)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise FrameError("property", f"{text[:40]!r} is no time") from error


def _decode(raw: str | bytes) -> object:
    text = raw if isinstance(raw, str) else raw.decode("utf-8", "replace")
    if text.count("[") + text.count("{") > MOST_DEPTH and _depth(text) > MOST_DEPTH:
        raise FrameError("form", f"nested more than {MOST_DEPTH} deep")
    if "\\u0000" in text or "\0" in text:
        raise FrameError("form", "text with a NUL cannot be kept")
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError, UnicodeError) as error:
        raise FrameError("form", f"no JSON: {str(error)[:200]}") from error


def _depth(text: str) -> int:
    """How deep brackets nest; those in texts count as well, which errs on the safe side."""
    depth = deepest = 0
    for char in text:
        if char in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif char in "]}":
            depth -= 1
    return deepest


def _call(kind: int, name: str, parts: list[object]) -> Frame:
    if len(parts) != 4:
        raise FrameError("form", f"a call has 4 parts, not {len(parts)}", name)
    action, payload = parts[2:]
    if not isinstance(action, str):
        raise FrameError("form", "the action is a text", name)
    if not isinstance(payload, dict):
        raise FrameError("form", "the payload is an object", name)
    return Frame(kind, name, action, payload)
