"""`hubwise doctor`, `backup` and `restore`, on sites that are served and that are not."""

from __future__ import annotations

import asyncio
import gzip
import json
import shutil
import socket
import sqlite3
import subprocess
import uuid
from pathlib import Path

import pytest

from certificates import OpenSsl
from hubwise.cli.backup import read_backup, write_backup
from hubwise.cli.doctor import Places, examine
from hubwise.cli.serve import _alarm
from hubwise.domain.errors import ScenarioError
from live_faults import Stays, books_of, say_all, undisturbed
from live_site import Served, hubwise, make_site

NAMES = ["S0", "S1", "S2"]
ROOT = Path(__file__).parents[2]
TABLES = ("events", "seals", "stations", "drivers", "id_tokens", "tokens", "acts")


def doctor(
    folder: Path, ocpp: int = 0, http: int = 0, certificate: Path | None = None
) -> list[dict[str, str]]:
    """What was looked at; with ports 0, which are always free."""
    files = (certificate,) if certificate else ()
    places = Places("127.0.0.1", {"OCPP": ocpp, "HTTP": http}, files)
    return [each.as_dict() for each in examine(folder, places)]


def ill(found: list[dict[str, str]]) -> list[str]:
    assert all(each["right"] for each in found if each["state"] == "wrong")
    return [each["check"] for each in found if each["state"] == "wrong"]


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Served:
    return make_site(tmp_path_factory.mktemp("made") / "here", NAMES)


@pytest.fixture
def site(made, tmp_path) -> Served:
    """A new site, as it was made."""
    shutil.copytree(made.folder, tmp_path / "here")
    return Served(tmp_path / "here", token=made.token)


def test_a_site_that_is_well(site) -> None:
    """Nothing is wrong, served or not, and the doctor changes nothing."""
    before = (site.folder / "site.db").read_bytes()
    found = doctor(site.folder)
    assert ill(found) == []
    checks = ["settings", "secrets", "clock", "stations", "database", "disk", "ports", "ports"]
    assert [each["check"] for each in found] == checks
    assert (site.folder / "site.db").read_bytes() == before
    site.start()
    said = json.loads(hubwise("doctor", site.folder, "--json"))
    found = said["checks"]
    assert (said["fine"], found[-1]["state"]) == (True, "fine")
    assert f"process {site.process.pid} serves" in found[-1]["found"]
    site.kill()
    notes = [each["found"] for each in doctor(site.folder) if each["state"] == "note"]
    assert notes == ["the last process that served it was killed"]


def _key_for_all(folder: Path) -> None:
    (folder / "site.key").chmod(0o644)


def _no_database(folder: Path) -> None:
    (folder / "site.db").unlink()


def _no_table(folder: Path) -> None:
    with sqlite3.connect(folder / "site.db") as database:
        database.execute("DROP TABLE tokens")


def _event_to_come(folder: Path) -> None:
    row = (1, "x", "alarm", "", "", "2999-01-01T00:00:00+00:00", b"{}")
    with sqlite3.connect(folder / "site.db") as database:
        database.execute("INSERT INTO events VALUES (?,?,?,?,?,?,?)", row)


def _other_hub(folder: Path) -> None:
    place = folder / "site.toml"
    place.write_text(place.read_text().replace("[hubs.main", "[hubs.other"))


def _no_zone(folder: Path) -> None:
    place = folder / "site.toml"
    place.write_text(place.read_text().replace("Europe/Berlin", "Europe/Nowhere"))


def _no_prices(folder: Path) -> None:
    place = folder / "site.toml"
    place.write_text(place.read_text() + '\n[market]\nfile = "prices.csv"\n')


def _later_version(folder: Path) -> None:
    with sqlite3.connect(folder / "site.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")


@pytest.mark.parametrize(
    ("harm", "check"),
    [
        (_key_for_all, "secrets"),
        (_no_database, "database"),
        (_no_table, "database"),
        (_later_version, "database"),
        (_event_to_come, "clock"),
        (_other_hub, "stations"),
        (_no_zone, "settings"),
        (_no_prices, "market"),
    ],
)
def test_what_is_wrong_is_found(site, harm, check) -> None:
    """One thing is wrong: that is said, with what to do, and nothing else."""
    harm(site.folder)
    assert ill(doctor(site.folder)) == [check]


