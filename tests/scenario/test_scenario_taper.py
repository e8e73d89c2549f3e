"""Tapers in a scenario: curves and who has them, what is refused, bounds by hand, and fuses."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest

from builders import fleet_of, small_situation
from hubwise.audit.taper import charged_kwh
from hubwise.drivers import least_at_departure, uncoordinated
from hubwise.record.tables import seldom_told
from hubwise.scenario import ScenarioError, check, load
from hubwise.scenario.fuses import behind_fuses
from hubwise.scenario.identity import fingerprint
from hubwise.scenario.taper import short_of_tapers, tapered
from hubwise.scenario.writing import PACKAGED, new
from tapers import horizon_of, tapers_of

KNEE = [(0.8, 1.0), (1.0, 0.2)]


@pytest.fixture
def site(tmp_path):
    """Makes the example a folder of its own, with lines of ``[tapers]`` and session columns."""

    def made(tapers="", more="", **columns):
        folder = new(tmp_path / "site")
        toml = folder / "scenario.toml"
        text = toml.read_text("utf-8") + (f"\n[tapers]\n{tapers}\n" if tapers else "")
        toml.write_text(text + more, "utf-8")
        table = pl.read_csv(folder / "sessions.csv", infer_schema=False)
        table = table.with_columns(
            pl.Series(name, [*values, *[None] * (len(table) - len(values))], pl.String)
            for name, values in columns.items()
        )
        table.write_csv(folder / "sessions.csv")
        return folder

    return made


def by_hand(**columns):
    """A car of 100 kWh with 60 kWh in it at 20 kW: full after 3.01 h, on slots of an hour."""
    usual = {"capacity_kwh": 100.0, "arrival_kwh": 60.0, "required_kwh": 100.0, "max_kwh": 100.0}
    usual |= {"charge_kw_max": 20.0, "discharge_kw_max": 0.0, "charge_efficiency": 1.0}
    fleet = fleet_of(1, 4, **{**usual, **columns})
    return tapered(tapers_of(fleet, [KNEE]), horizon_of(4, 60))


def test_charging_at_once_by_hand() -> None:
    """Above 80 kWh the power is 20 - 0.8 (e - 80): e = 80 + 25 (1 - exp(-0.8 t))."""
    schedule = uncoordinated(by_hand(), horizon_of(4, 60))
    second, third = 25.0 * (1.0 - np.exp([-0.8, -1.6]))
    kwh = [20.0, second, third - second, 20.0 - third]
    assert schedule.charge_kw[0] == pytest.approx(kwh, abs=1e-9)
    assert kwh == pytest.approx([20.0, 13.7668, 6.1858, 0.0474], abs=1e-4)
    paid = float(schedule.charge_kw[0] @ [0.10, 0.30, 0.20, 0.40])
    assert round(paid, 2) == 7.39


def test_bounds_by_hand() -> None:
    """The path's own amounts until it is an hour below the end; from there that last hour's."""
    bounds = by_hand().bounds
    last = 20.0 - (25.0 - 5.0 * np.exp(0.8))
    path = [20.0, 25.0 * (1.0 - np.exp(-0.8)), 25.0 * (np.exp(-0.8) - np.exp(-1.6)), last]
    assert bounds.charge_kw[0] == pytest.approx(path)
    assert last == pytest.approx(6.1277, abs=1e-4)
    assert (bounds.most_kwh == 100.0).all()


def test_who_needs_nothing_above_the_knee_charges_in_full_all_the_time() -> None:
    """Bounds are tight only where the required energy, or its worth, is above the knee."""
    free = by_hand(required_kwh=75.0).bounds
    assert free.charge_kw[0] == pytest.approx([20.0] * 4)
    assert (free.most_kwh == 80.0).all()
    worth = by_hand(required_kwh=75.0, surplus_value=0.1).bounds
    assert worth.charge_kw == pytest.approx(by_hand().bounds.charge_kw)


def test_a_small_charger_begins_to_taper_later() -> None:
    """Shares are of the car's power: a charger of a quarter of it is full up to a share of it."""
    horizon = horizon_of(4, 60)
    fleet = fleet_of(1, 4, capacity_kwh=100.0, arrival_kwh=90.0, required_kwh=100.0,
                     max_kwh=100.0, charge_kw_max=5.0, charge_efficiency=1.0)  # fmt: skip
    own = tapered(tapers_of(fleet, [KNEE], np.array([20.0])), horizon)
    # 20 kW tapers to 5 kW at 98.75 kWh: 8.75 kWh take 1.75 h.
    assert uncoordinated(own, horizon).energy_kwh[0, 0] == pytest.approx(95.0)
    rest = 98.75 + 6.25 * (1.0 - np.exp(-0.8 * 0.25))
    assert uncoordinated(own, horizon).energy_kwh[0, 1] == pytest.approx(rest, abs=1e-9)


