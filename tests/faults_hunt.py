"""Hunts for what kills and noise do to a site that is served: ``python -m faults_hunt``."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Mapping
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from databases import server
from live_faults import (
    NO_PLAN,
    Stays,
    books_of,
    calm,
    killed,
    planner_killed,
    struck,
    twin,
    undisturbed,
    until,
)
from live_site import Served, hubwise, make_site

Books = tuple[dict[str, Any], list[Any]]


def main() -> int:
    """0 where the books are as if nothing had happened."""
    parser = argparse.ArgumentParser(prog="python -m faults_hunt", description=main.__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--blows", type=int, default=40, help="at two that stand by")
    parser.add_argument("--plans", type=int, default=60, help="kills of the process that decides")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with TemporaryDirectory() as made:
        place = Path(made)
        place.chmod(0o755)  # PostgreSQL runs as another user where root asks
        found = hunt_kills(place / "one", options.kills, options.seed) if options.kills else 0
        found = found or hunt_planner(place / "planner", options.plans, options.seed)
        return found or hunt_two(place / "two", options.blows, options.seed)


def hunt_kills(folder: Path, kills: int, seed: int) -> int:
    """Kill a site so often; its books against those of one to which nothing happened."""
    folder.mkdir()
    names = [f"S{number}" for number in range(6)]
    site = make_site(folder / "here", names).start()
    done = asyncio.run(killed(site, names, Random(seed), kills))
    found = books_of(site)
    assert site.stop() == 0
    return differs(found, undisturbed(folder / "there", done), f"{kills} kills", done)


def hunt_planner(folder: Path, kills: int, seed: int) -> int:
    """Kill the process that decides so often, on a clock 60 times as fast: each slot, for hours.

    What a plan is good for is over then, and chargers are told what to do by the safe rule.
    """
    folder.mkdir()
    names = [f"S{number}" for number in range(6)]
    site = make_site(folder / "here", names)
    other, site.extra = twin(site, folder / "there"), ["--speed", "60"]
    site.start()

    async def work() -> tuple[int, dict[str, int]]:
        stays = Stays(names, site.ready["ocpp"], pause=0.3, wants=True).begin()
        told = await planner_killed(site, Random(seed), kills, 3.0)
        before = stays.told["SetChargingProfile"]
        await until(site, NO_PLAN, stands=False, seconds=60.0)
        while not await asyncio.to_thread(site.items, "/plan"):
            await asyncio.sleep(0.1)
        assert stays.told["SetChargingProfile"] > before > 0
        return told, await stays.end()

    told, done = asyncio.run(work())
    found = books_of(site)
    assert told
    assert site.stop() == 0
    return differs(found, calm(other, done), f"{kills} kills of the planner", done)


def hunt_two(folder: Path, blows: int, seed: int) -> int:
    """Two that stand by for each other, killed or put to sleep so often, one or the other."""
    folder.mkdir()
    names = [f"S{number}" for number in range(6)]
    with server(folder / "pg") as made:
        one = make_site(folder / "here", names, made("two")).start()
        other = Served(one.folder, one.store, token=one.token).start()
        done = asyncio.run(struck((one, other), names, Random(seed), blows))
        active = next(each for each in (one, other) if each.get("/health").status_code == 200)
        found = books_of(active)
        hubwise("audit", one.folder)
        assert [one.stop(), other.stop()] == [0, 0]
    return differs(found, undisturbed(folder / "there", done), f"{blows} blows", done)


def differs(found: Books, wanted: Books, what: str, done: Mapping[str, int]) -> int:
    """Say how far books are from those to which nothing happened; 0 where they are the same."""
    apart = set(found[0].items()) ^ set(wanted[0].items())
    lines = [line for line in {*found[1], *wanted[1]} if found[1].count(line) != 1]
    print(f"{what}, {sum(done.values())} stays: {len(apart)} sessions and {len(lines)}")
    print("entries are not those of a run to which nothing happened")
    return int(found != wanted)


if __name__ == "__main__":
    raise SystemExit(main())
