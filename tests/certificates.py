"""Keys and certificates by the openssl program, an authority of its own for every test."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass
class OpenSsl:
    """An authority in a folder; everything is P-256."""

    folder: Path
    name: str = "authority"

    def make(self) -> OpenSsl:
        if shutil.which("openssl") is None:
            pytest.skip("there is no openssl")
        self.folder.mkdir(exist_ok=True)
        words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 90"
        more = ["-addext", "basicConstraints=critical,CA:TRUE"]
        self.run(*words.split(), "-subj", f"/CN={self.name}", *self.files("ca"), *more)
        return self

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    def request(self, station: str, name: str = "") -> str:
        """A request for a certificate; its key stays in the folder."""
        place = self.folder / f"{station}.csr"
        key = self.folder / f"{station}.key"
        words = "req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        subject = ("-subj", f"/CN={name or station}")
        self.run(*words.split(), *subject, "-keyout", str(key), "-out", str(place))
        return place.read_text()

    def sign(self, csr: str, station: str, days: int = 60) -> str:
        """The chain for a request, whatever it says: who may ask is not its business."""
        asked, made = self.folder / "asked.csr", self.folder / f"{station}.pem"
        asked.write_text(csr)
        extra = self.folder / "extra.cnf"
        extra.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        words = ["x509", "-req", "-in", str(asked), "-CA", str(self.ca), "-days", str(days)]
        keys = ["-CAkey", str(self.folder / "ca.key"), "-CAcreateserial"]
        done = self.run(*words, *keys, "-extfile", str(extra), "-out", str(made))
        if done.returncode:
            raise ValueError("it cannot be read")
        made.write_text(made.read_text() + self.ca.read_text())
        return made.read_text()

    def certified(self, station: str, days: int = 60) -> tuple[Path, Path]:
        """A station's certificate and key."""
        self.sign(self.request(station), station, days)
        return self.folder / f"{station}.pem", self.folder / f"{station}.key"

    def client(self, station: str = "", days: int = 60) -> ssl.SSLContext:
        """What a station connects with; without a name it shows no certificate."""
        made = ssl.create_default_context(cafile=self.ca)
        if station:
            made.load_cert_chain(*self.certified(station, days))
        return made

    def files(self, name: str) -> tuple[str, ...]:
        return "-keyout", str(self.folder / f"{name}.key"), "-out", str(self.folder / f"{name}.pem")

    def run(self, *words: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["openssl", *words], capture_output=True, check=words[0] == "req")
