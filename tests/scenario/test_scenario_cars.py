"""One car is at one place at a time."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from hubwise.scenario import check, import_sessions, load, new

ROW = "{id},{driver},{hub},2025-05-14 {a},2025-05-14 {d},{size},20,30,10,38,11,0,1,1,0.05,{cells}\n"


def _site(folder: Path, *stays: dict[str, object]) -> Path:
    """The example with these stays; what they leave out is the same for all."""
    new(folder)
    header = (folder / "sessions.csv").read_text("utf-8").split("\n")[0] + "\n"
    same = {"driver": "d1", "hub": "north", "size": 40, "cells": "NMC"}
    rows = [ROW.format(**{"id": f"s{k}", **same, **stay}) for k, stay in enumerate(stays)]
    (folder / "sessions.csv").write_text(header + "".join(rows), "utf-8")
    return folder


def test_both_rows_are_named(tmp_path: Path) -> None:
    """A stay that overlaps two others of its car is told against each, both rows with it."""
    site = _site(
        tmp_path / "s",
        {"a": "13:00", "d": "16:00"},
        {"a": "17:00", "d": "20:00", "hub": "harbour"},
        {"a": "15:00", "d": "18:00"},
    )
    told = [(issue.where, issue.wrong) for issue in check(site)]
    assert told == [
        ("row 4", "the car of 'd1' is at 'north' in row 2 at the same time"),
        ("row 4", "the car of 'd1' is at 'harbour' in row 3 at the same time"),
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"a": "16:00", "d": "18:00"},
        {"a": "15:00", "d": "18:00", "driver": "d2"},
        {"a": "15:00", "d": "18:00", "size": 60},
        {"a": "15:00", "d": "18:00", "cells": "LFP"},
    ],
    ids=["afterwards", "another driver", "another battery", "another chemistry"],
)
def test_what_is_no_conflict(tmp_path: Path, other: dict[str, object]) -> None:
    """One stay after another, another driver's car and a second car of one driver are fine."""
    assert check(_site(tmp_path / "s", {"a": "13:00", "d": "16:00"}, other)) == ()


def test_an_imported_card_for_two_cars_is_two_cars(tmp_path: Path) -> None:
    """Stays of one card that overlap are of two cars; the notes count them."""
    (tmp_path / "sessions.csv").write_text(
        "driver,arrival,departure,energy_kwh\n"
        "fleet,2025-05-14 08:00,2025-05-14 12:00,9\n"
        "fleet,2025-05-14 09:00,2025-05-14 11:00,9\n"
        "fleet,2025-05-14 11:00,2025-05-14 15:00,9\n",
        "utf-8",
    )
    hours = "".join(f"2025-05-{13 + (h + 22) // 24}T{(h + 22) % 24:02}:00Z,50\n" for h in range(24))
    (tmp_path / "prices.csv").write_text("start_utc,price_eur_per_mwh\n" + hours, "utf-8")
    import_sessions(
        tmp_path / "sessions.csv",
        tmp_path / "prices.csv",
        tmp_path / "site",
        day=date(2025, 5, 14),
        zone="Europe/Amsterdam",
    )
    scenario = load(tmp_path / "site")
    assert sorted(scenario.situation.fleet.driver_name.tolist()) == [
        "fleet",
        "fleet (car 2)",
        "fleet (car 2)",
    ]
    assert any("car" in note and "2 of 3" in note for note in scenario.notes)
