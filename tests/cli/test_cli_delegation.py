"""``--delegating``, ``--device-ties``: who lets the platform choose, what other devices do."""

from __future__ import annotations

import json

import pytest


@pytest.mark.parametrize("ties", ["early", "random"])
def test_who_delegates_is_recorded_and_audited(run, quick, tmp_path, ties) -> None:
    """The summary says share, number, ties and the seed that was asked for."""
    asked = ("--delegating", 0.25, "--device-ties", ties, "--seed", 9, "--json")
    done = run("plan", quick, "--out", tmp_path / "plan", *asked)
    result = json.loads(done.stdout)["results"][0]
    assert result["delegating"] == 0.25
    assert result["delegated"] == 3
    assert result["device_ties"] == ties
    assert result["device_seed"] == (9 if ties == "random" else None)
    assert run("audit", tmp_path / "plan").exit_code in (0, 1)
    report = json.loads(run("audit", tmp_path / "plan", "--json").stdout)
    assert not [check for check in report["checks"] if check["status"] == "fails"]


def test_a_table_says_who_chooses_alone(run, quick, tmp_path) -> None:
    """Only where there is somebody."""
    asked = ("--delegating", 0.25)
    assert "75%, devices early" in run("plan", quick, "--out", tmp_path / "a", *asked).stdout
    assert "devices" not in run("plan", quick, "--out", tmp_path / "b").stdout


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        (("--strategy", "passive", "--delegating", 0.5), "--delegating"),
        (("--strategy", "storage", "--device-ties", "random"), "--device-ties"),
        (("--delegating", 1.5), "--delegating"),
        (("--device-ties", "spread"), "--device-ties"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(run, quick, tmp_path, asked, names) -> None:
    """Shares beyond 1, ties that no device has, strategies without a platform: nothing written."""
    done = run("plan", quick, "--out", tmp_path / "plan", *asked)
    assert done.exit_code == 2
    assert names in done.stderr
    assert not (tmp_path / "plan").exists()


def test_own_prices_are_evaluated_for_it(run, quick, tmp_path) -> None:
    """Evaluating a tariff of one's own knows of devices as well."""
    prices = tmp_path / "prices.csv"
    prices.write_text("hour,charge,discharge\n0,0.15,0\n")
    asked = ("--prices", prices, "--out", tmp_path / "plan", "--delegating", 0, "--json")
    done = run("evaluate", quick, *asked)
    result = json.loads(done.stdout)["results"][0]
    assert result["delegated"] == 0
    assert result["outcomes"]["dispatched"]["peak_kw"] == pytest.approx(
        result["outcomes"]["undelegated"]["peak_kw"]
    )


def test_prices_for_many_futures_know_of_devices(run, quick, tmp_path) -> None:
    """Futures drawn of the fleet have as many who delegate."""
    asked = ("--futures", 2, "--delegating", 0.5, "--device-ties", "random", "--json")
    done = run("plan", quick, "--out", tmp_path / "plan", *asked)
    summary = json.loads(done.stdout)
    assert summary["results"][0]["delegated"] == 6
    assert summary["futures"]["futures"] == 2
