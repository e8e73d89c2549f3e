"""Other draws of a scenario's sessions: `name@seed`."""

from __future__ import annotations

import pickle
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest

from hubwise.dispatch import make_baseline
from hubwise.domain import Drivers, Fleet
from hubwise.scenario import Issue, ScenarioError, fingerprint, load, load_draws
from hubwise.scenario.draws import Draws
from hubwise.scenario.writing import new


def test_a_seed_gives_one_fleet() -> None:
    """The same seed gives the same scenario to the bit, its own seed the scenario itself."""
    assert fingerprint(load("ieee33@7")) == fingerprint(load("ieee33@7"))
    assert fingerprint(load("ieee33@2023")) == fingerprint(load("ieee33"))
    assert fingerprint(load("ieee33@7")) != fingerprint(load("ieee33"))


def test_only_sessions_and_participants_differ() -> None:
    """Another draw has other drivers in the same place: feeder, hubs, prices, rules, promises."""
    given, other = load("ieee33"), load("ieee33@7")
    same = replace(
        other.having(fleet=given.situation.fleet),
        participation_order=given.participation_order,
        search=given.search,
    )
    assert fingerprint(same) == fingerprint(given)
    assert other.participation_order != given.participation_order
    assert other.participation == given.participation
    assert other.situation.fleet.participating.sum() == given.situation.fleet.participating.sum()
    assert (other.source, other.search.seed) == ("ieee33@7", 7)


def test_sessions_of_a_table_are_drawn_from_it() -> None:
    """As many sessions stand at each hub; each is one of the table's but for its name."""
    given, drawn = load("example").situation.fleet, load("example@3").situation.fleet
    np.testing.assert_array_equal(np.bincount(drawn.hub), np.bincount(given.hub))
    assert len(set(drawn.session)) == len(drawn)
    ids = {name: k for k, name in enumerate(given.session.tolist())}
    whence = np.array([ids[name.partition("#")[0]] for name in drawn.session.tolist()])
    assert len(set(whence.tolist())) < len(given)
    for field in fields(Fleet):
        column = getattr(given, field.name)
        apart = ("session", "driver", "drivers", "participating")
        if field.name not in apart and column is not None:
            np.testing.assert_array_equal(getattr(drawn, field.name), column[whence])
    for name in (field.name for field in fields(Drivers) if field.name != "name"):
        np.testing.assert_array_equal(getattr(drawn, name), getattr(given, name)[whence])


def test_a_drawn_scenario_is_drawn_from_its_base() -> None:
    """A seed behind a seed takes its place."""
    again = replace(load_draws("ieee33@7"), scenario=load("ieee33@7")).draw(9)
    assert again.source == "ieee33@9"
    assert fingerprint(again) == fingerprint(load("ieee33@9"))


@pytest.mark.parametrize("source", ["ieee33@", "ieee33@-1", "@7", "ieee33@seven", "nowhere@7"])
def test_what_is_no_draw_is_no_scenario(source: str) -> None:
    """A mark without a scenario before it or a seed behind it names nothing."""
    with pytest.raises(ScenarioError, match="is not a scenario"):
        load(source)


def test_all_that_is_wrong_reaches_another_process() -> None:
    """A worker's list of problems arrives whole."""
    error = ScenarioError([Issue("a", "b", "c", "d", "e"), Issue("f", "", "", "g", "h")])
    twin = pickle.loads(pickle.dumps(error))
    assert twin.issues == error.issues
    assert str(twin) == str(error)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_a_draw_obeys_the_fuses_of_its_hubs(tmp_path: Path, seed: int) -> None:
    """What a connection carries is shared among those who are drawn; all ask for what they did."""
    folder = new(tmp_path / "site")
    toml = folder / "scenario.toml"
    text = toml.read_text("utf-8").replace("import_limit_kw = 80.0", "import_limit_kw = 22.0")
    toml.write_text(text + "\n[chargers]\nstep_a = 1\n", "utf-8")
    usual, drawn = load(folder).situation, load(f"{folder}@{seed}").situation
    assert (make_baseline(drawn).hub_kw <= 22.0 + 1e-6).all()
    fleet = drawn.fleet
    asked = dict(zip(usual.fleet.session.tolist(), usual.fleet.wished_kwh.tolist(), strict=True))
    names = [name.rpartition("#")[0] for name in fleet.session.tolist()]
    np.testing.assert_allclose(fleet.wished_kwh, [asked[name] for name in names])
    assert (fleet.required_kwh <= fleet.wished_kwh).all()


def test_a_synthetic_draw_stands_at_the_same_chargers() -> None:
    """Least powers, stand-by and steps are those of the hubs, whoever is drawn."""
    usual = load("ieee33")
    ones = np.ones(len(usual.situation.fleet))
    fleet = replace(usual.situation.fleet, charge_kw_min=4.1 * ones, standby_kw=0.1 * ones)
    draws = Draws(usual.having(fleet=fleet), load_draws("ieee33").section)
    found = draws.draw(7).situation.fleet
    assert found.charge_kw_min is not None
    assert found.standby_kw is not None
    assert (found.charge_kw_min == 4.1).all()
    assert (found.standby_kw == 0.1).all()
