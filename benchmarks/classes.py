"""Random small instances for the exact method: ten driver classes at one hub, hourly slots."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, fields, replace
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from shutil import copytree

import numpy as np

from hubwise.dispatch import Limits, Problem, make_problem
from hubwise.domain import Hubs, Scenario, Situation, TariffFamily
from hubwise.drivers import uncoordinated
from hubwise.pricing import merged
from hubwise.scenario import load

DRIVERS = 1200


@cache
def hourly_ieee33() -> Scenario:
    """The reference scenario in slots of an hour."""
    with (
        as_file(files("hubwise.scenario") / "data" / "ieee33") as packaged,
        tempfile.TemporaryDirectory() as place,
    ):
        folder = copytree(packaged, Path(place) / "ieee33")
        described = folder / "scenario.toml"
        text = described.read_text(encoding="utf-8")
        described.write_text(text.replace("slot_minutes = 15", "slot_minutes = 60"), "utf-8")
        return load(folder)


@dataclass(frozen=True, slots=True)
class Instance:
    """The same problem twice: driver by driver, and with identical drivers merged."""

    drivers: Problem
    classes: Problem


def instance(seed: int, family: str, classes: int = 10) -> Instance:
    """Drivers of ieee33 drawn at random, each standing for a class of as many as make up 1,200.

    All six hubs are one, and the feeder is without losses: what is tried here is the pricing.
    Prices, rules and promises are those of the scenario.
    """
    whole = hourly_ieee33().situation
    drawn = np.random.default_rng(seed).choice(len(whole.fleet), classes, replace=False)
    fleet = whole.fleet.select(np.repeat(drawn, DRIVERS // classes))
    situation = replace(
        whole,
        hubs=_one_hub(whole.hubs),
        fleet=replace(fleet, hub=np.zeros_like(fleet.hub), participating=np.ones(len(fleet), bool)),
        rules=replace(whole.rules, family=TariffFamily(family)),
    )
    limits = _head(whole)
    draw = uncoordinated(situation.fleet, situation.horizon).charge_kw.sum(axis=0, keepdims=True)
    span = situation.promises.peak_valley * float(np.ptp(limits.head(draw)))
    drivers, together = (
        make_problem(each, limits, span_kw=span) for each in (situation, merged(situation))
    )
    return Instance(drivers, together)


def _one_hub(hubs: Hubs) -> Hubs:
    """All hubs as one: powers, energies and costs add up."""
    shares = ("battery_charge_efficiency", "battery_discharge_efficiency", "battery_wear_cost")
    kept = {name: getattr(hubs, name)[:1] for name in ("bus", *shares)}
    added = {
        f.name: getattr(hubs, f.name).sum(axis=0, keepdims=True)
        for f in fields(hubs)
        if f.name not in (*kept, "name") and isinstance(getattr(hubs, f.name), np.ndarray)
    }
    return replace(hubs, name=("all",), **kept, **added)


def _head(situation: Situation) -> Limits:
    """The feeder head without losses, unlimited but for the peak-valley promise."""
    base = situation.feeder.base_kw.sum(axis=0)
    one = np.ones((1, len(base)))
    offset = np.stack([base, -base])
    infinite = np.full_like(offset, np.inf)
    return Limits(("head", "-head"), np.stack([one, -one]), offset, infinite)
