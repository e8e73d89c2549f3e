"""Secrets of stations and people's tokens: kept as keyed hashes, the key in a file of its own."""

from __future__ import annotations

import hmac
import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

NAME = "site.key"


@dataclass(frozen=True, slots=True)
class SiteKey:
    """The site's key.

    Random secrets need no slow hash: guessing 128 bits is hopeless at any speed, and 2,000
    stations that come back at once cost 3 ms instead of minutes.
    """

    key: bytes

    def hash_of(self, kind: str, who: str, secret: str) -> str:
        """What is kept in place of a secret."""
        said = "\0".join((kind, who, secret)).encode("utf-8", "surrogatepass")
        return hmac.new(self.key, said, sha256).hexdigest()

    @staticmethod
    def same(one: str, other: str) -> bool:
        """Compared in a time that tells nothing."""
        return hmac.compare_digest(one, other)

    @classmethod
    def read(cls, folder: Path) -> SiteKey:
        """The key of a site.

        Raises
        ------
        OSError
            Where there is none, or others may read it.
        """
        place = folder / NAME
        if place.stat().st_mode & 0o077:
            raise PermissionError(13, "others may read the key; chmod 600", str(place))
        return cls(bytes.fromhex(place.read_text("ascii")))

    @classmethod
    def create(cls, folder: Path) -> SiteKey:
        """A new key in a new file of mode 0600; one that is there stays.

        Raises
        ------
        OSError
            Where it cannot be written, or is there already.
        """
        key = secrets.token_bytes(32)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(folder / NAME, flags, 0o600), "w") as file:
            file.write(key.hex())
        return cls(key)
