"""Who delegates: nested by the order of participation, unless sessions say so themselves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hubwise.scenario import (
    ScenarioError,
    fingerprint,
    load,
    load_draws,
    new,
    with_delegation,
    with_participation,
)

seeds, shares = st.integers(0, 10_000), st.floats(0.0, 1.0)


def delegates(scenario) -> np.ndarray:
    fleet = scenario.situation.fleet
    return fleet.participating & fleet.delegates


@given(seeds, shares, shares, shares, shares)
def test_more_who_take_part_or_delegate_hold_the_fewer(
    small_scenario, seed, taking, more_taking, share, more
) -> None:
    """Who delegates at lower shares does at higher ones; their number is the share's."""
    scenario = small_scenario(seed)
    few, many = sorted([taking, more_taking])
    low, high = sorted([share, more])
    fewer = delegates(with_delegation(with_participation(scenario, few), low))
    assert not (fewer & ~delegates(with_delegation(with_participation(scenario, many), low))).any()
    assert not (fewer & ~delegates(with_delegation(with_participation(scenario, few), high))).any()
    taking_part = with_participation(with_delegation(scenario, low), few)
    count = int(taking_part.situation.fleet.participating.sum())
    assert delegates(taking_part).sum() == round(low * count)


@given(seeds, shares, st.sampled_from(["early", "random"]))
def test_what_sessions_say_stands(small_scenario, seed, share, ties) -> None:
    """Who says yes or no keeps to it at every share; the share is of the others."""
    scenario = small_scenario(seed)
    said = np.random.default_rng(seed).integers(-1, 2, len(scenario.situation.fleet))
    fleet = replace(scenario.situation.fleet, said_delegating=said)
    found = with_delegation(scenario.having(fleet=fleet), share, ties)
    theirs = delegates(found)
    assert theirs[said == 1].all()
    assert not theirs[said == 0].any()
    assert theirs[said == -1].sum() == round(share * (said == -1).sum())
    begins = found.situation.fleet.device_begins
    assert (begins is not None) == (ties == "random" and not theirs.all())
    assert begins is None or ((begins >= 0.0) & (begins < 1.0)).all()


def test_random_moments_are_spread_and_follow_the_seed_and_the_name() -> None:
    """Moments are uniform, the same for the same seed and session, whoever else there is."""
    scenario = with_delegation(load("ieee33"), 0.0, "random", 7)
    fleet = scenario.situation.fleet
    begins = fleet.device_begins
    counts = np.histogram(begins, 10, (0.0, 1.0))[0]
    assert counts.min() > 0.5 * len(fleet) / 10
    assert counts.max() < 1.5 * len(fleet) / 10
    some = scenario.having(fleet=fleet.select(np.arange(0, len(fleet), 3)))
    fewer = with_delegation(replace(some, participation_order=()), 0.0)
    assert np.array_equal(fewer.situation.fleet.device_begins, begins[::3])
    other = with_delegation(scenario, seed=8).situation.fleet.device_begins
    assert not np.array_equal(other, begins)


def test_who_delegates_is_no_part_of_the_fingerprint_but_what_sessions_say() -> None:
    """A share is how a plan is made, as participation is; a column is given."""
    scenario = load("example")
    assert fingerprint(with_delegation(scenario, 0.5, "random")) == fingerprint(scenario)
    said = np.zeros(len(scenario.situation.fleet), np.int64)
    fleet = replace(scenario.situation.fleet, said_delegating=said)
    assert fingerprint(scenario.having(fleet=fleet)) != fingerprint(scenario)


def test_a_file_says_who_delegates(tmp_path) -> None:
    """Keys at the top, and a column of sessions; drawn fleets keep the share."""
    folder = new(tmp_path / "site")
    file = folder / "scenario.toml"
    text = file.read_text()
    file.write_text('delegating = 0.5\ndevice_ties = "random"\n' + text)
    scenario = load(str(folder))
    taking = int(scenario.situation.fleet.participating.sum())
    assert delegates(scenario).sum() == round(0.5 * taking)
    assert scenario.delegation.ties == "random"
    drawn = load_draws(str(folder)).draw(5)
    assert drawn.delegation.seed == 5
    assert delegates(drawn).sum() == round(0.5 * int(drawn.situation.fleet.participating.sum()))
    table = folder / "sessions.csv"
    head, *rows = table.read_text().splitlines()
    said = [f"{row},{'true' if k == 0 else 'false' if k < 3 else ''}" for k, row in enumerate(rows)]
    table.write_text("\n".join([head + ",delegating", *said]) + "\n")
    told = load(str(folder)).situation.fleet.said_delegating
    assert told.tolist() == [1, 0, 0] + [-1] * (len(rows) - 3)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("delegating = 1.5", "delegating"),
        ('delegating = "half"', "delegating"),
        ('device_ties = "spread"', "device_ties"),
    ],
)
def test_a_wrong_share_or_device_is_refused_with_its_place(tmp_path, line, words) -> None:
    """One line names the file and the key."""
    folder = new(tmp_path / "site")
    file = folder / "scenario.toml"
    file.write_text(line + "\n" + file.read_text())
    with pytest.raises(ScenarioError) as refused:
        load(str(folder))
    (issue,) = refused.value.issues
    assert words in str(issue)


def test_a_wrong_cell_is_refused_with_its_row(tmp_path) -> None:
    """A cell that is neither true nor false is refused, row and column named."""
    folder = new(tmp_path / "site")
    table = folder / "sessions.csv"
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head + ",delegating", *(f"{row},perhaps" for row in rows)]) + "\n")
    with pytest.raises(ScenarioError) as refused:
        load(str(folder))
    assert "delegating" in str(refused.value.issues[0])


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), "half", None])
def test_a_share_is_a_number_within_0_to_1(small_scenario, share) -> None:
    """From Python as well; None leaves the share as it is."""
    if share is None:
        assert with_delegation(small_scenario(0), share).delegation.share == 1.0
        return
    with pytest.raises(ValueError, match="delegating is a share"):
        with_delegation(small_scenario(0), share)


def test_devices_break_ties_early_or_at_random(small_scenario) -> None:
    """No other way is known."""
    with pytest.raises(ValueError, match="early or random"):
        with_delegation(small_scenario(0), 0.5, "spread")
