"""A browser for the tests of pages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from browser import CHROMIUM


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as program:
        browser = program.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(site: Any, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """Opens pages of the module's site as who has a secret; afterwards nothing was refused, said
    or asked of elsewhere, but for statuses that a test ``expects``."""
    contexts, wrong = [], []

    def made(
        path: str, secret: str = "", status: int = 200, expects: tuple[int, ...] = (), **how: object
    ) -> Page:
        context = chromium.new_context(**how)
        contexts.append(context)
        if secret:
            context.add_cookies([{"name": "hubwise", "value": secret, "url": site.base}])
        page = context.new_page()
        # Where a page is refused on purpose, Chromium says so.
        refused = [f"status of {code} " for code in (status, *expects)]
        page.on(
            "console",
            lambda said: any(each in said.text for each in refused) or wrong.append(said.text),
        )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda asked: asked.url.startswith(site.base) or wrong.append(asked.url))
        assert page.goto(site.base + path).status == status
        return page

    yield made
    for each in contexts:
        each.close()
    assert not wrong
