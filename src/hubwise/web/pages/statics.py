"""Our own style sheet and modules: read once, named by what is in them, kept by browsers."""

from __future__ import annotations

import gzip
from functools import cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

FOLDER = Path(__file__).parent / "static"
KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}
FOR_EVER = "public, max-age=31536000, immutable"
router = APIRouter(include_in_schema=False)


@cache
def _read(name: str) -> tuple[bytes, bytes, str]:
    """A file, the same packed, and a mark of what is in it."""
    body = (FOLDER / name).read_bytes()
    return body, gzip.compress(body, mtime=0), sha256(body).hexdigest()[:12]


@cache
def names() -> frozenset[str]:
    """All that there is."""
    return frozenset(each.name for each in FOLDER.iterdir() if each.suffix in KINDS)


def url_of(name: str) -> str:
    """Where a file is; another place as soon as anything in it changes."""
    return f"/static/{_read(name)[2]}/{name}"


@router.get("/static/{mark}/{name}")
def static(request: Request, mark: str, name: str) -> Response:
    """A file, under the mark of what is in it."""
    if name not in names() or _read(name)[2] != mark:
        raise HTTPException(404, "there is no such file; load the page anew")
    plain, packed, _ = _read(name)
    takes = "gzip" in request.headers.get("accept-encoding", "")
    headers = {"Cache-Control": FOR_EVER, "Vary": "Accept-Encoding"}
    headers |= {"Content-Encoding": "gzip"} if takes else {}
    kind = KINDS[Path(name).suffix]
    return Response(packed if takes else plain, headers=headers, media_type=kind)
