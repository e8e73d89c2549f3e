"""Pages as a browser shows them: Chromium, where it is installed."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "chrome"))), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium to lay pages out")
# Without a network of its own it would wait for one; the profile is thrown away.
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run")

# A window is never narrower than some 500 px, a frame is as narrow as one likes.
FRAME = """<!doctype html><body style="margin:0">
<iframe id="page" src="{url}" style="border:0;width:{width}px;height:900px"></iframe>
<script>addEventListener("load", () => setTimeout(() => {{
  const shown = document.getElementById("page").contentDocument;
  const said = document.createElement("pre");
  said.id = "said";
  said.textContent = JSON.stringify({{
    width: shown.documentElement.clientWidth,
    scroll: shown.documentElement.scrollWidth,
    drawn: shown.querySelectorAll(".main-svg").length,
    old: shown.querySelectorAll(".old").length,
  }});
  document.body.append(said);
}}, 2000))</script>"""


def laid_out(page: Path, width: int, work: Path) -> dict[str, Any]:
    """How wide a page is in a frame of ``width`` px, and how many figures are drawn on it."""
    frame = work / "frame.html"
    frame.write_text(FRAME.format(url=page.resolve().as_uri(), width=width), "utf-8")
    words = ("--allow-file-access-from-files", "--virtual-time-budget=15000", "--dump-dom")
    done = _run(work, *words, "--hide-scrollbars", frame.as_uri())
    found = re.search(r'<pre id="said">(.*?)</pre>', done.stdout, re.DOTALL)
    assert found is not None, done.stderr[-500:]
    said: dict[str, Any] = json.loads(html.unescape(found[1]))
    return said


def printed(page: Path, work: Path) -> bytes:
    """A page as PDF."""
    file = work / "page.pdf"
    done = _run(work, "--no-pdf-header-footer", f"--print-to-pdf={file}", page.resolve().as_uri())
    assert file.is_file(), done.stderr[-500:]
    return file.read_bytes()


def _run(work: Path, *words: str) -> subprocess.CompletedProcess[str]:
    assert CHROMIUM is not None
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={work / 'profile'}", *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
