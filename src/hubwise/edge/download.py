"""A document from the web, bounded: at most so large, from nobody but the host that was asked."""

from __future__ import annotations

from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage, HTTPResponse, InvalidURL, responses
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

MOST_BYTES = 16 * 2**20
# Whoever says nothing for so long is given up [s].
SILENT_SECONDS = 15.0


class _SameHost(HTTPRedirectHandler):
    """Headers may hold secrets: they are sent on to nobody else."""

    max_redirections = 3

    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        """The same host, the same port, and no step down from TLS."""
        before, after = urlsplit(req.full_url), urlsplit(newurl)
        if (before.scheme, before.netloc) != (after.scheme, after.netloc):
            raise OSError(f"sends on to {after.scheme}://{after.hostname}, which is not followed")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def download(url: str, headers: Mapping[str, str]) -> bytes:
    """What stands at a URL, of http or https.

    Whoever says a little all the time is not given up here: let the caller bound the whole.

    Raises
    ------
    OSError
        Where it cannot be had, in words that hold nothing of URL and headers.
    """
    try:
        request = Request(url, headers={"Accept": "*/*", "User-Agent": "hubwise", **headers})
        with build_opener(_SameHost).open(request, timeout=SILENT_SECONDS) as answer:
            return _content(answer)
    except HTTPError as error:
        with error:
            raise OSError(f"answers {_status(error.code)}") from None
    except URLError as error:
        raise OSError(f"cannot be reached: {_reason(error.reason)}") from None
    except TimeoutError:
        raise OSError(f"says nothing for {SILENT_SECONDS:g} s") from None
    except (InvalidURL, ValueError) as error:
        wrong = f"cannot be asked: address or header is not whole ({type(error).__name__})"
        raise OSError(wrong) from None
    except (HTTPException, ConnectionError) as error:
        raise OSError(f"breaks off ({type(error).__name__})") from None


def _content(answer: HTTPResponse) -> bytes:
    said = answer.headers.get("Content-Length", "")
    length = int(said) if said.isascii() and said.isdigit() else None
    content = answer.read(MOST_BYTES + 1) if (length or 0) <= MOST_BYTES else b""
    if len(content) > MOST_BYTES or (length or 0) > MOST_BYTES:
        raise OSError(f"answers with more than {MOST_BYTES // 2**20} MiB")
    if length is not None and len(content) < length:
        raise OSError(f"breaks off after {len(content)} of {length} bytes")
    if answer.status != 200:
        raise OSError(f"answers {_status(answer.status)}")
    return content


def _status(code: int) -> str:
    return f"{code} {responses.get(code, '')}".strip()


def _reason(reason: object) -> str:
    if isinstance(reason, TimeoutError):
        return f"no answer within {SILENT_SECONDS:g} s"
    return str(reason).splitlines()[0][:200] if str(reason) else type(reason).__name__
