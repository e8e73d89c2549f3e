"""The API of a site that is served here, asked on the command line."""

from __future__ import annotations

import json
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.error import HTTPError, URLError

from hubwise.cli.site import open_registry
from hubwise.domain.errors import Issue, ScenarioError
from hubwise.live import Role

Ask = Callable[[str, dict[str, object] | None], object]


def health_of(http: str) -> dict[str, object]:
    """What a process says of itself, also where it stands by.

    Raises
    ------
    OSError
        Where it does not answer.
    """
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # only whether it answers
    try:
        answer = urllib.request.urlopen(f"{http}/api/v1/health", timeout=10, context=context)
    except HTTPError as error:
        said = json.loads(error.read())
        if said.get("status") != "standby":
            raise
    else:
        with answer:
            said = json.load(answer)
    found: dict[str, object] = said
    return found


@contextmanager
def asking(folder: Path) -> Iterator[Ask]:
    """Asks for an operator, by a token in their name that lives for a minute.

    What it gives takes a URL and what to post, if anything; it says what was answered.
    """
    registry = open_registry(folder)
    quiet = replace(registry, who="")
    token = quiet.create_token(Role.OPERATOR, lasts=timedelta(minutes=1), name=registry.who)
    try:
        yield lambda url, body: _ask(url, token, body)
    finally:
        quiet.drop_token(token)


def _ask(url: str, token: str, body: dict[str, object] | None) -> object:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    said = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=said, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)
    except HTTPError as error:
        raise ScenarioError([Issue("", "", "", _detail(error), "")]) from error
    except URLError as error:
        raise ConnectionError(111, f"does not answer: {error.reason}", url) from error


def _detail(error: HTTPError) -> str:
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError):
        return f"{error.code} {error.reason}"
