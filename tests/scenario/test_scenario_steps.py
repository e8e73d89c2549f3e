"""Steps and starts in a scenario: for all, a plug's or a session's own; and what is refused."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from hubwise.scenario import check, load
from hubwise.scenario.identity import fingerprint
from hubwise.scenario.writing import new


@pytest.fixture
def site(tmp_path):
    """Makes the example a folder of its own, with keys of ``[chargers]`` and session columns."""

    def made(chargers="", plugs="", **columns):
        folder = new(tmp_path / "site")
        toml = folder / "scenario.toml"
        text = toml.read_text("utf-8") + (f"\n[chargers]\n{chargers}\n" if chargers else "")
        if plugs:
            text += '\n[plugs]\nfile = "plugs.csv"\n'
            (folder / "plugs.csv").write_text(plugs, "utf-8")
        toml.write_text(text, "utf-8")
        table = pl.read_csv(folder / "sessions.csv", infer_schema=False)
        table = table.with_columns(
            pl.Series(name, [*values, *[None] * (len(table) - len(values))], pl.String)
            for name, values in columns.items()
        )
        table.write_csv(folder / "sessions.csv")
        return folder

    return made


def test_amperes_count_on_every_phase(site) -> None:
    """An ampere is 0.23 kW on one phase and 0.69 kW on three, by power where nobody says it."""
    fleet = load(site("step_a = 2", phases=["1", "3"])).situation.fleet
    usual = np.where(fleet.charge_kw_max <= 7.4, 1.0, 3.0)
    usual[:2] = 1.0, 3.0
    assert fleet.steps_kw == pytest.approx(0.46 * usual)
    assert np.isinf(fleet.most_starts).all()


def test_a_session_says_it_before_its_plug_and_all(site) -> None:
    """Its own column, else the plug's, else what holds for all."""
    example = load("example").situation
    hub = example.hubs.name[0]
    rows = "".join(f"p{k},{hub},22,0.5,3\n" for k in range(20))
    folder = site(
        "step_kw = 0.1\nstarts_max = 4",
        plugs=f"plug,hub,kw,step_kw,starts_max\n{rows}"
        + "".join(f"q{k},{name},22,,\n" for name in example.hubs.name[1:] for k in range(20)),
        step_kw=["1.0"], starts_max=["1"],
    )  # fmt: skip
    fleet = load(folder).situation.fleet
    here = fleet.hub == 0
    first = fleet.session == example.fleet.session[0]
    assert fleet.steps_kw[first] == 1.0
    assert fleet.most_starts[first] == 1.0
    assert fleet.steps_kw[here & ~first] == pytest.approx(0.5)
    assert fleet.most_starts[here & ~first] == pytest.approx(3.0)
    assert fleet.steps_kw[~here & ~first] == pytest.approx(0.1)
    assert fleet.most_starts[~here & ~first] == pytest.approx(4.0)


def test_without_any_a_scenario_is_the_one_it_was(site) -> None:
    """Nothing told is no step and no limit, and no other fingerprint; told, it is another."""
    plain = load("example")
    assert plain.situation.fleet.step_kw is None
    assert plain.situation.fleet.starts_max is None
    told = load(site("step_kw = 0.1"))
    assert fingerprint(told) != fingerprint(plain)


@pytest.mark.parametrize(
    ("chargers", "columns", "said"),
    [
        ("step_a = 1\nstep_kw = 0.1", {}, ["has both step_a and step_kw"]),
        ("step_a = 0\nstarts_max = 0", {}, ["step_a", "starts_max"]),
        ("starts_max = 1.5\nstep_kw = -1", {}, ["whole number", "step_kw"]),
        (
            "step_kw = 50\nstarts_max = 3", {"starts_max": ["0"], "step_kw": [None, "60"]},
            ["is more than s01 (50 kW of 11 kW), s03 (", "row 2, starts_max", "row 3, step_kw"],
        ),
        (
            "starts_max = 0",
            {"step_kw": ["99", "-1", "x"], "starts_max": ["0", "2.5"]},
            ["is 99 kW, above the charge_kw_max of", "row 3, step_kw", "row 4, step_kw",
             "row 2, starts_max", "row 3, starts_max", "chargers, starts_max"],
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_all_at_once(site, chargers, columns, said) -> None:
    """Every mistake stands with its place, and with what would be right."""
    found = [str(issue) for issue in check(site(chargers, **columns))]
    for words in said:
        assert any(words in issue for issue in found), (words, found)


def test_a_step_above_a_plugs_power_is_refused(site) -> None:
    """Of cars and plugs the weaker counts; so it does of drawn sessions."""
    plugs = "plug,hub,kw\n" + "".join(
        f"{hub}{k},{hub},3.7\n" for hub in load("example").situation.hubs.name for k in range(20)
    )
    found = check(site("step_kw = 5", plugs=plugs))
    assert any("(5 kW of 3.7 kW)" in str(issue) for issue in found)


def test_a_plugs_own_step_above_its_power_is_refused(site) -> None:
    """With its row, beside what else is wrong."""
    hub = load("example").situation.hubs.name[0]
    plugs = f"plug,hub,kw,step_kw,starts_max\np,{hub},3.7,4,1\nq,{hub},3.7,1,0\n"
    found = [str(issue) for issue in check(site(plugs=plugs))]
    assert any("row 2, step_kw: is 4 kW, above the kw of 3.7 kW" in issue for issue in found)
    assert any("row 3, starts_max" in issue for issue in found)


def test_steps_that_do_not_divide_the_power_are_told(site) -> None:
    """At its highest power a charger needs no step; the notes say so, and name sessions."""
    assert any("at its highest power" in note for note in load(site("step_kw = 0.7")).notes)


def test_steps_that_divide_it_are_not(site) -> None:
    """Where whole steps make the highest power there is nothing to tell."""
    assert not any("highest power" in note for note in load(site("step_kw = 0.1")).notes)
