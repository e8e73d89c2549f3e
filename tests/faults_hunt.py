"""Hunts for what kills and noise do to a site that is served: ``python -m faults_hunt``."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from live_faults import books_of, killed, undisturbed
from live_site import make_site


def main() -> int:
    """0 where the books are as if nothing had happened."""
    parser = argparse.ArgumentParser(prog="python -m faults_hunt", description=main.__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with TemporaryDirectory() as made:
        return hunt_kills(Path(made), options.kills, options.seed)


def hunt_kills(folder: Path, kills: int, seed: int) -> int:
    """Kill a site so often; its books against those of one to which nothing happened."""
    names = [f"S{number}" for number in range(6)]
    site = make_site(folder / "here", names).start()
    done = asyncio.run(killed(site, names, Random(seed), kills))
    found = books_of(site)
    assert site.stop() == 0
    wanted = undisturbed(folder / "there", done)
    apart = set(found[0].items()) ^ set(wanted[0].items())
    lines = [line for line in {*found[1], *wanted[1]} if found[1].count(line) != 1]
    print(f"{kills} kills, {sum(done.values())} stays: {len(apart)} sessions and {len(lines)}")
    print("entries are not those of a run to which nothing happened")
    return int(found != wanted)


if __name__ == "__main__":
    raise SystemExit(main())
