"""``hubwise backup`` and ``restore``: a site in one file, whole or not at all."""

from __future__ import annotations

import gzip
import io
import json
import os
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryFile
from typing import IO, BinaryIO, cast

import hubwise
from hubwise.domain.errors import Issue, ScenarioError
from hubwise.live.settings import NAME
from hubwise.store import SiteKey, database_url, open_engine
from hubwise.store.backup import dump, fill
from hubwise.store.engine import NEWEST, SQLITE, URL_FILE

KIND, MANIFEST, BOOKS = "hubwise backup 1", "manifest.json", "books.jsonl"
# What a site is beside its database. Renewals are read before it: a password that is being given
# anew is then known by one or the other.
FILES = (NAME, "site.key", "renewals.json", "authority.pem", "authority.key")
PRIVATE = 0o600
MOST_FILE = 64 * 2**20


def write_backup(folder: Path, place: Path) -> Counter[str]:
    """Write a site into a new file, also while it is served; says how many rows of each table.

    Raises
    ------
    ScenarioError, OSError
        Where the folder is no site, or the file is there already.
    """
    if not (folder / NAME).exists():
        right = f"make one: hubwise site new {folder}"
        raise ScenarioError([Issue(str(folder), "", "", "is no site", right)])
    if place.exists():
        raise FileExistsError(17, "is there already", str(place))
    SiteKey.read(folder)
    files = {name: (folder / name).read_bytes() for name in FILES if (folder / name).exists()}
    with _whole_or_not(place) as out, TemporaryFile(dir=place.absolute().parent) as books:
        rows, digest = _dumped(folder, books)
        with (
            gzip.GzipFile(fileobj=out, mode="wb", compresslevel=6) as packed,
            tarfile.open(fileobj=packed, mode="w|") as tar,
        ):
            for name, content in files.items():
                _put(tar, name, io.BytesIO(content), len(content))
            size = books.tell()
            books.seek(0)
            _put(tar, BOOKS, books, size)
            digests = {name: sha256(content).hexdigest() for name, content in files.items()}
            manifest = _manifest({**digests, BOOKS: digest}, rows)
            _put(tar, MANIFEST, io.BytesIO(manifest), len(manifest))  # last: it is all there
    return rows


def read_backup(place: Path, folder: Path, store: str | None) -> Counter[str]:
    """Make a site of a backup, in a new folder; says how many rows of each table.

    Raises
    ------
    ScenarioError
        Where the file is not whole, was changed, or is of a later version.
    OSError
        Where it cannot be read, or the folder is there already.
    """
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(17, "is not empty", str(folder))
    made = folder.absolute().parent / f".{folder.name}.restored"
    made.mkdir(mode=0o700, parents=True)
    try:
        rows = _unpacked(place, made, store, folder)
        if folder.exists():
            folder.rmdir()
        made.rename(folder)
    finally:
        rmtree(made, ignore_errors=True)
    return rows


def _unpacked(place: Path, made: Path, store: str | None, folder: Path) -> Counter[str]:
    try:
        digests = _extracted(place, made)
        manifest = json.loads((made / MANIFEST).read_text("utf-8"))
        wrong = _faults(manifest, digests)
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, ValueError, KeyError) as error:
        wrong = f"is not a whole backup: {error}"
    if wrong:
        right = "take another one; nothing was restored"
        raise ScenarioError([Issue(str(place), "", "", wrong, right)])
    url = store or f"sqlite:///{made / SQLITE}"
    engine = open_engine(url)
    try:
        with (made / BOOKS).open("rb") as lines:
            rows = fill(engine, lines)
    except ValueError as error:
        right = f"name an empty database, or leave --store away: {folder / SQLITE} is made then"
        raise ScenarioError([Issue("--store", "", "", str(error), right)]) from error
    finally:
        engine.dispose()
    if dict(rows) != manifest["rows"]:
        raise ScenarioError([Issue(str(place), "", "", "rows were lost", "try again")])
    if store:
        _write_private(made / URL_FILE, store.encode())
    for name in (BOOKS, MANIFEST):
        (made / name).unlink()
    return rows


def _extracted(place: Path, made: Path) -> dict[str, str]:
    """Every file of a backup, in a folder; their digests."""
    digests: dict[str, str] = {}
    with gzip.open(place, "rb") as packed, tarfile.open(fileobj=packed, mode="r|") as tar:
        for member in tar:
            known = member.name in (*FILES, BOOKS, MANIFEST) and member.isfile()
            if not known or (member.name != BOOKS and member.size > MOST_FILE):
                raise ValueError(f"{member.name[:100]!r} is none of a backup's files")
            content = tar.extractfile(member)
            assert content is not None, "it is a file"
            digest = sha256()
            with _private(made / member.name) as out:
                for block in iter(lambda: content.read(2**20), b""):  # noqa: B023
                    digest.update(block)
                    out.write(block)
            digests[member.name] = digest.hexdigest()
        while packed.read(2**20):  # its checksum stands behind all of it
            pass
    if MANIFEST not in digests:
        raise ValueError("its end is missing")
    return digests


def _faults(manifest: dict[str, object], digests: dict[str, str]) -> str:
    """What is wrong with a backup's files; nothing if they are what was written."""
    if manifest.get("kind") != KIND:
        return f"is {manifest.get('kind')!r}, not {KIND!r}"
    if str(manifest["schema"]) > NEWEST:
        return f"is of a later version: {manifest['hubwise']}"
    said = manifest["sha256"]
    assert isinstance(said, dict)
    found = {name: digest for name, digest in digests.items() if name != MANIFEST}
    changed = sorted(name for name in {*said, *found} if said.get(name) != found.get(name))
    return f"was changed: {', '.join(changed)}" if changed else ""


def _dumped(folder: Path, out: IO[bytes]) -> tuple[Counter[str], str]:
    """A database's lines in a file, how many of each table, and their digest."""
    engine = open_engine(database_url(folder))
    rows, digest = Counter[str](), sha256()
    for table, line in dump(engine):
        rows[table] += 1
        digest.update(line)
        out.write(line)
    engine.dispose()
    return rows, digest.hexdigest()


def _manifest(digests: dict[str, str], rows: Counter[str]) -> bytes:
    from hubwise.store.tables import metadata

    said = {
        "kind": KIND,
        "hubwise": hubwise.__version__,
        "schema": NEWEST,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "rows": {table: rows[table] for table in metadata.tables},
        "sha256": digests,
    }
    return json.dumps(said, indent=2).encode()


def _put(tar: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = size, PRIVATE
    tar.addfile(info, content)


@contextmanager
def _whole_or_not(place: Path) -> Iterator[BinaryIO]:
    """A private file that is there when all of it is durable."""
    part = place.with_name(f"{place.name}.part")
    try:
        with _private(part) as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.rename(place)
    finally:
        part.unlink(missing_ok=True)


def _private(place: Path) -> BinaryIO:
    opener: Callable[[str, int], int] = lambda name, flags: os.open(name, flags, PRIVATE)  # noqa: E731
    return cast(BinaryIO, open(place, "wb", opener=opener))


def _write_private(place: Path, content: bytes) -> None:
    with _private(place) as out:
        out.write(content)