def test_what_cannot_be_had_is_told_before_the_stay() -> None:
    """Two hours bring 33.77 kWh of 40; a stay too short at full power is no matter of the curve."""
    own = by_hand(departure_slot=2)
    short = 40.0 - 20.0 - 25.0 * (1.0 - np.exp(-0.8))
    (said,) = short_of_tapers(own, horizon_of(4, 60))
    assert f"s0 ({short:.2f} kWh) cannot have all that is asked for" in said
    assert least_at_departure(own, horizon_of(4, 60)) == pytest.approx([100.0 - short])
    assert short_of_tapers(by_hand(departure_slot=1, required_kwh=85.0), horizon_of(4, 60)) == ()
    assert short_of_tapers(by_hand(), horizon_of(4, 60)) == ()


def test_curves_are_read_and_named(site) -> None:
    """A session has its own, else its driver's; what a plan writes names it."""
    folder = site("ccs = [[0.8, 1.0], [1.0, 0.2]]\nold = [[0.6, 1], [0.9, 0.5], [1, 0.1]]",
                  taper=["ccs", "old"])  # fmt: skip
    plain = load("example")
    scenario = load(folder)
    fleet = scenario.situation.fleet
    assert fleet.taper.name[:3].tolist() == ["ccs", "old", ""]
    assert fleet.taper.soc[1].tolist() == [0.6, 0.9, 1.0]
    assert fleet.taper.share[1].tolist() == [1.0, 0.5, 0.1]
    assert np.isinf(fleet.bounds.charge_kw[2:]).all()
    assert seldom_told(fleet, scenario.situation.hubs)["taper"][:3] == ["ccs", "old", ""]
    assert fingerprint(scenario) != fingerprint(plain)
    assert load("example").situation.fleet.taper is None


def test_a_driver_has_a_curve_for_every_stay(site) -> None:
    """The table of drivers fills in what a session leaves empty."""
    folder = site("ccs = [[0.8, 1.0], [1.0, 0.2]]", more='\n[drivers]\nfile = "drivers.csv"\n')
    drivers = pl.read_csv(folder / "sessions.csv", infer_schema=False)["driver"].unique().to_list()
    (folder / "drivers.csv").write_text(
        "driver,taper\n" + "".join(f"{name},ccs\n" for name in drivers), "utf-8"
    )
    assert set(load(folder).situation.fleet.taper.name.tolist()) == {"ccs"}


def test_everything_wrong_is_told_at_once(site) -> None:
    """Bad points each with its place, unknown names with their row and what they may be."""
    folder = site(
        "back = [[0.9, 1.0], [0.8, 0.5]]\n"
        "rises = [[0.7, 1.0], [0.8, 0.5], [1.0, 0.6]]\n"
        "none = [[0.8, 1.0], [1.0, 0.0]]\n"
        "more = [[0.8, 1.2], [1.4, 0.5]]\n"
        "low = [[0.8, 0.9], [1.0, 0.5]]\n"
        "words = [[0.8, true]]\n"
        "ccs = [[0.8, 1.0], [1.0, 0.2]]",
        taper=["css", "ccs", "back"],
    )
    found = {(issue.where, issue.field, issue.wrong) for issue in check(folder)}
    assert ("tapers", "back", "point 2: state of charge 0.8 is not above 0.9") in found
    assert ("tapers", "rises", "point 3: share 0.6 is above 0.5 before it") in found
    assert ("tapers", "none", "point 2: share 0 is not above 0 and at most 1") in found
    assert ("tapers", "more", "point 1: share 1.2 is not above 0 and at most 1") in found
    assert ("tapers", "more", "point 2: state of charge 1.4 is not within 0 to 1") in found
    assert ("tapers", "low", "point 1: share 0.9 is not 1, where power begins to fall") in found
    assert ("tapers", "words", "is not a list of pairs of numbers") in found
    assert ("row 2", "taper", "'css' is unknown") in found
    assert len(found) == 8


