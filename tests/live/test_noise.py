"""A served site does not mind noise; `make nightly` makes more of it."""

from __future__ import annotations

from fuzz_hunt import hunt


def test_noise_ends_nothing(tmp_path) -> None:
    """Frames and requests that are nearly right, over real sockets: all are answered, none by an
    error within, and the site goes on and ends as it should."""
    found, memory = hunt(tmp_path, 300, 300, parts=2)
    assert found.wrong == []
    assert found.said["result"] > 100
    assert found.said["200"] > 20
    assert len(memory) == 2
