"""A site that is served in a process of its own, for benches of stations."""

from __future__ import annotations

import contextlib
import json
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from hubwise.domain.events import PricesPosted
from hubwise.edge.simulated.sayings import in_words
from hubwise.live import Site

PASSWORD = "sixteen-or-more-characters"
BOOT = {"chargingStation": {"vendorName": "Bench", "model": "B"}, "reason": "PowerUp"}
HUBWISE = [sys.executable, "-c", "from hubwise.cli import main; main()"]


@dataclass(frozen=True, slots=True)
class ServedSite:
    """A site, who serves it, and where."""

    folder: Path
    process: psutil.Process
    ready: dict[str, str]


@contextlib.contextmanager
def new_site(names: Sequence[str]) -> Iterator[Path]:
    """A new site that knows these stations; gone at the end."""
    with TemporaryDirectory() as made:
        folder, table = Path(made) / "site", Path(made) / "stations.csv"
        table.write_text("station,password\n" + "".join(f"{n},{PASSWORD}\n" for n in names))
        for words in (["site", "new", folder], ["station", "add", folder, "--file", table]):
            subprocess.run([*HUBWISE, *map(str, words)], check=True, capture_output=True)
        yield folder


@contextlib.contextmanager
def served(folder: Path, *options: str) -> Iterator[ServedSite]:
    """Serve a site until the end."""
    words = ["serve", str(folder), "--ocpp-port", "0", "--http-port", "0", *options]
    with started([*HUBWISE, *words]) as process:
        assert process.stdout is not None
        ready = json.loads(process.stdout.readline())
        yield ServedSite(folder, psutil.Process(process.pid), ready)


@contextlib.contextmanager
def started(words: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A process that one can talk with, ended at the end."""
    pipe = subprocess.PIPE
    with subprocess.Popen(words, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def certificate(folder: Path) -> tuple[Path, Path] | None:
    """A certificate of localhost and its key, by the openssl program; none without it."""
    if shutil.which("openssl") is None:
        return None
    cert, key = folder / "tls.pem", folder / "tls.key"
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(cert)]
    subprocess.run(["openssl", *words.split(), *names, *files], check=True, capture_output=True)
    return cert, key


def trusting(cert: Path) -> ssl.SSLContext:
    """What stations connect with: one for all, as making one takes longer than a handshake."""
    return ssl.create_default_context(cafile=str(cert))


async def post_prices(site: Site) -> None:
    """What a site does when it starts, its control aside."""
    await site.hear(PricesPosted("prices", "", site.now(), site.settings.prices))


def quantile(seconds: Sequence[float], share: float) -> float:
    """Of times [s], in ms."""
    ordered = sorted(seconds)
    return ordered[int(share * (len(ordered) - 1))] * 1_000 if ordered else float("nan")


def meter_values(number: int, transaction: str) -> dict[str, object]:
    """A TransactionEvent (2.x) with the meter's next value; the first begins the transaction."""
    at = in_words(datetime.now(UTC))
    sampled = [{"measurand": "Energy.Active.Import.Register", "value": 1_000_000 + number}]
    return {
        "eventType": "Updated" if number else "Started",
        "timestamp": at,
        "triggerReason": "MeterValuePeriodic",
        "seqNo": number,
        "transactionInfo": {"transactionId": transaction},
        "evse": {"id": 1},
        "meterValue": [{"timestamp": at, "sampledValue": sampled}],
    }
