"""Templates: what they are given beside their own, and how a page is answered."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from hubwise.live import Actor
from hubwise.web.asking import world_of
from hubwise.web.pages.statics import url_of
from hubwise.web.words import Words, language_of, translations

FOLDER = Path(__file__).parent / "templates"
SMALL = 1_000


@cache
def _environment(language: str) -> Environment:
    made = Environment(
        loader=FileSystemLoader(FOLDER),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    made.globals["static"] = url_of
    return made


def words_of(request: Request) -> Words:
    """How whoever asks is spoken to."""
    zone: ZoneInfo = world_of(request).site.settings.zone
    return Words(language_of(request.headers.get("accept-language", "")), zone)


def page(
    request: Request,
    name: str,
    said: Mapping[str, object] | None = None,
    *,
    actor: Actor | None = None,
    status: int = 200,
) -> HTMLResponse:
    """A page of a template; ``said`` is what it shows, ``actor`` who is signed in."""
    words = words_of(request)
    template = _environment(words.language).get_template(name)
    here = world_of(request)
    always = {"site": here.site.settings.name, "has_feeder": here.feeder is not None}
    asked = {"words": words, "actor": actor, "path": request.url.path}
    text = template.render(**asked, **always, **(said or {}))
    headers = {"Cache-Control": "private, no-cache", "Vary": "Accept-Language, Cookie"}
    body = text.encode("utf-8")
    if len(body) > SMALL and "gzip" in request.headers.get("accept-encoding", ""):
        body, headers["Content-Encoding"] = gzip.compress(body, 6, mtime=0), "gzip"
    return HTMLResponse(body, status, headers={**headers, "Content-Language": words.language})
