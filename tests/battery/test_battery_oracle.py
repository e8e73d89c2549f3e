"""Fade against BLAST-Lite 1.1.1: recorded cases always, the package itself where installed."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from hubwise.battery import MODELS, Depth, battery_stress, follow, same_energy, same_shares
from hubwise.domain import CELLS

HERE = Path(__file__).parent
CASES = sorted((HERE / "cases").iterdir())
TOLERANCE = 0.02


def fade_by_year(cell, year, years, *, depth, worn):
    """Capacity lost after each year, when a year of hourly points is repeated."""
    points = [year[24 * day : 24 * day + 25] for day in range(365)]
    days = [
        battery_stress(p[None, :, 0], p[None, :, 1], np.arange(25.0), depth=depth) for p in points
    ]
    course = follow(MODELS[cell], days * years, worn)
    return np.array([lost.capacity[0] for lost in course[364::365]])


def case(folder):
    year = np.loadtxt(folder / "year.csv", delimiter=",", skiprows=1)
    return year, json.loads((folder / "fade.json").read_text())


@pytest.mark.parametrize("folder", CASES, ids=lambda folder: folder.name)
@pytest.mark.parametrize("cell", MODELS)
def test_fade_is_blast_lites_within_two_per_cent(folder, cell):
    """After every year of every profile, BLAST-Lite's own included, each cell has lost as much."""
    year, said = case(folder)
    due = np.array(said["same_shares"][cell])
    found = fade_by_year(cell, year, len(due), depth=Depth.DEEPEST, worn=same_shares)
    np.testing.assert_allclose(found, due, rtol=TOLERANCE)


@pytest.mark.parametrize("name", ["commute", "two-way"])
@pytest.mark.parametrize("cell", MODELS)
def test_with_one_cycle_a_day_its_depth_is_the_deepest(name, cell):
    """Giving each cycle its own depth, as plans do, changes nothing where there is one a day."""
    year, said = case(HERE / "cases" / name)
    due = np.array(said["same_shares"][cell][:2])
    found = fade_by_year(cell, year, 2, depth=Depth.EACH, worn=same_shares)
    np.testing.assert_allclose(found, due, rtol=TOLERANCE)


@pytest.mark.parametrize("name", ["commute", "parked-full"])
@pytest.mark.parametrize("cell", MODELS)
def test_swings_that_grow_as_capacity_goes_are_blast_lites(name, cell):
    """Where a battery that has aged moves the same energy as before, BLAST-Lite says the same."""
    year, said = case(HERE / "cases" / name)
    due = np.array(said["same_energy"][cell][:3])
    found = fade_by_year(cell, year, 3, depth=Depth.EACH, worn=same_energy)
    np.testing.assert_allclose(found, due, rtol=TOLERANCE)


def test_every_cell_has_a_model():
    """What a scenario may name can be computed, and nothing else is on offer."""
    assert set(CELLS) == set(MODELS)


@pytest.mark.skipif(importlib.util.find_spec("blast") is None, reason="blast-lite not installed")
@pytest.mark.parametrize("cell", MODELS)
def test_recorded_cases_are_what_blast_lite_says(cell, monkeypatch):
    """The recorded fade is that of the installed BLAST-Lite."""
    if not hasattr(np, "trapz"):
        monkeypatch.setattr(np, "trapz", np.trapezoid, raising=False)
    spec = importlib.util.spec_from_file_location("record_cases", HERE / "record_cases.py")
    record = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "record_cases", record)
    spec.loader.exec_module(record)
    profile = record.fine(record.profiles()["two-way"])
    _, said = case(HERE / "cases" / "two-way")
    found = record.fade(cell, profile, same_energy=False)
    np.testing.assert_allclose(found, said["same_shares"][cell], rtol=1e-6)