def test_a_name_without_any_curves_is_told(site) -> None:
    """Where there is no [tapers], and where it is no section; a curve that nobody names is fine."""
    (issue,) = check(site(taper=["ccs"]))
    assert (issue.where, issue.field, issue.wrong) == ("row 2", "taper", "'ccs' is unknown")


def test_fuses_share_what_curves_leave() -> None:
    """Behind a fuse that two full powers just pass, nobody gets more than its curve allows."""
    horizon = horizon_of(6, 60)
    fleet = fleet_of(3, 6, capacity_kwh=100.0, arrival_kwh=np.array([60.0, 80.0, 90.0]),
                     required_kwh=100.0, max_kwh=100.0, charge_kw_max=20.0,
                     discharge_kw_max=0.0, charge_efficiency=1.0)  # fmt: skip
    own = tapered(tapers_of(fleet, [KNEE] * 3), horizon)
    hubs = small_situation(hubs=1, slots=6).hubs
    for kw in (35.0, 18.0):
        narrow = replace(hubs, import_limit_kw=np.array([kw]))
        shared, _ = behind_fuses(own, narrow, horizon)
        done = uncoordinated(shared, horizon)
        assert (done.charge_kw.sum(axis=0) <= kw + 1e-9).all()
        before = np.hstack([own.arrival_kwh[:, None], done.energy_kwh[:, :-1]])
        for i in range(3):
            most = charged_kwh(own, i, before[i], np.ones(6)) - before[i]
            assert (done.charge_kw[i] <= most + 1e-9).all()
        assert shared.at_once_kw is not None


def test_a_curve_that_nobody_names_changes_nothing(site) -> None:
    """A synthetic fleet, too, may stand beside curves; bounds are those of who names one."""
    assert load(site("ccs = [[0.8, 1.0], [1.0, 0.2]]")).situation.fleet.bounds is None


def test_a_drawn_fleet_takes_a_curve_like_a_table(tmp_path) -> None:
    """The same cars from a table that names the curve have the same bounds; other draws have the
    curve, too; a curve that is not there is refused by its nearest name."""
    folder = tmp_path / "drawn"
    shutil.copytree(PACKAGED / "ieee33", folder)
    toml = folder / "scenario.toml"
    text = toml.read_text("utf-8").replace("drivers_per_hub = 250", "drivers_per_hub = 3")
    assert "drivers_per_hub = 3" in text
    plain = text + "\n[tapers]\nccs = [[0.5, 1.0], [1.0, 0.1]]\n"
    named = plain.replace("[fleet]\n", '[fleet]\ntaper = "ccs"\n')
    toml.write_text(plain, "utf-8")
    usual = load(folder).situation
    toml.write_text(named, "utf-8")
    scenario = load(folder)
    fleet, horizon = scenario.situation.fleet, scenario.situation.horizon
    assert (fleet.taper.name == "ccs").all()
    curves = [[(0.5, 1.0), (1.0, 0.1)]] * len(fleet)
    told = tapered(tapers_of(usual.fleet, curves), horizon)
    for name in ("least_kwh", "most_kwh", "charge_kw"):
        np.testing.assert_array_equal(getattr(fleet.bounds, name), getattr(told.bounds, name))
    assert (load(f"{folder}@7").situation.fleet.taper.name == "ccs").all()
    toml.write_text(named.replace('taper = "ccs"', 'taper = "css"'), "utf-8")
    with pytest.raises(ScenarioError, match="ccs") as refused:
        load(folder)
    assert [(each.where, each.field) for each in refused.value.issues] == [("fleet", "taper")]
