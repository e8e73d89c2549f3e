"""Killed at random moments, with stations that say again what was not answered: the same books."""

from __future__ import annotations

import asyncio
from random import Random

from live_faults import books_of, killed, undisturbed
from live_site import make_site

KILLS = 6


def test_kills_lose_nothing_and_double_nothing(tmp_path) -> None:
    """Each stay billed once, as if nothing had happened; `make nightly` kills more often."""
    names = [f"S{number}" for number in range(6)]
    site = make_site(tmp_path / "here", names).start()
    done = asyncio.run(killed(site, names, Random(3), KILLS))
    found = books_of(site)
    assert site.stop() == 0
    assert len(found[0]) == sum(done.values()) >= 6
    assert {status for status, *_ in found[0].values()} == {"final"}
    assert len(found[1]) == 2 * len(found[0])
    assert found == undisturbed(tmp_path / "there", done)
