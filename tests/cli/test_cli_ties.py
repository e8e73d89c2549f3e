"""``--ties``: which of the schedules that cost a driver the same its device takes."""

from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize("ties", ["early", "random", "spread"])
def test_ties_are_recorded(run, quick, tmp_path, ties) -> None:
    """The summary says how ties were broken, by the strategy's name and on its own."""
    asked = ("--strategy", "passive", "--ties", ties, "--json")
    result = json.loads(run("plan", quick, "--out", tmp_path / "plan", *asked).stdout)["results"][0]
    assert result["ties"] == ties
    assert result["strategy"] == ("passive" if ties == "early" else f"passive-{ties}")
    assert result["max_regret"] <= 1e-8


def test_ties_need_devices_that_choose(run, quick, tmp_path) -> None:
    """Where a platform schedules, or nobody does, there are no ties to ask for."""
    for strategy in ("hubwise", "storage", "uncoordinated"):
        asked = ("--strategy", strategy, "--ties", "random")
        done = run("plan", quick, "--out", tmp_path / "plan", *asked)
        assert done.exit_code == 2
        assert "--ties" in done.stderr
        assert not (tmp_path / "plan").exists()
