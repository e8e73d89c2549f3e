"""The API of a site that is served here, asked on the command line."""

from __future__ import annotations

import json
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

SERVING = "serving.json"
Ask = Callable[[str, dict[str, object] | None], object]


def where_served(folder: Path) -> dict[str, object]:
    """What a site said when it was ready.

    Raises
    ------
    ScenarioError
        Where it is not served.
    """
    place = folder / SERVING
    if not place.exists():
        right = f"hubwise serve {folder}"
        raise ScenarioError([Issue(str(folder), "", "", "is not served", right)])
    said: dict[str, object] = json.loads(place.read_text("utf-8"))
    return said


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