def test_who_holds_a_port_is_named(site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = doctor(site.folder, http=port)
    assert ill(found) == ["ports"]
    said = next(each for each in found if each["state"] == "wrong")
    assert f"HTTP 127.0.0.1:{port}" in said["found"]
    assert "process" in said["found"] or "in use" in said["found"]


@pytest.mark.parametrize(("days", "state"), [("90", "fine"), ("9", "note")])
def test_certificates_are_read_without_libraries(site, tmp_path, days, state) -> None:
    """The day that a certificate ends is what openssl says."""
    authority = OpenSsl(tmp_path / "tls").make()
    words = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=a -days"
    authority.run(*words.split(), days, "-keyout", str(tmp_path / "k"), "-out", str(tmp_path / "c"))
    asked = ["openssl", "x509", "-in", str(tmp_path / "c"), "-noout", "-enddate", "-dateopt"]
    done = subprocess.run([*asked, "iso_8601"], capture_output=True, text=True, check=False)
    found = doctor(site.folder, certificate=tmp_path / "c")
    assert (found[-1]["check"], found[-1]["state"]) == ("certificates", state)
    if done.returncode == 0:
        assert done.stdout.strip().removeprefix("notAfter=")[:10] in found[-1]["found"]
    broken = tmp_path / "broken"
    for text in ("", "x", (tmp_path / "c").read_text()[:300], (tmp_path / "k").read_text()):
        broken.write_text(text)
        assert ill(doctor(site.folder, certificate=broken)) == ["certificates"]


def test_a_folder_that_is_no_site(tmp_path) -> None:
    with pytest.raises(ScenarioError, match="is no site"):
        doctor(tmp_path)
    assert "is no site" in hubwise("backup", tmp_path, tmp_path / "b", fails=True)


def rows_of(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(folder / "site.db") as database:
        return {name: sorted(database.execute(f"SELECT * FROM {name}")) for name in TABLES}


def test_a_backup_while_serving_is_a_site_again(site, tmp_path) -> None:
    """Taken amid stays; whoever sends again what was not answered gets the books of all."""
    site.start()
    url = site.ready["ocpp"]
    most = dict.fromkeys(NAMES, 4)

    async def work() -> None:
        stays = Stays(NAMES, url, most=most).begin()
        await asyncio.sleep(1.0)
        await asyncio.to_thread(hubwise, "backup", site.folder, tmp_path / "b")
        await stays.end()

    asyncio.run(work())
    site.kill()
    assert (tmp_path / "b").stat().st_mode & 0o077 == 0
    hubwise("restore", tmp_path / "b", tmp_path / "again")
    before, after = rows_of(site.folder), rows_of(tmp_path / "again")
    assert 0 < len(after["events"]) <= len(before["events"])
    assert after["events"] == before["events"][: len(after["events"])]
    assert after["stations"] == before["stations"]
    for name in ("site.key", "site.toml"):
        assert (tmp_path / "again" / name).read_bytes() == (site.folder / name).read_bytes()
    again = Served(tmp_path / "again", token=site.token).start()
    say_all(again, most)
    assert books_of(again) == undisturbed(tmp_path / "there", most)
    assert again.stop() == 0
    assert "✗" not in hubwise("audit", tmp_path / "again")


def test_a_backup_of_postgresql_and_into_it(postgres, tmp_path) -> None:
    """From PostgreSQL into PostgreSQL and into SQLite, row by row; then more can be added."""
    urls = [postgres(f"t{uuid.uuid4().hex[:12]}") for _ in "ab"]
    site = make_site(tmp_path / "here", NAMES, urls[0]).start()
    say_all(site, dict.fromkeys(NAMES, 1))
    wanted = books_of(site)
    hubwise("backup", site.folder, tmp_path / "b")
    assert site.stop() == 0
    hubwise("restore", tmp_path / "b", tmp_path / "one")
    said = hubwise("restore", tmp_path / "b", tmp_path / "no", "--store", urls[0], fails=True)
    assert "not empty" in said
    assert not (tmp_path / "no").exists()
    hubwise("restore", tmp_path / "b", tmp_path / "two", "--store", urls[1])
    for name in ("one", "two"):
        again = Served(tmp_path / name, token=site.token).start()
        assert books_of(again) == wanted
        assert again.stop() == 0


def test_half_and_changed_backups_are_refused(site, tmp_path) -> None:
    """Cut off anywhere, or with a byte changed: nothing is restored."""
    write_backup(site.folder, tmp_path / "b")
    with pytest.raises(FileExistsError):
        write_backup(site.folder, tmp_path / "b")
    whole = (tmp_path / "b").read_bytes()
    unpacked = gzip.decompress(whole)
    at = unpacked.index(b'["stations"') + 20
    changed = gzip.compress(unpacked[:at] + bytes([unpacked[at] ^ 1]) + unpacked[at + 1 :])
    parts = [whole[: len(whole) * k // 7] for k in range(7)] + [whole[:-1], changed]
    last = unpacked.index(b"manifest.json")
    for content in (*parts, gzip.compress(unpacked[:last] + bytes(10_240))):
        (tmp_path / "half").write_bytes(content)
        with pytest.raises(ScenarioError):
            read_backup(tmp_path / "half", tmp_path / "again", None)
        assert not (tmp_path / "again").exists()
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []
    read_backup(tmp_path / "b", tmp_path / "again", None)
    with pytest.raises(FileExistsError):
        read_backup(tmp_path / "b", tmp_path / "again", None)


def test_the_unit_is_one_that_systemd_takes(tmp_path) -> None:
    """`systemd-analyze verify`, with a program that is there in place of the installed one."""
    text = (ROOT / "deploy" / "hubwise.service").read_text()
    line = next(each for each in text.splitlines() if each.startswith("ExecStart="))
    options = hubwise("serve", "--help")
    assert all(word in options for word in line.split() if word.startswith("--"))
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze")
    place = tmp_path / "hubwise.service"
    place.write_text(text.replace("/opt/hubwise/bin/hubwise", "/bin/true"))
    asked = ["systemd-analyze", "verify", "--man=no", str(place)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert "hubwise.service" not in done.stderr, done.stderr
    place.write_text(text.replace("Restart=always", "Restart=perhaps"))
    done = subprocess.run(asked, capture_output=True, text=True, check=False)
    assert "hubwise.service" in done.stderr  # it does look


def test_the_container_serves_as_the_command_does() -> None:
    """Its words are the command's; what it copies is there; it is nobody's root."""
    lines = (ROOT / "deploy" / "Containerfile").read_text().replace("\\\n", " ").splitlines()
    said = {line.split()[0]: line.partition(" ")[2] for line in lines if line[:1].isalpha()}
    assert json.loads(said["ENTRYPOINT"]) == ["hubwise"]
    words = json.loads(said["CMD"])
    options = hubwise(words[0], "--help")
    assert all(word in options for word in words if word.startswith("--"))
    assert said["USER"] == "hubwise"
    assert said["STOPSIGNAL"] == "SIGTERM"
    compile(json.loads(said["HEALTHCHECK"].partition("CMD ")[2])[2], "healthcheck", "exec")
    assert (ROOT / "constraints.txt").exists()
    assert "serve" in said["RUN"] or "[serve" in " ".join(lines)


@pytest.mark.parametrize(
    ("station", "stands", "line"),
    [
        ("S0", False, "2026-11-28T18:00:50Z S0 clock differs: by a quarter"),
        ("", True, "2026-11-28T18:00:50Z clock differs: by a quarter (stands)"),
    ],
)
def test_an_alarm_names_its_station(station: str, stands: bool, line: str) -> None:
    """To the second, as ``hubwise status`` shows it, and whether it stands; an alarm of the site
    itself names none."""
    each: dict[str, object] = {"at": "2026-11-28T18:00:50.453763Z", "station": station}
    each["stands"] = stands
    assert _alarm({**each, "what": "clock differs", "detail": "by a quarter"}) == line
