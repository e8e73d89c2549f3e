"""What a scenario says of energy that is left in batteries: its price, and whether it is equal."""

from __future__ import annotations

import numpy as np
import pytest

from hubwise.drivers import uncoordinated
from hubwise.scenario import ScenarioError, fingerprint, load, load_draws, new, with_equal_energy


def changed(folder, *pairs: tuple[str, str]):
    """The example with parts of its text replaced."""
    toml = new(folder) / "scenario.toml"
    text = toml.read_text("utf-8")
    for old, fresh in pairs:
        assert old in text
        text = text.replace(old, fresh, 1)
    toml.write_text(text, "utf-8")
    return folder


def test_its_price_is_given_or_the_lowest(tmp_path) -> None:
    """A number holds for cars and stations; the lowest prices do where none is given."""
    usual = load("example").situation.market
    assert usual.purchase_price.min() < 0.0 < usual.reference_price.min()
    assert usual.energy_left == (usual.reference_price.min(), 0.0)
    for said, due in (("0.25", (0.25, 0.25)), ('"lowest"', usual.energy_left)):
        folder = changed(tmp_path / said[0:3], ("[prices]", f"[prices]\nenergy_left = {said}"))
        assert load(folder).situation.market.energy_left == due


def test_a_price_that_is_none_is_told(tmp_path) -> None:
    """Any other word is refused, with what would be right."""
    folder = changed(tmp_path / "wrong", ("[prices]", '[prices]\nenergy_left = "dear"'))
    with pytest.raises(ScenarioError) as caught:
        load(folder)
    assert [issue.field for issue in caught.value.issues] == ["energy_left"]


@pytest.mark.parametrize("seed", [None, 5])
def test_equal_energy_is_required_of_every_session(tmp_path, seed) -> None:
    """Every session, drawn anew or not, requires what uncoordinated charging leaves at least."""
    folder = changed(
        tmp_path / "equal",
        ("[promises]", "[promises]\nequal_energy = true"),
    )
    draws = load_draws(folder)
    scenario = draws.scenario if seed is None else draws.draw(seed)
    fleet, horizon = scenario.situation.fleet, scenario.situation.horizon
    left = uncoordinated(fleet, horizon).energy_kwh[:, -1]
    assert (fleet.required_kwh >= left - 1e-9).all()
    assert (fleet.required_kwh >= fleet.arrival_kwh).all()


def test_the_python_way_is_the_file_s_way(tmp_path) -> None:
    """`with_equal_energy` makes the scenario that the key does, and it is another one."""
    folder = changed(tmp_path / "equal", ("[promises]", "[promises]\nequal_energy = true"))
    plain, fair = load("ieee33"), with_equal_energy(load("ieee33"))
    assert fingerprint(with_equal_energy(load("example"))) == fingerprint(load(folder))
    assert fingerprint(plain) != fingerprint(fair)
    fuller = plain.situation.fleet.arrival_kwh > plain.situation.fleet.required_kwh
    assert fuller.any()
    raised = fair.situation.fleet.required_kwh > plain.situation.fleet.required_kwh
    np.testing.assert_array_equal(raised, fuller)
